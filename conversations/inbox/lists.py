"""The conversations that the inbox lists: views, pages, search."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from conversations.live.fragments import counts_of_open
from conversations.models import Conversation, Message
from conversations.models.thread import ConversationQuerySet
from crm.workspace.models import Membership

PAGE = 50
VIEWS: dict[str, Promise] = {
    "mine": _("Mine"),
    "unassigned": _("Unassigned"),
    "all": _("All"),
    "resolved": _("Resolved"),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class View:
    """A link above the list. `count` is None where counting would say nothing."""

    name: str
    label: str
    count: int | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class ConversationList:
    """`after`: the cursor of the next page, '' on the last."""

    view: str
    query: str
    rows: list[Conversation]
    after: str
    views: list[View]


def listed(membership: Membership, *, view: str, query: str) -> ConversationList:
    """The first page of a view, or what a search finds."""
    counts = _counts(membership)
    if query:
        return ConversationList("", query, search(query), "", _views("", counts))
    view = view if view in VIEWS else _first_view(counts)
    rows, after = page(membership, view=view)
    return ConversationList(view, "", rows, after, _views(view, counts))


def page(membership: Membership, *, view: str, after: str = "") -> tuple[list[Conversation], str]:
    """Up to PAGE conversations of a view after a cursor, and the next cursor."""
    found = conversations_in(view, membership).with_people().newest_first()
    cursor = _read_cursor(after)
    if cursor is not None:
        at, pk = cursor
        found = found.filter(last_message_at__lte=at).exclude(last_message_at=at, pk__gte=pk)
    rows = list(found[: PAGE + 1])
    return rows[:PAGE], _cursor(rows[PAGE - 1]) if len(rows) > PAGE else ""


def conversations_in(view: str, membership: Membership) -> ConversationQuerySet:
    rows: ConversationQuerySet = Conversation.objects.all()
    if view == "resolved":
        return rows.resolved()
    if view == "mine":
        return rows.open().of(membership)
    return rows.open().unassigned() if view == "unassigned" else rows.open()


def search(query: str) -> list[Conversation]:
    """The newest conversations, open or not, whose customer's name or whose words hold the query."""
    said = Message.objects.filter(text__icontains=query, deleted_at=None).order_by("-pk")
    heard = list(said.values_list("conversation_id", flat=True)[:PAGE])
    hit = Q(customer__name__icontains=query) | Q(last_text__icontains=query) | Q(pk__in=heard)
    return list(Conversation.objects.filter(hit).with_people().newest_first()[:PAGE])


def view_of(conversation: Conversation, membership: Membership) -> str:
    """The view that a conversation stands in, for a page that was opened by its address."""
    if not conversation.is_open:
        return "resolved"
    if conversation.assignee_id is None:
        return "unassigned"
    return "mine" if conversation.assignee_id == membership.pk else "all"


def _counts(membership: Membership) -> dict[str, int]:
    open_now = counts_of_open()
    mine = open_now["by_member"].get(str(membership.pk), 0)
    return {"mine": mine, "unassigned": open_now["unassigned"], "all": open_now["all"]}


def _first_view(counts: dict[str, int]) -> str:
    return next((name for name, count in counts.items() if count), "all")


def _views(current: str, counts: dict[str, int]) -> list[View]:
    return [View(name, str(label), counts.get(name), name == current) for name, label in VIEWS.items()]


def _cursor(conversation: Conversation) -> str:
    return f"{(conversation.last_message_at - _EPOCH) // _MICROSECOND}.{conversation.pk}"


def _read_cursor(text: str) -> tuple[datetime, int] | None:
    at, dot, pk = text.partition(".")
    if not (dot and at.isascii() and at.isdigit() and pk.isascii() and pk.isdigit() and len(text) < 36):
        return None
    try:
        return _EPOCH + int(at) * _MICROSECOND, int(pk)
    except OverflowError:
        return None
