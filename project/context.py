"""What every page knows."""

from django.http import HttpRequest


def content_security_nonce(request: HttpRequest) -> dict[str, object]:
    """django-csp's nonce under the name that django-htmx reads."""
    return {"csp_nonce": getattr(request, "csp_nonce", "")}


def navigation(request: HttpRequest) -> dict[str, object]:
    """Who looks at the page, and where they are."""
    match = request.resolver_match
    return {"membership": getattr(request, "membership", None), "here": match.url_name if match else ""}
