"""The intents that triage knows, by function, in words for people."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NONE = "none"  # the message needs no record

INTENTS: dict[str, dict[str, Promise]] = {
    "marketing": {
        "subscribe": _("subscribe"),
        "unsubscribe": _("unsubscribe"),
        "promotion": _("promotion"),
        "event": _("event"),
        "loyalty": _("loyalty"),
        "partnership": _("partnership"),
        "campaign_feedback": _("campaign feedback"),
        "brand_mention": _("brand mention"),
    },
    "sales": {
        "product_question": _("product question"),
        "availability": _("availability"),
        "pricing": _("pricing"),
        "quote": _("quote"),
        "demo": _("demo"),
        "bulk_order": _("bulk order"),
        "upgrade": _("upgrade"),
        "renewal": _("renewal"),
        "purchase": _("purchase"),
    },
    "support": {
        "order_status": _("order status"),
        "delivery_problem": _("delivery problem"),
        "damaged_or_wrong": _("damaged or wrong"),
        "refund_return": _("refund or return"),
        "cancel": _("cancellation"),
        "billing": _("billing"),
        "account_access": _("account access"),
        "bug": _("bug"),
        "outage": _("outage"),
        "how_to": _("how to"),
        "change_request": _("change request"),
        "appointment": _("appointment"),
        "complaint": _("complaint"),
        "privacy_request": _("privacy request"),
        "safety": _("safety"),
    },
    NONE: {
        "greeting": _("greeting"),
        "thanks": _("thanks"),
        "chit_chat": _("small talk"),
        "spam": _("spam"),
        "job": _("job application"),
        "wrong_number": _("wrong number"),
        "auto_reply": _("automatic reply"),
        "off_topic": _("off topic"),
    },
}
_LABELS = {intent: label for group in INTENTS.values() for intent, label in group.items()}
_FUNCTIONS = {intent: function for function, group in INTENTS.items() for intent in group}


def label(intent: str) -> str:
    """The intent in words; an unknown one as it is written."""
    return str(_LABELS.get(intent, intent.replace("_", " ")))


def function_of(intent: str) -> str:
    """The function an intent belongs to, `none` included; '' when it is unknown."""
    return _FUNCTIONS.get(intent, "")
