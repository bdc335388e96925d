"""What is done to posts that exist: ours are edited and deleted, theirs liked; and files asked for."""

from channels_adapters.adapters.mastodon.client import Client
from channels_adapters.adapters.mastodon.errors import Gone
from channels_adapters.adapters.mastodon.sending import length, safe
from channels_adapters.contract import OutboundAct, Refused, Retryable
from channels_adapters.reading import Fields
from conversations.text import clean


async def act(client: Client, act: OutboundAct, limit: int) -> None:
    """Raises Retryable or Refused. Each may be done twice without harm."""
    match act.kind:
        case "edit":
            await _edit(client, act, limit)
        case "delete":
            for post in (await _chain(client, act.target))[::-1]:
                await _delete(client, post)
        case "like":
            await client.ask("POST", f"/api/v1/statuses/{safe(act.target)}/favourite")
        case "unlike":
            await client.ask("POST", f"/api/v1/statuses/{safe(act.target)}/unfavourite")
        case _:
            raise Refused("Mastodon cannot do this")


async def _edit(client: Client, act: OutboundAct, limit: int) -> None:
    """The new words of a post, with the mentions it began with. Of a chain the rest goes."""
    source = await client.one("GET", f"/api/v1/statuses/{safe(act.target)}/source")
    status = await client.one("GET", f"/api/v1/statuses/{safe(act.target)}")
    begun = source.text("text").split()
    mentions = "".join(f"{word} " for word in begun[: _leading(begun)] if word not in act.text.split())
    text = f"{mentions}{clean(act.text).strip()}"
    if length(text) + length(source.text("spoiler_text")) > limit:
        raise Refused(f"the new text is longer than the {limit} characters of one post")
    rest = (await _chain(client, act.target))[1:]
    media = [file.text("id") for file in status.many("media_attachments")]
    fields = {"status": text, "spoiler_text": source.text("spoiler_text"), "media_ids": media}
    await client.one("PUT", f"/api/v1/statuses/{safe(act.target)}", json=fields)
    for post in rest[::-1]:
        await _delete(client, post)


def _leading(words: list[str]) -> int:
    return next((number for number, word in enumerate(words) if not word.startswith("@")), len(words))


async def _delete(client: Client, post: str) -> None:
    try:
        await client.ask("DELETE", f"/api/v1/statuses/{safe(post)}")
    except Gone:
        return


async def _chain(client: Client, target: str) -> list[str]:
    """Our post and those of ours that go on from it, in order."""
    try:
        context = (await client.ask("GET", f"/api/v1/statuses/{safe(target)}/context")).fields()
        writer = (await client.one("GET", f"/api/v1/statuses/{safe(target)}")).one("account").text("id")
    except Gone:
        return [target]
    chain = [target]
    for status in context.many("descendants"):
        if status.one("account").text("id") == writer and status.text("in_reply_to_id") == chain[-1]:
            chain.append(status.text("id"))
    return chain


async def address_of_file(client: Client, external_id: str) -> str:
    """Where the file lies that its post had no address for when it came; raises Retryable until it has one."""
    post, _, media_id = external_id.partition("/")
    status = await client.one("GET", f"/api/v1/statuses/{safe(post)}")
    for file in status.many("media_attachments"):
        if file.text("id") == media_id:
            return _address(file)
    raise Refused("the file is gone")


def _address(file: Fields) -> str:
    address = file.text("url") or file.text("remote_url")
    if not address:
        raise Retryable("Mastodon still works on the file")
    return address
