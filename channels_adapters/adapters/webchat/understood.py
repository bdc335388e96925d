"""The visitor's page that says how their messages were understood, and lets them say no to teaching with them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from channels_adapters.adapters.webchat import WebChatAdapter, access, history, visitors
from channels_adapters.adapters.webchat.history import Place
from conversations.learning import consent
from conversations.learning.plainly import understood as in_plain_words
from conversations.models import Inbox, Message, Thread
from crm.people.models import Customer


@require_safe
@access.chat_page
def understood(request: HttpRequest, inbox: Inbox, adapter: WebChatAdapter) -> HttpResponse:
    """What was understood of the visitor's own messages. Only who has the cookie of this chat sees it."""
    visitor = _visitor(request, inbox)
    if visitor is None:
        return access.stranger()
    thread = history.thread_of(Place(inbox, visitor))
    customer = _customer(thread)
    context = {
        "inbox": inbox,
        "title": adapter.settings.get("title") or inbox.workspace.name,
        "read": in_plain_words(thread.pk) if thread is not None else [],
        "teaches": inbox.workspace.teaches_since is not None,
        "may": customer is not None and customer.pk not in consent.refused(),
        "has_customer": customer is not None,
    }
    return render(request, "webchat/understood.html", context)


@require_POST
@access.chat_page
def teach(request: HttpRequest, inbox: Inbox, adapter: WebChatAdapter) -> HttpResponse:
    """The visitor's word on whether their messages may teach."""
    visitor = _visitor(request, inbox)
    customer = _customer(history.thread_of(Place(inbox, visitor))) if visitor is not None else None
    if customer is None:
        return access.stranger()
    may = request.POST.get("may") == "yes"
    consent.say(customer, may=may, kind=inbox.channel, wording="yes" if may else "no")
    return redirect("webchat-understood", inbox.key)


def _visitor(request: HttpRequest, inbox: Inbox) -> str | None:
    return visitors.read(request.COOKIES.get(visitors.COOKIE, ""), inbox.key)


def _customer(thread: Thread | None) -> Customer | None:
    """Whose thread it is, also when nothing is open in it."""
    if thread is None:
        return None
    said = Message.objects.filter(thread=thread, direction=Message.Direction.IN)
    newest: Message | None = said.select_related("conversation__customer").order_by("-pk").first()
    return newest.conversation.customer if newest is not None else None
