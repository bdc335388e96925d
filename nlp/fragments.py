"""Which messages make sense only with what was said before. Pure: no spaCy."""

from __future__ import annotations

import re

_SHORT = 6  # words
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_GOES_ON = re.compile(
    r"\s*(?:and|also|but|or|plus|what about|how about|same|y|e|et|und|en|o|ou|oder|of|pero|mais|aber|maar|ma|mas|"
    r"tamb[ié]+n|aussi|auch|ook|anche|tamb[eé]m|et pour|und was|en hoe)\b[\s,]",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\W*(?:(?:ok(?:ay|e)?|great|perfect|super|merci|many|so|very|a|lot|much|all|the|best|bonne|journ[ée]e|for|your|help|"
    r"again|mil|muchas|muito|viele[nr]?|vielen|tausend|beaucoup|mille|heel|erg|hartelijk|bedankt|dank|je|jullie|u|wel|"
    r"thanks|thank|you|thx|ty|cheers|ta|gracias|danke|sch[oö]n|dankesch[oö]n|obrigad[oa]|grazie|bye|goodbye|ciao|"
    r"tsch[uü]ss|adi[oó]s|tchau|doei|perfecto|perfetto|perfeito|prima|parfait|genial|top)\W*)+",
    re.IGNORECASE,
)


def is_fragment(text: str) -> bool:
    """Whether a text is short or begins in mid-talk, and is no thanks or goodbye by itself."""
    if _CLOSING.fullmatch(text[:200]):
        return False
    words = len(_WORD.findall(text[:2000]))
    return 0 < words <= _SHORT or (words <= 3 * _SHORT and _GOES_ON.match(text) is not None)


def earlier(text: str, previous: tuple[str, ...]) -> str:
    """The last things said before a fragment, oldest first; "" when the text speaks for itself."""
    said = [one for one in previous[-2:] if one.strip()]
    return "\n".join(said) if said and is_fragment(text) else ""
