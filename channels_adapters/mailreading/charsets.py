"""Bytes to text, whatever the mail claims about them."""

import codecs
import re

_ALIASES = {
    "ascii": "us-ascii",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-8-i": "iso-8859-8",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "big5": "cp950",
    "unicode-1-1-utf-7": "utf-7",
    "utf8mb4": "utf-8",
}
_SINGLE_BYTE = re.compile(r"us-ascii|iso-?8859|cp125|windows-125|koi8|mac")
_NOT_FOR_MAIL = ("unicode_escape", "raw_unicode_escape", "punycode", "idna", "undefined", "mbcs", "oem")


def decode(data: bytes, charset: str) -> str:
    """The text. The claimed charset is tried, unless the bytes show that it is a lie; nothing ever fails."""
    claimed = charset.strip().strip("\"'").lower()
    claimed = _ALIASES.get(claimed, claimed) or "us-ascii"
    tries = ["utf-8", claimed, "cp1252"] if _SINGLE_BYTE.match(claimed) else [claimed, "utf-8", "cp1252"]
    for name in tries:
        try:
            if codecs.lookup(name).name.replace("-", "_") not in _NOT_FOR_MAIL:
                return data.decode(name).removeprefix("\ufeff")
        except (LookupError, ValueError):  # unknown, no text encoding, or not these bytes
            continue
    return data.decode("cp1252", "replace")
