"""Where an answer leaves: the thread the customer last wrote on, a public one, or the private one behind it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from conversations.errors import CannotReply
from conversations.models import Conversation, Inbox, Message, Thread
from crm.people.models import Identity

ANYWHERE, PUBLIC, PRIVATE = "", "public", "private"


@dataclass(frozen=True, slots=True)
class Place:
    """A thread with the message that is answered there, when there is one, and whose it is."""

    thread: Thread
    answered: Message | None
    identity: Identity | None


def place_of(conversation: Conversation, where: str = ANYWHERE, *, answered: Message | None = None) -> Place:
    """Where the answer leaves; for PRIVATE a thread may be made, inside a change. Raises CannotReply."""
    if where == PRIVATE:
        return _private(conversation, answered)
    heard = answered or _last_heard(conversation, is_public=True if where == PUBLIC else None)
    if heard is not None:
        return Place(heard.thread, heard, heard.identity)
    if where == PUBLIC:
        raise CannotReply(_("Nothing was said in public here."))
    thread = conversation.threads.select_related("inbox").first()
    if thread is None:
        raise CannotReply(_("This conversation has no thread to answer on."))
    return Place(thread, None, None)


def _last_heard(conversation: Conversation, *, is_public: bool | None = None) -> Message | None:
    heard = conversation.messages.filter(direction=Message.Direction.IN).select_related("thread__inbox", "identity")
    if is_public is not None:
        heard = heard.filter(thread__is_public=is_public)
    last: Message | None = heard.order_by("-seq").first()
    return last


def _private(conversation: Conversation, answered: Message | None) -> Place:
    """The private thread with whoever wrote in public: where they wrote in private, else the one it names."""
    post = answered or _last_heard(conversation, is_public=True)
    known = _last_heard(conversation, is_public=False)
    if known is not None and (post is None or known.identity_id == post.identity_id):
        return Place(known.thread, known, known.identity)
    refusal = private_objection(post)
    if post is None or refusal:
        raise CannotReply(refusal)
    thread = _thread(conversation, post.thread.inbox, post.details["private_thread"])
    if thread.is_public:  # whatever the adapter said: never in public what was meant in private
        raise CannotReply(_("They cannot be answered in private here."))
    return Place(thread, post, post.identity)


def _thread(conversation: Conversation, inbox: Inbox, external_id: str) -> Thread:
    """The thread, which leads to this conversation unless it leads to another.

    The conversation is locked and the thread is not waited for: the other order is the rule, see `places`.
    """
    key = {"inbox": inbox, "external_id": external_id[:200]}
    made = Thread(workspace=inbox.workspace, conversation=conversation, **key)
    Thread.objects.bulk_create([made], ignore_conflicts=True)
    free = Thread.objects.select_for_update(no_key=True, skip_locked=True).filter(conversation=None, **key)
    for thread in free:
        thread.conversation = conversation
        thread.save(update_fields=["conversation"])
    found: Thread = Thread.objects.select_related("inbox").get(**key)
    return found


def private_objection(post: Message | None) -> str:
    """Why the author of a post cannot be answered in private; '' when they can."""
    if post is None or not post.thread.is_public:
        return _("Nothing was said in public here.")
    capabilities = post.thread.inbox.capabilities
    if not capabilities.get("private_answers"):
        channel = capabilities.get("label") or post.thread.inbox.channel.capitalize()
        return _("%(channel)s does not let us answer a post in private.") % {"channel": channel}
    return "" if post.details.get("private_thread") else _("They do not take private messages from us.")
