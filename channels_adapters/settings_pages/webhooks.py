"""Settings: webhooks. Who is told of what, how it goes, and the log with another try. A secret is shown once."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from conversations.models import WebhookDelivery, WebhookSubscription
from conversations.webhooks import subscribing
from conversations.webhooks.kinds import EVERY, KINDS
from crm.web.outgoing import LONGEST_URL, NotAllowed
from crm.workspace.pages import MemberRequest, member_page, show

LISTED = 50  # deliveries on a page of the log


class WebhookForm(forms.Form):
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=LONGEST_URL,
        widget=forms.URLInput(attrs={"placeholder": "https://example.org/rapport", "dir": "ltr"}),
    )
    verbs = forms.MultipleChoiceField(
        label=gettext_lazy("It is told when"),
        required=False,
    )

    def __init__(self, *args: Any, told: WebhookSubscription | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if told is not None:
            self.initial = {"url": told.url, "verbs": told.verbs}
        others = [verb for verb in (told.verbs if told else ()) if verb not in EVERY]  # that a program asked for
        self.kinds = {**KINDS, **({"": dict.fromkeys(others, "")} if others else {})}
        self.fields["verbs"].choices = [(verb, verb) for verb in (*EVERY, *others)]  # type: ignore[attr-defined]


@member_page("settings.change")
def webhooks(request: MemberRequest) -> HttpResponse:
    """Every webhook with how it goes; a POST adds one and shows its secret."""
    form, made = WebhookForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        try:
            made = subscribing.subscribe(form.cleaned_data["url"], form.cleaned_data["verbs"], by=request.membership)
            form = WebhookForm()
        except (NotAllowed, subscribing.TooManyWebhooks) as error:
            form.add_error("url", str(error))
    context = {"form": form, "made": made, "webhooks": WebhookSubscription.objects.order_by("-pk")}
    return show(request, "settings/webhooks.html", context, status=422 if form.is_bound else 200)


@member_page("settings.change")
def webhook(request: MemberRequest, pk: int) -> HttpResponse:
    """One webhook with its log; a POST changes its address and what it is told of."""
    told = _found(pk)
    form = WebhookForm(request.POST or None, told=told)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            subscribing.alter(told, url=said["url"], verbs=said["verbs"], by=request.membership)
        except NotAllowed as error:
            form.add_error("url", str(error))
        else:
            messages.success(request, _("It is saved."))
            return redirect("webhook", pk)
    return _shown(request, told, form=form)


def _shown(request: MemberRequest, told: WebhookSubscription, **more: Any) -> HttpResponse:
    before = request.GET.get("before", "")
    log = WebhookDelivery.objects.filter(subscription=told).order_by("-pk")
    if before.isascii() and before.isdigit() and len(before) < 19:
        log = log.filter(pk__lt=int(before))
    rows = list(log[: LISTED + 1])
    form = more.pop("form", None) or WebhookForm(told=told)
    context = {"told": told, "form": form, "log": rows[:LISTED], "has_more": len(rows) > LISTED, **more}
    return show(request, "settings/webhook.html", context, status=422 if form.is_bound else 200)


@require_POST
@member_page("settings.change")
def new_secret(request: MemberRequest, pk: int) -> HttpResponse:
    """Sign with a new secret, which this page shows once."""
    changed = subscribing.change_secret(_found(pk), by=request.membership)
    return _shown(request, changed, secret=changed.secret)


@require_POST
@member_page("settings.change")
def pause(request: MemberRequest, pk: int) -> HttpResponse:
    """Tell it nothing until it is resumed; what happens meanwhile is told then."""
    subscribing.alter(_found(pk), paused=True, by=request.membership)
    return redirect("webhook", pk)


@require_POST
@member_page("settings.change")
def resume(request: MemberRequest, pk: int) -> HttpResponse:
    subscribing.alter(_found(pk), paused=False, by=request.membership)
    return redirect("webhook", pk)


@require_POST
@member_page("settings.change")
def ping(request: MemberRequest, pk: int) -> HttpResponse:
    """Send a test; the log shows how it went."""
    told = _found(pk)
    if told.paused_at is not None:
        messages.error(request, _("It is paused: resume it, then test it."))
    else:
        subscribing.ping(told, by=request.membership)
        messages.success(request, _("A test is on its way: look at the log in a moment."))
    return redirect("webhook", pk)


@require_POST
@member_page("settings.change")
def remove(request: MemberRequest, pk: int) -> HttpResponse:
    """Tell it nothing more; its log goes with it."""
    subscribing.unsubscribe(_found(pk), by=request.membership)
    return redirect("webhooks")


@require_POST
@member_page("settings.change")
def replay(request: MemberRequest, pk: int) -> HttpResponse:
    """Tell one event again."""
    row = get_object_or_404(WebhookDelivery.objects.select_related("subscription"), pk=pk)
    if row.subscription.paused_at is not None:
        messages.error(request, _("It is paused: resume it first."))
    elif subscribing.replay(row):
        messages.success(request, _("It is told again."))
    else:
        messages.error(request, _("It is being sent just now: wait for its outcome."))
    return redirect("webhook", row.subscription_id)


def _found(pk: int) -> WebhookSubscription:
    found: WebhookSubscription = get_object_or_404(WebhookSubscription, pk=pk)
    return found
