"""How a page of the workspace says who may open it, and how it is shown."""

import functools
from collections.abc import Callable
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers

from crm.workspace import permissions
from crm.workspace.models import Membership, Workspace

View = Callable[..., HttpResponseBase]


class MemberRequest(HttpRequest):
    """A request behind `member_page`: its membership is known."""

    membership: Membership


def member_page(verb: str) -> Callable[[View], View]:
    """A view for members who may `verb`; others sign in first, or get a 403."""

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            membership = getattr(request, "membership", None)
            if membership is None:
                return redirect_to_login(request.get_full_path())
            permissions.require(membership, verb)
            return view(cast(MemberRequest, request), *args, **kwargs)

        return guarded

    return wrap


def zone_of(workspace: Workspace) -> ZoneInfo:
    """The workspace's time zone; UTC when its name is not known here."""
    try:
        return ZoneInfo(workspace.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page. When it restores history it wants all of it."""
    htmx = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.history_restore_request


def show(request: MemberRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """The template in the workspace's time zone, never kept by the browser: the same address has two forms."""
    rights = {"change": permissions.may(request.membership, "record.change")}
    with timezone.override(zone_of(request.membership.workspace)):
        response = render(request, template, {"rights": rights, **context}, status=status)
    patch_vary_headers(response, ["HX-Request"])
    patch_cache_control(response, private=True, no_store=True)
    return response
