"""A page without its scripts and styles, in time that grows with its length and no faster.

A regular expression that looks for the end of each ``<script`` takes for ever on a page of ten
thousand that never end. This looks for each kind of end once where there is none.
"""

from __future__ import annotations

import re

_OPENED = re.compile(r"<(script|style|svg|noscript|template|iframe)\b|<!--", re.IGNORECASE)
_TO_THE_END = frozenset({"script", "style", "!--"})
"""What a browser reads to the end of the page when it is never closed."""


def strip_page(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return a page without what is no text, and its scripts: opening tag and content each."""
    kept: list[str] = []
    scripts: list[tuple[str, str]] = []
    endless: set[str] = set()
    place = 0
    while match := _OPENED.search(text, place):
        name = (match[1] or "!--").lower()
        kept.append(text[place : match.start()])
        ending = None if name in endless else _ending(name, text, match.end())
        if ending is None:
            endless.add(name)
            if name in _TO_THE_END:
                return "".join(kept), scripts
            kept.append(match[0])
            place = match.end()
            continue
        if name == "script":
            head, _, content = text[match.start() : ending[0]].partition(">")
            scripts.append((head, content))
        place = ending[1]
    kept.append(text[place:])
    return "".join(kept), scripts


def _ending(name: str, text: str, start: int) -> tuple[int, int] | None:
    if name == "!--":
        at = text.find("-->", start)
        return None if at < 0 else (at, at + 3)
    found = _ENDS[name].search(text, start)
    if found is None:
        return None
    close = text.find(">", found.end())
    return found.start(), len(text) if close < 0 else close + 1


_ENDS = {
    name: re.compile(rf"</{name}\b", re.IGNORECASE)
    for name in ("script", "style", "svg", "noscript", "template", "iframe")
}
