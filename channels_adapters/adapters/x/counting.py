"""How X counts: Latin and its like 1, all other letters 2, an emoji 2 however many parts it has, a link 23; 280 fit."""

import regex

from channels_adapters.cutting import LINK

LIMIT = 280
_LINK_PRICE = 23
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))  # X's published configuration, version 3
_EMOJI = regex.compile(r"\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F?|[0-9#*]\uFE0F?\u20E3")
_SEEN_AS_ONE = regex.compile(r"\X")


def length(text: str) -> int:
    links = len(LINK.findall(text))
    return links * _LINK_PRICE + sum(_weight(seen[0]) for seen in _SEEN_AS_ONE.finditer(LINK.sub("", text)))


def _weight(seen: str) -> int:
    if (_EMOJI.match(seen) and ord(seen[0]) > 0xAE) or (len(seen) > 1 and "\u20e3" in seen):
        return 2
    return sum(1 if any(low <= ord(letter) <= high for low, high in _LIGHT) else 2 for letter in seen)
