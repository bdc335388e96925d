"""The one time source. Everything that asks for the time asks here."""

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """The present moment, in UTC."""
    return timezone.now()
