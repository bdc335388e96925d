"""What they wrote now, apart from what they quote and their signature. Nothing is thrown away: it is folded.

mail-parser-reply knows how mail programs of thirteen languages begin a quotation. Where it knows none, the shape does:
one to three lines that end with a colon and name an address or a day, and below them lines that begin with ">".
"""

import re
from functools import cache

from mailparser_reply import constants
from mailparser_reply.parser import EmailMessage

READ = 100_000  # characters that are looked at
_LINE = 300  # a longer line begins no quotation, and costs the patterns dear
_HEADS = 3  # lines
_LANGUAGES = [name for name in constants.MAIL_LANGUAGES if name != "david"]
_QUOTED = re.compile(r"\s*(>|\|\s)")
_ENDS = re.compile(r"[:：]\s*$")
_WHO_OR_WHEN = re.compile(r"@|\d{1,4}\s*[./年:\-]\s*\d{1,2}|\b(19|20)\d\d\b")
_SEPARATOR = re.compile(
    r"\s*(-{2,}\s*(original|ursprüngl|ursprung|oprindelig|mensaje original|message d.origine"
    r"|messaggio orig|mensagem orig"
    r"|oorspronkelijk|wiadomość oryg|původní|исходное|原始邮件|原始郵件|元のメッセージ|원본).*|_{20,}\s*)",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"-{2,}\s*(forwarded|weitergeleitet|vidarebefordrat|videresendt|message transf|mensaje reenv|mensagem encam"
    r"|messaggio inoltr|doorgestuurd|przekazan|пересыл|转发|轉寄|転送|전달)",
    re.IGNORECASE,
)
_FROM = (
    "from von de från fra van da od lähettäjä от від feladó gönderen kimden från expéditeur "
    "发件人 寄件者 差出人 送信者 보낸"
)
_LABELS = (
    f"{_FROM} sent gesendet envoyé enviado enviada skickat sendt verzonden inviato wysłano odesláno lähetetty "
    "отправлено дата date datum data fecha dato to an à para till til aan a do vastaanottaja кому cc kopie "
    "subject betreff objet asunto assunto ämne emne onderwerp oggetto temat předmět aihe тема "
    "发送时间 收件人 主题 件名 宛先"
).split()
_FIELD = re.compile(r"[*\s]*([^\W\d][\w ]{0,24}?)[*\s]*[:：]", re.UNICODE)
_SENT_FROM = re.compile(
    r"\s*(sent (from|via|with)|get outlook|skickat från|gesendet (von|mit)|von meinem .* gesendet|envoyé d|enviado d"
    r"|inviato da|verzonden vanaf|sendt fra|wysłane z|lähetetty|отправлено с|发自我的|從我的)\b.{0,60}",
    re.IGNORECASE,
)
_SIGNATURE_LINES = 20


def fold(text: str) -> tuple[str, str]:
    """What was written now, and what is folded away below it. When nothing would be left, nothing is folded."""
    lines = text[:READ].split("\n")
    rest = text[READ:]
    if _FORWARDED.search("\n".join(line[:_LINE] for line in lines)):
        return text.strip(), ""
    end = _quotation(lines)
    end = _signature(lines, end)
    kept, folded = "\n".join(lines[:end]).strip(), ("\n".join(lines[end:]) + rest).strip()
    return (kept, folded) if kept else (text.strip(), "")


def _quotation(lines: list[str]) -> int:
    """The line where the quotation at the end begins; how many lines there are when there is none."""
    found = [place for place in (_by_shape(lines), _by_language(lines), _by_fields(lines)) if place is not None]
    begin = min(found, default=len(lines))
    return len(lines) if _answers_below(lines[begin:]) else begin


def _answers_below(quotation: list[str]) -> bool:
    """Whether they wrote on under the quoted lines, or between them: then all of it belongs together."""
    marked = [number for number, line in enumerate(quotation) if _QUOTED.match(line)]
    if not marked:
        return False  # a quotation without marks goes on to the end
    after = quotation[marked[0] :]
    after = after[: _signature(after, len(after))]
    return any(line.strip() and not _QUOTED.match(line) and not _continues(after, number)
               for number, line in enumerate(after))  # fmt: skip


def _continues(lines: list[str], number: int) -> bool:
    """A quoted line that a mail program broke in two: one short line between two quoted ones, or a head within."""
    near = lines[number + 1 : number + 2]
    before = lines[number - 1 : number] if number else []
    is_between = bool(near and before) and all(_QUOTED.match(line) for line in [*near, *before])
    return is_between and len(before[0]) > 60


def _by_shape(lines: list[str]) -> int | None:
    """The head above the first quoted line; that line itself when it has no head and nothing stands above."""
    first = next((number for number, line in enumerate(lines) if _QUOTED.match(line)), None)
    if first is None:
        return None
    below = first
    while below and not lines[below - 1].strip():
        below -= 1
    for count in range(1, _HEADS + 1):
        head = lines[max(0, below - count) : below]
        if len(head) == count and head[0].strip() and _is_head(head):
            return below - count
    return first


def _is_head(lines: list[str]) -> bool:
    joined = " ".join(lines)
    whole = len(joined) < _LINE and all(line.strip() for line in lines)
    return bool(whole and _ENDS.search(joined) and _WHO_OR_WHEN.search(joined))


@cache
def _heads() -> re.Pattern[str]:
    return EmailMessage("", languages=list(_LANGUAGES)).HEADER_REGEX


def _by_language(lines: list[str]) -> int | None:
    """Where a head begins that mail-parser-reply knows, or a line that parts an answer from the original."""
    shown = [line.strip() if len(line) <= _LINE else "x" for line in lines]
    separator = next((number for number, line in enumerate(shown) if _SEPARATOR.fullmatch(line)), None)
    for found in _heads().finditer("\n".join(shown)):
        head = found[0]
        begins = found.start() + len(head) - len(head.lstrip())
        number = "\n".join(shown).count("\n", 0, begins)
        if _WHO_OR_WHEN.search(head):
            return number if separator is None else min(number, separator)
    return separator


def _by_fields(lines: list[str]) -> int | None:
    """Where three or more fields of a mail's head stand under one another, in any language, the first one From."""
    for number, line in enumerate(lines):
        if len(line) <= _LINE and _label(line) in _FROM.split():
            near = [_label(other) for other in lines[number + 1 : number + 6] if len(other) <= _LINE]
            if sum(label in _LABELS for label in near) >= 2:
                return number
    return None


def _label(line: str) -> str:
    found = _FIELD.match(line)
    return found[1].strip().lower() if found else ""


def _signature(lines: list[str], end: int) -> int:
    """Where the signature above `end` begins, or `end`."""
    while end and not lines[end - 1].strip():
        end -= 1
    if end and _SENT_FROM.fullmatch(lines[end - 1]):
        end -= 1
    for number in range(end - 1, max(-1, end - 1 - _SIGNATURE_LINES), -1):
        if lines[number] in ("-- ", "--", "--\u00a0"):
            return number
    return end
