"""API tokens: a member's key for programs. Only its hash is kept; it may do what its scopes and the role allow."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django_scopes import scopes_disabled

from crm.workspace import clock
from crm.workspace.events import change
from crm.workspace.models import Membership
from crm.workspace.owned import WorkspaceOwned

PREFIX = "rpt_"
SCOPES = ("read", "reply", "manage")  # look; answer, note, assign, resolve; webhooks
USE_IS_NOTED_EVERY = timedelta(minutes=1)


class ApiToken(WorkspaceOwned):
    """A key that acts as its member. The key itself is shown once, when it is made."""

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=120)
    hashed = models.CharField(max_length=64, unique=True)  # sha256: 192 random bits need no slow hash
    beginning = models.CharField(max_length=12)  # "rpt_Ab3d", to tell one from another
    scopes: Any = models.JSONField(default=list)
    created_at = models.DateTimeField(default=clock.now)
    last_used_at = models.DateTimeField(null=True)  # to the minute
    revoked_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)  # null: never

    def __str__(self) -> str:
        return f"{self.name} ({self.beginning}…)"


def make(
    member: Membership, *, name: str, scopes: Sequence[str] = SCOPES, by: Membership | None = None
) -> tuple[ApiToken, str]:
    """A new token of the member, and its key: the only time it can be read."""
    key = PREFIX + secrets.token_urlsafe(24)
    row = ApiToken(workspace=member.workspace, membership=member, name=name[:120], hashed=hash_of(key))
    row.beginning, row.scopes = key[:8], [scope for scope in SCOPES if scope in scopes]
    with change(member.workspace, actor=by or member, cause="api token") as event:
        row.save()
        event.record("token.made", row, changed={"scopes": [None, row.scopes]})
    return row, key


def revoke(token: ApiToken, *, by: Membership) -> None:
    """The token opens nothing from now on."""
    with change(token.workspace, actor=by, cause="api token") as event:
        now = clock.now()
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
            event.record("token.revoked", token)


def find(key: str) -> ApiToken | None:
    """The token with this key, when it still opens something; notes that it was used."""
    if not key.startswith(PREFIX):
        return None
    now = clock.now()
    with scopes_disabled():
        live = ApiToken.objects.filter(hashed=hash_of(key), revoked_at=None, membership__left_at=None)
        live = live.filter(Q(expires_at=None) | Q(expires_at__gt=now), membership__agent__is_active=True)
        token: ApiToken | None = live.select_related("membership__agent", "membership__workspace").first()
        if token is not None:
            stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_IS_NOTED_EVERY)
            if token.last_used_at is None or token.last_used_at < now - USE_IS_NOTED_EVERY:
                ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token


def hash_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
