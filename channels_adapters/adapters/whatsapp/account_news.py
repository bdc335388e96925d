"""What WhatsApp tells beside messages: who wants no marketing, who has another id, whether we are shut out."""

from datetime import datetime

from channels_adapters.adapters.whatsapp.people import sender_of
from channels_adapters.meta.readers import moment, name_of
from channels_adapters.reading import Broken, Fields
from conversations.normalized import ConnectionLost, IdentityMoved, Inbound, OptedOut, Sender, ThreadMoved

_MARKETING = "marketing_messages"
_WISHES = {"stop": True, "resume": False, "signup": False}
_SHUT_OUT = {
    "ACCOUNT_DELETED": "The WhatsApp Business account was deleted.",
    "PARTNER_REMOVED": "The WhatsApp Business account is not shared with the app any more.",
    "PARTNER_APP_UNINSTALLED": "The app was removed from the WhatsApp Business account.",
    "ACCOUNT_OFFBOARDED": "The number was moved to another device and is not connected any more.",
}
_BANNED = "Meta has switched the WhatsApp Business account off because of its rules."


def preference(said: Fields, contacts: Fields) -> list[Inbound]:
    """A person stopped marketing messages in WhatsApp, or lets them through again."""
    is_out = _WISHES.get(said.text("value").lower())
    if is_out is None or said.text("category") not in ("", _MARKETING):
        return []
    sender = sender_of(said, contacts.many("contacts"))
    return [OptedOut(sender, is_out=is_out, at=moment(said, "timestamp"))]


def user_id(update: Fields) -> list[Inbound]:
    """A person got another id; the thread is named by it only where their number is hidden."""
    ids = update.one("user_id")
    old, new = name_of(ids, "previous"), name_of(ids, "current")
    if not (old and new):
        raise Broken("the change of id names no old or no new one")
    at, number = moment(update, "timestamp"), name_of(update, "wa_id")
    also = (number,) if number not in ("", old, new) else ()
    moved = IdentityMoved(sender=Sender(address=new, also=also), old_address=old, at=at)
    return [moved, ThreadMoved(old, new, at)]


def account(news: Fields, at: datetime) -> list[Inbound]:
    event = news.text("event")
    is_banned = event == "DISABLED_UPDATE" and news.one("ban_info").text("waba_ban_state") in ("", "DISABLE")
    reason = _BANNED if is_banned else _SHUT_OUT.get(event, "")
    return [ConnectionLost(reason, at)] if reason else []
