"""How conversations and messages look in the API, loaded a page at a time without a query per row."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from django.db.models import OuterRef, QuerySet, Subquery
from ninja import Field, Schema

from conversations import mood
from conversations.models import Conversation, File, Message, RoutedRecord
from crm.api.customers import Person, person
from crm.records import kind_of
from crm.workspace.models import Workspace

Sentiment = Literal[-1, 0, 1]
SENTIMENTS: dict[str, Sentiment] = {"negative": -1, "neutral": 0, "positive": 1}


class FileOut(Schema):
    token: str
    kind: str
    name: str
    mime: str
    size: int | None
    state: str


class MessageOut(Schema):
    id: int
    conversation: int
    seq: int = Field(description="Its place in the conversation")
    thread_id: str = Field(description="The platform's own id of the thread it came in or goes out on")
    direction: Literal["in", "out"]
    author_kind: str
    author: str | None
    text: str = Field(description="Empty when it was deleted")
    at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    delivery: str | None = Field(description="How far our message got; null: one of the customer, or not to be sent")
    reason: str = Field(description="Why it could not be sent, in words")
    idempotency_key: str | None
    files: list[FileOut]


class RecordLink(Schema):
    kind: str = Field(description="`ticket`, `lead`, `opportunity` or `campaign_response`")
    id: int
    number: int
    title: str
    status: str


class Assignee(Schema):
    id: int
    name: str


class ConversationOut(Schema):
    id: int
    channel: str
    inbox: str
    thread_id: str | None
    customer: Person
    function: str = Field(description="`marketing`, `sales`, `support`; empty: none, or not said yet")
    intent: str
    urgency: int
    sentiment: Sentiment | None
    status: Literal["open", "resolved"]
    assignee: Assignee | None
    unread: int
    waiting_since: datetime | None
    opened_at: datetime
    resolved_at: datetime | None
    last_message_at: datetime
    records: list[RecordLink]
    last_message: MessageOut | None
    head: int = Field(description="`events?since=` this number gives all that happened after this was read")


def of_list() -> QuerySet[Any]:
    """Conversations with what showing them needs."""
    newest = Message.objects.filter(conversation=OuterRef("pk")).order_by("-seq").values("pk")[:1]
    rows: QuerySet[Any] = Conversation.objects.select_related("customer", "inbox", "assignee__agent")
    return rows.annotate(newest_id=Subquery(newest))


def of_thread() -> QuerySet[Any]:
    """Messages with what showing them needs."""
    rows: QuerySet[Any] = Message.objects.select_related("thread", "author__agent")
    return rows.prefetch_related("files", "deliveries")


def head_of(workspace: Workspace) -> int:
    """The newest event's number. Read it before the rows: then nothing is missed after it."""
    head: int = Workspace.objects.values_list("event_head", flat=True).get(pk=workspace.pk)
    return head


def shown(rows: Sequence[Any], head: int) -> list[ConversationOut]:
    """The conversations of a page."""
    newest = of_thread().in_bulk([row.newest_id for row in rows if row.newest_id])
    links = _links(row.pk for row in rows)
    return [_shown(row, newest.get(row.newest_id), links[row.pk], head) for row in rows]


def _links(ids: Iterable[int]) -> dict[int, list[RecordLink]]:
    found: dict[int, list[RecordLink]] = defaultdict(list)
    linked = RoutedRecord.objects.filter(conversation__in=list(ids)).select_related(*RoutedRecord.KINDS)
    for link in linked:
        row = link.record
        facts = {"id": row.pk, "number": row.number, "title": row.title, "status": row.status}
        found[link.conversation_id].append(RecordLink(kind=kind_of(row), **facts))
    return found


def _shown(row: Any, newest: Message | None, records: list[RecordLink], head: int) -> ConversationOut:
    return ConversationOut(
        id=row.pk,
        channel=row.inbox.channel,
        inbox=row.inbox.name,
        thread_id=newest.thread.external_id if newest else None,
        customer=person(row.customer),
        function=row.function,
        intent=row.intent,
        urgency=row.urgency,
        sentiment=SENTIMENTS.get(mood.word(row.mood)),
        status=row.status,
        assignee=Assignee(id=row.assignee_id, name=row.assignee.name) if row.assignee else None,
        unread=row.unread,
        waiting_since=row.waiting_since,
        opened_at=row.opened_at,
        resolved_at=row.resolved_at,
        last_message_at=row.last_message_at,
        records=records,
        last_message=message_out(newest) if newest else None,
        head=head,
    )


def message_out(row: Message) -> MessageOut:
    """One message, loaded by `of_thread`."""
    delivery, reason = _fate(row)
    return MessageOut(
        id=row.pk,
        conversation=row.conversation_id,
        seq=row.seq,
        thread_id=row.thread.external_id,
        direction="out" if row.is_ours else "in",
        author_kind=row.author_kind,
        author=row.author.name if row.author else None,
        text="" if row.deleted_at else row.text,
        at=row.at,
        edited_at=row.edited_at,
        deleted_at=row.deleted_at,
        delivery=delivery,
        reason=reason,
        idempotency_key=row.client_id or None,
        files=[] if row.deleted_at else [file_out(file) for file in row.files.all()],
    )


def file_out(file: File) -> FileOut:
    facts: dict[str, Any] = {"kind": file.kind, "name": file.name, "mime": file.mime, "size": file.size}
    return FileOut(token=file.token, state=file.state, **facts)


WORST_FIRST = ("dead", "refused", "uncertain", "sending", "queued", "sent")


def _fate(row: Message) -> tuple[str | None, str]:
    """The state of the part that is furthest behind, and its reason."""
    parts = [part for part in row.deliveries.all() if part.kind == "send"]
    if not parts:
        return None, ""
    part = min(parts, key=lambda part: WORST_FIRST.index(part.state))
    return part.state, part.reason
