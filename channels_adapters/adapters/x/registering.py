"""The webhook of an app and the subscription of its account, made by the connection test."""

from channels_adapters.adapters.x.client import Client
from channels_adapters.calls import nothing_to_lose
from channels_adapters.contract import Refused, Retryable


async def register(client: Client, hook_url: str) -> None:
    """X calls the address with a challenge while we ask. Raises Retryable or Refused; may be done twice."""
    if not client.bearer:
        raise Refused("give the bearer token, or set mode to polling")
    if not hook_url.startswith("https://") and client.api.startswith("https://"):
        raise Refused("it needs a public https address: set PUBLIC_URL, or set mode to polling")
    with nothing_to_lose():
        webhook_id = await _webhook(client, hook_url)
        path = f"/2/account_activity/webhooks/{webhook_id}/subscriptions/all"
        try:
            await client.ask("GET", path)  # 200: subscribed already
        except Refused:
            await client.ask("POST", path)


async def _webhook(client: Client, hook_url: str) -> str:
    known = (await client.ask("GET", "/2/webhooks", as_app=True)).many("data")
    ours = next((webhook for webhook in known if webhook.text("url") == hook_url), None)
    if ours is None:
        made = await client.ask("POST", "/2/webhooks", as_app=True, json={"url": hook_url})
        webhook_id = made.one("data").text("id") or made.text("id")
    else:
        webhook_id = ours.text("id")
        if ours.raw.get("valid") is False:
            await client.ask("PUT", f"/2/webhooks/{webhook_id}", as_app=True)
    if not webhook_id.isdecimal():
        raise Retryable("X's answer made no sense")
    return webhook_id
