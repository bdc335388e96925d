"""The live test of a mailbox: both servers, a login at each, and what the settings still lack, in plain words."""

import re

import anyio.to_thread

from channels_adapters.adapters.email.account import Account
from channels_adapters.adapters.email.authenticity import server_of
from channels_adapters.adapters.email.connecting import AccessTokens
from channels_adapters.adapters.email.imap import Mailbox
from channels_adapters.adapters.email.smtp import Outgoing
from channels_adapters.contract import Check, SendFailed

_SECONDS = 10.0  # for one answer of a server
_LOOKED_AT = 5  # mails
_RESULTS = re.compile(rb"^authentication-results:(.*(?:\n[ \t].*)*)", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


async def check(account: Account, tokens: AccessTokens, hook_url: str) -> Check:
    """What is wrong, and what was found out."""
    problems: list[str] = []
    facts = {"hook_url": hook_url, "domain": account.domain}
    if not _ADDRESS.fullmatch(account.address):
        problems.append(f"“{account.address}” is no e-mail address: write it like help@example.org.")
    for part in (_outgoing, _incoming):
        try:
            said, found = await part(account, tokens)
            problems += said
            facts |= found
        except SendFailed as failure:
            problems.append(f"{'Sending' if part is _outgoing else 'Receiving'}: {failure.reason}.")
    return Check(tuple(problems), {key: value for key, value in facts.items() if value})


async def _outgoing(account: Account, tokens: AccessTokens) -> tuple[list[str], dict[str, str]]:
    server = account.smtp()
    if server is None:
        return ["No outgoing server (SMTP) is set: mail comes in, and no answer can be sent."], {}
    await Outgoing(server, tokens, _SECONDS).check(account.address)
    return [], {"sends through": f"{server.host}:{server.port}"}


async def _incoming(account: Account, tokens: AccessTokens) -> tuple[list[str], dict[str, str]]:
    server = account.imap()
    if server is None:
        return [], {"receives": "mail that is posted to the hook"}

    def look() -> tuple[list[str], dict[str, str]]:
        mailbox = Mailbox(server, tokens)
        try:
            mailbox.open(account.said("imap_folder") or "INBOX", to_write=False)
            seen = {server_of(_first(head)) for head in mailbox.heads(_LOOKED_AT)} - {""}
            how = "as it comes" if mailbox.tells else "asked now and then"
            facts = {
                "receives from": f"{server.host}:{server.port}, {how}",
                "keeps copies in": mailbox.sent_folder(account.said("sent_folder")),
                "checks senders": ", ".join(sorted(seen)),
            }
        finally:
            mailbox.leave()
        return [], facts

    return await anyio.to_thread.run_sync(look)


def _first(head: bytes) -> str:
    found = _RESULTS.search(head)
    return " ".join(found[1].decode("utf-8", "replace").split()) if found else ""
