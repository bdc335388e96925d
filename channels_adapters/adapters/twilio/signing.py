"""Whether Twilio made a request: it signs the address it called and the fields of the form that it posted.

https://www.twilio.com/docs/usage/security (validating requests)
"""

import base64
import hashlib
import hmac
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import parse_qs, parse_qsl, urlsplit

from channels_adapters.contract import HookRequest, WebhookRejected

_HEADER = "x-twilio-signature"
_PORTS = {"https": ":443", "http": ":80"}
_FIELDS = 1_000  # of one form
_SHA256 = re.compile("[0-9a-f]{64}")

Form = list[tuple[str, str]]


def verify(request: HookRequest, token: str, addresses: Iterable[str]) -> None:
    """Raise WebhookRejected unless the account's token signed a call of one of the addresses (without their query)."""
    given = request.headers.get(_HEADER, "").encode("utf-8", "surrogatepass")
    query = f"?{request.query}" if request.query else ""
    fields = _signed_fields(request)
    spellings = (spelling for address in addresses for spelling in _spellings(address + query))
    if not token or not any(hmac.compare_digest(given, sign(token, url, fields)) for url in spellings):
        raise WebhookRejected("the request is not signed by Twilio with this account's token", status=403)


def sign(token: str, url: str, fields: Sequence[tuple[str, str]]) -> bytes:
    """The value of X-Twilio-Signature."""
    values: dict[str, set[str]] = defaultdict(set)
    for name, value in fields:
        values[name].add(value)
    said = url + "".join(name + value for name in sorted(values) for value in sorted(values[name]))
    made = hmac.new(token.encode(), said.encode("utf-8", "surrogateescape"), hashlib.sha1)
    return base64.b64encode(made.digest())


def read_form(body: bytes) -> Form:
    """The fields of a form in their order, empty ones too. Raises WebhookRejected(400) when they are too many."""
    try:
        text = body.decode("utf-8", "surrogateescape")
        return parse_qsl(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=_FIELDS)
    except ValueError as error:
        raise WebhookRejected("the form has too many fields", status=400) from error


def _signed_fields(request: HookRequest) -> Form:
    """None of a GET, whose fields are in the address, nor of a body that the address holds the hash of."""
    if request.method != "POST":
        return []
    told = parse_qs(request.query).get("bodySHA256", [""])[0].lower()
    if not told:
        return read_form(request.body)
    if not _SHA256.fullmatch(told) or not hmac.compare_digest(told, hashlib.sha256(request.body).hexdigest()):
        raise WebhookRejected("the body is not the one that was signed", status=403)
    return []


def _spellings(url: str) -> Iterator[str]:
    """Twilio signs the port, or not, as it pleases."""
    yield url
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return
    host = parts.netloc.removesuffix(f":{port}")
    yield url.replace(parts.netloc, f"{host}{_PORTS.get(parts.scheme, '')}" if port is None else host, 1)
