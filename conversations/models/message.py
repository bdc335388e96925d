"""What was said: messages with their revisions, reactions and files; and notes, which are never sent."""

import secrets
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from conversations.models.thread import Conversation, Thread
from conversations.text import ID_LIMIT
from crm.people.models import Identity
from crm.workspace import clock
from crm.workspace.models import Membership
from crm.workspace.owned import WorkspaceOwned


class Message(WorkspaceOwned):
    class Direction(models.TextChoices):
        IN = "in", _("from the customer")
        OUT = "out", _("from us")

    class Author(models.TextChoices):
        CUSTOMER = "customer", _("customer")
        AGENT = "agent", _("agent")
        BOT = "bot", _("bot")
        SYSTEM = "system", _("system")
        CAMPAIGN = "campaign", _("campaign")

    class Purpose(models.TextChoices):
        REPLY = "reply", _("reply")
        SERVICE = "service", _("service")
        MARKETING = "marketing", _("marketing")

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages")
    thread = models.ForeignKey(Thread, models.PROTECT, related_name="messages")  # where it came in or goes out
    seq = models.PositiveIntegerField()  # our order inside the conversation
    direction = models.CharField(max_length=3, choices=Direction)
    author_kind = models.CharField(max_length=8, choices=Author)
    author = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="messages")
    identity = models.ForeignKey(Identity, models.SET_NULL, null=True, related_name="messages")  # whose, or to whom
    purpose = models.CharField(max_length=9, choices=Purpose, default=Purpose.REPLY)
    text = models.TextField(blank=True)
    external_id = models.CharField(max_length=ID_LIMIT, blank=True)  # the platform's id inside the thread
    client_id = models.CharField(max_length=64, blank=True)  # the author's own id: a double submit is one message
    reply_to_external_id = models.CharField(max_length=ID_LIMIT, blank=True)
    details: Any = models.JSONField(default=dict)  # what only its channel knows of it: a subject, flags, buttons
    raw_delivery_id = models.BigIntegerField(null=True)  # at the edge, which drops raw bytes after a while
    at = models.DateTimeField(default=clock.now)  # ours
    platform_at = models.DateTimeField(null=True)  # theirs: shown, never sorted by
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    hidden_at = models.DateTimeField(null=True)  # a public post of theirs that we hid
    liked_at = models.DateTimeField(null=True)  # by us
    awaits_triage = models.BooleanField(default=False)  # could not be read in time; the sweep looks for these

    class Meta:
        ordering = ["seq"]
        indexes = [
            models.Index(fields=["workspace", "id"], condition=Q(awaits_triage=True), name="messages_to_read_later")
        ]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="a_place_in_a_conversation_is_taken_once"),
            models.UniqueConstraint(
                fields=["external_id", "thread"], condition=~Q(external_id=""), name="an_outside_message_is_stored_once"
            ),
            models.UniqueConstraint(
                fields=["author", "client_id"], condition=~Q(client_id=""), name="an_author_s_message_is_stored_once"
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]

    @property
    def is_ours(self) -> bool:
        return self.direction == self.Direction.OUT


class AlbumPart(WorkspaceOwned):
    """One of the pictures that a platform delivered singly and that are one message: its id leads to the message."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="album_parts")
    thread = models.ForeignKey(Thread, models.PROTECT, related_name="+")
    album = models.CharField(max_length=ID_LIMIT)  # the platform's id of it inside the thread
    external_id = models.CharField(max_length=ID_LIMIT)

    class Meta:
        indexes = [models.Index(fields=["album", "thread"], name="parts_of_an_album")]
        constraints = [
            models.UniqueConstraint(fields=["external_id", "thread"], name="a_part_of_an_album_is_stored_once")
        ]


class Revision(WorkspaceOwned):
    """What a message said before it was edited."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="revisions")
    text = models.TextField(blank=True)
    replaced_at = models.DateTimeField(default=clock.now)


class Reaction(WorkspaceOwned):
    message = models.ForeignKey(Message, models.CASCADE, related_name="reactions")
    identity = models.ForeignKey(Identity, models.CASCADE, null=True, related_name="reactions")  # null: ours
    member = models.ForeignKey(Membership, models.CASCADE, null=True, related_name="reactions")
    emoji = models.CharField(max_length=40)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "identity", "emoji"], name="a_person_reacts_once_with_an_emoji")
        ]


class Note(WorkspaceOwned):
    """A message among ourselves. It shares the conversation's seq, so it stands where it was written."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="notes")
    seq = models.PositiveIntegerField()
    author = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="notes")
    text = models.TextField()
    client_id = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["seq"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="a_note_has_a_place_of_its_own"),
            models.UniqueConstraint(fields=["author", "client_id"], name="an_author_s_note_is_stored_once"),
        ]


PLAYED = {
    "audio": ("mpeg", "mp3", "ogg", "opus", "mp4", "x-m4a", "aac", "wav", "x-wav", "webm", "flac"),
    "video": ("mp4", "webm", "ogg"),
}


def new_token() -> str:
    return secrets.token_urlsafe(24)


class File(WorkspaceOwned):
    """A file of a message. Its name is shown and never used as a path; its type is found from its bytes."""

    class State(models.TextChoices):
        WAITING = "waiting", _("being fetched")
        READY = "ready", _("ready")
        FAILED = "failed", _("could not be fetched")

    message = models.ForeignKey(
        Message, models.CASCADE, null=True, related_name="files"
    )  # null: uploaded, not sent yet
    token = models.CharField(max_length=40, unique=True, default=new_token)
    kind = models.CharField(max_length=12, default="file")  # image, video, audio, sticker, file, location, contact
    name = models.CharField(max_length=255, blank=True)
    mime = models.CharField(max_length=120, blank=True)
    size = models.PositiveBigIntegerField(null=True)  # bytes
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=300, blank=True)  # why it failed
    external_id = models.TextField(blank=True)  # what the edge fetches it by: often a long address
    details: Any = models.JSONField(default=dict)  # a location's lat and lon, a contact's phone
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name or self.kind

    @property
    def path(self) -> str:
        """Where it lies below MEDIA_ROOT: by token, spread over folders."""
        return f"{self.workspace_id}/{self.token[:2]}/{self.token}"

    @property
    def is_picture(self) -> bool:
        return self.mime in ("image/png", "image/jpeg", "image/gif", "image/webp")

    @property
    def is_shown_inline(self) -> bool:
        """Whether it stands inside the text, where the text names its `cid`."""
        return self.state == self.State.READY and self.is_picture and bool(self.details.get("cid"))

    @property
    def plays_as(self) -> str:
        """`audio` or `video` when a browser can play it, else ''."""
        family, _slash, kind = self.mime.partition("/")
        return family if kind in PLAYED.get(family, ()) else ""
