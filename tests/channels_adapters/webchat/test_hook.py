"""How a visitor's message comes in, and what is refused."""

import json

import pytest
from asgiref.sync import sync_to_async
from django_scopes import scopes_disabled

from channels_adapters.adapters.webchat import limits, visitors
from channels_adapters.models import RawDelivery
from conversations.models import Delivery, Message
from crm.models import Identity, Origin
from tests.channels_adapters.webchat.chat import make_chat, other_visitor

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def taken_in(running):
    running.stop()
    with scopes_disabled():
        return list(Message.objects.select_related("identity__customer").order_by("pk"))


@sync_to_async
def rows():
    with scopes_disabled():
        return RawDelivery.objects.count()


async def test_a_visitor_s_message_is_stored_and_marked_unverified(chat, running):
    answer = await chat.post(name="Ada", language="sv-SE")

    assert answer["status"] == 200
    (message,) = await taken_in(running)
    assert message.text == "Where is my lamp?"
    assert message.identity.verified_at is None
    assert message.identity.known_by == Identity.KnownBy.CUSTOMER
    assert message.identity.customer.name == "Ada"


async def test_the_same_message_sent_again_is_stored_once(chat, running):
    for _ in range(3):
        assert (await chat.post())["status"] == 200

    assert len(await taken_in(running)) == 1


async def test_two_visitors_may_choose_the_same_id_for_a_message(chat, running):
    await chat.post()
    await other_visitor(chat).post()

    assert len(await taken_in(running)) == 2


async def test_how_they_came_is_kept_from_the_page_they_stood_on(chat, running):
    await chat.post(
        page="https://shop.example/lamps?utm_source=mail&utm_campaign=autumn", referrer="javascript:alert(1)"
    )

    await taken_in(running)
    with scopes_disabled():
        origin = await Origin.objects.aget()
    assert (origin.utm_source, origin.utm_campaign, origin.referrer) == ("mail", "autumn", "")


@pytest.mark.parametrize("token", ["", "nonsense", "é"])
async def test_who_shows_no_token_of_ours_is_refused_and_nothing_is_kept(chat, running, token):
    answer = await chat.post(token=token)

    assert answer["status"] == 403
    assert await rows() == 0


async def test_a_thousand_guessed_visitors_are_refused(chat, running):
    guess = visitors.token_for(visitors.new(), "another-key")

    for number in range(1000):
        answer = await chat.post(token=f"{visitors.new()}:{number}:{guess.rsplit(':', 1)[1]}")
        assert answer["status"] == 403
    assert await rows() == 0


async def test_a_token_of_another_inbox_is_refused(chat, running):
    elsewhere = await sync_to_async(make_chat)()
    elsewhere.visitor = chat.visitor

    assert (await chat.post(token=elsewhere.token))["status"] == 403


async def test_a_message_in_another_visitor_s_name_is_refused(chat, running):
    answer = await chat.post(visitor=visitors.new())

    assert answer["status"] == 403
    assert await rows() == 0


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://testserver.evil.example", "http://evil.example#testserver"]
)
async def test_a_message_from_another_site_is_refused(chat, running, origin):
    answer = await chat.post(headers=[(b"origin", origin.encode())])

    assert answer["status"] == 403
    assert await rows() == 0


async def test_a_message_from_our_own_page_or_a_site_that_is_named_is_taken(running, settings):
    chat = await sync_to_async(make_chat)(allowed_sites="https://shop.example, https://b.example/")

    for number, origin in enumerate([settings.PUBLIC_URL, "https://shop.example", "https://b.example"]):
        answer = await chat.post(headers=[(b"origin", origin.encode())], cid=f"c{number}")
        assert answer["status"] == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"cid": ""},
        {"cid": "a b"},
        {"cid": 7},
        {"cid": "x" * 65},
        {"text": ""},
        {"text": " \n"},
        {"text": ["a"]},
        {"files": "abc"},
        {"files": [{"token": "a"}]},
        {"files": ["a"] * 11},
        {"files": ["../../etc"]},
    ],
)
async def test_a_message_that_is_not_whole_is_a_400_with_one_line(chat, running, fields):
    answer = await chat.post(**fields)

    assert answer["status"] == 400
    assert answer["body"].decode().count("\n") == 1
    assert await rows() == 0


@pytest.mark.parametrize("body", [b"", b"null", b"[1]", b"{", b"\xff\xfe", b"[" * 100_000])
async def test_a_body_that_is_no_object_is_a_400(chat, running, body):
    assert (await chat.post(body))["status"] == 400


async def test_a_text_over_the_limit_is_refused_with_its_length(chat, running):
    answer = await chat.post(text="x" * 10_001)

    assert answer["status"] == 413
    assert b"10,001" in answer["body"]
    assert (await chat.post(text="x" * 10_000))["status"] == 200


async def test_the_twenty_first_message_of_a_minute_is_refused_and_other_visitors_go_on(chat, running):
    for number in range(limits.MESSAGES.amount):
        assert (await chat.post(cid=f"c{number}"))["status"] == 200

    assert (await chat.post(cid="one-more"))["status"] == 429
    assert (await other_visitor(chat).post())["status"] == 200


@pytest.mark.parametrize("fields", [{"kind": "read"}, {"read": True}])
async def test_a_read_mark_turns_the_ticks(chat, running, fields):
    def said():
        chat.write()
        return chat.answer()

    message = await sync_to_async(said)()
    body = {"visitor": chat.visitor, "at": (message.at.timestamp() + 60) * 1000, **fields}

    answer = await chat.post(json.dumps(body).encode())

    assert answer["status"] == 200
    await taken_in(running)
    with scopes_disabled():
        part = await Delivery.objects.aget()
    assert part.read_at is not None
    assert part.delivered_at is not None


@pytest.mark.parametrize("at", [None, "soon", -1, 0, True, 1e300, 10**4000, float("nan")])
async def test_a_time_nobody_can_have_is_not_believed(chat, running, at):
    assert (await chat.post(at=at))["status"] == 200

    (message,) = await taken_in(running)
    assert message.platform_at is None
