"""The live test of a number: is the token good, is the secret the app's own, do deliveries come to us."""

from collections.abc import Callable, Mapping

from channels_adapters.contract import Check, SendFailed
from channels_adapters.meta.connecting import wrong_secret
from channels_adapters.meta.errors import nothing_to_lose
from channels_adapters.meta.graph import Graph
from channels_adapters.reading import Fields
from conversations.text import clean_line

_NUMBER = "display_phone_number,verified_name,quality_rating"


async def check(open_graph: Callable[[], Graph], settings: Mapping[str, str], hook_url: str) -> Check:
    """What was found; the account's deliveries are sent to `hook_url` from then on. Never raises SendFailed."""
    try:
        graph = open_graph()
        with nothing_to_lose():
            number = await graph.get(settings["phone_number_id"], fields=_NUMBER)
    except SendFailed as failure:
        return Check(problems=(failure.reason,))
    facts = {key: clean_line(number.text(key), 200) for key in _NUMBER.split(",") if number.text(key)}
    problems = [
        await wrong_secret(graph, settings["access_token"], settings["app_secret"]),
        await _no_deliveries(graph, settings, hook_url),
    ]
    return Check(problems=tuple(filter(None, problems)), facts=facts)


async def _no_deliveries(graph: Graph, settings: Mapping[str, str], hook_url: str) -> str:
    said = {"override_callback_uri": hook_url, "verify_token": settings["verify_token"]}
    try:
        with nothing_to_lose():
            told: Fields = await graph.post(f"{settings['waba_id']}/subscribed_apps", said)
    except SendFailed as failure:
        return f"Messages do not come in yet: WhatsApp did not take the address {hook_url}: {failure.reason}"
    return "" if told.is_true("success") else f"WhatsApp did not say that it took the address {hook_url}"
