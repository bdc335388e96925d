"""The functions and intents there are, as the taxonomy names them."""

from __future__ import annotations

NONE = "none"
FUNCTIONS = ("marketing", "sales", "support", NONE)
ASKED = FUNCTIONS[:3]  # what a message can ask for
MOODS = ("-1", "0", "1")
URGENCIES = ("0", "1", "2", "3")
INTENTS: dict[str, tuple[str, ...]] = {
    "marketing": tuple(
        "subscribe unsubscribe promotion event loyalty partnership campaign_feedback brand_mention".split()
    ),
    "sales": tuple("product_question availability pricing quote demo bulk_order upgrade renewal purchase".split()),
    "support": tuple(
        "order_status delivery_problem damaged_or_wrong refund_return cancel billing account_access bug outage how_to"
        " change_request appointment complaint privacy_request safety".split()
    ),
    NONE: tuple("greeting thanks chit_chat spam job wrong_number auto_reply off_topic".split()),
}
KNOWN_INTENTS = frozenset(name for names in INTENTS.values() for name in names)
