"""The visitor's page that says how their messages were understood, and lets them say no to teaching with them.

In a frame of another site the browser may send no cookie: there the page's own links and its form prove who asks. The
address of the hosted page proves nothing, so that whoever copies it gives nobody their messages.
"""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
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
    """What was understood of the visitor's own messages. Only who has this chat's cookie or its link sees it."""
    shown = visitors.read_page_proof(request.GET.get("proof", ""), inbox.key)
    visitor = shown or visitors.read(request.COOKIES.get(visitors.COOKIE, ""), inbox.key)
    if visitor is None:
        return access.stranger()
    thread = history.thread_of(Place(inbox, visitor))
    customer = _customer(thread)
    context = {
        "inbox": inbox,
        "proof": visitors.page_proof(visitor, inbox.key),
        "is_embedded": "embed" in request.GET,
        "title": adapter.settings.get("title") or inbox.workspace.name,
        "read": in_plain_words(thread.pk) if thread is not None else [],
        "teaches": inbox.workspace.teaches_since is not None,
        "may": customer is not None and customer.pk not in consent.refused(),
        "has_customer": customer is not None,
    }
    return render(request, "webchat/understood.html", context)


@csrf_exempt
@require_POST
@access.chat_page
def teach(request: HttpRequest, inbox: Inbox, adapter: WebChatAdapter) -> HttpResponse:
    """The visitor's word on whether their messages may teach. Its form carries a proof that no other site has."""
    visitor = visitors.read_page_proof(request.POST.get("proof", ""), inbox.key)
    customer = _customer(history.thread_of(Place(inbox, visitor))) if visitor is not None else None
    if customer is None:
        return access.stranger()
    may = request.POST.get("may") == "yes"
    consent.say(customer, may=may, kind=inbox.channel, wording="yes" if may else "no")
    page = reverse("webchat-understood", args=[inbox.key])
    in_frame = "embed" in request.POST
    return redirect(f"{page}?{urlencode({'embed': '', 'proof': request.POST['proof']})}" if in_frame else page)


def _customer(thread: Thread | None) -> Customer | None:
    """Whose thread it is, also when nothing is open in it."""
    if thread is None:
        return None
    said = Message.objects.filter(thread=thread, direction=Message.Direction.IN)
    newest: Message | None = said.select_related("conversation__customer").order_by("-pk").first()
    return newest.conversation.customer if newest is not None else None
