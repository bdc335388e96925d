"""The templates of an inbox, asked for by the edge."""

from datetime import timedelta

import pytest
from django_scopes import scope

from channels_adapters import connections
from channels_adapters.contract import Capabilities, Retryable, Template, TemplateUse
from channels_adapters.models import Connection
from channels_adapters.workers import approving, packing
from conversations import models as hub
from conversations.outbound import queue_template
from crm.workspace import clock
from tests.factories import make_message


@pytest.fixture
def inbox(workspace, toy, monkeypatch):
    async def templates(self):
        if self.trouble is not None:
            raise self.trouble
        return [Template("order", "sv", "Hej {{name}}", ("name",), "approved", "UTILITY")]

    monkeypatch.setattr(toy, "capabilities", Capabilities(text_limit=100, templates=True, window_hours=24))
    monkeypatch.setattr(toy, "templates", templates, raising=False)
    return connections.connect(workspace, "toy", name="Toys", given={})


def test_what_the_platform_lists_is_kept(inbox):
    assert approving.refresh(inbox) == 1

    template = hub.Template.objects.get()
    assert (template.name, template.language, template.variables) == ("order", "sv", ["name"])
    assert (template.status, template.category) == ("approved", "utility")
    assert Connection.objects.get().templates_at is not None


def test_a_list_that_cannot_be_had_leaves_the_old_one(inbox, toy):
    approving.refresh(inbox)
    toy.trouble = Retryable("the platform is down")

    with pytest.raises(Retryable):
        approving.refresh(inbox)

    assert hub.Template.objects.count() == 1


def test_only_a_list_that_is_old_is_asked_for(inbox, monkeypatch):
    started = []
    quiet = type("Quiet", (), {"start_task_soon": lambda self, work, served: started.append(served)})()
    monkeypatch.setattr(approving, "portal", lambda: quiet)

    assert approving.refresh_due() == 1
    assert approving.refresh_due() == 0
    Connection.objects.update(templates_at=clock.now() - timedelta(hours=2))
    assert approving.refresh_due() == 1


def test_a_channel_without_templates_is_not_asked(workspace, toy):
    connections.connect(workspace, "toy", name="Toys", given={})

    assert approving.refresh_due() == 0


def test_the_adapter_gets_the_template_and_the_text_it_reads_as(inbox, member, workspace):
    approving.refresh(inbox)
    conversation = make_message(inbox).conversation
    queue_template(conversation, member, hub.Template.objects.get(), ["Ada"], client_id="c1")

    with scope(workspace=workspace):
        part = packing.part(hub.Delivery.objects.select_related("thread__inbox", "message__identity").get())

    assert part.template == TemplateUse("order", "sv", ("Ada",))
    assert part.text == "Hej Ada"
