"""Structure: language, direction, headings, and tables that are no tables of data."""

from __future__ import annotations

from mailer.editions.checks.exhibit import Exhibit, Hits
from mailer.editions.checks.rulebook import Hit


def check_structure(given: Exhibit) -> Hits:
    """Yield what a screen reader would trip over."""
    anatomy, edition = given.anatomy, given.edition
    if anatomy.language != edition.language:
        yield Hit(
            "language",
            f"the HTML says lang={anatomy.language!r}, the edition is {edition.language!r}",
            clue="<mjml",
        )
    if anatomy.direction not in {"ltr", "rtl"}:
        yield Hit("direction", "the HTML does not say dir", clue="<mjml")
    if not anatomy.title:
        yield Hit("title-missing", "the HTML has no title", clue="<mj-head")
    levels = [level for level, _ in anatomy.headings]
    if levels.count(1) != 1:
        yield Hit("heading-first", f"there are {levels.count(1)} headings h1", clue="<h1")
    for (before, _), (level, text) in zip(anatomy.headings, anatomy.headings[1:], strict=False):
        if level > before + 1:
            yield Hit(
                "heading-order",
                f"the heading {text!r} is h{level} right after an h{before}",
                f"make it h{before + 1}",
                clue=f"<h{level}",
            )
    if any(not text for _, text in anatomy.headings):
        yield Hit("heading-empty", "a heading is empty", clue="<h")
    if anatomy.tables_without_role:
        yield Hit(
            "table-role",
            f"{anatomy.tables_without_role} layout tables lack role=presentation",
            clue="<table",
        )
