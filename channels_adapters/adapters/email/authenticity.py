"""SPF, DKIM and DMARC, as the one server that we trust found them (RFC 8601). Anybody can write the header."""

import re

from channels_adapters.mailreading.letter import Letter, Person

_COMMENT = re.compile(r"\([^()]*\)")
_METHOD = re.compile(r"(spf|dkim|dmarc)\s*=\s*(\w+)(.*)", re.IGNORECASE | re.DOTALL)
_DOMAIN = re.compile(r"header\.(?:d|i)\s*=\s*\"?[^\s@;\"]*@?([\w.-]+)", re.IGNORECASE)
_WORDS = ("pass", "fail", "softfail", "neutral", "none", "temperror", "permerror", "policy")

Result = tuple[str, str, str]  # method, word, the domain that signed


def checks_of(letter: Letter, trusted: str) -> dict[str, str]:
    """One word each for spf, dkim and dmarc; {} when the trusted server says nothing."""
    found: dict[str, str] = {}
    for method, word, _ in _results(letter, trusted):
        if found.get(method) != "pass":  # of several signatures a good one is enough
            found[method] = word
    return found


def is_proven(letter: Letter, author: Person, trusted: str) -> bool:
    """Whether the author's domain vouches for the mail."""
    if len(letter.authors) != 1 or letter.authors[0] != author:
        return False
    domain = author.address.rpartition("@")[2].lower()
    results = _results(letter, trusted)
    dmarc = [word for method, word, _ in results if method == "dmarc"]
    signed = any((method, word) == ("dkim", "pass") and by == domain for method, word, by in results)
    return "pass" in dmarc if dmarc else signed


def _results(letter: Letter, trusted: str) -> list[Result]:
    """Of the topmost header with the trusted server's name: that server takes away what others wrote in its name."""
    for header in letter.results if trusted else ():
        server, _, rest = _uncommented(header).partition(";")
        if (server.split() or [""])[0].lower() == trusted:
            return [result for part in rest.split(";") if (result := _result(part.strip())) is not None]
    return []


def _result(part: str) -> Result | None:
    found = _METHOD.match(part)
    if found is None or found[2].lower() not in _WORDS:
        return None
    domain = _DOMAIN.search(found[3])
    return found[1].lower(), found[2].lower(), domain[1].lower() if domain else ""


def _uncommented(header: str) -> str:
    for _ in range(3):
        header = _COMMENT.sub(" ", header)
    return header


def server_of(header: str) -> str:
    """The name of the server that wrote the header."""
    return (_uncommented(header).partition(";")[0].split() or [""])[0].lower()
