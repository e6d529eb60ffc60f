"""Characters that no reader should see: tokens, controls, escapes, braces, what decoding lost."""

from __future__ import annotations

import re

from mailer.editions.checks.exhibit import Exhibit, Hits
from mailer.editions.checks.rulebook import Hit

_TOKEN = re.compile(r"s[0-9a-f]{32}n\d+e")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LOST = re.compile("\ufffd|\u00c3[\u0080-\u00bf]|\u00e2\u20ac.")
"""The replacement character, and UTF-8 that was read as Windows-1252."""


def check_characters(given: Exhibit) -> Hits:
    """Yield what should not be shown."""
    for name, part in (("HTML", given.html), ("text", given.words)):
        if _TOKEN.search(part):
            yield Hit("token-left", f"a reader's field was left unfilled in the {name} part")
        if found := _CONTROL.search(part):
            yield Hit(
                "control-character",
                f"the {name} part holds a control character, U+{ord(found[0]):04X}",
                clue=found[0],
            )
        if found := _LOST.search(part):
            around = part[max(0, found.start() - 15) : found.end() + 10]
            yield Hit(
                "character-lost",
                f"the {name} part shows a lost character: {' '.join(around.split())!r}",
                clue=found[0],
            )
        if found := re.search(r"\{\{.{0,40}|\{%.{0,40}", part):
            yield Hit("braces-shown", f"the {name} part shows template braces: {found[0]!r}")
    if "\\u{" in given.html:
        yield Hit("escape-shown", "the HTML shows a character as \\u{…}")
