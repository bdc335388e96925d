"""Signing in and out, where a visit starts, and what is said when a page fails."""

import ipaddress
import sys
from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.defaults import server_error
from limits import RateLimitItemPerMinute

from crm.web.rates import Rates

TRIES = RateLimitItemPerMinute(8, multiples=5)  # wrong passwords for one login, from wherever they come
TRIES_FROM = RateLimitItemPerMinute(20, multiples=5)  # from one address, for whatever logins: an office is one address
_rates = Rates("sign-in")


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": _("Email and password do not match."),
        "inactive": _("This login is switched off."),
        "too_many": _("Too many tries for this login: wait five minutes, then try again."),
        "too_many_here": _("Too many wrong passwords from where you are: wait five minutes, then try again."),
    }

    def clean_username(self) -> str:
        """Logins are kept in small letters."""
        return str(self.cleaned_data["username"]).strip().lower()

    def clean(self) -> dict[str, Any]:
        """Refuses after too many wrong passwords, before looking at another one."""
        login, place = self.cleaned_data.get("username", ""), _place(self.request)
        if not _rates.test(TRIES, login):
            raise ValidationError(self.error_messages["too_many"], code="too_many")
        if not _rates.test(TRIES_FROM, "from", place):
            raise ValidationError(self.error_messages["too_many_here"], code="too_many_here")
        try:
            return super().clean()
        except ValidationError:
            _rates.hit(TRIES, login)
            _rates.hit(TRIES_FROM, "from", place)
            raise


def _place(request: HttpRequest | None) -> str:
    """The caller's address; of the new kind the network, which one person has to themselves."""
    address = request.META.get("REMOTE_ADDR", "") if request is not None else ""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else address


class SignIn(LoginView):
    form_class = SignInForm
    template_name = "registration/sign_in.html"


def failed(request: HttpRequest) -> HttpResponse:
    """A page that failed. A database that was away for a moment is not our fault for good: come again."""
    if isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        return HttpResponse(
            _("The database did not answer. Try again in a moment."), status=503, headers={"Retry-After": "5"}
        )
    return server_error(request)
