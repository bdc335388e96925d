"""How a page of the workspace says who may open it."""

import functools
from collections.abc import Callable
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase

from crm.workspace import permissions
from crm.workspace.models import Membership

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
