"""Live tests that the three have in common. Each gives its problem in plain words, '' when there is none."""

import hashlib
import hmac

from channels_adapters.contract import SendFailed
from channels_adapters.meta.errors import nothing_to_lose
from channels_adapters.meta.graph import Graph


async def wrong_secret(graph: Graph, token: str, app_secret: str) -> str:
    """A proof made with the secret is taken only when it is that of the token's app."""
    proof = hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
    try:
        with nothing_to_lose():
            await graph.get("me", fields="id", appsecret_proof=proof)
    except SendFailed as failure:
        return f"The app secret does not fit the access token, so deliveries cannot be trusted: {failure.reason}"
    return ""


async def not_subscribed(graph: Graph, fields: str) -> str:
    """Meta tells the app what happens to the account only when the account is asked to."""
    try:
        with nothing_to_lose():
            told = await graph.post("me/subscribed_apps", {"subscribed_fields": fields})
    except SendFailed as failure:
        return f"Messages do not come in yet: {failure.reason}"
    return "" if told.is_true("success") else "Meta did not say that it tells us of messages"


async def other_address(app: Graph, app_id: str, wanted: dict[str, str]) -> str:
    """An app tells one address of all its pages: ours is registered where there is none yet, and none is taken over."""
    try:
        with nothing_to_lose():
            known = await app.get(f"{app_id}/subscriptions")
            for subscription in known.many("data"):
                if subscription.text("object") == wanted["object"]:
                    return _taken(subscription.text("callback_url"), wanted["callback_url"])
            await app.post(f"{app_id}/subscriptions", wanted)
    except SendFailed as failure:
        return f"Meta did not take the address {wanted['callback_url']}: {failure.reason}"
    return ""


def _taken(found: str, wanted: str) -> str:
    if found == wanted:
        return ""
    return f"The app tells another address of its messages. Put this one into Meta's app settings, Webhooks: {wanted}"
