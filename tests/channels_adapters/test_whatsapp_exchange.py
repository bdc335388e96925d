"""WhatsApp both ways over real HTTP against the fake Graph API, and the fake before its judges: pywa and OpenSSL."""

import subprocess

import pytest
import pywa
from asgiref.sync import sync_to_async
from pywa import utils
from pywa.types.base_update import RawUpdate
from pywa.types.callback import CallbackButton
from pywa.types.message import Message

from channels_adapters.adapters.whatsapp import WhatsAppAdapter
from channels_adapters.contract import HookRequest, WebhookRejected
from tests.channels_adapters.desk import Desk
from tests.channels_adapters.fake_graph import TOKEN, Answer, FakeGraph, as_meta_writes, error, signature
from tests.factories import make_member, make_workspace

APP_SECRET = "app_secret"
PERSON = {"profile": {"name": "Erik"}, "wa_id": "46701234567", "user_id": "SE.1349"}


def payload(*messages, **more):
    metadata = {"display_phone_number": "46700000000", "phone_number_id": "301"}
    value = {
        "messaging_product": "whatsapp",
        "metadata": metadata,
        "contacts": [PERSON],
        "messages": [*messages],
        **more,
    }
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "300", "changes": [{"field": "messages", "value": value}]}],
    }


def a_message(kind="text", part=None, message_id="wamid.IN1"):
    part = part or {"body": "Hej! Vad kostar 1/2 kg kräftor?"}
    said = {"from": "46701234567", "from_user_id": "SE.1349", "id": message_id, "timestamp": "1787219940", "type": kind}
    return {**said, kind: part}


def settings_of(graph):
    keys = {"phone_number_id": "301", "waba_id": "300", "access_token": TOKEN, "app_secret": APP_SECRET}
    return {**keys, "verify_token": "v", "api_url": graph.url}


@pytest.fixture
async def graph():
    async with FakeGraph(app_secret=APP_SECRET) as running:
        yield running


@pytest.fixture
async def desk(transactional_db, settings, monkeypatch):
    workspace = await sync_to_async(make_workspace)()
    member = await sync_to_async(make_member)(workspace)
    async with Desk(settings, monkeypatch, workspace, member) as running:
        yield running


async def test_a_customer_writes_an_agent_answers_and_the_ticks_follow(graph, desk):
    inbox, hook, found = await desk.connect("whatsapp", settings_of(graph))
    assert found.problems == ()
    assert graph.handshakes == [(200, "1158201444")]
    graph.media["9001"] = (b"\x89PNG\r\n\x1a\n" + b"0" * 50, "image/png")
    picture = a_message(
        "image", {"id": "9001", "mime_type": "image/png", "sha256": "x", "caption": "så här"}, "wamid.IN2"
    )

    for _ in range(2):  # and Meta's retry of it
        assert (await graph.deliver(hook, payload(a_message(), picture)))[0] == 200
    text, with_picture = await desk.taken_in(inbox)
    delivery = await desk.answer("40 kr")
    (said,) = graph.messages
    status = {"id": delivery.external_id, "timestamp": "1787219950", "recipient_id": "46701234567"}
    for each in ("read", "delivered", "sent"):  # in no order
        await graph.deliver(hook, payload(statuses=[{**status, "status": each}]))
    await desk.taken_in(inbox)

    assert (text.text, with_picture.text) == ("Hej! Vad kostar 1/2 kg kräftor?", "så här")
    assert [(file.kind, file.external_id) for file in with_picture.files.all()] == [("image", "9001")]
    assert said.get("to", said.get("recipient")) in ("46701234567", "SE.1349")
    assert said["text"]["body"] == "40 kr"
    assert (delivery.state, delivery.external_id) == ("sent", "wamid.FAKE1")
    assert (await desk.delivery()).read_at is not None


async def test_a_refusal_that_comes_as_a_status_is_told_in_plain_words(graph, desk):
    inbox, hook, _ = await desk.connect("whatsapp", settings_of(graph))
    await graph.deliver(hook, payload(a_message()))
    await desk.taken_in(inbox)
    delivery = await desk.answer("Hej")
    refused = {"code": 131047, "title": "Re-engagement message"}
    status = {"id": delivery.external_id, "status": "failed", "timestamp": "1787219950", "errors": [refused]}

    await graph.deliver(hook, payload(statuses=[status]))
    await desk.taken_in(inbox)

    assert (await desk.delivery()).state == "refused"
    assert "use a template" in (await desk.delivery()).reason


async def test_what_another_signed_is_refused_over_http_too(graph, desk):
    inbox, hook, _ = await desk.connect("whatsapp", settings_of(graph))

    status, _ = await graph.deliver(hook, payload(a_message()), secret="another inbox's")

    assert status == 401
    assert await desk.taken_in(inbox) == []


async def check(graph, hook="http://127.0.0.1:1/hooks/1/", **more):
    adapter = WhatsAppAdapter({**settings_of(graph), **more})
    found = await adapter.check(hook)
    await adapter.close()
    return found


async def test_a_working_number_is_named(graph):
    found = await check(graph)

    assert found.facts["display_phone_number"] == "+46 70-000 00 00"
    assert "could not be reached" in found.problems[0]


async def test_a_secret_of_another_app_is_a_problem(graph):
    found = await check(graph, app_secret="another")

    assert any("app secret" in problem for problem in found.problems)


@pytest.mark.parametrize("token", ["EAAold", "", "é"])
async def test_a_bad_token_is_a_problem_in_plain_words(graph, token):
    found = await check(graph, access_token=token)

    assert "access token" in found.problems[0]
    assert not token or token not in found.problems[0]


async def test_a_number_that_is_not_there_is_a_problem(graph):
    assert "gone" in (await check(graph, phone_number_id="999")).problems[0]


async def test_an_answer_without_success_is_a_problem(graph):
    graph.script("subscribed_apps", Answer(body={}), Answer(400, error(10)))

    for words in ("did not say", "permission"):
        assert words in (await check(graph)).problems[-1]


def request(body=b"{}", method="POST", query="", **headers):
    return HookRequest(method, "/hooks/1/", query, headers, body)


def an_adapter():
    return WhatsAppAdapter({"app_secret": APP_SECRET, "verify_token": "v&1 é"})


def test_meta_s_published_vector_is_ours():
    body = b'{"object":"page","entry":[]}'
    known = "sha256=22d3988d1017c437ea81a89d41e2d3266c00a508cffdb23f8ad8746d232d77e9"

    assert an_adapter().authenticate(request(body, **{"x-hub-signature-256": known})) is None


def test_openssl_signs_as_we_check():
    body = as_meta_writes(payload(a_message()))
    command = ["openssl", "dgst", "-sha256", "-hmac", APP_SECRET]
    told = subprocess.run(command, input=body, capture_output=True, check=True).stdout.decode().split()[-1]

    an_adapter().authenticate(request(body, **{"x-hub-signature-256": f"sha256={told}"}))

    assert signature(body, APP_SECRET) == f"sha256={told}"


@pytest.mark.parametrize(
    "change",
    [
        lambda signed: "",
        lambda signed: signed.removeprefix("sha256="),
        lambda signed: signed.upper(),
        lambda signed: signed + " ",
        lambda signed: "sha1=" + signed.removeprefix("sha256="),
        lambda signed: "sha256=é",
    ],
)
def test_a_signature_that_is_not_meta_s_is_refused(change):
    signed = signature(b"{}", APP_SECRET)

    with pytest.raises(WebhookRejected) as refusal:
        an_adapter().authenticate(request(**{"x-hub-signature-256": change(signed), "x-hub-signature": signed}))

    assert refusal.value.status == 401


def test_a_body_written_anew_is_refused():
    """What is signed are the bytes with their escapes, not what they mean."""
    signed = signature(b'{"a":"\\/"}', APP_SECRET)

    with pytest.raises(WebhookRejected):
        an_adapter().authenticate(request(b'{"a":"/"}', **{"x-hub-signature-256": signed}))


def test_a_challenge_is_answered_with_itself():
    query = "hub.mode=subscribe&hub.challenge=7%2077%3Cb%3E&hub.verify_token=v%261%20%C3%A9"

    answer = an_adapter().answer(request(method="GET", query=query))

    assert (answer.status, answer.body, answer.content_type) == (200, b"7 77<b>", "text/plain")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "hub.mode=subscribe&hub.challenge=7",
        "hub.mode=subscribe&hub.challenge=7&hub.verify_token=",
        "hub.mode=subscribe&hub.challenge=7&hub.verify_token=wrong",
        "hub.challenge=7&hub.verify_token=v%261%20%C3%A9",
        "&".join(f"a{n}=1" for n in range(100)),
    ],
)
def test_a_challenge_with_a_wrong_token_is_refused(query):
    with pytest.raises(WebhookRejected) as refusal:
        an_adapter().authenticate(request(method="GET", query=query))

    assert refusal.value.status == 403


@pytest.fixture
def judge(graph):
    """pywa's client of the number, pointed at the fake."""
    made = pywa.WhatsApp(phone_id="301", token=TOKEN, app_secret=APP_SECRET, server=None, verify_token="v")
    made.api._session.base_url = f"{graph.url}/v26.0"
    yield made
    made.api._session.close()


async def test_pywa_is_content_with_the_fake_s_answers(graph, judge):
    sent = await sync_to_async(judge.send_message)(to="46701234567", text="Hej")
    media = await sync_to_async(judge.upload_media)(media=b"\x89PNG", mime_type="image/png", filename="a.png")
    image = await sync_to_async(judge.send_image)(to="46701234567", image=media.id, caption="Se")
    await sync_to_async(judge.send_reaction)(to="46701234567", emoji="👍", message_id="wamid.X")
    url = await sync_to_async(judge.get_media_url)(media_id=media.id)
    data = await sync_to_async(judge.get_media_bytes)(url=url.url)

    assert sent.id.startswith("wamid.")
    assert image.id != sent.id
    assert (url.mime_type, url.file_size, data) == ("image/png", 4, b"\x89PNG")


async def test_pywa_reads_the_fake_s_errors(graph, judge):
    graph.script("messages", Answer(400, error(131047)))

    with pytest.raises(pywa.errors.ReEngagementMessage):
        await sync_to_async(judge.send_message)(to="46701234567", text="Hej")


@pytest.mark.parametrize(
    "message, event",
    [
        (a_message(), Message),
        (a_message("image", {"id": "9001", "mime_type": "image/png", "sha256": "x", "caption": "c"}), Message),
        (a_message("location", {"latitude": 0.0, "longitude": 0.0}), Message),
        (a_message("reaction", {"message_id": "wamid.X", "emoji": "👍"}), Message),
        (
            a_message("interactive", {"type": "button_reply", "button_reply": {"id": "1", "title": "Ja"}}),
            CallbackButton,
        ),
    ],
    ids=lambda value: value.get("type", "") if isinstance(value, dict) else value.__name__,
)
def test_pywa_reads_what_the_tests_deliver_as_we_do(message, event):
    """The deliveries of these tests have Meta's shape: its client library makes of them what our reader makes."""
    body = as_meta_writes(payload(message))
    client = pywa.WhatsApp(phone_id="301", token=TOKEN, server=None, verify_token="v", app_secret=APP_SECRET)
    theirs = event.from_update(client, RawUpdate(body, hmac_header=None, update_hash="1"))

    (ours,) = WhatsAppAdapter({"phone_number_id": "301", "waba_id": "300"}).parse(body)

    assert utils.webhook_updates_validator(APP_SECRET, body, signature(body, APP_SECRET))
    assert theirs.from_user.wa_id == ours.sender.address == "46701234567"
    assert theirs.from_user.bsuid == ours.sender.also[0]
    assert theirs.from_user.name == ours.sender.name
    assert theirs.timestamp == ours.at
    if event is CallbackButton:
        assert (theirs.data, theirs.title) == (ours.payload, ours.text)
    elif message["type"] == "reaction":
        assert (theirs.reaction.emoji,) == ours.emojis
    else:
        assert (theirs.id, theirs.text or theirs.caption or "") == (ours.external_id, ours.text)
