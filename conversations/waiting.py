"""Who waits for us: written down onto the customer, for the pages that list people."""

from conversations.models import Conversation
from crm.people.models import Customer


def note_on(customer: Customer) -> None:
    """The customer waits since the oldest unanswered message of their conversations, or not at all."""
    waiting = Conversation.objects.filter(customer=customer, waiting_since__isnull=False)
    customer.waiting_since = waiting.order_by("waiting_since").values_list("waiting_since", flat=True).first()
    customer.save(update_fields=["waiting_since"])
