"""What is done to messages that exist: ours are edited and deleted, theirs reacted to, read, hidden and liked.

An act is a delivery of its own kind: queued here, done by the edge, and shown once the platform did it.
"""

from collections.abc import Callable, Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations import parts
from conversations.errors import CannotAct
from conversations.models import Conversation, Delivery, Inbox, Message, Reaction, Revision
from conversations.text import TEXT_LIMIT, clean, clean_line, snippet
from crm.workspace import clock, permissions
from crm.workspace.events import Change, change
from crm.workspace.models import Membership

Kind = Delivery.Kind
NEEDS = {  # the capability behind each kind, and what a channel without it cannot do
    Kind.EDIT: ("edits", gettext_lazy("change a message that was sent")),
    Kind.DELETE: ("deletes", gettext_lazy("take a message back")),
    Kind.REACT: ("reactions", gettext_lazy("react to a message")),
    Kind.READ: ("read_marks", gettext_lazy("show that we read")),
    Kind.HIDE: ("hides", gettext_lazy("hide a post")),
    Kind.UNHIDE: ("hides", gettext_lazy("hide a post")),
    Kind.LIKE: ("likes", gettext_lazy("like a post")),
    Kind.UNLIKE: ("likes", gettext_lazy("like a post")),
}
OF_OURS = (Kind.EDIT, Kind.DELETE)
OF_PUBLIC = (Kind.HIDE, Kind.UNHIDE, Kind.LIKE, Kind.UNLIKE)
EMOJIS = ("👍", "❤️", "😂", "😮", "😢", "🙏")  # offered where the platform takes any


def offered(message: Message) -> tuple[str, ...]:
    """The kinds that make sense for the message, whether its channel can do them or not."""
    if message.is_ours:
        return (Kind.REACT, Kind.EDIT, Kind.DELETE)
    if not message.thread.is_public:
        return (Kind.REACT,)
    like = Kind.UNLIKE if message.liked_at else Kind.LIKE
    hide = Kind.UNHIDE if message.hidden_at else Kind.HIDE
    return (Kind.REACT, like, hide)


def emojis_of(inbox: Inbox) -> tuple[str, ...]:
    """The reactions to choose from."""
    return tuple(inbox.capabilities.get("emojis") or EMOJIS)


def objection(message: Message, kind: str, member: Membership) -> str:
    """Why this member cannot do this to the message; '' when they can."""
    inbox = message.thread.inbox
    if not permissions.may(member, "message.act", message):
        return _("Your role does not allow it.")
    if inbox.state != Inbox.State.LIVE:
        return _("The inbox “%(inbox)s” is not live.") % {"inbox": inbox.name}
    if message.deleted_at is not None:
        return _("It was deleted.")
    capability, words = NEEDS[Kind(kind)]
    if not inbox.capabilities.get(capability):
        channel = inbox.capabilities.get("label") or inbox.channel.capitalize()
        return _("%(channel)s cannot %(do_it)s.") % {"channel": channel, "do_it": words}
    if capability in inbox.capabilities.get("only_public", ()) and not message.thread.is_public:
        return _("The platform allows it for what stands in public only.")
    if capability in inbox.capabilities.get("only_private", ()) and message.thread.is_public:
        return _("The platform allows it for private messages only.")
    if kind in OF_OURS:
        return _objection_to_ours(message, member)
    if kind in OF_PUBLIC and (message.is_ours or not message.thread.is_public):
        return _("Only for what others post in public.")
    return "" if _targets(message) else _("It has not been sent.")


def _objection_to_ours(message: Message, member: Membership) -> str:
    if not message.is_ours:
        return _("Only for what we sent.")
    if message.author_id != member.pk and not permissions.may(member, "message.act_for_others", message):
        return _("Only for what you sent yourself.")
    sends = [part for part in message.deliveries.all() if not part.is_act]
    arrived = bool(sends) and all(part.state == Delivery.State.SENT and part.external_id for part in sends)
    return "" if arrived else _("It has not been sent.")


def edit(message: Message, text: str, *, by: Membership) -> None:
    """Queue the new text of a message of ours. Raises CannotAct; the same text again changes nothing."""
    text = clean(text[:TEXT_LIMIT]).strip()
    with change(by.workspace, actor=by, cause="page") as event:
        message = _locked(message, Kind.EDIT, by)
        if text == message.text:
            return
        sends = [part for part in message.deliveries.all() if not part.is_act and part.file_id is None]
        limit = message.thread.inbox.capabilities.get("text_limit") or TEXT_LIMIT
        cut = parts.split(text, limit)
        if not sends or len(cut) != len(sends):
            raise CannotAct(_("It was sent in %(count)d parts and has to fit into as many.") % {"count": len(sends)})
        changed = [(part, new) for part, new in zip(sends, cut, strict=True) if part.text != new]
        _queue(event, message, Kind.EDIT, [(part.external_id, new, {"whole": text}) for part, new in changed])


def delete(message: Message, *, by: Membership) -> None:
    """Queue that a message of ours is taken back, with all its parts. Raises CannotAct."""
    with change(by.workspace, actor=by, cause="page") as event:
        message = _locked(message, Kind.DELETE, by)
        _queue(event, message, Kind.DELETE, [(target, "", {}) for target in _targets(message)])


def react(message: Message, emoji: str, *, by: Membership) -> None:
    """Queue our one reaction to a message; '' takes it back. Raises CannotAct."""
    emoji = clean_line(emoji, 40)
    with change(by.workspace, actor=by, cause="page") as event:
        message = _locked(message, Kind.REACT, by)
        known = message.thread.inbox.capabilities.get("emojis")
        if emoji and known and emoji not in known:
            raise CannotAct(_("The platform does not take this reaction."))
        _queue(event, message, Kind.REACT, [(_targets(message)[0], emoji, {"member": by.pk})])


def moderate(message: Message, kind: str, *, by: Membership) -> None:
    """Queue to hide or like what somebody posted in public, or to take that back. Raises CannotAct."""
    with change(by.workspace, actor=by, cause="page") as event:
        message = _locked(message, kind, by)
        _queue(event, message, kind, [(message.external_id, "", {})])


def tell_read(conversation: Conversation, *, by: Membership) -> None:
    """Let each platform of the conversation that shows such marks know that its last message was read."""
    with change(by.workspace, actor=by, cause="page") as event:
        for thread in conversation.threads.select_related("inbox"):
            can = thread.inbox.capabilities
            is_shown = can.get("read_marks") and not (thread.is_public and "read_marks" in can.get("only_private", ()))
            if thread.inbox.sends and is_shown:
                heard = Message.objects.filter(thread=thread, direction=Message.Direction.IN).exclude(external_id="")
                last = heard.order_by("-pk").first()
                if last is not None and not last.deliveries.filter(kind=Kind.READ).exists():
                    _queue(event, last, Kind.READ, [(last.external_id, "", {})])


def _locked(message: Message, kind: str, by: Membership) -> Message:
    """The message as it is now, locked; raises CannotAct when the act is refused."""
    rows = Message.objects.select_for_update(of=("self",), no_key=True).select_related("thread__inbox", "conversation")
    found: Message = rows.get(pk=message.pk)
    refusal = objection(found, kind, by)
    if refusal:
        raise CannotAct(refusal)
    return found


def _targets(message: Message) -> list[str]:
    """The platform's ids of a message: its own, or those of its parts."""
    if not message.is_ours:
        return [message.external_id] if message.external_id else []
    return [part.external_id for part in message.deliveries.all() if not part.is_act and part.external_id]


def _queue(event: Change, message: Message, kind: str, wanted: Iterable[tuple[str, str, dict[str, object]]]) -> None:
    first = message.deliveries.filter(kind=kind).count()
    rows = [
        Delivery(
            workspace_id=message.workspace_id,
            thread_id=message.thread_id,
            message=message,
            kind=kind,
            part=number,
            target=target,
            text=text,
            details=details,
        )
        for number, (target, text, details) in enumerate(wanted, start=first)
    ]
    Delivery.objects.bulk_create(rows)
    event.record("act.queued", message, conversation_id=message.conversation_id, changed={"act": [None, str(kind)]})


def show(event: Change, delivery: Delivery) -> None:
    """The platform did it: the message shows it from now on. Call it inside the change that settles the delivery."""
    if delivery.message_id is None or delivery.kind in (Kind.READ, Kind.TYPING):
        return
    message = Message.objects.select_for_update(of=("self",), no_key=True).select_related("conversation__customer")
    found: Message = message.get(pk=delivery.message_id)
    verb = _SHOWN[delivery.kind](found, delivery)
    if verb:
        customer = found.conversation.customer
        event.record(verb, found, conversation_id=found.conversation_id, customer=customer)


def _show_edit(message: Message, delivery: Delivery) -> str:
    Delivery.objects.filter(message=message, kind=Kind.SEND, external_id=delivery.target).update(text=delivery.text)
    others = message.deliveries.filter(kind=Kind.EDIT, state__in=Delivery.OPEN_STATES).exclude(pk=delivery.pk)
    whole = delivery.details.get("whole", delivery.text)
    if others.exists() or message.text == whole:
        return ""
    Revision.objects.create(workspace_id=message.workspace_id, message=message, text=message.text)
    before, message.text, message.edited_at = message.text, whole, clock.now()
    message.save(update_fields=["text", "edited_at"])
    listed = Conversation.objects.filter(pk=message.conversation_id, last_text=snippet(before), last_by_us=True)
    listed.update(last_text=snippet(whole))
    return "message.edited"


def _show_deletion(message: Message, delivery: Delivery) -> str:
    gone = message.deliveries.filter(kind=Kind.DELETE, state=Delivery.State.SENT).values_list("target", flat=True)
    if set(_targets(message)) - set(gone) or message.deleted_at is not None:
        return ""
    message.deleted_at = clock.now()
    message.save(update_fields=["deleted_at"])
    return "message.deleted"


def _show_reaction(message: Message, delivery: Delivery) -> str:
    Reaction.objects.filter(message=message, identity=None).delete()
    if delivery.text:
        ours = Reaction(workspace_id=message.workspace_id, message=message, emoji=delivery.text)
        ours.member_id = delivery.details.get("member")
        ours.save()
    return "message.reacted"


def _show_moderation(message: Message, delivery: Delivery) -> str:
    now = clock.now()
    if delivery.kind in (Kind.HIDE, Kind.UNHIDE):
        message.hidden_at = now if delivery.kind == Kind.HIDE else None
    else:
        message.liked_at = now if delivery.kind == Kind.LIKE else None
    message.save(update_fields=["hidden_at", "liked_at"])
    verbs = {Kind.HIDE: "hidden", Kind.UNHIDE: "shown", Kind.LIKE: "liked", Kind.UNLIKE: "unliked"}
    return f"message.{verbs[Kind(delivery.kind)]}"


_SHOWN: dict[str, Callable[[Message, Delivery], str]] = {
    Kind.EDIT: _show_edit,
    Kind.DELETE: _show_deletion,
    Kind.REACT: _show_reaction,
    **dict.fromkeys(OF_PUBLIC, _show_moderation),
}
