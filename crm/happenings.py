"""What happened to a record, from its events."""

from crm.records import Record
from crm.workspace.models import Event

SHOWN = 100


def of_record(record: Record) -> list[Event]:
    """The newest events of the record, newest first."""
    events = Event.objects.filter(
        customer_id=record.customer_id, subject_kind=record._meta.model_name or "", subject_id=record.pk
    )
    return list(events.select_related("actor__agent").order_by("-number")[:SHOWN])
