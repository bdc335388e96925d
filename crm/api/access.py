"""Who may ask the API for what: a bearer token, its scope, and the one permission function."""

import functools
from collections.abc import Callable
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django_scopes import scope
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from ninja import Router
from ninja.errors import AuthenticationError
from ninja.security import HttpBearer

from crm.api.problems import TooMany
from crm.workspace import clock, permissions, tokens
from crm.workspace.events import through
from crm.workspace.models import Membership

A_MINUTE = RateLimitItemPerMinute(600)  # requests with one token
_limiter = MovingWindowRateLimiter(MemoryStorage())


class ApiRequest(HttpRequest):
    """A request whose token was found: `auth` is the member it acts as."""

    auth: Membership
    token: tokens.ApiToken


class Token(HttpBearer):
    """Lets in a token with the scope whose member `may` do the verb."""

    def __init__(self, scope: str, verb: str) -> None:
        super().__init__()
        self.scope, self.verb = scope, verb

    def authenticate(self, request: HttpRequest, token: str) -> Membership:
        found = tokens.find(token)
        if found is None:
            raise AuthenticationError
        _count(found)
        if self.scope not in found.scopes:
            raise PermissionDenied(f"This token lacks the scope “{self.scope}”: make one that has it.")
        permissions.require(found.membership, self.verb)
        cast(ApiRequest, request).token = found
        member: Membership = found.membership
        return member


def _count(token: tokens.ApiToken) -> None:
    if not _limiter.hit(A_MINUTE, str(token.pk)):
        reset, _left = _limiter.get_window_stats(A_MINUTE, str(token.pk))
        raise TooMany(max(1, round(reset - clock.now().timestamp())))


def new_router(tag: str) -> Router:
    """A router whose operations run in the scope of the token's workspace; what they change says that the API did."""
    router = Router(tags=[tag])
    router.add_decorator(_in_workspace, mode="operation")
    return router


def _in_workspace(operation: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(operation)
    def scoped(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        asked = cast(ApiRequest, request)
        with scope(workspace=asked.auth.workspace), through(f"API: {asked.token.name}"):
            return operation(request, *args, **kwargs)

    return scoped
