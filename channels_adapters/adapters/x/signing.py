"""Who signed what: X signs its deliveries with the app's consumer secret, and asks us to prove that we have it.

The answer to its challenge is made like a signature. Whoever asks is answered, so a challenge that could be a delivery
is not: its answer would be that delivery's signature.
"""

import base64
import hashlib
import hmac
import json
import re
from urllib.parse import parse_qs

from channels_adapters.contract import HookAnswer, HookRequest, WebhookRejected

_CHALLENGE = re.compile(r"[A-Za-z0-9_\-+/=.~]{1,200}")  # a delivery has braces


def challenge(request: HookRequest) -> str | None:
    """The token of X's challenge; None when the request is none."""
    if request.method != "GET":
        return None
    given = parse_qs(request.query).get("crc_token", [""])[0]
    return given if _CHALLENGE.fullmatch(given) else None


def answer(secret: str, token: str) -> HookAnswer:
    return HookAnswer(200, json.dumps({"response_token": _sign(secret, token.encode())}).encode(), "application/json")


def verify(secret: str, request: HookRequest) -> None:
    """Return when X signed these bytes, or asks for our proof; raises WebhookRejected otherwise."""
    if not secret:
        raise WebhookRejected("this inbox has no consumer secret")
    if challenge(request) is not None:
        return
    given = request.headers.get("x-twitter-webhooks-signature", "").encode("utf-8", "surrogatepass")
    if request.method == "GET" or not hmac.compare_digest(given, _sign(secret, request.body).encode()):
        raise WebhookRejected("the signature is missing or wrong")


def _sign(secret: str, data: bytes) -> str:
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), data, hashlib.sha256).digest()).decode()
