"""The issue's file: front matter that names the picks, and the columnist's text as the body.

    ---
    number: 1
    date: 2026-11-30
    subject: "…"
    preheader: "…"
    columnist: "…"            # the publication's when left out
    column_title: "…"         # likewise
    audience: 'field.member = "yes"'   # everybody when left out; see docs/segments.md
    corrects: 2026-11-23       # only in a correction, see ``correcting``
    template: urgent          # the set that draws it; the publication's when left out
    sections:
      news:
        - an-article
        - {article: another, headline: "…", standfirst: "…", follow_up: true}
        - {article: a-third, image_alt: "…", image_credit: "…"}   # image: no leaves it out
    regions:
      wales: {note: "Markdown", picks: [an-article]}
      leeds: {from: national, picks: [another-article]}   # lent: it had nothing of its own
    diary: [an-entry]
    quote: {text: "…", source: "…"}
    pins: {lead: [an-article]}    # for drafting anew: these stand first, by section or region
    blocked: [no-article]         # and these nowhere
    ---
    The opening, in Markdown. <!-- Comments are for colleagues and never sent. -->

``read_issue`` checks everything that can be known without rendering and reports every fault at
once, each with file, line and field; it never guesses. ``write_issue`` (see ``writing``) writes
what reads back to the same issue. A story may stand once in all sections together and once in
a region's block, and not in both; two regions may share one.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime
from pathlib import Path
from typing import Any

from mailer.articles.frontmatter import read_front_matter
from mailer.checked import SLUG
from mailer.errors import Fault, InvalidInput
from mailer.issues.issue import Issue, Pick, RegionBlock, Wishes, is_correction, issue_day
from mailer.issues.issue_fields import FieldReader
from mailer.issues.remarks import audience_fault, correction_fault, shown
from mailer.issues.writing import PLACEHOLDER, write_issue
from mailer.publication import Publication

__all__ = ["PLACEHOLDER", "read_issue", "read_wishes", "write_issue"]

KEYS = (
    "number",
    "date",
    "subject",
    "preheader",
    "columnist",
    "column_title",
    "audience",
    "template",
    "corrects",
    "sections",
    "regions",
    "diary",
    "quote",
    "pins",
    "blocked",
)
_PICK_KEYS = (
    *("article", "headline", "standfirst", "follow_up"),
    *("image", "image_alt", "image_credit"),
)


def read_issue(
    text: str,
    *,
    where: str,
    publication: Publication,
    known_articles: Collection[str] | None = None,
) -> Issue:
    """Read an issue's file.

    A diary entry that is not there is no fault: it was dropped since, and the checks warn of it.

    Args:
        text: the file's text.
        where: the file, as faults name it; its name must be the issue's date.
        publication: whose sections and regions may be named.
        known_articles: the ids that may be picked; None leaves them unchecked.
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
    reader = _Reader(front.data, front.lines, where, publication, known_articles)
    opening = _opening(front.body, front.body_line, reader)
    issue = reader.issue(opening)
    if reader.faults or issue is None:
        raise InvalidInput(sorted(reader.faults, key=lambda fault: fault.line or 0))
    return issue


def read_wishes(
    text: str, *, where: str, publication: Publication, known_articles: Collection[str]
) -> Wishes:
    """Return only what an issue's file pins and blocks, whatever else is wrong with it.

    Raises:
        InvalidInput: with the faults of those keys.
    """
    try:
        front = read_front_matter(text, where=where)
    except InvalidInput:
        return Wishes()
    reader = _Reader(front.data, front.lines, where, publication, known_articles)
    wishes = reader.wishes()
    if reader.faults:
        raise InvalidInput(sorted(reader.faults, key=lambda fault: fault.line or 0))
    return wishes


def _opening(body: str, first_line: int, reader: _Reader) -> str:
    """Return the columnist's text: the body without comments and outer blank lines."""
    text = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    if "<!--" in text:
        line = first_line + body[: body.rindex("<!--")].count("\n")
        reader.fault("a comment is opened and never closed", "", "close it with -->", line=line)
    return re.sub(r"\A(?:[^\S\n]*\n)+", "", text).rstrip()


class _Reader(FieldReader):
    """Reads an issue out of the file's data."""

    def __init__(
        self,
        data: dict[str, Any],
        lines: dict[str, int],
        where: str,
        publication: Publication,
        known_articles: Collection[str] | None,
    ) -> None:
        super().__init__(data, lines, where=where, title=publication.title)
        self._publication = publication
        self._articles = known_articles

    def issue(self, opening: str) -> Issue | None:
        """Return the issue; None where not even its date can be read."""
        for key in self.data:
            self.is_known(key, KEYS, key, "key")
        on = self._date()
        number = self._number()
        subject = self._line("subject")
        if not subject and not self.has_fault("subject"):
            self.fault("is missing", "subject", "write the subject line readers will see")
        sections = self._sections()
        regions = self._regions(sections)
        quote = self.mapping("quote", self.data.get("quote"), ("text", "source"))
        issue = Issue(
            id=Path(self.where).stem,
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
            quote=self.text(quote.get("text"), "quote.text"),
            quote_source=self.text(quote.get("source"), "quote.source", lines=False),
            audience=self._audience(),
            template=self._template(),
            wishes=self.wishes(),
            corrects=self._corrects(),
        )
        return issue if on else None

    def _date(self) -> date | None:
        stem = Path(self.where).stem
        value = self.data.get("date")
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value.strip())
            except ValueError:
                value = None
        if isinstance(value, datetime):
            value = value.date()
        if not isinstance(value, date):
            what = "is missing" if "date" not in self.data else "is not a date"
            self.fault(what, "date", f"write date: {_as_date(stem) or '2026-11-30'}")
            return None
        if is_correction(stem):
            return value
        if stem != value.isoformat():
            self.fault(
                f"is {value.isoformat()} but the file is named {stem}",
                "date",
                "make them the same; the file's name is the issue's name",
            )
        return value

    def _corrects(self) -> str:
        stem = Path(self.where).stem
        if fault := correction_fault(stem, self.data.get("corrects")):
            self.fault(fault.problem, "corrects", fault.remedy)
        return issue_day(stem).isoformat() if is_correction(stem) else ""

    def _number(self) -> int:
        value = self.data.get("number")
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            what = "is missing" if "number" not in self.data else f"is {shown(value)}"
            self.fault(what, "number", "write a whole number, 1 or more")
            return 0
        return value

    def _line(self, key: str, *, missing: str = "") -> str:
        if key not in self.data:
            return missing
        return self.text(self.data[key], key, lines=False)

    def _template(self) -> str:
        name = self._line("template")
        if name and not re.fullmatch(SLUG, name):
            self.fault(
                f"is {shown(name)}, not the name of a template set",
                "template",
                "name a folder under templates/, such as bulletin, single or urgent",
            )
            return ""
        return name

    def _audience(self) -> str:
        text = self._line("audience")
        if fault := audience_fault(text, tuple(self._publication.region_map)):
            self.fault(fault.problem, "audience", fault.remedy)
        return text

    def _sections(self) -> dict[str, tuple[Pick, ...]]:
        known = [section.slug for section in self._publication.sections]
        seen: dict[str, str] = {}
        return {
            name: self._picks(value, f"sections.{name}", seen)
            for name, value in self.named("sections", known, "section").items()
        }

    def _regions(self, sections: dict[str, tuple[Pick, ...]]) -> dict[str, RegionBlock]:
        found = {}
        named = self.named("regions", list(self._publication.region_map), "region")
        for name, value in named.items():
            key = f"regions.{name}"
            block = self.mapping(key, value, ("note", "from", "picks"))
            # Every region's edition holds the sections, so a story there would come twice.
            seen = {
                pick.article_id: f"sections.{slug}.{place}"
                for slug, picks in sections.items()
                for place, pick in enumerate(picks)
            }
            found[name] = RegionBlock(
                note=self.text(block.get("note"), f"{key}.note"),
                picks=self._picks(block.get("picks"), f"{key}.picks", seen),
                lent_from=self._lender(name, block.get("from"), f"{key}.from"),
            )
        return found

    def _lender(self, region: str, value: Any, key: str) -> str:
        lender = self.text(value, key, lines=False)
        above = self._publication.ladder(region)[1:]
        if lender and lender not in above:
            self.fault(
                f"{shown(lender)} is not above {region} on its ladder",
                key,
                f"use {' or '.join(above)}" if above else "take the line out",
            )
        return lender

    def wishes(self) -> Wishes:
        """Return what is pinned and blocked."""
        known = [section.slug for section in self._publication.sections]
        named = self.named("pins", [*known, *self._publication.region_map], "section or region")
        return Wishes(
            pins={
                name: tuple(self._ids(value, f"pins.{name}", "article", self._articles))
                for name, value in named.items()
            },
            blocked=tuple(
                self._ids(self.data.get("blocked"), "blocked", "article", self._articles)
            ),
        )

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
                line = self.lines.get(earlier)
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
            given = self.mapping(key, item, _PICK_KEYS)
            if "article" not in given:
                self.fault("names no article", key, "add article: and its id")
                return None
            key_of_id = f"{key}.article"
        else:
            key_of_id = key
        article_id = self.identifier(given["article"], key_of_id, self._articles, "article")
        alt = given.get("image_alt")
        pick = Pick(
            article_id,
            headline=self.text(given.get("headline"), f"{key}.headline", lines=False),
            standfirst=self.text(given.get("standfirst"), f"{key}.standfirst"),
            follow_up=self._flag(given, "follow_up", key, missing=False),
            has_image=self._flag(given, "image", key, missing=True),
            image_alt=None if alt is None else self.text(alt, f"{key}.image_alt", lines=False),
            image_credit=self.text(given.get("image_credit"), f"{key}.image_credit", lines=False),
        )
        return pick if article_id else None

    def _flag(self, given: dict[str, Any], name: str, key: str, *, missing: bool) -> bool:
        value = given.get(name, missing)
        if not isinstance(value, bool):
            self.fault(
                "is neither true nor false", f"{key}.{name}", "write true, false or leave it out"
            )
            return missing
        return value

    def _entries(self) -> tuple[str, ...]:
        return tuple(self._ids(self.data.get("diary"), "diary", "diary entry", None))

    def _ids(
        self, value: Any, key: str, what: str, known: Collection[str] | None
    ) -> dict[str, str]:
        if value is None:
            return {}
        if not isinstance(value, list):
            plural = "diary entries" if what == "diary entry" else f"{what}s"
            form = "entry-id" if what == "diary entry" else "article-id"
            self.fault(
                f"is {shown(value)}, not a list of {plural}", key, f"write one `- {form}` a line"
            )
            return {}
        found: dict[str, str] = {}
        for place, item in enumerate(value):
            here = f"{key}.{place}"
            entry = self.identifier(item, here, known, what)
            if entry in found:
                self.fault(f"{entry!r} is listed already", here, "keep one of them")
            elif entry:
                found[entry] = here
        return found


def _as_date(stem: str) -> str:
    try:
        return date.fromisoformat(stem).isoformat()
    except ValueError:
        return ""
