import json
import threading

import pytest
from django.db import OperationalError
from django_scopes import scopes_disabled

from channels_adapters import connections
from channels_adapters.models import Connection, RawDelivery
from channels_adapters.workers import intake, taking_in
from channels_adapters.workers.intake import Arrival, store
from channels_adapters.workers.taking_in import take_in_waiting
from conversations import inbound, reading
from conversations.models import Inbox, Message


@pytest.fixture
def inbox(workspace, toy) -> Inbox:
    return connections.connect(workspace, "toy", name="Toys", given={})


def an_arrival(inbox, number, text="hello", sender="ada"):
    body = {"id": number, "from": sender} | ({} if text is None else {"text": text})
    return Arrival(inbox, str(number), json.dumps(body).encode())


def test_what_arrives_is_stored_before_it_is_taken_in(inbox):
    arrival = an_arrival(inbox, 1)

    store([arrival])

    assert arrival.stored.done()
    assert RawDelivery.objects.get().state == "waiting"
    assert Message.objects.count() == 0


def test_a_batch_is_taken_in_in_its_order(inbox):
    store([an_arrival(inbox, number, f"line {number}") for number in range(100)])

    assert take_in_waiting() == 100

    assert [message.text for message in Message.objects.order_by("seq")] == [f"line {n}" for n in range(100)]
    assert set(RawDelivery.objects.values_list("state", flat=True)) == {"done"}


def test_a_delivery_that_comes_eight_times_is_one_message(inbox):
    for _ in range(8):
        store([an_arrival(inbox, 1)])
        take_in_waiting()

    assert Message.objects.count() == 1


def test_the_same_delivery_twice_in_one_batch_is_one_message(inbox):
    store([an_arrival(inbox, 1), an_arrival(inbox, 1)])
    take_in_waiting()

    assert Message.objects.count() == 1


def test_a_body_that_cannot_be_read_is_parked_with_its_reason_and_the_rest_goes_on(inbox):
    store([an_arrival(inbox, 1), an_arrival(inbox, 2, text=None), an_arrival(inbox, 3)])

    take_in_waiting()

    parked = RawDelivery.objects.get(state="parked")
    assert (parked.delivery_id, parked.reason) == ("2", "it has no text")
    assert json.loads(parked.body) == {"id": 2, "from": "ada"}
    assert Message.objects.count() == 2


def test_a_parser_that_falls_over_parks_its_delivery_only(inbox, toy, monkeypatch):
    def parse(self, body):
        if b'"id": 2' in body:
            raise OverflowError
        return original(self, body)

    original = toy.parse
    monkeypatch.setattr(toy, "parse", parse)
    store([an_arrival(inbox, number) for number in (1, 2, 3)])

    take_in_waiting()

    assert Message.objects.count() == 2
    assert RawDelivery.objects.get(state="parked").reason == "OverflowError while reading it"


def test_an_item_the_hub_cannot_take_is_parked_after_five_tries_and_the_rest_keeps_its_order(inbox, monkeypatch):
    tries = []

    def receive(inbox, arrivals, **facts):
        if "poison" in [arrival.message.text for arrival in arrivals]:
            tries.append(len(arrivals))
            raise ValueError("cannot")
        return original(inbox, arrivals, **facts)

    original = inbound.receive_messages
    monkeypatch.setattr(inbound, "receive_messages", receive)
    store([an_arrival(inbox, 1, "a"), an_arrival(inbox, 2, "poison"), an_arrival(inbox, 3, "b")])

    take_in_waiting()

    assert tries.count(1) == 5
    assert [message.text for message in Message.objects.order_by("seq")] == ["a", "b"]
    assert RawDelivery.objects.get(state="parked").delivery_id == "2"


def test_a_parked_delivery_is_taken_in_when_a_person_asks(inbox, monkeypatch, toy):
    original = toy.parse
    monkeypatch.setattr(toy, "parse", lambda self, body: 1 / 0)
    store([an_arrival(inbox, 1)])
    take_in_waiting()
    monkeypatch.setattr(toy, "parse", original)

    taking_in.take_in_again(RawDelivery.objects.get())
    take_in_waiting()

    assert Message.objects.count() == 1


def test_a_dead_pipeline_leaves_the_message_shown_and_unsorted(inbox, monkeypatch):
    def broken(readings):
        raise MemoryError

    monkeypatch.setattr(reading.nlp, "ready", lambda: True)
    monkeypatch.setattr(reading.nlp, "triage", broken)
    store([an_arrival(inbox, 1)])

    take_in_waiting()

    assert Message.objects.get().awaits_triage


def test_raw_bodies_and_settings_are_ciphertext_in_the_database(inbox, django_assert_num_queries):
    from django.db import connection

    store([an_arrival(inbox, 1, "a very private word")])

    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM channels_adapters_rawdelivery")
        raw = bytes(cursor.fetchone()[0])
        cursor.execute("SELECT settings FROM channels_adapters_connection")
        settings = bytes(cursor.fetchone()[0])
    assert b"private" not in raw
    assert b"s3cret" not in settings
    assert Connection.objects.get().settings == {"secret": "s3cret"}


def test_old_raw_deliveries_are_dropped_and_parked_ones_stay(inbox, time_machine):
    time_machine.move_to("2026-10-01T10:00:00Z", tick=False)
    store([an_arrival(inbox, 1), an_arrival(inbox, 2, text=None)])
    take_in_waiting()
    time_machine.move_to("2026-11-22T10:00:00Z", tick=False)

    taking_in.drop_old(30)

    assert RawDelivery.objects.get().state == "parked"


def test_an_unknown_setting_is_named(workspace, toy):
    with pytest.raises(connections.WrongSettings, match="no setting 'colour'"):
        connections.connect(workspace, "toy", name="x", given={"colour": "red"})


def test_an_unknown_channel_is_named(workspace):
    with pytest.raises(connections.WrongSettings, match="no channel 'carrier-pigeon'"):
        connections.connect(workspace, "carrier-pigeon", name="x", given={})


def test_a_change_of_settings_is_served_after_a_moment(inbox, monkeypatch):
    before = connections.serving(inbox.key)
    with scopes_disabled():
        Connection.objects.update(settings={"secret": "another"})
    monkeypatch.setattr(connections, "FRESH_FOR", 0)

    after = connections.serving(inbox.key)

    assert before.adapter.settings["secret"] == "s3cret"
    assert after.adapter.settings["secret"] == "another"


def test_intake_goes_on_when_the_database_is_away_at_the_start(monkeypatch):
    answers = iter([OperationalError("away"), None])
    came_back = threading.Event()

    def look(*_):
        if (trouble := next(answers)) is not None:
            raise trouble
        came_back.set()
        return 0

    monkeypatch.setattr(intake, "take_in_waiting", look)
    monkeypatch.setattr(intake, "AFTER_TROUBLE", 0)
    monkeypatch.setattr(intake.Aside, "look", lambda _: None)
    running = intake.Intake()
    running.start()

    assert came_back.wait(5)
    monkeypatch.setattr(intake, "take_in_waiting", lambda *_: 0)
    running.stop()
