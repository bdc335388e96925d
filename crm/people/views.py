"""The pages of customers."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from crm.people.models import Customer
from crm.people.profile import profile_of
from crm.workspace import paging
from crm.workspace.pages import MemberRequest, is_fragment, member_page, show


@member_page("customer.view")
def customers(request: MemberRequest) -> HttpResponse:
    query, after = request.GET.get("q", "").strip()[:100], request.GET.get("after", "")
    rows = Customer.objects.select_related("company")
    if query:
        rows = rows.filter(name__icontains=query)
    template = "crm/people/customers.html"
    if is_fragment(request):
        template = "crm/people/_rows.html" if after else "crm/people/_table.html"
    return show(request, template, {"page": paging.page(rows, "last_contact_at", after), "query": query})


@member_page("customer.view")
def customer(request: MemberRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Customer.objects.select_related("company"), pk=pk)
    return show(request, "crm/people/customer.html", {"customer": found, "profile": profile_of(found)})
