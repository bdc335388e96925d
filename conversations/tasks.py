"""What Huey carries for the hub. A task is only a nudge: the rows are the truth."""

from datetime import timedelta

from django_scopes import scopes_disabled
from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task

from conversations.learning import training
from conversations.models import Training
from crm.workspace import clock

LOST_AFTER = timedelta(seconds=90)


@db_task()
def train(pk: int) -> None:
    """Start the process that trains. The task does not wait for it: the schedule has to go on."""
    with scopes_disabled():
        asked = Training.objects.select_related("workspace").get(pk=pk)
    training.start_child(asked)


@db_periodic_task(crontab(minute="*"))
def find_lost_trainings() -> None:
    """Each minute: start what nobody started, and give up what shows no sign of life."""
    with scopes_disabled():
        training.give_up_silent()
        waiting = Training.objects.filter(state=Training.State.WAITING, asked_at__lt=clock.now() - LOST_AFTER)
        lost = list(waiting.select_related("workspace"))
    for one in lost:
        training.start_child(one)
