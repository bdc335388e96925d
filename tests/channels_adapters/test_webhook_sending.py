"""What leaves by the generic channel, as the system at the other end receives it."""

import asyncio
import json
import subprocess

import pytest

from channels_adapters.adapters.webhook import WebhookAdapter
from channels_adapters.contract import Button, OutboundAct, OutboundFile, OutboundPart, Refused, Retryable
from crm.workspace import clock
from tests.channels_adapters.fake_platform import Answer, FakePlatform
from tests.channels_adapters.patience import patience

NOW = clock.now()


@pytest.fixture
async def other():
    """The other system."""
    async with FakePlatform() as running:
        running.usual = lambda call: Answer(200, {"id": "out-7"})
        yield running


@pytest.fixture
async def adapter(other):
    made = WebhookAdapter({"secret": "s3cret", "callback_url": "https://erp.example/crm?shop=1", "api_url": other.url})
    yield made
    await made.close()


def a_part(text="Hello", **fields):
    return OutboundPart(12, "c-9", text, wanted_at=NOW, address="k1", **fields)


async def test_an_answer_is_posted_signed_with_a_key_that_tells_a_repeat(other, adapter):
    receipts = [await adapter.send(a_part()) for _ in range(2)]

    first, second = other.called("/crm")
    said = json.loads(first.body)
    assert (first.method, first.query, receipts[0].external_id) == ("POST", "shop=1", "out-7")
    assert said["event"] == first.headers["x-crm-event"] == "message.created"
    assert said["data"]["conversation"] == "c-9"
    assert said["data"]["contact"] == {"id": "k1"}
    assert said["data"]["text"] == "Hello"
    assert said["data"]["metadata"] == {"crm_delivery": said["id"]}
    assert said["id"] == first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert (await adapter.send(OutboundPart(13, "c-9", "Hello", wanted_at=NOW))) is not None
    assert other.calls[-1].headers["idempotency-key"] != said["id"]


async def test_the_signature_is_the_one_of_openssl(other, adapter):
    await adapter.send(a_part("é"))

    (call,) = other.calls
    said = call.headers["x-crm-timestamp"].encode() + b"." + call.body
    command = ["openssl", "dgst", "-sha256", "-hmac", "s3cret", "-r"]
    run = await asyncio.to_thread(subprocess.run, command, input=said, capture_output=True, check=True)
    made = run.stdout.split()[0].decode()
    assert call.headers["x-crm-signature"] == f"sha256={made}"
    assert abs(int(call.headers["x-crm-timestamp"]) - clock.now().timestamp()) < 60


async def test_files_go_by_address_and_buttons_with_their_payload(other, adapter):
    file = OutboundFile("bill.pdf", "application/pdf", b"%PDF", "https://desk.example/public-files/x/bill.pdf")
    buttons = (Button("Yes", payload="y"), Button("Shop", url="https://shop.example/"))

    await adapter.send(a_part("", file=file, reply_to="ext-1", buttons=buttons))

    data = json.loads(other.calls[0].body)["data"]
    assert data["attachments"] == [{"url": file.url, "name": "bill.pdf", "mime": "application/pdf", "size": 4}]
    assert data["reply_to"] == "ext-1"
    assert data["buttons"] == [{"label": "Yes", "payload": "y"}, {"label": "Shop", "url": "https://shop.example/"}]


async def test_a_system_that_names_no_id_gives_ours_back_in_its_statuses(other, adapter):
    other.usual = lambda call: Answer(204, "")

    receipt = await adapter.send(a_part())

    assert receipt.external_id == json.loads(other.calls[0].body)["id"]


@pytest.mark.parametrize(
    "kind, text, event, more",
    [
        ("edit", "New", "message.edited", {"text": "New"}),
        ("delete", "", "message.deleted", {}),
        ("react", "👍", "message.reacted", {"emoji": "👍"}),
        ("react", "", "message.reacted", {"emoji": None}),
        ("read", "", "message.read", {}),
    ],
)
async def test_acts_are_told(other, adapter, kind, text, event, more):
    await adapter.act(OutboundAct(5, kind, "c-9", "out-7", text))

    said = json.loads(other.calls[0].body)
    assert (said["event"], said["data"]) == (event, {"conversation": "c-9", "target": "out-7"} | more)


async def test_an_act_it_does_not_know_is_refused(other, adapter):
    with pytest.raises(Refused):
        await adapter.act(OutboundAct(5, "hide", "c-9", "out-7"))
    assert other.calls == []


async def test_typing_is_told(other, adapter):
    await adapter.typing("c-9")

    assert json.loads(other.calls[0].body)["event"] == "typing"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_what_may_work_later_is_tried_later(other, adapter, status):
    other.script("/crm", Answer(status, {}, {"Retry-After": "7"}))

    with pytest.raises(Retryable) as failure:
        await adapter.send(a_part())
    assert failure.value.retry_after in ((7, None) if status in (502, 504) else (7,))


@pytest.mark.parametrize("how", ["hang", "drop"])
async def test_without_an_answer_it_is_sent_again_for_the_key_tells_a_repeat(other, adapter, how):
    adapter.call_seconds = patience(how)
    other.script("/crm", Answer(how=how))

    with pytest.raises(Retryable):
        await adapter.send(a_part())
    assert adapter.capabilities.repeatable


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 410, 301, 307])
async def test_what_will_never_work_is_refused_with_their_words(other, adapter, status):
    body = {"error": {"message": "no such\ncontact"}}
    other.script("/crm", Answer(status, body, {"Location": "http://127.0.0.1:1/"}))

    with pytest.raises(Refused, match=str(status)) as failure:
        await adapter.send(a_part())
    assert len(other.calls) == 1
    assert ("no such contact" in failure.value.reason) == (400 <= status != 410)


async def test_a_good_status_with_an_error_in_it_is_no_success(other, adapter):
    other.script("/crm", Answer(200, {"error": "contact is closed"}))

    with pytest.raises(Refused, match="contact is closed"):
        await adapter.send(a_part())


@pytest.mark.parametrize(
    "url, why",
    [
        ("", "no address"),
        ("http://erp.example/", "https"),
        ("https://u:p@erp.example/", "login"),
        ("https://erp.example:25/", "Port"),
    ],
)
async def test_an_address_that_must_not_be_called_is_not(url, why):
    adapter = WebhookAdapter({"secret": "s", "callback_url": url})

    with pytest.raises(Refused, match=why):
        await adapter.send(a_part())
    await adapter.close()


async def test_a_reply_waits_while_the_address_is_a_private_one():
    adapter = WebhookAdapter({"secret": "s", "callback_url": "https://127.0.0.1/"})

    with pytest.raises(Retryable, match="private") as wait:
        await adapter.send(a_part())
    assert wait.value.retry_after == 300  # for a person to mend the address
    await adapter.close()


async def test_nothing_to_send_is_refused(other, adapter):
    with pytest.raises(Refused, match="nothing to send"):
        await adapter.send(a_part(" "))


async def test_the_connection_test_pings(other, adapter):
    found = await adapter.check("https://desk.example/hooks/1/")

    assert found.problems == ()
    assert json.loads(other.calls[0].body)["event"] == "ping"


async def test_the_connection_test_says_what_is_wrong(other, adapter):
    other.script("/crm", Answer(403, "go away"))

    found = await adapter.check("https://desk.example/hooks/1/")

    assert "go away" in found.problems[0]


async def test_an_inbox_that_only_listens_is_no_problem():
    found = await WebhookAdapter({"secret": "s"}).check("https://desk.example/hooks/1/")

    assert found.problems == ()
    assert found.facts["your system posts to"] == "https://desk.example/hooks/1/"


async def test_a_file_by_address_is_fetched_over_https_only(other, adapter):
    other.script("/a.jpg", Answer(200, b"jpeg"))

    assert await adapter.fetch(f"{other.url}/a.jpg", 10) == b"jpeg"
    for url in ("http://files.example/a.jpg", "https://127.0.0.1/a.jpg", "ftp://files.example/a", "x"):
        with pytest.raises(Refused):
            await adapter.fetch(url, 10)
