"""Both ways with a Twilio that is not ours; Twilio's own validator judges each of its calls beside us."""

import base64
import threading
import time
import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest
from asgiref.sync import async_to_sync
from channels.testing import HttpCommunicator
from django.http import QueryDict
from django_scopes import scope, scopes_disabled
from twilio.request_validator import RequestValidator

from channels_adapters import connections, hooks
from channels_adapters.adapters.twilio import TwilioAdapter
from channels_adapters.contract import HookRequest, OutboundFile, OutboundPart, Refused, Retryable, WebhookRejected
from channels_adapters.workers.dispatch import Dispatch
from channels_adapters.workers.intake import Intake
from conversations.models import Conversation, Delivery, Message
from conversations.outbound import queue_reply
from crm.workspace import clock, hints
from tests.channels_adapters.hook import Hook
from tests.channels_adapters.twilio_emulator import NUMBER, SID, TOKEN, emulator, missing
from tests.conftest import left_out
from tests.factories import make_member, make_workspace

pytestmark = pytest.mark.xdist_group("twilio emulator")
ANNA = "+46701234567"


class Twilio:
    """The emulator, with Anna at her phone."""

    def __init__(self, url, hook):
        self.url, self.hook, self._read = url, hook, 0

    def simulate(self, what, **form):
        made = urllib.request.Request(f"{self.url}/_twilio/simulate/{what}", urlencode(form).encode())
        made.add_header("Authorization", "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode())
        with urllib.request.urlopen(made, timeout=10) as answer:
            return answer.read()

    def anna_writes(self, text):
        self.simulate("inbound-message", To=NUMBER, From=ANNA, Body=text)

    def delivered(self, count=1):
        """The next requests to our hook, each signed as Twilio's library wants it."""
        until = time.monotonic() + 10
        while len(self.hook.requests) < self._read + count and time.monotonic() < until:
            time.sleep(0.02)
        found = range(self._read, min(self._read + count, len(self.hook.requests)))
        self._read += count
        assert len(found) == count, "Twilio did not call"
        return [self._request(self.hook.paths[number], *self.hook.requests[number]) for number in found]

    def _request(self, path, headers, body):
        given = {name.lower(): value for name, value in headers.items()}
        address = self.hook.url.removesuffix("/hooks/1/") + path
        assert RequestValidator(TOKEN).validate(address, QueryDict(body), given["x-twilio-signature"])
        path, _, query = path.partition("?")
        return HookRequest("POST", path, query, given, body)

    def forget(self):
        self._read = len(self.hook.requests)


@pytest.fixture(scope="module")
def running():
    if why := missing():
        left_out("Twilio both ways against the emulator", why)
        pytest.skip(why)
    with Hook() as hook, emulator() as url:
        yield Twilio(url, hook)


@pytest.fixture
def twilio(running, settings):
    settings.PUBLIC_URL = running.hook.url.removesuffix("/hooks/1/")
    running.forget()
    return running


def given(twilio):
    return {"account_sid": SID, "auth_token": TOKEN, "sms_number": NUMBER, "api_url": twilio.url}


@pytest.fixture
async def adapter(twilio):
    """With its number's webhook registered."""
    made = TwilioAdapter(given(twilio) | {"hook_url": twilio.hook.url})
    assert (await made.check(twilio.hook.url)).problems == ()
    yield made
    await made.close()


def read(adapter, request):
    adapter.authenticate(request)
    return adapter.parse(adapter.keep(request))


def a_part(text, thread_id=ANNA):
    return OutboundPart(12, thread_id, text, wanted_at=clock.now())


async def test_a_text_comes_in_signed(twilio, adapter):
    twilio.anna_writes("var är det? 50 % + moms 👍")
    (request,) = twilio.delivered()

    (message,) = read(adapter, request)

    assert (message.text, message.sender.phone) == ("var är det? 50 % + moms 👍", ANNA)
    assert adapter.delivery_id(adapter.keep(request)) == message.external_id


async def test_its_bytes_with_another_token_are_refused(twilio, adapter):
    twilio.anna_writes("hello")
    (request,) = twilio.delivered()

    with pytest.raises(WebhookRejected):
        TwilioAdapter({"auth_token": "another"}).authenticate(request)


async def test_stop_is_a_choice(twilio, adapter):
    twilio.anna_writes("STOP")

    message, choice = read(adapter, twilio.delivered()[0])

    assert (message.text, choice.is_out, choice.sender.address) == ("STOP", True, ANNA)


async def test_each_status_of_what_we_send_comes_back_with_the_part_s_number(twilio, adapter):
    receipt = await adapter.send(a_part("On its way"))
    for status in ("sent", "delivered", "read", "undelivered"):
        twilio.simulate("message-status", MessageSid=receipt.external_id, Status=status)

    told = [event for request in twilio.delivered(5) for event in read(adapter, request)]

    assert [event.status for event in told] == ["sent", "delivered", "read", "failed"]
    assert {(event.target, event.part) for event in told} == {(receipt.external_id, 12)}


async def test_a_file_leaves_by_its_address(twilio, adapter):
    file = OutboundFile("cat.jpg", "image/jpeg", b"x", f"{twilio.hook.url}cat.jpg")

    receipt = await adapter.send(OutboundPart(13, ANNA, "Look", file, wanted_at=clock.now()))

    url = f"https://api.twilio.com/2010-04-01/Accounts/{SID}/Messages/{receipt.external_id}.json"
    kept = (await adapter._open().call("GET", url, headers=adapter._account().headers)).fields()
    assert (kept.text("num_media"), kept.text("body")) == ("1", "Look")


async def test_a_number_that_is_not_ours_is_found_by_the_connection_test(twilio):
    adapter = TwilioAdapter(given(twilio) | {"sms_number": "+15550000000"})
    found = await adapter.check(twilio.hook.url)
    await adapter.close()

    assert "has no number" in found.problems[0]


async def test_a_wrong_token_is_said_plainly(twilio):
    adapter = TwilioAdapter(given(twilio) | {"auth_token": "wrong"})
    found = await adapter.check(twilio.hook.url)

    with pytest.raises(Retryable, match="copy them again"):
        await adapter.send(a_part("x"))
    await adapter.close()
    assert "copy them again" in found.problems[0]


async def test_a_sender_that_is_not_ours_is_refused(twilio):
    adapter = TwilioAdapter(given(twilio) | {"sms_number": "+15550000000"})

    with pytest.raises(Refused):
        await adapter.send(a_part("x"))
    await adapter.close()


@pytest.mark.django_db(transaction=True)
def test_anna_writes_an_agent_answers_and_it_is_delivered(twilio, monkeypatch):
    intake, dispatch = Intake(), Dispatch()
    monkeypatch.setattr(hooks, "workers", lambda: type("Workers", (), {"intake": intake})())
    workspace = make_workspace()
    inbox = connections.connect(workspace, "twilio", name="SMS", given=given(twilio))
    monkeypatch.setattr(connections, "hook_url", lambda inbox: twilio.hook.url)
    assert connections.check(inbox).problems == ()
    connections.forget()
    twilio.anna_writes("Where is my order?")
    (request,) = twilio.delivered()

    for _ in range(2):  # and once more
        assert post(intake, inbox, request) == 200
    with scope(workspace=workspace):
        wait_for(lambda: Message.objects.exists())
        queue_reply(Conversation.objects.get(), make_member(workspace), "On its way", client_id="c1")
    settled(dispatch)
    with scopes_disabled():
        sent = Delivery.objects.get()
    assert sent.state == "sent", sent.reason
    twilio.simulate("message-status", MessageSid=sent.external_id, Status="delivered")
    for request in twilio.delivered(2):  # "queued" and "delivered"
        assert post(intake, inbox, request) == 200
    intake.stop()

    sent.refresh_from_db()
    assert sent.delivered_at is not None
    with scopes_disabled():
        assert Message.objects.filter(direction="in").count() == 1


def post(intake, inbox, request):
    """At the inbox's own hook; it was signed for the server of the test."""
    if not intake.is_alive():
        intake.start()
    headers = [(key.encode(), value.encode()) for key, value in request.headers.items()]
    path = f"/hooks/{inbox.key}/" + (f"?{request.query}" if request.query else "")
    asked = HttpCommunicator(hooks.hooks, "POST", path, request.body, headers)
    return async_to_sync(asked.get_response)(timeout=10)["status"]


def wait_for(is_so):
    until = time.monotonic() + 60  # the first message of a process loads what reads it
    while not is_so() and time.monotonic() < until:
        time.sleep(0.02)
    assert is_so()


def settled(dispatch):
    done = threading.Event()

    def hear(workspace_id, number, verbs):
        if "delivery.changed" in verbs:
            done.set()

    hints.listen(hear)
    dispatch.start()
    dispatch.wake()
    try:
        assert done.wait(15)
    finally:
        hints.forget(hear)
        dispatch.stop()
