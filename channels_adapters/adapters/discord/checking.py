"""Whether the bot works, may hear what it must, and where its buttons are told."""

from collections.abc import Callable

from channels_adapters.adapters.discord.client import Client
from channels_adapters.adapters.discord.errors import nothing_to_lose
from channels_adapters.contract import Check, SendFailed
from channels_adapters.reading import Fields

_CONTENT = (1 << 18) | (1 << 19)  # flags of an application that may read messages: of a large one, of a small one
_NO_CONTENT = 'Switch on "Message Content Intent" under "Bot" in the Developer Portal: the bot cannot read without it.'

_ELSEWHERE = (
    'Buttons and commands are posted to another address: empty "Interactions Endpoint URL" in the Developer Portal, '
    'or set them to come by "webhook".'
)


async def check(open_client: Callable[[], Client], hook_url: str, *, may_be_http: bool) -> Check:
    """`hook_url`: where buttons and commands are to be posted; '' when they come over the gateway."""
    facts: dict[str, str] = {}
    try:
        client = open_client()
        with nothing_to_lose():
            me, application = await client.ask("GET", "/users/@me"), await client.ask("GET", "/applications/@me")
            facts |= _facts(me, application)
            problems = _problems(application, hook_url, may_be_http=may_be_http)
            if hook_url and not problems:
                await client.call("PATCH", "/applications/@me", {"interactions_endpoint_url": hook_url})
    except SendFailed as failure:
        return Check(problems=(f"{failure.reason[:1].upper()}{failure.reason[1:]}.",), facts=facts or None)
    return Check(problems=tuple(problems), facts=facts)


def _facts(me: Fields, application: Fields) -> dict[str, str]:
    facts = {"bot": me.text("username"), "bot_user_id": me.text("id"), "application_id": application.text("id")}
    return facts | {"public_key": application.text("verify_key")}


def _problems(application: Fields, hook_url: str, *, may_be_http: bool) -> list[str]:
    problems = [] if (application.size("flags") or 0) & _CONTENT else [_NO_CONTENT]
    if not hook_url and application.text("interactions_endpoint_url"):
        problems.append(_ELSEWHERE)
    if hook_url and not may_be_http and not hook_url.startswith("https://"):
        problems.append("A webhook needs a public https address: set PUBLIC_URL, or let them come over the gateway.")
    return problems
