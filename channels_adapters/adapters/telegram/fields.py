"""An update of the Bot API, read field by field: PTB's `Update.de_json` gives up on all of it for one broken date."""

from channels_adapters.reading import NO_TIME, Broken, Fields, read_object

__all__ = ["NO_TIME", "BrokenUpdate", "Fields", "read_update"]
BrokenUpdate = Broken


def read_update(body: bytes) -> Fields:
    """The update in a request body or a poll's answer; raises BrokenUpdate."""
    update = read_object(body)
    if update.size("update_id") is None:
        raise BrokenUpdate("the body has no update_id")
    return update
