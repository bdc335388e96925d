"""Comments under our posts: public conversations, one for each comment that stands for itself with what is under it.

Who wrote one can be answered in private once; `details` hold what that needs.
"""

from typing import Any

from channels_adapters.meta.readers import moment, name_of, needed
from channels_adapters.reading import Fields
from conversations.normalized import Attachment, Deletion, Edit, Inbound, InboundMessage, Sender

THREAD = "comment:"  # what the id of a public thread begins with


def read_facebook(entry: Fields, change: Fields) -> list[Inbound]:
    """A change of a page's feed. Raises Broken."""
    comment = change.one("value")
    is_ours = name_of(comment.one("from"), "id") == name_of(entry, "id")
    if change.text("field") != "feed" or comment.text("item") != "comment" or is_ours:
        return []
    comment_id, parent = needed(comment, "comment_id"), name_of(comment, "parent_id")
    parent = "" if parent == name_of(comment, "post_id") else parent
    thread_id = f"{THREAD}{parent or comment_id}"
    match comment.text("verb"):
        case "add":
            return [_added_on_facebook(comment, comment_id, thread_id, parent)]
        case "edited":
            return [Edit(thread_id, comment_id, comment.text("message"), moment(entry, "time"))]
        case "remove":
            return [Deletion(thread_id, comment_id, moment(entry, "time"))]
        case _:
            return []


def _added_on_facebook(comment: Fields, comment_id: str, thread_id: str, parent: str) -> InboundMessage:
    author, picture = comment.one("from"), comment.text("photo")
    about = {"post_id": name_of(comment, "post_id"), "permalink": comment.one("post").text("permalink_url")}
    person = name_of(author, "id")
    return InboundMessage(
        external_id=comment_id,
        thread_id=thread_id,
        sender=Sender(
            address=person or thread_id, name=" ".join(author.text("name").split())
        ),  # some hide who they are
        text=comment.text("message"),
        at=moment(comment, "created_time"),
        attachments=(Attachment("image", picture, details={"url": picture}),) if picture.startswith("https://") else (),
        reply_to=parent,
        is_public=True,
        private_thread=person,
        details=_details(comment_id, about),
    )


def read_instagram(entry: Fields, change: Fields) -> list[Inbound]:
    """A comment, also under a live video, or one elsewhere that mentions us. Raises Broken."""
    comment, author = change.one("value"), change.one("value").one("from")
    is_ours = name_of(author, "id") == name_of(entry, "id")
    if change.text("field") not in ("comments", "live_comments", "mentions") or is_ours:
        return []
    comment_id, parent = name_of(comment, "id") or needed(comment, "comment_id"), name_of(comment, "parent_id")
    person, username = name_of(author, "id"), author.text("username").lstrip("@")
    thread_id, text = f"{THREAD}{parent or comment_id}", comment.text("text")
    about = {"media_id": name_of(comment.one("media"), "id") or name_of(comment, "media_id")}
    return [
        InboundMessage(
            external_id=comment_id,
            thread_id=thread_id,
            sender=Sender(address=person or thread_id, name=username, username=username),
            text=text,
            at=moment(entry, "time"),
            flags=() if text else (f"unsupported:{change.text('field')}",),  # a mention names only where it is
            reply_to=parent,
            is_public=True,
            private_thread=person,
            details=_details(comment_id, about),
        )
    ]


def _details(comment_id: str, about: dict[str, str]) -> dict[str, Any]:
    return {"comment_id": comment_id} | {key: told for key, told in about.items() if told}
