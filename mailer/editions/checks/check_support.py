"""What main mail programs know of the CSS and HTML that a mail uses, by "Can I email" data.

Features are found by their forms: properties, values, units and functions of inline styles and
style blocks, selectors, at-rules, elements and attributes. A program that does not know one is a
warning to look at once and then accept (see ``acceptance``); one that knows a part of it, a note.

Data: ``vendored/client_support.json``, MIT, made by ``tools/client_support.py``. Known limits: it
says what a program's newest tested version does, not whether a mail still reads well without it; a
style that stands only in a comment for Outlook is not looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mailer.editions.anatomy import Anatomy
from mailer.editions.checks.exhibit import Exhibit, Hits
from mailer.editions.checks.rulebook import Hit

_DATA = Path(__file__).parents[1] / "vendored" / "client_support.json"

_SHORTHANDS = ("padding", "margin", "border")
_SEMANTIC = frozenset(
    {"article", "aside", "details", "figcaption", "figure", "footer", "header", "main", "mark",
     "nav", "section", "summary", "time"}
)  # fmt: skip
_LISTS = frozenset({"ul", "ol", "li", "dl", "dt", "dd"})
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_UNIT = re.compile(r"(?<![\w#.-])-?\d*\.?\d+(rem|em|vw|vh|vmin|vmax|ch|ex|pt|cm|mm|in|pc|px|%)")
_FUNCTION = re.compile(r"\b(calc|clamp|min|max|linear-gradient|radial-gradient|rgba?|var)\(")


def check_support(given: Exhibit) -> Hits:
    """Yield what a main mail program does not know, or only in part."""
    data = support_data()
    clients, known = data["clients"], data["features"]
    for feature in sorted(features(given.anatomy) & known.keys()):
        name = feature.partition("-")[2]
        kind = "CSS" if feature.startswith("css") else "HTML"
        without = [client for client, word in _pairs(clients, known[feature]) if word == "n"]
        partly = [client for client, word in _pairs(clients, known[feature]) if word == "a"]
        if without:
            yield Hit(
                "client-support",
                f"{kind} {name}: not known to {', '.join(without)}",
                clue=name,
                is_template=True,
            )
        elif partly:
            yield Hit(
                "client-support-partial",
                f"{kind} {name}: known in part to {', '.join(partly)}",
                clue=name,
                is_template=True,
            )


def _pairs(clients: list[str], words: str) -> Iterator[tuple[str, str]]:
    return zip(clients, words, strict=True)


@cache
def support_data() -> dict[str, Any]:
    """Return the vendored data: ``clients`` and, by feature, one letter a client."""
    return dict(json.loads(_DATA.read_text(encoding="utf-8")))


def features(anatomy: Anatomy) -> set[str]:
    """Return the slugs of the features that a mail uses, known to the data or not."""
    found: set[str] = set()
    for name, value in anatomy.declared:
        found |= _declaration(name, value)
    for tag in anatomy.tags:
        found |= _element(tag)
    found |= {f"html-{name}" for name in anatomy.attributes}
    if anatomy.metas.get("color-scheme"):
        found.add("html-meta-color-scheme")
    return found | _sheet(anatomy.styles)


def _declaration(name: str, value: str) -> set[str]:
    if name.startswith(("-", "mso-")):
        # Made for one program alone.
        return set()
    found = {f"css-{name}"}
    if name == "border-radius" or name.endswith("-radius"):
        found = {"css-border-radius"}
    else:
        found |= {f"css-{short}" for short in _SHORTHANDS if name.startswith(f"{short}-")}
    if name == "display":
        found.add(f"css-display-{value.split(maxsplit=1)[0] if value else ''}")
    if "!important" in value:
        found.add("css-important")
    for unit in _UNIT.findall(value):
        found.add(f"css-unit-{'percent' if unit == '%' else unit}")
    for function in _FUNCTION.findall(value):
        found |= {f"css-{function}", f"css-function-{function}", f"css-unit-{function}"}
        if function == "var":
            found.add("css-variables")
    return found


def _element(tag: str) -> set[str]:
    if re.fullmatch(r"h[1-6]", tag):
        return {"html-h1-h6"}
    if tag in _LISTS:
        return {"html-lists"}
    return {"html-semantics"} if tag in _SEMANTIC else {f"html-{tag}"}


def _sheet(styles: str) -> set[str]:
    css = re.sub(r"/\*.*?\*/", "", styles, flags=re.DOTALL)
    found = {f"css-at-{name}" for name in re.findall(r"@([\w-]+)", css)}
    for feature in re.findall(r"\(\s*(prefers-[\w-]+|hover|orientation)\b", css):
        found.add(f"css-at-media-{feature}")
    for selectors, body in _RULE.findall(css):
        found |= _selectors(selectors.rpartition("{")[2])
        for part in body.split(";"):
            name, _, value = part.partition(":")
            if name.strip():
                found |= _declaration(name.strip().lower(), value.strip())
    return found


def _selectors(text: str) -> set[str]:
    if text.strip().startswith("@"):
        return set()
    found = {f"css-pseudo-element-{name}" for name in re.findall(r"::([\w-]+)", text)}
    found |= {f"css-pseudo-class-{name}" for name in re.findall(r"(?<!:):([\w-]+)", text)}
    for sign, name in (("[", "attribute"), (">", "child"), ("#", "id"), ("*", "universal"),
                       ("+", "adjacent-sibling"), ("~", "general-sibling")):  # fmt: skip
        if sign in text:
            found.add(f"css-selector-{name}")
    return found
