"""The workspace's own intents."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from conversations.learning import words as own
from conversations.learning.pages.shared import INVALID, show
from conversations.models import OwnWord
from crm.workspace.pages import MemberRequest, member_page

EXAMPLES = 10  # from which on an intent is usually recognised


class WordForm(forms.Form):
    """Phrases and examples: one a line."""

    name = forms.CharField(label=gettext_lazy("What you call it"), max_length=40)
    function = forms.ChoiceField(label=gettext_lazy("Whose it is"), choices=OwnWord.Function.choices)
    phrases = forms.CharField(
        label=gettext_lazy("Phrases, one a line"),
        required=False,
        max_length=40_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy(
            "A few words that show it, up to eight: “queen dead|missing”, “varroa mite*”, “hive .. empty”."
        ),
    )
    examples = forms.CharField(
        label=gettext_lazy("Examples, one a line"),
        required=False,
        max_length=200_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=gettext_lazy("Whole messages as customers write them. Ten make a difference."),
    )


@require_safe
@member_page("learning.view")
def words(request: MemberRequest) -> HttpResponse:
    return show(request, "words.html", {"words": OwnWord.objects.all(), "enough": EXAMPLES})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page("learning.change")
def new(request: MemberRequest) -> HttpResponse:
    return _form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page("learning.change")
def word(request: MemberRequest, pk: int) -> HttpResponse:
    return _form(request, get_object_or_404(OwnWord, pk=pk))


def _form(request: MemberRequest, known: OwnWord | None) -> HttpResponse:
    initial = {}
    if known is not None:
        initial = {"name": known.name, "function": known.function}
        initial |= {"phrases": "\n".join(known.phrases), "examples": "\n".join(known.examples)}
    form = WordForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        lines = {name: said[name].splitlines() for name in ("phrases", "examples")}
        try:
            own.keep(by=request.membership, name=said["name"], function=said["function"], word=known, **lines)
        except own.CannotLearn as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Kept. It takes effect with the next training."))
            return redirect("own-words")
    return show(request, "word.html", {"form": form, "word": known}, status=INVALID if form.is_bound else 200)


@require_POST
@member_page("learning.change")
def remove(request: MemberRequest, pk: int) -> HttpResponse:
    own.remove(get_object_or_404(OwnWord, pk=pk), by=request.membership)
    messages.success(request, _("Removed. It is forgotten with the next training."))
    return redirect("own-words")
