"""Who a visitor is: a number nobody can guess, signed for one inbox. Nothing is stored until they write.

The token stands in a cookie that scripts cannot read, and in the page's own storage where cookies of frames are
blocked; the page shows the second in the header `X-Visitor`.
"""

import re
import secrets
from http.cookies import SimpleCookie

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

COOKIE = "visitor"
HEADER = "x-visitor"
KEPT_FOR = 365 * 24 * 3600  # seconds since the visitor last opened the page
_PAGE_PROOF_FOR = 24 * 3600  # seconds
_VISITOR = re.compile(r"[A-Za-z0-9_-]{22}")


def new() -> str:
    """A visitor nobody has been: 128 random bits."""
    return secrets.token_urlsafe(16)


def token_for(visitor: str, key: str) -> str:
    """What proves on the inbox `key` that one is `visitor`."""
    return signing.TimestampSigner(salt=f"webchat.visitor.{key}").sign(visitor)


def read(token: str, key: str) -> str | None:
    """The visitor whose token this is on the inbox `key`; None when it is not ours, of another inbox, or too old."""
    try:
        visitor = signing.TimestampSigner(salt=f"webchat.visitor.{key}").unsign(token, max_age=KEPT_FOR)
    except (signing.BadSignature, ValueError):  # ValueError: bytes that are no text
        return None
    return visitor if _VISITOR.fullmatch(visitor) else None


def link_proof(visitor: str, file_token: str) -> str:
    """What lets the visitor's own link open one file where the browser sends no cookie."""
    return signing.Signer(salt=f"webchat.file.{file_token}").sign(visitor)


def read_link_proof(proof: str, file_token: str) -> str | None:
    """The visitor whose link this is, or None."""
    try:
        return signing.Signer(salt=f"webchat.file.{file_token}").unsign(proof)
    except (signing.BadSignature, ValueError):
        return None


def page_proof(visitor: str, key: str) -> str:
    """What lets the visitor's own link or form reach the page of what was understood, for a day."""
    return signing.TimestampSigner(salt=f"webchat.understood.{key}").sign(visitor)


def read_page_proof(proof: str, key: str) -> str | None:
    """The visitor whose link or form this is, or None."""
    try:
        return signing.TimestampSigner(salt=f"webchat.understood.{key}").unsign(proof, max_age=_PAGE_PROOF_FOR)
    except (signing.BadSignature, ValueError):
        return None


def of(request: HttpRequest, key: str) -> str | None:
    """The visitor who asks: the header's when there is one, else the cookie's. None: nobody we know."""
    shown = request.headers.get(HEADER)
    return read(shown if shown is not None else request.COOKIES.get(COOKIE, ""), key)


def of_header(request: HttpRequest, key: str) -> str | None:
    """The visitor whose token is shown in the header, which no other site can make a browser send."""
    return read(request.headers.get(HEADER, ""), key)


def remember(response: HttpResponseBase, visitor: str, key: str) -> None:
    """Let the browser keep the token, for this inbox's pages alone.

    The header is written by hand because Python 3.11 does not know the attribute `Partitioned`.
    """
    cookie: SimpleCookie = SimpleCookie()
    cookie[COOKIE] = token_for(visitor, key)
    cookie[COOKIE]["path"], cookie[COOKIE]["max-age"] = f"/chat/{key}/", str(KEPT_FOR)
    attributes = "; HttpOnly; SameSite=None; Secure; Partitioned" if settings.USE_HTTPS else "; HttpOnly; SameSite=Lax"
    response.headers["Set-Cookie"] = cookie[COOKIE].OutputString() + attributes
