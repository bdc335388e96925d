"""What Huey carries. A task is only a nudge: the rows are the truth, and every step may run twice without harm."""

from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from channels_adapters.workers.running import workers


@db_periodic_task(crontab(minute="*"))
def sweep() -> None:
    """Each minute: take in, send, poll and read what a lost wake-up left lying."""
    workers().order_sweep()
