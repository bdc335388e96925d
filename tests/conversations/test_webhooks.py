import json
import re
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django_scopes import scope
from standardwebhooks import Webhook, WebhookVerificationError

from conversations import desk
from conversations.models import WebhookDelivery, WebhookSubscription
from conversations.webhooks import sending, settling
from conversations.webhooks.kinds import EVERY
from conversations.webhooks.sending import claim, send_due
from conversations.webhooks.subscribing import subscribe
from crm.models import Event
from crm.web import outgoing
from crm.web.outgoing import Answer, NoAnswer
from crm.workspace import clock
from tests.api import Program
from tests.factories import make_conversation, make_inbox, make_member, make_workspace
from tests.installation import ROOT

URL = "https://hooks.example.org/rapport"


class Subscriber:
    """What a subscriber's server received, and how it answers."""

    def __init__(self, monkeypatch) -> None:
        self.calls: list[tuple[str, str, dict[str, str], bool]] = []
        self.answers: list[Answer | Exception] = []
        monkeypatch.setattr(outgoing, "post", self.post)

    def post(self, url, content, headers, *, allow_private=False) -> Answer:
        self.calls.append((url, content.decode(), headers, allow_private))
        answer = self.answers.pop(0) if self.answers else Answer(200, "ok")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def numbers(self) -> list[int]:
        return [json.loads(body)["data"]["number"] for _url, body, _headers, _private in self.calls]


@pytest.fixture
def subscriber(monkeypatch):
    return Subscriber(monkeypatch)


@pytest.fixture
def owner(workspace):
    return make_member(workspace, role="owner")


@pytest.fixture
def program(owner):
    return Program(owner)


@pytest.fixture
def told(owner):
    return subscribe(URL, ["conversation.resolved", "conversation.reopened"], by=owner)


def resolve_one(owner):
    desk.resolve(make_conversation(make_inbox(owner.workspace)), by=owner)


def test_an_event_is_told_signed_so_that_the_receiver_can_verify_it(owner, told, subscriber):
    resolve_one(owner)

    assert send_due() == 1

    _url, body, headers, private = subscriber.calls[0]
    assert not private
    said = Webhook(told.secret).verify(body, headers)
    assert said["type"] == "conversation.resolved"
    assert said["data"]["changed"] == {"status": ["open", "resolved"]}
    with pytest.raises(WebhookVerificationError):
        Webhook(told.secret).verify(body.replace("resolved", "reopened"), headers)
    row = WebhookDelivery.objects.get()
    assert (row.state, row.attempts, row.response_status, row.response_text) == ("sent", 1, 200, "ok")


def test_every_event_after_the_subscription_is_told_once_and_in_order(owner, subscriber):
    make_conversation(make_inbox(owner.workspace))
    told = subscribe(URL, [], by=owner)
    first = told.cursor + 1
    for _ in range(4):
        resolve_one(owner)

    send_due()
    send_due()

    head = Event.objects.order_by("-number").first().number
    assert subscriber.numbers() == list(range(first, head + 1))


def test_a_subscriber_is_told_of_no_other_workspace(told, subscriber):
    other = make_workspace(name="Other")
    with scope(workspace=other):
        resolve_one(make_member(other, role="owner"))

    assert send_due() == 0


def test_a_failure_is_tried_again_later_and_later_with_the_same_id(owner, told, subscriber):
    resolve_one(owner)
    subscriber.answers = [Answer(500, "oops"), NoAnswer("No answer within 10 seconds."), Answer(302, "")]
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for wait, reason in [(10, "It answered 500."), (60, "No answer"), (300, "redirects are not followed")]:
            assert send_due() == 1
            row = WebhookDelivery.objects.get()
            assert row.state == "queued"
            assert reason in row.reason
            assert wait <= (row.due_at - clock.now()).total_seconds() <= wait * 1.2
            assert send_due() == 0
            traveller.shift(row.due_at - clock.now() + timedelta(seconds=1))
        assert send_due() == 1

    assert len({headers["webhook-id"] for _url, _body, headers, _private in subscriber.calls}) == 1
    assert WebhookDelivery.objects.get().state == "sent"
    assert WebhookSubscription.objects.get().failing_since is None


def test_after_the_last_wait_a_delivery_is_given_up(owner, told, subscriber, monkeypatch):
    monkeypatch.setattr(settling, "PAUSED_AFTER", timedelta(days=99))
    resolve_one(owner)
    subscriber.answers = [Answer(500, "")] * 20
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for _ in range(10):
            send_due()
            traveller.shift(100_000)

    row = WebhookDelivery.objects.get()
    assert (row.state, row.attempts) == ("dead", 8)


def test_who_answers_gone_is_told_nothing_more(owner, told, subscriber):
    resolve_one(owner)
    subscriber.answers = [Answer(410, "bye")]
    send_due()
    resolve_one(owner)

    assert send_due() == 0
    row = WebhookSubscription.objects.get()
    assert row.paused_at is not None
    assert "410" in row.pause_reason


def test_who_fails_for_three_days_is_paused_and_on_resuming_hears_what_was_missed(owner, told, subscriber, program):
    resolve_one(owner)
    subscriber.answers = [Answer(500, "")] * 2
    with time_machine.travel(clock.now(), tick=False) as traveller:
        send_due()
        traveller.shift(timedelta(days=3))
        send_due()
        assert WebhookSubscription.objects.get().paused_at is not None
        resolve_one(owner)
        assert send_due() == 0

        assert program.call("patch", f"webhooks/{told.pk}", {"paused": False}).json()["paused_at"] is None
        traveller.shift(100)
        send_due()

    assert WebhookDelivery.objects.filter(state="sent").count() == 2


def test_a_failure_holds_back_what_comes_after_it_in_the_same_go(owner, told, subscriber):
    for _ in range(3):
        resolve_one(owner)
    subscriber.answers = [Answer(500, "")]
    from conversations.webhooks.planning import plan

    plan()
    outcomes = [outcome for batch in claim() for outcome in sending.call_in_order(batch)]

    assert [outcome.was_called for outcome in outcomes] == [True, False, False]
    for outcome in outcomes:
        settling.settle(outcome)
    assert list(WebhookDelivery.objects.order_by("pk").values_list("attempts", flat=True)) == [1, 0, 0]


def test_an_attempt_that_nobody_saw_the_end_of_is_made_again(owner, told, subscriber):
    resolve_one(owner)
    from conversations.webhooks.planning import plan

    with time_machine.travel(clock.now(), tick=False) as traveller:
        plan()
        lost = claim()[0][0]
        assert send_due() == 0
        traveller.shift(sending.LEASE + timedelta(seconds=1))
        assert send_due() == 1

        settling.settle(settling.Outcome(lost.delivery, reason="late"))
    row = WebhookDelivery.objects.get()
    assert (row.state, row.attempts) == ("sent", 2)


def test_a_private_address_is_refused_when_it_is_called(owner):
    subscribe("http://127.0.0.1:8000/", [], by=owner)
    send_due()

    row = WebhookDelivery.objects.first()
    assert row.state == "queued"
    assert "private" in row.reason


def test_the_api_makes_a_webhook_and_shows_its_secret_once(program):
    made = program.post("webhooks", {"url": URL, "verbs": ["message.received"], "may_be_private": True, "cursor": 0})
    shown = program.get(f"webhooks/{made.json()['id']}").json()

    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    assert "secret" not in shown
    assert shown["verbs"] == ["message.received"]
    row = WebhookSubscription.objects.get()
    assert not row.may_be_private
    assert row.cursor > 0
    assert [hook["id"] for hook in program.get("webhooks").json()["items"]] == [row.pk]


@pytest.mark.parametrize(
    "url", ["ftp://example.org", "http://u:p@example.org/", "https://example.org:22/", "nonsense!", ""]
)
def test_the_api_refuses_an_address_in_words(program, url):
    response = program.post("webhooks", {"url": url})

    assert response.status_code == 422
    assert response.json()["error"]


def test_the_log_says_how_it_went_and_a_replay_tells_it_again_with_the_same_id(owner, told, subscriber, program):
    resolve_one(owner)
    send_due()
    log = program.get(f"webhooks/{told.pk}/deliveries").json()["items"]

    replayed = program.post(f"webhooks/deliveries/{log[0]['id']}/replay")
    send_due()

    assert (log[0]["state"], log[0]["response_status"], log[0]["verb"]) == ("sent", 200, "conversation.resolved")
    assert (replayed.status_code, replayed.json()["state"]) == (202, "queued")
    ids = [headers["webhook-id"] for _url, _body, headers, _private in subscriber.calls]
    assert ids == [log[0]["webhook_id"]] * 2


def test_a_paused_webhook_is_not_replayed(owner, told, subscriber, program):
    resolve_one(owner)
    send_due()
    program.call("patch", f"webhooks/{told.pk}", {"paused": True})

    response = program.post(f"webhooks/deliveries/{WebhookDelivery.objects.get().pk}/replay")

    assert response.status_code == 409
    assert "resume" in response.json()["error"]


def test_webhooks_of_another_workspace_are_not_there(program):
    other = make_workspace(name="Other")
    with scope(workspace=other):
        theirs = subscribe(URL, [], by=make_member(other, role="owner"))

    assert program.get(f"webhooks/{theirs.pk}").status_code == 404
    assert program.get(f"webhooks/{theirs.pk}/deliveries").status_code == 404
    assert program.call("delete", f"webhooks/{theirs.pk}").status_code == 404
    assert program.call("patch", f"webhooks/{theirs.pk}", {"paused": True}).status_code == 404


def test_webhooks_need_the_scope_and_the_role(workspace, owner):
    assert Program(owner, "read", "reply").get("webhooks").status_code == 403
    assert Program(make_member(workspace)).post("webhooks", {"url": URL}).status_code == 403


def test_a_webhook_is_removed_with_its_log(owner, told, subscriber, program):
    resolve_one(owner)
    send_due()

    assert program.call("delete", f"webhooks/{told.pk}").status_code == 204
    assert not WebhookDelivery.objects.exists()


def test_the_secret_is_ciphertext_in_the_database(told):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM conversations_webhooksubscription")
        assert b"whsec" not in bytes(cursor.fetchone()[0])


def test_a_private_address_is_called_when_the_command_line_allowed_it(owner, subscriber):
    out = StringIO()
    call_command("add_webhook", owner.agent.email, "http://127.0.0.1:9000/", "--allow-private", stdout=out)
    resolve_one(owner)
    send_due()

    _url, body, headers, private = subscriber.calls[0]
    assert private
    assert Webhook(out.getvalue().strip()).verify(body, headers)


def test_another_address_is_held_to_the_public_network_again(owner, program):
    told = subscribe("http://127.0.0.1:9000/", [], by=owner, may_be_private=True)

    program.call("patch", f"webhooks/{told.pk}", {"url": "http://127.0.0.1:9001/"})

    assert not WebhookSubscription.objects.get().may_be_private


def test_the_command_refuses_who_may_not_change_settings(member):
    with pytest.raises(CommandError, match="admin"):
        call_command("add_webhook", member.agent.email, URL)


def test_the_log_is_kept_for_a_while_and_what_waits_is_kept_for_good(owner, told, subscriber):
    resolve_one(owner)
    send_due()
    subscriber.answers = [Answer(500, "")]
    resolve_one(owner)
    send_due()
    WebhookDelivery.objects.update(created_at=clock.now() - timedelta(days=31))

    assert settling.drop_old(30) == 1
    assert WebhookDelivery.objects.get().state == "queued"


@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_the_subscriber_asks_for_holds_back_everything_for_it(owner, told, subscriber, status):
    resolve_one(owner)
    subscriber.answers = [Answer(status, "", retry_after=600.0)]
    with time_machine.travel(clock.now(), tick=False) as traveller:
        assert send_due() == 1
        resolve_one(owner)
        traveller.shift(599)
        assert send_due() == 0

        traveller.shift(2)
        assert send_due() == 2

    assert not WebhookDelivery.objects.exclude(state="sent").exists()


def test_a_short_pause_does_not_hurry_us_and_a_very_long_one_ends_after_a_day(owner, told, subscriber):
    resolve_one(owner)
    subscriber.answers = [Answer(429, "", retry_after=1.0), Answer(429, "", retry_after=10.0**9)]
    with time_machine.travel(clock.now(), tick=False) as traveller:
        send_due()
        assert (WebhookDelivery.objects.get().due_at - clock.now()).total_seconds() >= 10
        traveller.shift(20)
        send_due()
        assert (WebhookDelivery.objects.get().due_at - clock.now()).total_seconds() == 86_400


def test_after_a_change_of_the_secret_both_verify_for_a_day(owner, told, subscriber, program):
    old = told.secret
    new = program.post(f"webhooks/{told.pk}/secret").json()["secret"]
    resolve_one(owner)
    with time_machine.travel(clock.now(), tick=False) as traveller:
        send_due()
        _url, body, headers, _private = subscriber.calls[-1]
        assert Webhook(old).verify(body, headers) == Webhook(new).verify(body, headers)

        traveller.shift(timedelta(days=1, seconds=1))
        resolve_one(owner)
        send_due()
        _url, body, headers, _private = subscriber.calls[-1]
        Webhook(new).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(old).verify(body, headers)


def test_a_ping_reaches_the_one_that_was_asked_for_whatever_it_is_told_of(owner, told, subscriber, program):
    everything = subscribe("https://other.example.org/", [], by=owner)

    assert program.post(f"webhooks/{told.pk}/ping").status_code == 202
    send_due()

    pinged = [url for url, body, _headers, _private in subscriber.calls if json.loads(body)["type"] == "webhook.pinged"]
    assert pinged == [URL]
    assert everything.pk != told.pk


def test_a_paused_webhook_is_not_pinged(told, program):
    program.call("patch", f"webhooks/{told.pk}", {"paused": True})

    assert program.post(f"webhooks/{told.pk}/ping").status_code == 409


def test_every_kind_of_event_that_is_recorded_can_be_chosen_in_words():
    said = set()
    for layer in ("crm", "conversations"):
        for path in (ROOT / layer).rglob("*.py"):
            said |= set(re.findall(r'record\(\s*"([a-z_]+\.[a-z_]+)"', path.read_text()))
    ours = {"token", "webhook", "file", "inbox", "member", "thread"}  # how we are set up, or a step to another event

    assert {verb for verb in said if verb.split(".")[0] not in ours} <= EVERY
    assert len(said) > 15
