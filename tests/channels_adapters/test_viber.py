"""Viber: what is signed, what leaves, and what each answer means. Viber's own library judges what we make up of it."""

import json

import pytest
from viberbot import Api
from viberbot.api.bot_configuration import BotConfiguration
from viberbot.api.messages import FileMessage, KeyboardMessage, PictureMessage, TextMessage, VideoMessage

from channels_adapters.adapters.viber import ViberAdapter
from channels_adapters.contract import (
    Button,
    HookRequest,
    OutboundFile,
    OutboundPart,
    Refused,
    Retryable,
    Uncertain,
    WebhookRejected,
)
from tests.channels_adapters.contract.samples import samples
from tests.channels_adapters.fake_platform import Answer, FakePlatform
from tests.channels_adapters.patience import patience

TOKEN = "445da6az1s345z78-dazcczb2542zv51a-e0vc5fva17480im9"
USER = "01234567890A="
HOOK = "https://desk.example/hooks/1/"
SEND = "/pa/send_message"
BIG = 5741311803571721087  # more than a float holds
MADE_UP = (
    *("later_kind", "client_status", "not_a_callback", "nobody", "nul_and_lone_surrogates", "null_fields"),
    *("user_instead_of_sender", "rich_media", "media_missing"),
)


@pytest.fixture(scope="module")
def theirs():
    return Api(BotConfiguration(auth_token=TOKEN, name="Shop", avatar="https://shop.example/a.jpg"))


def adapter_of(**settings):
    return ViberAdapter({"auth_token": TOKEN, "bot_name": "Shop", **settings})


def asked(body, given="", query=""):
    return HookRequest("POST", "/hooks/1/", query, {"x-viber-content-signature": given} if given else {}, body)


def test_what_viber_s_library_signs_is_taken_and_nothing_else(theirs):
    body = '{"event": "message", "text": "é"}'.encode()
    signature = theirs._calculate_message_signature(body)
    adapter_of().authenticate(asked(body, signature))
    adapter_of().authenticate(asked(body, query=f"sig={signature}"))

    assert theirs.verify_signature(body, signature)
    for other in (asked(body + b" ", signature), asked(body, signature[:-1]), asked(body), asked(body, "é")):
        with pytest.raises(WebhookRejected):
            adapter_of().authenticate(other)
    with pytest.raises(WebhookRejected):
        adapter_of(auth_token="another bot's").authenticate(asked(body, signature))


@pytest.mark.parametrize(
    "sample",
    [each for each in samples() if each.channel == "viber" and each.name not in MADE_UP],
    ids=lambda sample: sample.name,
)
def test_the_samples_are_what_viber_s_library_reads(theirs, sample):
    said = json.loads(sample.body)
    if said["event"] == "webhook":
        return  # it knows none of these
    request = theirs.parse_request(sample.body)

    assert request.event_type == said["event"]


def test_the_address_is_tried_out_while_it_is_set():
    assert adapter_of().answer(asked(b'{"event": "webhook", "message_token": 1}')).status == 200
    assert adapter_of().answer(asked(b'{"event": "message"}')) is None


def test_a_receipt_of_each_kind_and_person_is_a_delivery_of_its_own():
    named = adapter_of().delivery_id

    ids = {named(b'{"event": "%s", "message_token": %d, "user_id": "%s"}' % each) for each in (
        (b"delivered", BIG, b"a"), (b"seen", BIG, b"a"), (b"seen", BIG, b"b"), (b"seen", BIG - 1, b"a"),
    )}  # fmt: skip
    assert len(ids) == 4
    assert f"seen:{BIG}:a" in ids


def test_who_opens_the_bot_is_welcomed_in_the_answer():
    answer = adapter_of(welcome="Hej!").acknowledge("conversation_started:1")

    assert json.loads(answer.body) == {"type": "text", "text": "Hej!", "sender": {"name": "Shop"}}
    assert adapter_of(welcome="Hej!").acknowledge("message:1").body == b""
    assert adapter_of().acknowledge("conversation_started:1").body == b""


@pytest.fixture
async def viber():
    async with FakePlatform() as running:
        running.usual = lambda call: Answer(200, {"status": 0, "status_message": "ok", "message_token": BIG})
        yield running


@pytest.fixture
async def adapter(viber):
    made = adapter_of(api_url=viber.url, bot_avatar="https://shop.example/a.jpg")
    yield made
    await made.close()


def a_part(text="Hello", **fields):
    return OutboundPart(12, USER, text, **fields)


def a_file(mime, size=4, name="x.bin", url="https://desk.example/public-files/p/x.bin"):
    return OutboundFile(name, mime, b"x" * size, url)


async def test_a_text_leaves_and_its_token_is_kept_whole(viber, adapter):
    receipt = await adapter.send(a_part("Hej å 👍"))

    (call,) = viber.called(SEND)
    assert call.headers["x-viber-auth-token"] == TOKEN
    assert json.loads(call.body) == {
        "receiver": USER,
        "min_api_version": 1,
        "sender": {"name": "Shop", "avatar": "https://shop.example/a.jpg"},
        "type": "text",
        "text": "Hej å 👍",
    }
    assert receipt.external_id == str(BIG)


async def test_the_longest_text_stays_below_what_viber_takes(viber, adapter):
    await adapter.send(a_part("👍" * 7_000))

    assert len(viber.calls[0].body) < 30_000


THEIRS = [
    (a_part("Hej"), TextMessage(text="Hej")),
    (a_part("Look", file=a_file("image/jpeg")), PictureMessage(media=a_file("").url, text="Look")),
    (a_part("", file=a_file("video/mp4")), VideoMessage(media=a_file("").url, size=4)),
    (a_part("", file=a_file("application/pdf")), FileMessage(media=a_file("").url, size=4, file_name="x.bin")),
]


@pytest.mark.parametrize("part, message", THEIRS, ids=lambda each: type(each).__name__)
async def test_what_leaves_is_what_viber_s_library_would_send(viber, adapter, part, message):
    assert message.validate()

    await adapter.send(part)

    ours = json.loads(viber.calls[0].body)
    wanted = {key: value for key, value in message.to_dict().items() if value is not None}
    assert {key: ours.get(key) for key in wanted} == wanted
    assert set(ours) - set(wanted) == {"receiver", "min_api_version", "sender"}


async def test_buttons_are_a_keyboard_that_comes_back_with_their_labels(viber, adapter):
    await adapter.send(
        a_part(buttons=(Button("Yes, please", "order:yes"), Button("Shop", url="https://shop.example/")))
    )

    said = json.loads(viber.calls[0].body)
    yes, shop = said["keyboard"]["Buttons"]
    assert (yes["ActionType"], yes["ActionBody"], yes["Text"]) == ("reply", "order:yes", "Yes, please")
    assert (shop["ActionType"], shop["ActionBody"]) == ("open-url", "https://shop.example/")
    assert KeyboardMessage(keyboard=said["keyboard"]).validate()
    pressed = {"event": "message", "message_token": 1, "sender": {"id": USER}}
    pressed["message"] = {"type": "text", "text": "order:yes", "tracking_data": said["tracking_data"]}
    (message,) = adapter.parse(json.dumps(pressed).encode())
    assert (message.text, message.payload) == ("Yes, please", "order:yes")


@pytest.mark.parametrize("file", [a_file("application/pdf"), a_file("image/jpeg", 1_100_000), a_file("video/mp4")])
async def test_a_file_that_takes_no_words_is_a_link_below_them(viber, adapter, file):
    await adapter.send(a_part("Look", file=file))

    said = json.loads(viber.calls[0].body)
    assert (said["type"], said["text"]) == ("text", f"Look\n{file.url}")


async def test_a_file_that_viber_cannot_fetch_is_refused():
    with pytest.raises(Refused, match="PUBLIC_URL"):
        await adapter_of().send(a_part(file=a_file("image/jpeg", url="http://localhost/x")))


@pytest.mark.parametrize(
    "status, kind, why",
    [
        (6, Refused, "not subscribed"),
        (5, Refused, "no Viber"),
        (24, Refused, "used up"),
        (3, Refused, "status 3.*they say why"),
        (99, Refused, "status 99"),
        (2, Retryable, "copy it again"),
        (7, Retryable, "closed or blocked"),
        (10, Retryable, "no webhook"),
        (12, Retryable, "slow down"),
    ],
)
async def test_a_good_status_with_a_bad_one_inside_is_no_success(viber, adapter, status, kind, why):
    viber.script(SEND, Answer(200, {"status": status, "status_message": "they say why"}))

    with pytest.raises(kind, match=why):
        await adapter.send(a_part())


@pytest.mark.parametrize(
    "answer",
    [Answer(how="hang"), Answer(how="drop"), Answer(502, ""), Answer(200, "<html>"), Answer(200, {"status": 0})],
)
async def test_when_nobody_knows_it_is_uncertain(viber, adapter, answer):
    adapter.call_seconds = patience(answer.how)
    viber.script(SEND, answer)

    with pytest.raises(Uncertain):
        await adapter.send(a_part())


@pytest.mark.parametrize("answer", [Answer(500, ""), Answer(429, "", {"Retry-After": "7"})])
async def test_what_may_work_later_is_tried_later(viber, adapter, answer):
    viber.script(SEND, answer)

    with pytest.raises(Retryable):
        await adapter.send(a_part())


async def test_nothing_to_send_and_no_token(adapter):
    with pytest.raises(Refused, match="nothing to send"):
        await adapter.send(a_part(" "))
    with pytest.raises(Retryable, match="copy it again"):
        await ViberAdapter({}).send(a_part())


async def test_the_connection_test_sets_the_webhook(viber, adapter):
    viber.script("/pa/get_account_info", Answer(200, {"status": 0, "name": "Shop", "subscribers_count": 35}))

    found = await adapter.check(HOOK)

    said = json.loads(viber.called("/pa/set_webhook")[0].body)
    assert (found.problems, found.facts) == ((), {"bot": "Shop", "subscribers": "35"})
    assert said["url"] == HOOK
    assert {"delivered", "seen", "unsubscribed"} <= set(said["event_types"])


@pytest.mark.parametrize(
    "method, status, why", [("get_account_info", 2, "copy it again"), ("set_webhook", 1, "PUBLIC_URL")]
)
async def test_the_connection_test_says_what_is_wrong(viber, adapter, method, status, why):
    viber.script(f"/pa/{method}", Answer(200, {"status": status, "status_message": "no"}))

    assert why in (await adapter.check(HOOK)).problems[0]


async def test_the_connection_test_wants_a_public_address():
    assert "https" in (await adapter_of().check("http://localhost:8000/hooks/1/")).problems[0]


async def test_media_are_fetched(viber, adapter):
    viber.script("/1/x.jpg", Answer(200, b"jpeg"))

    assert await adapter.fetch(f"{viber.url}/1/x.jpg", 10) == b"jpeg"
    assert "x-viber-auth-token" not in viber.calls[0].headers
    with pytest.raises(Refused):
        await adapter.fetch("https://127.0.0.1/x.jpg", 10)
