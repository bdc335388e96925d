import threading

import pytest
from django_scopes import scope, scopes_disabled

from channels_adapters import connections
from channels_adapters.contract import Refused, Retryable, Uncertain
from channels_adapters.models import Connection
from channels_adapters.workers.dispatch import Dispatch
from conversations.models import Delivery
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


def settled(run_after=None) -> Delivery:
    """The only delivery, once a dispatch has settled it."""
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
        return Delivery.objects.get()


def test_a_queued_part_is_sent_and_keeps_the_platform_s_id(reply, toy):
    delivery = settled()

    assert (delivery.state, delivery.external_id) == ("sent", f"out-{delivery.pk}")
    assert [part.text for part in toy.sent] == ["On its way"]
    with scopes_disabled():
        assert Connection.objects.get().last_out_at is not None


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
