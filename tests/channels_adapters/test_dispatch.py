import threading
from datetime import timedelta

import anyio
import pytest
from django_scopes import scope, scopes_disabled

from channels_adapters import connections
from channels_adapters.contract import Capabilities, Refused, Retryable, SendReceipt, Uncertain
from channels_adapters.models import Connection
from channels_adapters.workers.dispatch import Dispatch, settle_orphans, show_typing
from conversations import acts, deliveries
from conversations.models import Delivery, Inbox, Message, Thread
from conversations.outbound import queue_reply
from crm.models import Identity
from crm.workspace import clock, hints
from tests.factories import make_conversation, make_member, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reply(toy):
    """A reply that is due, on a toy inbox."""
    workspace = make_workspace()
    inbox = connections.connect(workspace, "toy", name="Toys", given={})
    with scope(workspace=workspace):
        conversation = make_conversation(inbox)
        return queue_reply(conversation, make_member(workspace), "On its way", client_id="c1")


def settled(kind="send") -> Delivery:
    """The only delivery of the kind, once a dispatch has settled it."""
    done, dispatch = threading.Event(), Dispatch()

    def hear(workspace_id, number, verbs):
        done.set()

    hints.listen(hear)
    dispatch.start()
    dispatch.wake()
    try:
        assert done.wait(10), "nothing was settled"
    finally:
        hints.forget(hear)
        dispatch.stop()
    with scopes_disabled():
        return Delivery.objects.get(kind=kind)


def test_a_queued_part_is_sent_and_keeps_the_platform_s_id(reply, toy):
    delivery = settled()

    assert (delivery.state, delivery.external_id) == ("sent", f"out-{delivery.pk}")
    assert [part.text for part in toy.sent] == ["On its way"]
    with scopes_disabled():
        assert Connection.objects.get().last_out_at is not None


def test_a_part_says_whom_it_is_for_and_what_it_answers(reply, toy):
    with scopes_disabled():
        Message.objects.filter(direction="in").update(details={"subject": "Lamp"})

    settled()

    (part,) = toy.sent
    assert (part.address, part.is_public, part.late, part.answers) == ("77", False, False, {"subject": "Lamp"})


def test_what_the_platform_says_of_a_part_is_kept_with_its_message(reply, toy):
    settled()

    with scopes_disabled():
        assert Message.objects.get(direction="out").details == {"room": "kept"}


def edited(reply, toy, trouble=None):
    """The edit of a reply that was sent, once a dispatch has settled it."""
    settled()
    with scopes_disabled():
        Inbox.objects.update(capabilities={"edits": True})
    with scope(workspace=reply.workspace):
        acts.edit(Message.objects.get(pk=reply.pk), "Sent", by=reply.author)
    toy.trouble = trouble
    return settled(kind="edit")


def test_an_act_is_done_by_the_adapter(reply, toy):
    delivery = edited(reply, toy)

    assert delivery.state == "sent"
    assert [(act.kind, act.thread_id, act.target, act.text) for act in toy.acted] == [
        ("edit", "77", f"out-{delivery.pk - 1}", "Sent")
    ]
    with scopes_disabled():
        assert Message.objects.get(direction="out").text == "Sent"


def test_an_act_the_platform_refuses_says_so_and_changes_nothing(reply, toy):
    delivery = edited(reply, toy, Refused("it is too old"))

    assert (delivery.state, delivery.reason) == ("refused", "it is too old")
    with scopes_disabled():
        assert Message.objects.get(direction="out").text == "On its way"


@pytest.mark.parametrize("trouble", [Retryable("throttled", 60), Uncertain("?"), ZeroDivisionError()], ids=repr)
def test_an_act_that_did_not_end_well_is_due_again(reply, toy, trouble):
    assert edited(reply, toy, trouble).state == "queued"


def test_a_refusal_is_shown_in_the_platform_s_words(reply, toy):
    toy.trouble = Refused("they left the chat")

    delivery = settled()

    assert (delivery.state, delivery.reason) == ("refused", "they left the chat")


def test_a_part_the_platform_cannot_take_now_is_due_again(reply, toy):
    toy.trouble = Retryable("throttled", retry_after=60)

    delivery = settled()

    assert delivery.state == "queued"
    assert (delivery.due_at - clock.now()).total_seconds() > 30


def test_an_answer_that_never_came_leaves_the_part_uncertain(reply, toy):
    toy.trouble = Uncertain("no answer in time")

    assert settled().state == "uncertain"


def test_a_fault_of_ours_while_sending_is_uncertain_and_not_lost(reply, toy):
    toy.trouble = ZeroDivisionError()

    delivery = settled()

    assert (delivery.state, delivery.reason) == ("uncertain", "ZeroDivisionError while sending")


def test_the_consent_gate_is_asked_again_at_the_last_moment(reply, toy):
    with scopes_disabled():
        Identity.objects.update(blocked_at=clock.now())

    delivery = settled()

    assert delivery.state == "refused"
    assert toy.sent == []


@pytest.fixture
def knowing_toy(toy, monkeypatch):
    """The toy platform, which can be asked whether a part arrived."""
    monkeypatch.setattr(toy, "capabilities", Capabilities(text_limit=100, looks_up=True))
    return toy


def test_a_platform_that_knows_nothing_is_not_asked(reply, toy):
    toy.trouble, toy.arrived = Uncertain("no answer in time"), SendReceipt("out-1")

    assert settled().state == "uncertain"
    assert toy.asked == []


def test_an_uncertain_part_that_the_platform_has_is_sent(reply, knowing_toy):
    knowing_toy.trouble, knowing_toy.arrived = Uncertain("no answer in time"), SendReceipt("found-1")

    delivery = settled()

    assert (delivery.state, delivery.external_id) == ("sent", "found-1")
    assert [(part.delivery_id, part.wanted_at) for part in knowing_toy.asked] == [(delivery.pk, delivery.created_at)]


def test_an_uncertain_part_that_the_platform_has_not_is_due_again(reply, knowing_toy):
    knowing_toy.trouble = Uncertain("no answer in time")

    delivery = settled()

    assert (delivery.state, delivery.reason) == ("queued", "no answer in time")


@pytest.mark.parametrize(
    "answer", [Retryable("throttled"), Refused("no"), Uncertain("?"), ZeroDivisionError()], ids=repr
)
def test_where_the_platform_does_not_say_the_part_stays_uncertain(reply, knowing_toy, answer):
    knowing_toy.trouble, knowing_toy.arrived = Uncertain("no answer in time"), answer

    assert settled().state == "uncertain"


def claimed_by_a_process_that_died(minutes=2):
    (delivery,) = deliveries.claim(1)
    with scopes_disabled():
        Delivery.objects.update(leased_until=clock.now() - timedelta(minutes=minutes))
    return delivery


def test_a_part_whose_sender_died_is_asked_for_and_not_sent_twice(reply, knowing_toy):
    knowing_toy.arrived = SendReceipt("found-1")
    claimed_by_a_process_that_died()

    delivery = settled()

    assert (delivery.state, delivery.external_id) == ("sent", "found-1")
    assert knowing_toy.sent == []


def test_a_part_whose_sender_died_before_sending_is_due_again(reply, knowing_toy):
    claimed_by_a_process_that_died()

    assert settled().state == "queued"


def test_a_part_whose_sender_died_is_uncertain_where_none_can_tell(reply, knowing_toy):
    knowing_toy.arrived = Retryable("throttled")
    claimed_by_a_process_that_died()

    assert settled().state == "uncertain"


def test_the_consent_gate_does_not_hide_that_a_lost_part_arrived(reply, knowing_toy):
    knowing_toy.arrived = SendReceipt("found-1")
    claimed_by_a_process_that_died()
    with scopes_disabled():
        Identity.objects.update(blocked_at=clock.now())

    assert settled().state == "sent"


def test_the_only_process_asks_at_its_start_for_what_the_last_one_left(reply, knowing_toy):
    knowing_toy.arrived = SendReceipt("found-1")
    deliveries.claim(1)  # its lease still runs

    settle_orphans()

    assert settled().state == "sent"


def test_two_processes_do_not_ask_for_the_same_part(reply, knowing_toy):
    claimed_by_a_process_that_died()

    assert [len(deliveries.claim_lost(["toy"], 5)) for _ in range(2)] == [1, 0]


def test_who_writes_is_shown_under_their_newest_message(reply, toy, monkeypatch):
    seen, shown = [], threading.Event()

    async def typing_under(self, thread_id, message_id):
        seen.append((thread_id, message_id))
        shown.set()

    monkeypatch.setattr(toy, "typing_under", typing_under)
    monkeypatch.setattr(toy, "capabilities", Capabilities(text_limit=100, typing=True))
    connections.write_capabilities()
    with scopes_disabled():
        thread = Thread.objects.select_related("inbox", "workspace").get()
        newest = Message.objects.filter(direction="in").last()

    show_typing(thread)

    assert shown.wait(10)
    assert seen == [(thread.external_id, newest.external_id)]


def test_a_part_that_takes_too_long_for_the_end_of_the_process_is_given_back(reply, toy, monkeypatch):
    monkeypatch.setattr("channels_adapters.workers.dispatch.TO_FINISH", 0.2)
    began = threading.Event()

    async def hang(self, part):
        began.set()
        await anyio.sleep(60)

    monkeypatch.setattr(toy, "send", hang)
    dispatch = Dispatch()
    dispatch.start()
    dispatch.wake()
    assert began.wait(10)

    dispatch.stop()

    assert not dispatch.is_alive()
    with scopes_disabled():
        delivery = Delivery.objects.get()
    assert delivery.state == "sending"
    assert delivery.leased_until <= clock.now()  # whoever looks next settles it, without a minute's wait


def test_a_part_on_its_way_is_settled_before_the_process_ends(reply, toy, monkeypatch):
    began = threading.Event()

    async def slow(self, part):
        began.set()
        await anyio.sleep(0.3)
        return SendReceipt("late")

    monkeypatch.setattr(toy, "send", slow)
    dispatch = Dispatch()
    dispatch.start()
    dispatch.wake()
    assert began.wait(10)

    dispatch.stop()

    with scopes_disabled():
        delivery = Delivery.objects.get()
    assert (delivery.state, delivery.external_id) == ("sent", "late")
