"""What leaves by Discord, what each failure means, and whether it arrived after all."""

import json
import socket
from datetime import UTC, datetime

import pytest

from channels_adapters.adapters.discord import DiscordAdapter
from channels_adapters.contract import (
    Button,
    OutboundAct,
    OutboundFile,
    OutboundPart,
    Refused,
    Retryable,
    Uncertain,
)
from tests.channels_adapters.fake_discord import DIRECT, GENERAL, ME, TOKEN, FakeDiscord
from tests.channels_adapters.patience import patience
from tests.channels_adapters.scripted import Answer

A_FILE = OutboundFile("bill.pdf", "application/pdf", b"%PDF")


@pytest.fixture
async def discord():
    async with FakeDiscord() as running:
        yield running


@pytest.fixture
async def adapter(discord):
    made = DiscordAdapter({"bot_token": TOKEN, "api_url": discord.url})
    yield made
    await made.close()


def a_part(text="Hello", thread_id=DIRECT, **fields):
    return OutboundPart(12, thread_id, text, **{"wanted_at": datetime.now(UTC), **fields})


async def test_a_text_goes_to_its_channel_and_calls_nobody(discord, adapter):
    receipt = await adapter.send(a_part("hello @everyone <@2000>", reply_to="77"))

    (body,) = discord.forms
    assert receipt.external_id == discord.channels[DIRECT][-1]["id"]
    assert body == {
        "content": "hello @everyone <@2000>",
        "allowed_mentions": {"parse": []},
        "nonce": "rapport12",
        "enforce_nonce": True,
        "message_reference": {"message_id": "77", "fail_if_not_exists": False},
    }


async def test_a_part_that_goes_out_twice_is_there_once(discord, adapter):
    first, second = await adapter.send(a_part()), await adapter.send(a_part())

    assert first == second
    assert len(discord.channels[DIRECT]) == 1


async def test_a_file_goes_with_its_words(discord, adapter):
    await adapter.send(a_part("Your bill", file=A_FILE))

    message = discord.channels[DIRECT][-1]
    (file,) = message["attachments"]
    assert (message["content"], file["filename"], file["content_type"]) == ("Your bill", "bill.pdf", "application/pdf")
    assert discord.files[f"/attachments/{file['id']}/bill.pdf"] == b"%PDF"


async def test_a_file_goes_without_words(discord, adapter):
    await adapter.send(a_part("", file=A_FILE))

    assert "content" not in discord.forms[0]


async def test_buttons_stand_in_rows_of_five(discord, adapter):
    buttons = (*(Button(f"No {number}", f"p{number}") for number in range(5)), Button("Open", url="https://a.example"))

    await adapter.send(a_part(buttons=buttons))

    first, second = discord.forms[0]["components"]
    assert first["components"][0] == {"type": 2, "style": 2, "label": "No 0", "custom_id": "p0"}
    assert len(first["components"]) == 5
    assert second["components"] == [{"type": 2, "style": 5, "label": "Open", "url": "https://a.example"}]


async def test_a_button_that_carries_too_much_is_refused(discord, adapter):
    with pytest.raises(Refused, match="at most 100 characters"):
        await adapter.send(a_part(buttons=(Button("Yes", "x" * 101),)))

    assert discord.calls == []


@pytest.mark.parametrize("thread_id", ["", "abc", "1/../2", "1" * 21, "１"])
async def test_what_is_no_channel_is_refused(discord, adapter, thread_id):
    with pytest.raises(Refused, match="no Discord channel"):
        await adapter.send(a_part(thread_id=thread_id))

    assert discord.calls == []


async def test_nothing_is_not_sent(discord, adapter):
    with pytest.raises(Refused, match="nothing to send"):
        await adapter.send(a_part(" \n"))
    with pytest.raises(Refused, match="file is empty"):
        await adapter.send(a_part(file=OutboundFile("a", "text/plain", b"")))

    assert discord.calls == []


def said(code, message="as they say", status=400, **more):
    return Answer(status, {"code": code, "message": message, **more})


@pytest.mark.parametrize(
    "answer, kind, reason, wait",
    [
        (Answer(429, {"retry_after": 1.5, "global": False}), Retryable, "slow down", 1.5),
        (Answer(429, b"<html>", {"Retry-After": "7"}), Retryable, "slow down", 7),
        (Answer(429, {"retry_after": None}), Retryable, "slow down", None),
        (Answer(429, {"retry_after": "Infinity"}), Retryable, "slow down", None),
        (said(0, "401: Unauthorized", 401), Retryable, "token", 300),
        (said(20016, "slow", 403, retry_after=4), Retryable, "slow mode", 4),
        (said(40003, "fast", 403), Retryable, "slow mode", 30),
        (said(50007, status=403), Refused, "closed their direct messages", None),
        (said(50278, status=403), Refused, "share no server", None),
        (said(10003, status=404), Refused, "channel is gone", None),
        (said(50001, status=403), Refused, "may not see this channel", None),
        (said(50013, status=403), Refused, "lacks a permission", None),
        (said(50035, "Invalid Form Body"), Refused, "Invalid Form Body", None),
        (said(40005, status=413), Refused, "larger than Discord takes", None),
        (Answer(403, b"<h1>Cloudflare</h1>"), Retryable, "something between us", None),
        (Answer(500, {}), Retryable, "has trouble", None),
        (Answer(503, b""), Retryable, "has trouble", None),
        (Answer(502, b"<h1>Bad Gateway</h1>"), Uncertain, "has trouble", None),
        (Answer(504, b""), Uncertain, "has trouble", None),
        (Answer(200, {"message": "lies", "code": 50001}), Uncertain, "made no sense", None),
        (Answer(200, [1]), Uncertain, "made no sense", None),
        (Answer(200, b"<html>"), Uncertain, "made no sense", None),
        (Answer(200, {"id": 7}), Uncertain, "made no sense", None),
        (Answer(how="hang"), Uncertain, "took too long", None),
        (Answer(how="drop"), Uncertain, "broke", None),
    ],
)
async def test_a_failure_is_said_in_plain_words(discord, adapter, answer, kind, reason, wait):
    adapter.call_seconds = patience(answer.how)
    discord.script("POST /channels", answer)

    with pytest.raises(kind, match=reason) as failure:
        await adapter.send(a_part())

    assert getattr(failure.value, "retry_after", None) == wait
    assert TOKEN not in failure.value.reason


async def test_discord_that_is_away_is_tried_again():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        adapter = DiscordAdapter({"bot_token": TOKEN, "api_url": f"http://127.0.0.1:{free.getsockname()[1]}"})
        with pytest.raises(Retryable, match="could not be reached"):
            await adapter.send(a_part())
    await adapter.close()


async def test_a_channel_that_is_full_is_not_asked_before_there_is_room(discord, adapter):
    full = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "20"}
    discord.script("POST /channels", Answer(200, {"id": "1"}, full))
    await adapter.send(a_part())

    with pytest.raises(Retryable, match="slow down") as failure:
        await adapter.send(a_part())
    await adapter.send(a_part(thread_id=GENERAL))

    assert 19 < failure.value.retry_after <= 20
    assert len(discord.called("POST /channels")) == 2


async def test_a_pause_for_all_holds_for_every_channel(discord, adapter):
    discord.script("POST /channels", Answer(429, {"retry_after": 20, "global": True}))
    with pytest.raises(Retryable):
        await adapter.send(a_part())

    with pytest.raises(Retryable, match="slow down"):
        await adapter.send(a_part(thread_id=GENERAL))

    assert len(discord.called("POST /channels")) == 1


async def test_an_archived_thread_is_opened_again(discord, adapter):
    discord.script("POST /channels", said(50083))

    await adapter.send(a_part())

    assert json.loads(discord.called("PATCH /channels")[0].body) == {"archived": False}
    assert len(discord.channels[DIRECT]) == 1


async def test_an_archived_thread_that_stays_closed_is_refused(discord, adapter):
    discord.script("POST /channels", said(50083), said(50083))

    with pytest.raises(Refused, match="archived"):
        await adapter.send(a_part())


async def test_a_part_whose_answer_was_lost_is_found(discord, adapter):
    discord.script("POST /channels", Answer(how="arrives"))
    part = a_part()
    with pytest.raises(Uncertain):
        await adapter.send(part)

    found = await adapter.look_up(part)

    assert found.external_id == discord.channels[DIRECT][-1]["id"]


async def test_a_part_that_never_arrived_is_known_not_to_be_there(discord, adapter):
    discord.message(DIRECT, "Hello")  # Ada's
    discord.message(DIRECT, "Something else", by=ME)

    assert await adapter.look_up(a_part()) is None


async def test_a_part_is_found_by_its_words_when_the_nonce_is_forgotten(discord, adapter):
    made = discord.message(DIRECT, "Hello", by=ME)

    assert (await adapter.look_up(a_part())).external_id == made["id"]


async def test_two_parts_alike_stay_uncertain(discord, adapter):
    discord.message(DIRECT, "Hello", by=ME)
    discord.message(DIRECT, "Hello", by=ME)

    with pytest.raises(Uncertain, match="too much"):
        await adapter.look_up(a_part())


async def test_a_channel_in_which_much_was_said_stays_uncertain(discord, adapter):
    for number in range(100):
        discord.message(DIRECT, f"talk {number}")

    with pytest.raises(Uncertain, match="too much"):
        await adapter.look_up(a_part())


async def test_we_edit_react_and_delete(discord, adapter):
    ours = (await adapter.send(a_part("Yse"))).external_id
    theirs = discord.message(DIRECT, "Are you there?")

    await adapter.act(OutboundAct(13, "edit", DIRECT, ours, "Yes <@2000>"))
    await adapter.act(OutboundAct(14, "react", DIRECT, theirs["id"], "👍🏽"))
    await adapter.typing(DIRECT)

    assert discord.channels[DIRECT][0]["content"] == "Yes <@2000>"
    assert json.loads(discord.called("PATCH")[0].body)["allowed_mentions"] == {"parse": []}
    assert theirs["reactions"][0]["emoji"]["name"] == "👍🏽"
    assert len(discord.called("/typing")) == 1

    await adapter.act(OutboundAct(15, "react", DIRECT, theirs["id"], ""))
    await adapter.act(OutboundAct(16, "delete", DIRECT, ours))

    assert theirs["reactions"] == []
    assert discord.channels[DIRECT] == [theirs]


@pytest.mark.parametrize(
    "kind, target, reason", [("hide", "7", "cannot do this"), ("edit", "callback:7", "no message")]
)
async def test_an_act_that_discord_lacks_is_refused(adapter, kind, target, reason):
    with pytest.raises(Refused, match=reason):
        await adapter.act(OutboundAct(13, kind, DIRECT, target, "x"))


async def test_an_act_on_a_message_that_is_gone_is_refused(adapter):
    with pytest.raises(Refused, match="message is gone"):
        await adapter.act(OutboundAct(13, "edit", DIRECT, "7", "x"))


async def test_an_act_of_which_nobody_knows_is_done_again(discord, adapter):
    adapter.call_seconds = patience("hang")
    discord.script("PATCH", Answer(how="hang"))

    with pytest.raises(Retryable, match="took too long"):
        await adapter.act(OutboundAct(13, "edit", DIRECT, "7", "x"))


async def test_files_are_fetched_by_the_message_they_came_with(discord, adapter):
    message = discord.message(DIRECT, "", attachments=[discord.attach("cat.png", b"meow", "image/png")])
    place = f"attachment/{DIRECT}/{message['id']}/{message['attachments'][0]['id']}"

    assert await adapter.fetch(place, 100) == b"meow"
    with pytest.raises(Refused, match="larger than this inbox takes"):
        await adapter.fetch(place, 3)
    with pytest.raises(Refused, match="taken out"):
        await adapter.fetch(f"attachment/{DIRECT}/{message['id']}/5", 100)
    with pytest.raises(Refused, match="message is gone"):
        await adapter.fetch(f"attachment/{DIRECT}/5/5", 100)


async def test_pictures_and_stickers_are_fetched(discord, adapter):
    discord.files["/avatars/2000/a1b2.png"] = b"face"
    discord.files["/stickers/9.gif"] = b"wave"

    assert await adapter.fetch("avatar/2000/a1b2", 100) == b"face"
    assert await adapter.fetch("sticker/9.gif", 100) == b"wave"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/x",
        "http://cdn.discordapp.com/x",
        "https://cdn.discordapp.com:8443/x",
        "https://cdn.discordapp.com.evil.example/x",
        "http://127.0.0.1:1/x",
        "file:///etc/passwd",
        "https://[",
        "",
    ],
)
async def test_a_file_that_lies_elsewhere_is_not_fetched(address):
    adapter = DiscordAdapter({"bot_token": TOKEN})

    with pytest.raises(Refused, match="does not lie with Discord"):
        await adapter.fetch(address, 100)
    await adapter.close()


async def test_the_connection_is_found_to_work(discord, adapter):
    found = await adapter.check("https://desk.example/hooks/1/")

    assert found.problems == ()
    assert found.facts["bot_user_id"] == ME
    assert (found.facts["application_id"], found.facts["public_key"]) == ("1001", "ab" * 32)
    assert discord.endpoint is None


async def test_the_hook_is_registered_where_that_is_wanted(discord):
    adapter = DiscordAdapter({"bot_token": TOKEN, "api_url": discord.url, "interactions": "webhook"})

    found = await adapter.check("https://desk.example/hooks/1/")
    await adapter.close()

    assert found.problems == ()
    assert discord.endpoint == "https://desk.example/hooks/1/"


async def test_a_bot_that_may_not_read_is_said_to(discord, adapter):
    discord.flags = 0

    found = await adapter.check("")

    assert "Message Content Intent" in found.problems[0]


async def test_buttons_that_are_posted_elsewhere_are_said_to(discord, adapter):
    discord.endpoint = "https://elsewhere.example/"

    found = await adapter.check("")

    assert "posted to another address" in found.problems[0]


async def test_a_hook_without_https_is_said(discord):
    adapter = DiscordAdapter({"bot_token": TOKEN, "interactions": "webhook"})
    adapter._client = DiscordAdapter({"bot_token": TOKEN, "api_url": discord.url})._open()

    found = await adapter.check("http://desk.example/hooks/1/")
    await adapter.close()

    assert "https" in found.problems[0]


@pytest.mark.parametrize("token", ["", "two words", "åäö", "wrong"])
async def test_a_token_that_is_none_is_said(discord, token):
    adapter = DiscordAdapter({"bot_token": token, "api_url": discord.url})

    found = await adapter.check("")
    await adapter.close()

    assert "does not accept the bot's token" in found.problems[0]


def test_the_link_that_invites_the_bot_names_it():
    ((_, link),) = DiscordAdapter({"application_id": "1001"}).places("", "")

    assert "client_id=1001" in link
    assert DiscordAdapter({}).places("", "") == ()
