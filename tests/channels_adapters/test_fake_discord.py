"""The fake Discord, judged by discord.py: its whole client gets ready there, reads, writes and resumes."""

import asyncio

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.channels_adapters.fake_discord import ADA, DIRECT, GENERAL, ME, SERVER, TOKEN, FakeDiscord


class Reader(discord.Client):
    """discord.py's own client, which writes down what it hears."""

    def __init__(self):
        super().__init__(intents=discord.Intents(guilds=True, messages=True, message_content=True, reactions=True))
        self.heard = asyncio.Queue()

    async def on_message(self, message):
        await self.heard.put(message)

    async def on_raw_message_delete(self, event):
        await self.heard.put(event)

    async def on_raw_reaction_add(self, event):
        await self.heard.put(event)


@pytest.fixture
async def fake(monkeypatch):
    async with FakeDiscord() as running:
        monkeypatch.setattr(Route, "BASE", f"{running.url}/api/v10")
        monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(running.gateway_url))
        yield running


@pytest.fixture
async def reader(fake):
    client = Reader()
    async with client:
        await client.login(TOKEN)
        connecting = asyncio.create_task(client.connect(reconnect=True))
        async with asyncio.timeout(10):
            await client.wait_until_ready()
        yield client
        await client.close()
        await asyncio.wait([connecting])


async def test_discord_py_gets_ready(reader):
    assert reader.user.id == int(ME)
    assert [server.name for server in reader.guilds] == ["Lumen"]
    assert [channel.name for channel in reader.guilds[0].text_channels] == ["general"]


async def test_discord_py_hears_what_is_said(fake, reader):
    picture = fake.attach("cat.png", b"meow", "image/png")
    made = await fake.says(GENERAL, "Where is my order?", attachments=[picture])

    message = await asyncio.wait_for(reader.heard.get(), 5)

    assert (message.id, message.content, message.author.id) == (int(made["id"]), "Where is my order?", int(ADA))
    assert message.guild.id == int(SERVER)
    assert await message.attachments[0].read() == b"meow"


async def test_discord_py_hears_deletions_and_reactions(fake, reader):
    await fake.reacts(DIRECT, "7", "👍")
    await fake.tell("MESSAGE_DELETE", {"id": "7", "channel_id": DIRECT})

    added, deleted = [await asyncio.wait_for(reader.heard.get(), 5) for _ in range(2)]

    assert (added.user_id, added.emoji.name) == (int(ADA), "👍")
    assert deleted.message_id == 7


async def test_discord_py_writes_and_its_nonce_counts(fake, reader):
    channel = reader.get_channel(int(GENERAL))

    first, second = [await channel.send("once", nonce="n1") for _ in range(2)]

    assert first.id == second.id or not fake.forms[0].get("enforce_nonce")
    assert [message["content"] for message in fake.channels[GENERAL]][:1] == ["once"]


async def test_discord_py_resumes_after_the_line_was_cut(fake, reader):
    await fake.hang_up(1001)
    await fake.until(lambda: fake.resumed)
    await fake.says(DIRECT, "still there?")

    message = await asyncio.wait_for(reader.heard.get(), 5)

    assert message.content == "still there?"
    assert len(fake.identified) == 1
