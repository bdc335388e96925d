"""Settings: the tokens that programs come in with. A key is on the page that makes it, and never again."""

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from crm.workspace import tokens as api_tokens
from crm.workspace.pages import MemberRequest, member_page, show
from crm.workspace.tokens import SCOPES, ApiToken

SCOPE_WORDS = {
    "read": _("read"),
    "reply": _("reply, note, assign, resolve"),
    "manage": _("manage webhooks"),
}


class TokenForm(forms.Form):
    name = forms.CharField(label=_("What it is for"), max_length=120)
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=[(name, SCOPE_WORDS[name]) for name in SCOPES],
        initial=["read"],
        widget=forms.CheckboxSelectMultiple,
    )


@member_page("settings.change")
def tokens(request: MemberRequest) -> HttpResponse:
    """The tokens that open the API; a POST makes one that acts as whoever makes it."""
    form = TokenForm(request.POST or None)
    key = ""
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        _token, key = api_tokens.make(request.membership, name=said["name"], scopes=said["scopes"])
        form = TokenForm()
    live = ApiToken.objects.filter(revoked_at=None).select_related("membership__agent").order_by("-pk")
    context = {"form": form, "key": key, "tokens": live}
    return show(request, "settings/tokens.html", context, status=422 if form.is_bound else 200)


@require_POST
@member_page("settings.change")
def revoke(request: MemberRequest, pk: int) -> HttpResponse:
    api_tokens.revoke(get_object_or_404(ApiToken, pk=pk), by=request.membership)
    return redirect("api-tokens")
