"""The issue's file: front matter that names the picks, and the columnist's text as the body.

    ---
    number: 1
    date: 2026-11-30
    subject: "…"
    preheader: "…"
    columnist: "…"            # the publication's when left out
    column_title: "…"         # likewise
    audience: 'field.member = "yes"'   # everybody when left out; see docs/segments.md
    sections:
      news:
        - an-article
        - {article: another, headline: "…", standfirst: "…"}
    regions:
      wales: {note: "Markdown", picks: [an-article]}
    diary: [an-entry]
    quote: {text: "…", source: "…"}
    ---
    The opening, in Markdown. <!-- Comments are for colleagues and never sent. -->

``read_issue`` checks everything that can be known without rendering and reports every fault at
once, each with file, line and field; it never guesses. ``write_issue`` (see ``writing``) writes
what reads back to the same issue. A story may stand once in all sections together and once in
a region's block, and not in both; two regions may share one.

Refused beyond wrong types: line breaks, control characters and marks that turn the reading
direction in one-line fields, which would end in a header.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from datetime import date, datetime
from pathlib import Path
from typing import Any

from mailer.articles.frontmatter import read_front_matter
from mailer.errors import Fault, InvalidInput
from mailer.issues.issue import Issue, Pick, RegionBlock
from mailer.issues.remarks import audience_fault, nearest, shown
from mailer.issues.writing import PLACEHOLDER, write_issue
from mailer.publication import Publication

__all__ = ["PLACEHOLDER", "read_issue", "write_issue"]

KEYS = (
    "number",
    "date",
    "subject",
    "preheader",
    "columnist",
    "column_title",
    "audience",
    "sections",
    "regions",
    "diary",
    "quote",
)
_TURNING = set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def read_issue(
    text: str,
    *,
    where: str,
    publication: Publication,
    known_articles: Collection[str] | None = None,
    known_diary: Collection[str] | None = None,
) -> Issue:
    """Read an issue's file.

    Args:
        text: the file's text.
        where: the file, as faults name it; its name must be the issue's date.
        publication: whose sections and regions may be named.
        known_articles: the ids that may be picked; None leaves them unchecked.
        known_diary: the ids of diary entries; None leaves them unchecked.
    Raises:
        InvalidInput: with every fault of the file.
    """
    front = read_front_matter(text, where=where)
    if not front.is_present:
        raise InvalidInput(
            Fault(
                "has no front matter",
                where=where,
                line=1,
                remedy="begin the file with --- and the issue's keys, or draft it anew",
            )
        )
    reader = _Reader(front.data, front.lines, where, publication, known_articles, known_diary)
    opening = _opening(front.body, front.body_line, reader)
    issue = reader.issue(opening)
    if reader.faults or issue is None:
        raise InvalidInput(sorted(reader.faults, key=lambda fault: fault.line or 0))
    return issue


def _opening(body: str, first_line: int, reader: _Reader) -> str:
    """Return the columnist's text: the body without comments and outer blank lines."""
    text = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    if "<!--" in text:
        line = first_line + body[: body.rindex("<!--")].count("\n")
        reader.fault("a comment is opened and never closed", "", "close it with -->", line=line)
    return re.sub(r"\A(?:[^\S\n]*\n)+", "", text).rstrip()


class _Reader:
    """Reads one file's data and gathers its faults."""

    def __init__(
        self,
        data: dict[str, Any],
        lines: dict[str, int],
        where: str,
        publication: Publication,
        known_articles: Collection[str] | None,
        known_diary: Collection[str] | None,
    ) -> None:
        self.faults: list[Fault] = []
        self._data = data
        self._lines = lines
        self._where = where
        self._publication = publication
        self._articles = known_articles
        self._diary = known_diary

    def fault(self, problem: str, key: str, remedy: str, *, line: int | None = None) -> None:
        """Note a fault at a dotted key, or at the nearest key above it that has a line."""
        place = key
        while line is None and place:
            line = self._lines.get(place)
            place = place.rpartition(".")[0]
        self.faults.append(
            Fault(problem, where=self._where, line=line or 1, field=key, remedy=remedy)
        )

    def issue(self, opening: str) -> Issue | None:
        """Return the issue; None where not even its date can be read."""
        for key in self._data:
            self._known(key, KEYS, key, "key")
        on = self._date()
        number = self._number()
        subject = self._line("subject")
        if not subject and not self._has_fault("subject"):
            self.fault("is missing", "subject", "write the subject line readers will see")
        sections = self._sections()
        regions = self._regions(sections)
        quote = self._mapping("quote", self._data.get("quote"), ("text", "source"))
        issue = Issue(
            id=Path(self._where).stem,
            date=on or date.min,
            number=number,
            subject=subject,
            preheader=self._line("preheader"),
            opening=opening,
            columnist=self._line("columnist", missing=self._publication.columnist),
            opening_title=self._line("column_title", missing=self._publication.column_title),
            sections=sections,
            regions=regions,
            diary=self._entries(),
            quote=self._text(quote.get("text"), "quote.text"),
            quote_source=self._text(quote.get("source"), "quote.source", lines=False),
            audience=self._audience(),
        )
        return issue if on else None

    def _has_fault(self, key: str) -> bool:
        return any(fault.field == key for fault in self.faults)

    def _date(self) -> date | None:
        stem = Path(self._where).stem
        value = self._data.get("date")
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value.strip())
            except ValueError:
                value = None
        if isinstance(value, datetime):
            value = value.date()
        if not isinstance(value, date):
            what = "is missing" if "date" not in self._data else "is not a date"
            self.fault(what, "date", f"write date: {_as_date(stem) or '2026-11-30'}")
            return None
        if stem != value.isoformat():
            self.fault(
                f"is {value.isoformat()} but the file is named {stem}",
                "date",
                "make them the same; the file's name is the issue's name",
            )
        return value

    def _number(self) -> int:
        value = self._data.get("number")
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            what = "is missing" if "number" not in self._data else f"is {shown(value)}"
            self.fault(what, "number", "write a whole number, 1 or more")
            return 0
        return value

    def _line(self, key: str, *, missing: str = "") -> str:
        if key not in self._data:
            return missing
        return self._text(self._data[key], key, lines=False)

    def _audience(self) -> str:
        text = self._line("audience")
        if fault := audience_fault(text, tuple(self._publication.region_map)):
            self.fault(fault.problem, "audience", fault.remedy)
        return text

    def _text(self, value: Any, key: str, *, lines: bool = True) -> str:
        """Return a text without outer white space; note what may not stand in it."""
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fault(f"is {shown(value)}, not text", key, "put it in quotes")
            return ""
        text = value.strip()
        for ch in text:
            if unicodedata.category(ch) not in {"Cc", "Cs", "Zl", "Zp"} and ch not in _TURNING:
                continue
            if ch in "\n\t" and lines:
                continue
            what = "a line break" if ch in "\n\r\x85\u2028\u2029" else "a control character"
            remedy = "take it out" if lines else "keep it on one line of plain text"
            self.fault(f"holds {what} (U+{ord(ch):04X})", key, remedy)
            return ""
        return text

    def _mapping(self, key: str, value: Any, known: tuple[str, ...]) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            form = ", ".join(f"{name}: …" for name in known)
            self.fault(f"is {shown(value)}, not a list of keys", key, f"write {{{form}}}")
            return {}
        for name in value:
            self._known(name, known, f"{key}.{name}", "key")
        return {name: inner for name, inner in value.items() if name in known}

    def _named(self, key: str, known: Collection[str], what: str) -> dict[str, Any]:
        """Return a mapping from known slugs."""
        value = self._data.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fault(
                f"is {shown(value)}, not {what}s by name",
                key,
                f"write the name of a {what} and a colon on a line of its own",
            )
            return {}
        return {
            name: inner
            for name, inner in value.items()
            if self._known(name, known, f"{key}.{name}", what)
        }

    def _known(self, name: str, known: Collection[str], key: str, what: str) -> bool:
        if name in known:
            return True
        near = nearest(name, known)
        self.fault(
            f"{name!r} is not a {what} of "
            + ("an issue" if what == "key" else self._publication.title),
            key,
            f"did you mean {near}?" if near else f"use one of {', '.join(sorted(known))}",
        )
        return False

    def _sections(self) -> dict[str, tuple[Pick, ...]]:
        known = [section.slug for section in self._publication.sections]
        seen: dict[str, str] = {}
        return {
            name: self._picks(value, f"sections.{name}", seen)
            for name, value in self._named("sections", known, "section").items()
        }

    def _regions(self, sections: dict[str, tuple[Pick, ...]]) -> dict[str, RegionBlock]:
        found = {}
        named = self._named("regions", list(self._publication.region_map), "region")
        for name, value in named.items():
            key = f"regions.{name}"
            block = self._mapping(key, value, ("note", "picks"))
            # Every region's edition holds the sections, so a story there would come twice.
            seen = {
                pick.article_id: f"sections.{slug}.{place}"
                for slug, picks in sections.items()
                for place, pick in enumerate(picks)
            }
            found[name] = RegionBlock(
                note=self._text(block.get("note"), f"{key}.note"),
                picks=self._picks(block.get("picks"), f"{key}.picks", seen),
            )
        return found

    def _picks(self, value: Any, key: str, seen: dict[str, str]) -> tuple[Pick, ...]:
        if value is None:
            return ()
        if not isinstance(value, list):
            self.fault(
                f"is {shown(value)}, not a list of articles",
                key,
                "write one `- article-id` a line",
            )
            return ()
        picks = []
        for place, item in enumerate(value):
            here = f"{key}.{place}"
            pick = self._pick(item, here)
            if pick is None:
                continue
            if earlier := seen.get(pick.article_id):
                line = self._lines.get(earlier)
                self.fault(
                    f"{pick.article_id!r} is picked already at {earlier}"
                    + (f", line {line}" if line else ""),
                    here,
                    "keep one of them",
                )
                continue
            seen[pick.article_id] = here
            picks.append(pick)
        return tuple(picks)

    def _pick(self, item: Any, key: str) -> Pick | None:
        given = {"article": item}
        if isinstance(item, dict):
            given = self._mapping(key, item, ("article", "headline", "standfirst"))
            if "article" not in given:
                self.fault("names no article", key, "add article: and its id")
                return None
            key_of_id = f"{key}.article"
        else:
            key_of_id = key
        article_id = self._id(given["article"], key_of_id, self._articles, "article")
        headline = self._text(given.get("headline"), f"{key}.headline", lines=False)
        standfirst = self._text(given.get("standfirst"), f"{key}.standfirst")
        return Pick(article_id, headline, standfirst) if article_id else None

    def _entries(self) -> tuple[str, ...]:
        value = self._data.get("diary")
        if value is None:
            return ()
        if not isinstance(value, list):
            self.fault(
                f"is {shown(value)}, not a list of diary entries",
                "diary",
                "write one `- entry-id` a line",
            )
            return ()
        found: dict[str, str] = {}
        for place, item in enumerate(value):
            key = f"diary.{place}"
            entry = self._id(item, key, self._diary, "diary entry")
            if entry in found:
                self.fault(f"{entry!r} is listed already", key, "keep one of them")
            elif entry:
                found[entry] = key
        return tuple(found)

    def _id(self, value: Any, key: str, known: Collection[str] | None, what: str) -> str:
        """Return an id, or "" once its fault is noted."""
        if not isinstance(value, str) or not value.strip():
            self.fault(f"is {shown(value)}, not the id of an {what}", key, "put the id in quotes")
            return ""
        found = value.strip()
        if known is None or found in known:
            return found
        near = nearest(found, known)
        hint = "`mailer articles` lists the ids" if what == "article" else "take the line out"
        self.fault(f"there is no {what} {found!r}", key, f"did you mean {near}?" if near else hint)
        return ""


def _as_date(stem: str) -> str:
    try:
        return date.fromisoformat(stem).isoformat()
    except ValueError:
        return ""
