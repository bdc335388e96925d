"""What every page knows."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django_scopes import scope

from conversations import failed
from crm.workspace import permissions
from crm.workspace.models import Membership


def content_security_nonce(request: HttpRequest) -> dict[str, object]:
    """django-csp's nonce under the name that django-htmx reads."""
    return {"csp_nonce": getattr(request, "csp_nonce", "")}


def navigation(request: HttpRequest) -> dict[str, object]:
    """Who looks at the page, and where they are."""
    match, membership = request.resolver_match, getattr(request, "membership", None)
    here = match.url_name if match else ""
    return {"membership": membership, "here": here, "failures": SimpleLazyObject(lambda: _failures(membership))}


def _failures(membership: Membership | None) -> int:
    """How many parts wait for a person, for the rail; 0 for who could not do anything about it."""
    if membership is None or not permissions.may(membership, "conversation.reply"):
        return 0
    with scope(workspace=membership.workspace):
        return failed.count()
