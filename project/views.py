"""Signing in and out, and where a visit starts."""

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.utils.translation import gettext_lazy as _


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": _("Email and password do not match."),
        "inactive": _("This login is switched off."),
    }

    def clean_username(self) -> str:
        """Logins are kept in small letters."""
        return str(self.cleaned_data["username"]).strip().lower()


class SignIn(LoginView):
    form_class = SignInForm
    template_name = "registration/sign_in.html"
