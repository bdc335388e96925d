"""What crm's pages load of the conversations, as fragments."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404

from conversations.models import RoutedRecord
from conversations.profile.between import VIEWS, between, conversations_of_record
from crm.people.models import Customer
from crm.workspace.pages import MemberRequest, member_page, show


@member_page("conversation.view")
def customer_conversations(request: MemberRequest, pk: int) -> HttpResponse:
    """Everything between a customer and us, by `view`; with `after` only the entries that follow."""
    customer = get_object_or_404(Customer.objects.all(), pk=pk)
    after = request.GET.get("after", "")
    page = between(customer, view=request.GET.get("view", "all"), after=after)
    template = "conversations/profile/_entries.html" if after else "conversations/profile/between.html"
    return show(request, template, {"customer": customer, "between": page, "views": VIEWS.items()})


@member_page("conversation.view")
def record_conversations(request: MemberRequest, kind: str, pk: int) -> HttpResponse:
    """The conversations that led to a record."""
    if kind not in RoutedRecord.KINDS:
        raise Http404
    model: Any = RoutedRecord._meta.get_field(kind).related_model
    record = get_object_or_404(model.objects.all(), pk=pk)
    context = {"links": conversations_of_record(record, kind)}
    return show(request, "conversations/profile/of_record.html", context)
