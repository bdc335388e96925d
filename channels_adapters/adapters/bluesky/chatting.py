"""Direct messages on their way out. They have no keys of our own: what is unsure is looked up in the conversation."""

from datetime import datetime, timedelta

from channels_adapters.adapters.bluesky.client import Client
from channels_adapters.adapters.bluesky.parsing import DIRECT, GROUP
from channels_adapters.adapters.bluesky.sending import length, with_facets
from channels_adapters.contract import OutboundPart, Refused, SendFailed, SendReceipt, Uncertain
from channels_adapters.cutting import cut
from channels_adapters.reading import Fields
from conversations.text import clean

LIMIT = 1000
_CLOCKS_APART = timedelta(minutes=2)
_LATEST = 100


async def send(client: Client, part: OutboundPart) -> SendReceipt:
    """The first message's id. Raises Retryable, Refused or Uncertain: after the first all trouble is unsure."""
    if part.file is not None:
        raise Refused("Bluesky's direct messages take no files")
    convo = await convo_of(client, part.thread_id)
    sent: list[str] = []
    for text in cut(clean(part.text), LIMIT, length):
        message = {"text": text} | await with_facets(client, text)
        try:
            said = await client.post("chat.bsky.convo.sendMessage", chat=True, convoId=convo, message=message)
        except SendFailed as failure:
            if not sent:
                raise
            raise Uncertain(f"its beginning was sent, then: {failure.reason}") from failure
        if not said.text("id"):
            raise Uncertain("Bluesky's answer made no sense")
        sent.append(said.text("id"))
    return SendReceipt(sent[0], {"chain": sent} if len(sent) > 1 else {})


async def look_up(client: Client, part: OutboundPart) -> SendReceipt | None:
    """Whether all of it, or none, is in the conversation; raises Uncertain where only some is."""
    if part.wanted_at is None:
        raise Uncertain("it is not known since when to look")
    convo = await convo_of(client, part.thread_id)
    said = await client.get("chat.bsky.convo.getMessages", chat=True, convoId=convo, limit=_LATEST)
    if not isinstance(said.raw.get("messages"), list):
        raise Uncertain("Bluesky's answer made no sense")
    since, me = part.wanted_at - _CLOCKS_APART, await client.sign_in()
    ours = {
        message.text("text"): message.text("id") for message in said.many("messages") if _is_ours(message, me, since)
    }
    texts = cut(clean(part.text), LIMIT, length)
    found = [ours[text] for text in texts if text in ours]
    if not found:
        return None
    if len(found) < len(texts):
        raise Uncertain("only its beginning arrived")
    return SendReceipt(found[0], {"chain": found} if len(found) > 1 else {})


def _is_ours(message: Fields, me: str, since: datetime) -> bool:
    try:
        sent_at = datetime.fromisoformat(message.text("sentAt"))
    except ValueError:
        return False
    return message.one("sender").text("did") == me and sent_at.tzinfo is not None and sent_at >= since


async def convo_of(client: Client, thread_id: str) -> str:
    """The id of the conversation, which a request becomes when it is answered."""
    if thread_id.startswith(GROUP):
        return thread_id.removeprefix(GROUP)
    if not thread_id.startswith(f"{DIRECT}did:"):
        raise Refused("this is no Bluesky conversation")
    members = [thread_id.removeprefix(DIRECT)]
    convo = (await client.get("chat.bsky.convo.getConvoForMembers", chat=True, members=members)).one("convo")
    if not convo.text("id"):
        raise Refused("Bluesky gives no conversation with this person")
    if convo.text("status") == "request":
        await client.post("chat.bsky.convo.acceptConvo", chat=True, convoId=convo.text("id"))
    return convo.text("id")
