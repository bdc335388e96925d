"""Files: their addresses run out after a day, so each is asked for anew by the message it came with."""

import re

from channels_adapters.adapters.discord.client import OFFICIAL_FILES, Client
from channels_adapters.contract import Refused

_ATTACHMENT = re.compile(r"attachment/([0-9]{1,20})/([0-9]{1,20})/([0-9]{1,20})", re.ASCII)
_STICKER = re.compile(r"sticker/([0-9]{1,20}\.(?:png|gif))", re.ASCII)
_AVATAR = re.compile(r"avatar/([0-9]{1,20}/[A-Za-z0-9_]{1,80})", re.ASCII)


async def fetch(client: Client, external_id: str, limit: int) -> bytes:
    """The bytes of an attachment, a sticker or a picture; raises SendFailed."""
    if found := _ATTACHMENT.fullmatch(external_id):
        return await client.download(await _address(client, *found.groups()), limit)
    if found := _STICKER.fullmatch(external_id):
        return await client.download(f"{_place(client, found[1])}/stickers/{found[1]}", limit)
    if found := _AVATAR.fullmatch(external_id):
        return await client.download(f"{client.own or OFFICIAL_FILES}/avatars/{found[1]}.png?size=256", limit)
    return await client.download(external_id, limit)


async def _address(client: Client, channel: str, message_id: str, number: str) -> str:
    message = await client.ask("GET", f"/channels/{channel}/messages/{message_id}")
    for place in (message, *(snapshot.one("message") for snapshot in message.many("message_snapshots"))):
        for file in place.many("attachments"):
            if file.text("id") == number and file.text("url"):
                return file.text("url")
    raise Refused("the file was taken out of its message")


def _place(client: Client, name: str) -> str:
    official = "https://media.discordapp.net" if name.endswith(".gif") else OFFICIAL_FILES
    return client.own or official
