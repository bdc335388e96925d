"""The label guide: one page that says which label means what."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from conversations.intents import INTENTS
from conversations.learning.pages.shared import show
from conversations.models import OwnWord
from crm.workspace.pages import MemberRequest, member_page


@require_safe
@member_page("learning.view")
def guide(request: MemberRequest) -> HttpResponse:
    own = OwnWord.objects.all()
    groups = [
        (function, label, list(INTENTS[function].values()), [word for word in own if word.function == function])
        for function, label in OwnWord.Function.choices
    ]
    return show(request, "guide.html", {"groups": groups})
