"""Names that only we can make: threads in plus addresses and in Message-IDs, and the links to unsubscribe.

A thread's id is 16 letters, a mark over it 16 more (80 bits of HMAC), so `help+<thread><mark>@` fits every mail server
and cannot be guessed. Without a secret nothing is ours.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

_LETTERS = 16
_THREAD = re.compile(rf"[a-z2-7]{{{_LETTERS}}}")
_TAG = re.compile(rf"(u?)([a-z2-7]{{{_LETTERS}}})([a-z2-7]{{{_LETTERS}}})")
_OUR_ID = re.compile(rf"(\d{{1,19}})\.(?:([a-z2-7]{{{_LETTERS}}})\.)?([a-z2-7]{{{_LETTERS}}})@.+")
_LINK = re.compile(rf"([A-Za-z0-9_-]{{4,400}})\.([a-z2-7]{{{_LETTERS}}})")


@dataclass(frozen=True, slots=True)
class Tokens:
    secret: str

    def thread(self, *, author: str, root: str) -> str:
        """The thread that this author's mails about this first mail belong to, in whatever order they come."""
        return self._letters("thread", author.lower(), root)

    def tag(self, thread_id: str, *, leaves: bool = False) -> str:
        """What stands after the plus in an address for answers, or for `leaves`: for mails that unsubscribe; '' when
        the thread's id is not of our making, or no secret is set."""
        if not (self.secret and _THREAD.fullmatch(thread_id)):
            return ""
        return ("u" if leaves else "") + thread_id + self._letters("leave" if leaves else "answer", thread_id)

    def read_tag(self, tag: str) -> tuple[str, bool]:
        """The thread of such a tag and whether it unsubscribes; '' when the tag is not ours."""
        found = _TAG.fullmatch(tag.lower())
        if not (self.secret and found):
            return "", False
        leaves, thread_id = bool(found[1]), found[2]
        is_ours = hmac.compare_digest(self.tag(thread_id, leaves=leaves), tag.lower())
        return (thread_id if is_ours else ""), leaves and is_ours

    def message_id(self, delivery_id: int, thread_id: str, domain: str) -> str:
        """The id of one of our mails, without brackets; the same whenever the delivery is sent."""
        place = f"{thread_id}." if _THREAD.fullmatch(thread_id) else ""
        return f"{delivery_id}.{place}{self._letters('mail', str(delivery_id), place)}@{domain}"

    def read_message_id(self, message_id: str) -> tuple[bool, str]:
        """Whether we made this id, and the thread it names, or ''."""
        found = _OUR_ID.fullmatch(message_id.lower())
        if not (self.secret and found):
            return False, ""
        expected = self._letters("mail", found[1], f"{found[2]}." if found[2] else "")
        is_ours = hmac.compare_digest(expected, found[3])
        return is_ours, (found[2] or "") if is_ours else ""

    def link(self, address: str) -> str:
        """What a link to unsubscribe carries."""
        said = base64.urlsafe_b64encode(address.lower().encode()).decode().rstrip("=")
        return f"{said}.{self._letters('link', said)}"

    def read_link(self, token: str) -> str:
        """The address that unsubscribes, or ''."""
        found = _LINK.fullmatch(token)
        if not (self.secret and found and hmac.compare_digest(self._letters("link", found[1]), found[2])):
            return ""
        try:
            return base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)).decode()
        except ValueError:
            return ""

    def _letters(self, *said: str) -> str:
        made = hmac.digest(self.secret.encode(), "\0".join(said).encode("utf-8", "surrogatepass"), hashlib.sha256)
        return base64.b32encode(made).decode().lower()[:_LETTERS]
