"""Puts the signed-in agent's membership on the request and opens its workspace's scope."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django_scopes import scope, scopes_disabled

from crm.workspace.models import Agent, Membership


def membership_of(agent: Agent) -> Membership | None:
    """The agent's place in the workspace they joined first and have not left, or None."""
    with scopes_disabled():
        held = Membership.objects.filter(agent=agent, left_at=None).select_related("workspace", "agent")
        found: Membership | None = held.order_by("joined_at", "pk").first()
    return found


class MembershipMiddleware:
    """Sets `request.membership` (None: not signed in, or of no workspace)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith("/api/"):  # a token says who asks; no session is read
            return self.get_response(request)
        agent = getattr(request, "user", None)
        membership = membership_of(agent) if agent is not None and agent.is_authenticated else None
        request.membership = membership  # type: ignore[attr-defined]  # Django offers no typed place for it
        if membership is None:
            return self.get_response(request)
        with scope(workspace=membership.workspace):
            return self.get_response(request)
