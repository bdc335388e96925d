"""The pull: what a tab missed, asked over HTTP."""

from django.http import HttpResponse, JsonResponse

from conversations.live.fragments import since
from crm.workspace.pages import MemberRequest, member_page


@member_page("conversation.view")
def pull(request: MemberRequest) -> HttpResponse:
    """The frame after event `?since=N`; a reset when N cannot be read or is too far back."""
    asked = request.GET.get("since", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else -(10**6)
    return JsonResponse(since(request.membership.workspace, number).as_json())
