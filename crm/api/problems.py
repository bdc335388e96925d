"""What the API says when it cannot do what was asked: always the same shape, in words for whoever reads the log."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError


class Detail(Schema):
    """One thing that was wrong with the request."""

    where: str  # "body.text", "query.limit"
    what: str


class Problem(Schema):
    """`error` says what is wrong and what to do about it."""

    error: str
    details: list[Detail] = []


class Refusal(HttpError):
    """The request cannot be done: a status and words."""


class TooMany(HttpError):
    """More requests than a token may make in a minute."""

    def __init__(self, wait: int) -> None:
        self.wait = wait
        super().__init__(429, f"Too many requests with this token: wait {wait} seconds, then go on.")


UNKNOWN_TOKEN = (
    "Send a valid token: 'Authorization: Bearer rpt_…'. `manage.py api_token EMAIL` makes one; "  # words
    "a revoked or expired one no longer counts."
)
NOT_FOUND = "There is no such thing here, or it is not yours to see."


def refusals(*codes: int) -> dict[int, Any]:
    """What an operation may answer besides its success; 401, 403, 422 and 429 always."""
    return dict.fromkeys(sorted({401, 403, 422, 429, *codes}), Problem)


def handle_problems(api: NinjaAPI) -> None:
    """Give every refusal of the API its shape."""

    def say(request: HttpRequest, status: int, words: str, details: list[dict[str, str]] | None = None) -> HttpResponse:
        return api.create_response(request, {"error": words, "details": details or []}, status=status)

    def unknown(request: HttpRequest, error: Any) -> HttpResponse:
        response = say(request, 401, UNKNOWN_TOKEN)
        response["WWW-Authenticate"] = 'Bearer realm="Rapport"'
        return response

    def too_many(request: HttpRequest, error: Any) -> HttpResponse:
        response = say(request, 429, error.message)
        response["Retry-After"] = str(error.wait)
        return response

    def refused(request: HttpRequest, error: Any) -> HttpResponse:
        status = 422 if error.status_code == 400 else error.status_code  # a body that is no JSON
        return say(request, status, error.message)

    def invalid(request: HttpRequest, error: Any) -> HttpResponse:
        return say(request, 422, "The request is not as it should be: see details.", _details(error))

    api.add_exception_handler(AuthenticationError, unknown)
    api.add_exception_handler(TooMany, too_many)
    api.add_exception_handler(HttpError, refused)
    api.add_exception_handler(ValidationError, invalid)
    api.add_exception_handler(PermissionDenied, lambda request, error: say(request, 403, str(error)))
    api.add_exception_handler(Http404, lambda request, error: say(request, 404, NOT_FOUND))


def _details(error: ValidationError) -> list[dict[str, str]]:
    return [{"where": _place(fault["loc"]), "what": str(fault["msg"])} for fault in error.errors[:20]]


def _place(where: Any) -> str:
    kind, *rest = [str(part) for part in where]
    return ".".join([kind, *(rest[1:] if kind == "body" and len(rest) > 1 else rest)])
