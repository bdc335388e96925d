"""What the pages of learning share."""

from typing import Any

from django.http import HttpResponse

from crm.workspace import pages, permissions
from crm.workspace.pages import MemberRequest

INVALID = 422


def show(request: MemberRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """The page, with what the member may do here."""
    member = request.membership
    rights = {
        "correct": permissions.may(member, "triage.correct"),
        "change": permissions.may(member, "learning.change"),
        "settings": permissions.may(member, "settings.change"),
    }
    known = {"rights": rights, "teaches": member.workspace.teaches_since is not None}
    return pages.show(request, f"conversations/learning/{template}", {**known, **context}, status=status)
