"""Signing in and out, where a visit starts, and what is said when a page fails."""

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
_rates = Rates("sign-in")


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": _("Email and password do not match."),
        "inactive": _("This login is switched off."),
        "too_many": _("Too many tries for this login: wait five minutes, then try again."),
    }

    def clean_username(self) -> str:
        """Logins are kept in small letters."""
        return str(self.cleaned_data["username"]).strip().lower()

    def clean(self) -> dict[str, Any]:
        """Refuses after too many wrong passwords, before looking at another one."""
        login = self.cleaned_data.get("username", "")
        if not _rates.test(TRIES, login):
            raise ValidationError(self.error_messages["too_many"], code="too_many")
        try:
            return super().clean()
        except ValidationError:
            _rates.hit(TRIES, login)
            raise


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
