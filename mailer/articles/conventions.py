"""Front matter in the conventions of Hugo, Jekyll and Pelican, read into one set of fields.

The keys are in ``frontkeys``. Those of other tools are ignored; under ``briefing:`` every key is
ours and an unknown one is a fault. A word of ours outside it is a warning: an embargo that is
passed over in silence is broken. Our own keys outrank the others.

A date without a time is the start of that day in the publication's zone. Every wrong value is one
fault with file, line, field and what to write instead.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any

from mailer.articles.article import Flag, Kind, Picture
from mailer.articles.dating import find_time
from mailer.articles.fields import (
    Event,
    Fields,
    is_cover,
    moment_of,
    near_miss,
    printable,
    stems_of,
    type_of,
)
from mailer.articles.frontkeys import BRIEFING_KEYS, EVENT_KEYS, KEYS, MISPLACED, OF_AN_ISSUE
from mailer.articles.frontmatter import FrontMatter
from mailer.articles.intake import IngestPolicy
from mailer.errors import Fault, InvalidInput

_HUGO_WEIGHTS = 10


def read_fields(front: FrontMatter, *, where: str, desk: IngestPolicy) -> Fields:
    """Read every convention.

    Raises:
        InvalidInput: with all faults of the file.
    """
    reader = _Reader(front, where, desk)
    fields = reader.read()
    if reader.faults:
        raise InvalidInput(sorted(reader.faults, key=lambda fault: fault.line or 0))
    return fields


def _bare(key: str) -> str:
    return re.sub(r"[-_]", "", key).lower()


_MISPLACED = {_bare(key): meant for key, meant in MISPLACED.items()}


class _Reader:
    def __init__(self, front: FrontMatter, where: str, desk: IngestPolicy) -> None:
        self.faults: list[Fault] = []
        self._front = front
        self._where = where
        self._desk = desk
        self._top = {_bare(key): key for key in front.data}
        own = front.data.get(self._top.get("briefing", ""), {})
        if not isinstance(own, dict):
            if own is not None:
                self._fault("is not a list of keys", "briefing", "write `section:` etc. below it")
            own = {}
        self._own: dict[str, Any] = own
        for key in own:
            if key not in BRIEFING_KEYS:
                self._fault(
                    "is not a key of ours", f"briefing.{key}", near_miss(str(key), BRIEFING_KEYS)
                )

    def _fault(self, problem: str, key: str, remedy: str) -> None:
        self.faults.append(self._at(problem, key, remedy))

    def _at(self, problem: str, key: str, remedy: str) -> Fault:
        lines = self._front.lines
        line = next((lines[part] for part in stems_of(key) if part in lines), None)
        return Fault(problem, self._where, line, key, remedy)

    def _warnings(self) -> list[Fault]:
        found = []
        for key in self._front.data:
            meant = _MISPLACED.get(_bare(key))
            if meant is not None:
                remedy = f"write it under `briefing:`, as `{meant}:`"
                found.append(self._at("is not read here and has no effect", key, remedy))
            elif _bare(key) in OF_AN_ISSUE:
                remedy = "write its id into the issue's file"
                found.append(self._at("is no key of an article and has no effect", key, remedy))
        return found

    def _pick(self, *names: str) -> tuple[str, Any]:
        """Return the first key that is there, as written, and its value."""
        for name in names:
            if name.startswith("briefing."):
                value = self._own.get(name.removeprefix("briefing."))
                written = name
            else:
                written = self._top.get(_bare(name), "")
                value = self._front.data.get(written) if written else None
            if value is not None and value != "":
                return written, value
        return "", None

    def read(self) -> Fields:
        """Return the fields; faults are collected on the way."""
        published = self._instant(*KEYS["published_at"])
        fields = Fields(
            title=self._text(*KEYS["title"]),
            slug=self._text(*KEYS["slug"]),
            authors=self._names(*KEYS["authors"]),
            author_note=self._text(*KEYS["author_note"]),
            published_at=published or self._instant(*KEYS["changed_at"]),
            embargo_until=self._instant(*KEYS["embargo_until"]),
            expires_at=self._instant(*KEYS["expires_at"]),
            deadline=self._day(*KEYS["deadline"]),
            is_draft=self._is_draft(),
            kind=self._kind(),
            section=self._section(),
            regions=self._regions(*self._pick(*KEYS["regions"])),
            tags=self._tags(),
            priority=self._priority(),
            standfirst=self._text(*KEYS["standfirst"]),
            url=self._url(*self._pick(*KEYS["url"])),
            source=self._text(*KEYS["source"]),
            picture=self._picture(),
            events=self._events(),
            warnings=self._warnings(),
        )
        if not fields.url:
            fields.url = self._own_address()
        later = self._instant(*KEYS["embargo_ahead"])
        if fields.embargo_until is None and later is not None and later > self._desk.now:
            fields.embargo_until = later
        if fields.expires_at and fields.published_at and fields.expires_at < fields.published_at:
            fields.flags.append(
                Flag("expires-before-date", "It expires before the date it was published.")
            )
        return fields

    def _own_address(self) -> str:
        # Hugo and Pelican use `url` for a path on the site; only a whole address is of use here.
        key, value = self._pick(*KEYS["own_address"])
        if isinstance(value, str) and re.match(r"[a-z][a-z0-9+.-]*:", value, re.IGNORECASE):
            return self._url(key, value)
        return ""

    def _text(self, *names: str) -> str:
        key, value = self._pick(*names)
        if value is None:
            return ""
        if isinstance(value, bool | list | dict):
            self._fault(f"is {type_of(value)}, not text", key, "write one line of text")
            return ""
        return " ".join(printable(str(value)).split())

    def _names(self, *names: str) -> tuple[str, ...]:
        key, value = self._pick(*names)
        if value is None:
            return ()
        found: list[str] = []
        for item in value if isinstance(value, list) else [value]:
            name = item.get("name") if isinstance(item, dict) else item
            if not isinstance(name, str):
                self._fault(
                    f"is {type_of(item)}, not a name", key, "write a name or a list of names"
                )
                return ()
            found.extend(re.split(r"\s*;\s*|\s+(?:and|&)\s+|\s*,\s+", name.strip()))
        return tuple(dict.fromkeys(" ".join(printable(name).split()) for name in found if name))

    def _tags(self) -> tuple[str, ...]:
        found: list[str] = []
        for name in KEYS["tags"]:
            key, value = self._pick(name)
            if value is None:
                continue
            items = value if isinstance(value, list) else str(value).split(",")
            if isinstance(value, bool | dict) or any(isinstance(i, dict | list) for i in items):
                self._fault(f"is {type_of(value)}, not a list of words", key, "write [one, two]")
                continue
            found.extend(" ".join(printable(str(item)).split()) for item in items)
        return tuple(dict.fromkeys(tag for tag in found if tag))

    def _is_draft(self) -> bool:
        key, value = self._pick(*KEYS["draft"])
        if value is not None and not isinstance(value, bool):
            if str(value).lower() not in {"true", "false", "yes", "no"}:
                self._fault("is neither true nor false", key, "write true or false")
            value = str(value).lower() in {"true", "yes"}
        _, published = self._pick(*KEYS["is_published"])
        if isinstance(published, str):
            published = {"false": False, "no": False}.get(published.lower(), published)
        status = self._text(*KEYS["status"]).lower()
        return bool(value) or published is False or status in {"draft", "hidden"}

    def _instant(self, *names: str) -> datetime | None:
        for name in names:
            key, value = self._pick(name)
            if value is None or isinstance(value, bool) or str(value).lower() in {"true", "false"}:
                continue
            parsed = moment_of(value)
            if parsed is None:
                self._fault(
                    f"{str(value)[:60]!r} is not a date",
                    key,
                    "write 2026-11-27 or 2026-11-27T14:30:00+00:00",
                )
                return None
            if isinstance(parsed, datetime):
                aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=self._desk.zone)
                return aware.astimezone(self._desk.now.tzinfo)
            return self._desk.instant(parsed)
        return None

    def _day(self, *names: str) -> date | None:
        key, value = self._pick(*names)
        if value is None:
            return None
        parsed = moment_of(value)
        if parsed is None:
            self._fault(f"{str(value)[:60]!r} is not a date", key, "write 2026-12-04")
            return None
        if isinstance(parsed, datetime):
            return self._desk.local_date(parsed) if parsed.tzinfo else parsed.date()
        return parsed

    def _kind(self) -> Kind | None:
        key, value = self._pick(*KEYS["kind"])
        if value is None:
            return None
        if str(value).lower() in set(Kind):
            return Kind(str(value).lower())
        if key.startswith("briefing."):
            self._fault(f"{value!r} is not a kind", key, near_miss(str(value), [*Kind]))
        return None

    def _section(self) -> str:
        key, value = self._pick(*KEYS["section"])
        if value is None:
            return ""
        if self._desk.sections and value not in self._desk.sections:
            self._fault(
                f"{value!r} is not a section", key, near_miss(str(value), self._desk.sections)
            )
        return str(value)

    def _regions(self, key: str, value: Any) -> tuple[str, ...]:
        if value is None:
            return ()
        items = value if isinstance(value, list) else str(value).split(",")
        found: list[str] = []
        for item in items:
            slug = str(item).strip()
            if self._desk.regions and slug not in self._desk.regions:
                self._fault(f"{slug!r} is not a region", key, near_miss(slug, self._desk.regions))
            found.append(slug)
        return tuple(dict.fromkeys(found))

    def _priority(self) -> int:
        key, value = self._pick(*KEYS["priority"])
        if value is not None:
            if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 100:
                self._fault(
                    f"{value!r} is not a whole number from -100 to 100", key, "write one such as 20"
                )
                return 0
            return value
        key, value = self._pick(*KEYS["weight"])
        if value is None:
            return 0
        try:
            weight = int(str(value))
        except ValueError:
            self._fault(f"{value!r} is not a whole number", key, "write one such as 1")
            return 0
        return _HUGO_WEIGHTS + 1 - weight if 1 <= weight <= _HUGO_WEIGHTS else 0

    def _url(self, key: str, value: Any) -> str:
        if value is None:
            return ""
        if not isinstance(value, str) or not re.fullmatch(
            r"https?://[^\s\"'<>@\\/]+(?:[/?#][^\s\"<>\\]*)?", value
        ):
            self._fault(f"{str(value)[:60]!r} is not a web address", key, "write https://…")
            return ""
        return value

    def _picture(self) -> Picture | None:
        key, value = self._pick(*KEYS["picture"])
        if value is None:
            key, value = self._pick(*KEYS["resources"])
            if isinstance(value, list):
                value = next((i for i in value if isinstance(i, dict) and is_cover(i)), None)
        if isinstance(value, list):
            value = value[0] if value else None
        given: dict[str, Any] = {"src": value} if isinstance(value, str) else {}
        if isinstance(value, dict):
            params = value.get("params")
            inner = params if isinstance(params, dict) else {}
            given = {_bare(str(k)): v for k, v in {**value, **inner}.items()}
        elif value is not None and not given:
            self._fault(f"is {type_of(value)}, not a picture", key, "write images/name.jpg")
            return None

        def said(*names: str) -> str | None:
            for name in names:
                inside = given.get(name)
                outside = self._pick(f"image{name}")[1]
                top = self._top.get(f"image{name}")
                if inside is None and outside is None and top and self._front.data[top] == "":
                    return ""
                found = inside if inside is not None else outside
                if isinstance(found, str):
                    return " ".join(printable(found).split())
            return None

        src = next(
            (given[n] for n in ("src", "url", "path", "file", "image", "relative") if given.get(n)),
            "",
        )
        credit = said("credit", "attribution", "by") or ""
        caption = said("caption") or (said("title") or "" if "params" in given else "")
        if not src:
            return Picture("", None, caption, credit) if caption or credit else None
        checked = self._src(key, src)
        return Picture(checked, said("alt"), caption, credit, said("licence", "license") or "")

    def _src(self, key: str, src: Any) -> str:
        problem = ""
        text = str(src).strip()
        if re.match(r"https://[^\s\"'<>\\]+$", text):
            return text
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", text):
            problem = "is not a path or an https address"
        elif ".." in PurePosixPath(text).parts or "\\" in text or not text.isprintable():
            problem = "leaves the publication's folder"
        if problem:
            self._fault(f"{text[:60]!r} {problem}", key, "write images/name.jpg")
            return ""
        return text.lstrip("/").removeprefix("./")

    def _events(self) -> tuple[Event, ...]:
        _, value = self._pick(*KEYS["events"])
        if value is None:
            return ()
        if not isinstance(value, list):
            self._fault("is not a list", "briefing.events", "write `- title: …` entries")
            return ()
        events = [self._event(place, item) for place, item in enumerate(value)]
        return tuple(event for event in events if event is not None)

    def _event(self, place: int, item: Any) -> Event | None:
        path = f"briefing.events.{place}"
        if not isinstance(item, dict):
            self._fault("is not an event", path, "write title, date, time, place")
            return None
        for key in item:
            if key not in EVENT_KEYS:
                self._fault("is not a key of an event", f"{path}.{key}", near_miss(key, EVENT_KEYS))
        before = len(self.faults)
        title = item.get("title")
        if not isinstance(title, str) or not title.strip():
            self._fault("is missing", f"{path}.title", "say what happens")
        moment = moment_of(item.get("date"))
        if moment is None:
            problem = "is missing" if item.get("date") is None else "is not a date"
            self._fault(problem, f"{path}.date", "write 2026-12-12")
        at = moment.time() if isinstance(moment, datetime) else None
        if item.get("time") is not None:
            at = find_time(str(item["time"]))
            if at is None:
                self._fault(f"{item['time']!r} is not a time", f"{path}.time", "write 19:30")
        for key in ("place", "url"):
            if not isinstance(item.get(key, ""), str):
                self._fault(f"is {type_of(item[key])}, not text", f"{path}.{key}", "write text")
        url = self._url(f"{path}.url", item.get("url") or None)
        named = item.get("regions", item.get("region"))
        regions = self._regions(f"{path}.regions", named)
        if len(self.faults) > before or moment is None:
            return None
        return Event(
            title=" ".join(printable(str(title)).split()),
            on=moment.date() if isinstance(moment, datetime) else moment,
            at=at,
            place=" ".join(printable(item.get("place", "")).split()),
            url=url,
            regions=regions,
        )
