"""Rich text: what facets say about stretches of a text, in UTF-8 bytes, both ways."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from channels_adapters.cutting import LINK
from channels_adapters.reading import Fields

MENTION = re.compile(r"(?<![\w@.])@([a-zA-Z0-9][a-zA-Z0-9-]*(?:\.[a-zA-Z0-9-]+)*\.[a-zA-Z]{2,})")
_TAG = re.compile(r"(?<!\S)#([^\s#.,;:!?()\"']*[^\W\d][^\s#.,;:!?()\"']*)")
_KIND = "app.bsky.richtext.facet#"


def plain(text: str, facets: Iterable[Fields], me: str = "") -> str:
    """The text with its links whole. A mention of us among those it begins with goes."""
    data, end, ends = text.encode(), 0, list[tuple[bytes, bytes]]()
    leads = True
    for start, stop, feature in sorted(_stretches(facets, len(data)), key=lambda stretch: stretch[:2]):
        if start < end:
            continue
        before, shown = data[end:start], data[start:stop]
        leads = leads and not before.strip()
        if leads and me and feature.text("did") == me:
            shown, stop = b"", stop + len(data[stop:]) - len(data[stop:].lstrip(b" \n"))
        leads = leads and bool(feature.text("did"))
        ends.append((before, _whole(shown, feature)))
        end = stop
    return b"".join([*(piece for pair in ends for piece in pair), data[end:]]).decode("utf-8", "replace").strip()


def _stretches(facets: Iterable[Fields], size: int) -> Iterable[tuple[int, int, Fields]]:
    for facet in facets:
        start, stop = facet.one("index").size("byteStart"), facet.one("index").size("byteEnd")
        for feature in facet.many("features"):
            if start is not None and stop is not None and start < stop <= size:
                yield start, stop, feature
                break


def _whole(shown: bytes, feature: Fields) -> bytes:
    """What a link leads to, where its text does not say it."""
    uri, words = feature.text("uri"), shown.decode("utf-8", "replace")
    if not uri or words == uri:
        return shown
    shortened = words.removesuffix("...").removesuffix("…")
    if uri.partition("://")[2].removeprefix("www.").startswith(shortened.removeprefix("www.")):
        return uri.encode()
    return f"{words} ({uri})".encode()


def handles(text: str) -> set[str]:
    """The handles that the text names."""
    return {found[1] for found in MENTION.finditer(text)}


def facets(text: str, dids: Mapping[str, str]) -> list[dict[str, Any]]:
    """Links, tags, and the mentions whose DID is known, as facets."""
    found = [_link(text, link.start(), link[0].rstrip(".,;:!?)'\"")) for link in LINK.finditer(text)]
    named = [mention for mention in MENTION.finditer(text) if dids.get(mention[1])]
    found += [_facet(text, mention.start(), mention.end(), "mention", did=dids[mention[1]]) for mention in named]
    found += [_facet(text, tag.start(), tag.end(), "tag", tag=tag[1][:64]) for tag in _TAG.finditer(text)]
    return sorted(found, key=lambda facet: facet["index"]["byteStart"])


def _link(text: str, start: int, uri: str) -> dict[str, Any]:
    return _facet(text, start, start + len(uri), "link", uri=uri)


def _facet(text: str, start: int, stop: int, kind: str, **feature: str) -> dict[str, Any]:
    index = {"byteStart": len(text[:start].encode()), "byteEnd": len(text[:stop].encode())}
    return {"index": index, "features": [{"$type": f"{_KIND}{kind}", **feature}]}
