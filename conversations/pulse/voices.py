"""Voices: the newest thing each waiting or talking customer said, in the order that a view asks for."""

from dataclasses import dataclass

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from conversations.inbound import file_words
from conversations.models import Conversation, Message
from conversations.text import snippet

SHOWN = 30
LOOKED_AT = 300  # newest messages among which the newest conversations are found
LENGTH = 280  # characters
VIEWS: dict[str, str | Promise] = {
    "newest": _("Newest"),
    "unhappy": _("Unhappy first"),
    "unanswered": _("Unanswered"),
}


@dataclass(frozen=True, slots=True)
class Voice:
    conversation: Conversation
    message: Message
    text: str


def voices(view: str, channel: str) -> list[Voice]:
    """The first voices of a view; `channel` '' means all."""
    open_ones: QuerySet[Conversation] = Conversation.objects.open()
    if channel:
        open_ones = open_ones.filter(inbox__channel=channel)
    if view == "unhappy":
        order = (F("mood").asc(nulls_last=True), F("waiting_since").asc(nulls_last=True), "pk")
        return _by_conversation(open_ones.order_by(*order))
    if view == "unanswered":
        return _by_conversation(open_ones.filter(waiting_since__isnull=False).order_by("waiting_since", "pk"))
    return _newest(open_ones)


def _heard() -> QuerySet[Message]:
    heard: QuerySet[Message] = Message.objects.filter(direction=Message.Direction.IN, deleted_at=None)
    return heard


def _by_conversation(rows: QuerySet[Conversation]) -> list[Voice]:
    last = _heard().filter(conversation=OuterRef("pk")).order_by("-seq").values("pk")[:1]
    wanted = list(rows.annotate(last=Subquery(last)).filter(last__isnull=False).values_list("last", flat=True)[:SHOWN])
    messages = {message.pk: message for message in _with_people(Message.objects.filter(pk__in=wanted))}
    return [_voice(messages[pk]) for pk in wanted]


def _newest(rows: QuerySet[Conversation]) -> list[Voice]:
    newest: dict[int, int] = {}
    pairs = _heard().filter(conversation__in=rows).order_by("-pk").values_list("conversation", "pk")
    for conversation, pk in pairs[:LOOKED_AT]:
        newest.setdefault(conversation, pk)
    messages = _with_people(Message.objects.filter(pk__in=list(newest.values())[:SHOWN]))
    return [_voice(message) for message in messages.order_by("-at", "-pk")]


def _with_people(messages: QuerySet[Message]) -> QuerySet[Message]:
    people = messages.select_related("conversation__customer", "conversation__inbox", "conversation__assignee__agent")
    return people.prefetch_related("files")


def _voice(message: Message) -> Voice:
    return Voice(
        message.conversation, message, snippet(message.text, LENGTH) or file_words(list(message.files.all()[:1]))
    )
