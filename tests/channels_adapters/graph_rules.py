"""What the Graph API takes, by its published limits: WhatsApp messages, and those of pages and profiles."""

from typing import Any

_WHATSAPP_MEDIA = ("image", "video", "audio", "document", "sticker")
_TAGGED = "HUMAN_AGENT"


class Wrong(Exception):
    """The API refuses the call; its text is the error's message."""

    def __init__(self, message: str, code: int = 100, subcode: int | None = None) -> None:
        super().__init__(message)
        self.code, self.subcode = code, subcode


def need(is_so: object, message: str, code: int = 100, subcode: int | None = None) -> None:
    if not is_so:
        raise Wrong(message, code, subcode)


def check_whatsapp_message(said: dict[str, Any], media: dict[str, Any], templates: list[dict[str, Any]]) -> None:
    """Raises Wrong."""
    need(said.get("recipient_type") in ("individual", "group"), "(#100) recipient_type")
    need(bool(said.get("to")) != bool(said.get("recipient")), "(#100) The parameter to is required.")
    need(len(said.get("biz_opaque_callback_data", "")) <= 512, "(#100) biz_opaque_callback_data is too long")
    need("context" not in said or said["context"].get("message_id"), "(#100) context")
    kind = said.get("type")
    part = said.get(kind) if isinstance(kind, str) else None
    need(isinstance(part, dict), f"(#100) Invalid parameter: {kind}")
    assert isinstance(part, dict)
    if kind == "text":
        need(1 <= len(part["body"]) <= 4096, "(#100) Param text['body'] must be at most 4096 characters long.")
    elif kind in _WHATSAPP_MEDIA:
        _check_media(str(kind), part, media)
    elif kind == "interactive":
        _check_interactive(part)
    elif kind == "reaction":
        need(part["message_id"].startswith("wamid."), "(#131009) Parameter value is not valid", 131009)
        need("emoji" in part, "(#131008) Required parameter is missing", 131008)
    elif kind == "template":
        _check_template(part, templates)
    else:
        raise Wrong("(#131051) Unsupported message type", 131051)


def _check_media(kind: str, part: dict[str, Any], media: dict[str, Any]) -> None:
    need(part.get("id") in media, "(#131009) the media id is not known", 131009)
    need(len(part.get("caption", "")) <= 1024, "(#100) the caption is too long")
    need("caption" not in part or kind not in ("audio", "sticker"), "(#100) Unexpected key caption")
    need("filename" not in part or kind == "document", "(#100) Unexpected key filename")


def _check_interactive(part: dict[str, Any]) -> None:
    need(1 <= len(part["body"]["text"]) <= 1024, "(#131009) the body is too long", 131009)
    action = part["action"]
    if part["type"] == "button":
        replies = [button["reply"] for button in action["buttons"]]
        need(1 <= len(replies) <= 3, "(#131009) Button count must be 1 to 3", 131009)
        _check_titles(replies, 20, 256)
    elif part["type"] == "list":
        need(1 <= len(action["button"]) <= 20, "(#131009) the list's button", 131009)
        rows = [row for section in action["sections"] for row in section["rows"]]
        need(1 <= len(rows) <= 10, "(#131009) Total row count exceed max allowed count: 10", 131009)
        _check_titles(rows, 24, 200)
    else:
        need(part["type"] == "cta_url" and action["name"] == "cta_url", "(#131009) interactive type", 131009)
        need(action["parameters"]["url"].startswith("http"), "(#131009) url", 131009)
        need(1 <= len(action["parameters"]["display_text"]) <= 20, "(#131009) display_text", 131009)


def _check_titles(rows: list[dict[str, str]], width: int, id_width: int) -> None:
    need(all(1 <= len(row["title"]) <= width for row in rows), "(#131009) a title is too long", 131009)
    need(all(1 <= len(row["id"]) <= id_width for row in rows), "(#131009) an id is too long", 131009)
    need(len({row["id"] for row in rows}) == len(rows), "(#131009) Duplicated id", 131009)


def _check_template(part: dict[str, Any], templates: list[dict[str, Any]]) -> None:
    wanted = (part["name"], part["language"]["code"])
    found = [each for each in templates if (each["name"], each["language"]) == wanted]
    need(found, "(#132001) Template name does not exist in the translation", 132001)
    for component in part.get("components", []):
        need(component["type"] in ("header", "body", "button"), "(#132012) component", 132012)
        need(component["parameters"], "(#132000) Number of parameters does not match", 132000)
        need(all(each.get(each["type"]) for each in component["parameters"]), "(#131008) empty parameter", 131008)
    body: list[Any] = next((each["parameters"] for each in part.get("components", []) if each["type"] == "body"), [])
    text = next(each["text"] for each in found[0]["components"] if each["type"] == "BODY")
    need(len(body) == text.count("{{"), "(#132000) Number of parameters does not match", 132000)


def check_page_message(said: dict[str, Any], media: dict[str, Any]) -> None:
    """Of Messenger and Instagram. Raises Wrong."""
    need(len(said.get("recipient", {})) == 1, "(#100) Param recipient is required")
    if "sender_action" in said:
        actions = ("typing_on", "typing_off", "mark_seen", "react", "unreact")
        need(said["sender_action"] in actions, "(#100) sender_action")
        need("message" not in said, "(#100) sender_action stands alone")
        return
    need(said.get("messaging_type") in ("RESPONSE", "UPDATE", "MESSAGE_TAG", None), "(#100) messaging_type")
    need((said.get("messaging_type") == "MESSAGE_TAG") == (said.get("tag") == _TAGGED), "(#100) tag")
    message = said["message"]
    need(bool(message.get("text")) != bool(message.get("attachment")), "(#100) text or attachment")
    need(len(message.get("text", "")) <= 2000, "(#100) Length of param message[text] must be at most 2000 characters")
    replies = message.get("quick_replies", [])
    need(len(replies) <= 13, "(#100) at most 13 quick replies")
    for reply in replies:
        need(reply["content_type"] == "text" and 1 <= len(reply["title"]) <= 20, "(#100) quick reply title")
        need(1 <= len(reply["payload"]) <= 1000, "(#100) quick reply payload")
    if attachment := message.get("attachment"):
        _check_attachment(attachment, media)


def _check_attachment(attachment: dict[str, Any], media: dict[str, Any]) -> None:
    payload = attachment["payload"]
    if attachment["type"] == "template":
        need(payload["template_type"] == "button", "(#100) template_type")
        need(1 <= len(payload["text"]) <= 640, "(#100) the text of a button template is at most 640 characters")
        need(1 <= len(payload["buttons"]) <= 3, "(#100) 1 to 3 buttons")
        for button in payload["buttons"]:
            need(1 <= len(button["title"]) <= 20, "(#100) button title")
            need(button.get("url") if button["type"] == "web_url" else button.get("payload"), "(#100) button")
        return
    need(attachment["type"] in ("image", "video", "audio", "file"), "(#100) attachment type")
    is_known = payload.get("attachment_id") in media or str(payload.get("url", "")).startswith("http")
    need(is_known, "(#100) Upload attachment failure.", 100, 2018008)
