"""The languages that pages and confirmations speak: gettext catalogues, read as text at run time.

English is the source: what stands in a template is an English sentence, and a catalogue
``templates/locales/<tag>.po`` gives the others. A publication's own ``templates/locales/`` may
add a language or replace sentences of a shipped one. Catalogues are read with Babel from ``.po``,
so that no compiled file is kept that could be older than its source. ``tools/texts.py`` collects
the sentences; a house test fails when one lacks its translation.

Which language a reader gets: the one they asked for, else the best that their browser accepts,
else the region's or the publication's own, else English. ``load_languages`` is the only I/O.

An edition is in its region's language. ``locales/mail/<tag>.po`` holds a language that only
editions are in: a briefing can go out in Arabic before anybody has translated the pages.

Standards: RFC 9110 section 12.5.4 (Accept-Language), RFC 4647 section 3.4 (lookup).
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po, write_po

from mailer.errors import ConfigurationError, Fault
from mailer.resources import templates_dir

SOURCE = "en"
"""The language the sentences in templates and code are written in."""

FOLDER = "locales"
MAIL_FOLDER = "locales/mail"
"""Catalogues of languages that only editions are in, and the pages are not."""

LONGEST_HEADER = 400
"""Characters of an Accept-Language header that are looked at; a real one has fewer than 100."""


@dataclass(frozen=True)
class Words:
    """One language as a page uses it: sentences, dates, direction.

    ``tag`` is what stands in ``lang``: ``en-GB`` where the publication says so, else ``de``.
    """

    tag: str
    locale: Locale
    catalogue: NullTranslations

    @property
    def direction(self) -> str:
        """Return ``ltr`` or ``rtl``."""
        return str(self.locale.text_direction)

    @property
    def name(self) -> str:
        """Return the language's own name for itself, as a link to it says it."""
        name = Locale(self.locale.language).get_display_name() or self.tag
        return name[:1].upper() + name[1:]

    def gettext(self, message: str) -> str:
        """Return a sentence in this language."""
        return self.catalogue.gettext(message)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Return a sentence about ``count`` things in this language."""
        return self.catalogue.ngettext(one, many, count)

    def date(self, day: date | datetime) -> str:
        """Return a day in words: 30 November 2026."""
        return format_date(day, format="long", locale=self.locale)


class Languages:
    """The languages there are, and the choice between them."""

    def __init__(
        self,
        catalogues: Mapping[str, NullTranslations],
        sources: Mapping[str, Catalog] | None = None,
    ) -> None:
        self._catalogues = {SOURCE: NullTranslations(), **catalogues}
        self._sources = dict(sources or {})

    @property
    def tags(self) -> tuple[str, ...]:
        """Return the languages with a catalogue, English first."""
        return tuple(self._catalogues)

    def has(self, tag: str) -> bool:
        """Say whether a language such as ``en-GB`` has a catalogue, its own or its base's."""
        return bool(_lookup(tag, self._catalogues))

    def choose(self, *, asked: str, accepted: str, usual: str) -> str:
        """Return the tag of the language for a reader.

        Args:
            asked: what ``?lang=`` says, or "".
            accepted: the Accept-Language header, or "".
            usual: the region's or the publication's language, such as ``en-GB``.
        """
        for wanted in (asked, *_ranked(accepted)):
            base = wanted.lower().partition("-")[0]
            # A browser's en-US must not turn the publication's own en-GB into something else.
            if base and base == usual.lower().partition("-")[0] and base in self._catalogues:
                return usual
            found = _lookup(wanted, self._catalogues)
            if found:
                return found
        return usual if _lookup(usual, self._catalogues) else SOURCE

    def written(self, tags: Collection[str]) -> dict[str, str]:
        """Return the catalogues that these languages use, as ``.po`` texts."""
        found = {_lookup(tag, self._catalogues) for tag in tags} & self._sources.keys()
        return {tag: _as_text(self._sources[tag]) for tag in sorted(found)}

    def words(self, tag: str) -> Words:
        """Return a language by its tag, ready to use; English where there is no catalogue."""
        found = _lookup(tag, self._catalogues)
        if not found:
            tag = found = SOURCE
        return Words(tag, _locale(tag) or _locale(found) or Locale(SOURCE), self._catalogues[found])

    def spoken(self, tag: str) -> Words:
        """Return a language by its tag, also where only dates and direction are known of it.

        What an editor writes is in the publication's language whether or not there is a catalogue.
        """
        found = _lookup(tag, self._catalogues) or SOURCE
        return Words(tag, _locale(tag) or Locale(SOURCE), self._catalogues[found])


def load_languages(override: Path | None = None, *, of_mail: bool = False) -> Languages:
    """Read every catalogue.

    Args:
        override: the publication's ``templates`` folder; its ``locales/`` adds and replaces.
        of_mail: also those of languages that only editions are in.
    Raises:
        ConfigurationError: one fault for each catalogue that cannot be read.
    """
    roots = [templates_dir()]
    if override is not None and override.resolve() != templates_dir().resolve():
        roots.append(override)
    kinds = (FOLDER, MAIL_FOLDER) if of_mail else (FOLDER,)
    folders = [root / kind for root in roots for kind in kinds]
    written = [(path, _bytes(path)) for folder in folders for path in sorted(folder.glob("*.po"))]
    return _merged(tuple(written))


def _bytes(path: Path) -> bytes | OSError:
    """Return what a file holds, or why it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        return error


# A preview that follows the files loads them at every save, and they hardly ever change.
@lru_cache(maxsize=8)
def _merged(written: tuple[tuple[Path, bytes | OSError], ...]) -> Languages:
    merged: dict[str, Catalog] = {}
    faults: list[Fault] = []
    for path, content in written:
        try:
            catalogue = _parsed(path, content)
        except (OSError, ValueError, PoFileError, UnknownLocaleError) as error:
            faults.append(
                Fault(
                    f"cannot be read: {error}",
                    where=str(path),
                    remedy="name it for a language, such as de.po, and check it with msgfmt -c",
                )
            )
            continue
        known = merged.setdefault(path.stem, catalogue)
        if known is catalogue:
            continue
        for message in catalogue:
            if is_whole(message):
                known.delete(message.id)
                known[message.id] = message
    if faults:
        raise ConfigurationError(faults)
    return Languages({tag: _compiled(each) for tag, each in merged.items()}, merged)


def read_written(texts: Mapping[str, str]) -> Languages:
    """Read languages back as ``Languages.written`` gave them.

    Raises:
        ValueError: one is not a catalogue.
    """
    merged = {
        tag: read_po(io.BytesIO(text.encode()), locale=Locale.parse(tag, sep="-"))
        for tag, text in texts.items()
    }
    return Languages({tag: _compiled(each) for tag, each in merged.items()}, merged)


def _as_text(catalogue: Catalog) -> str:
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=0, sort_output=True)
    return buffer.getvalue().decode()


def read_catalogue(path: Path) -> Catalog:
    """Read one ``.po`` file named for its language; what is fuzzy in it counts as missing."""
    return _parsed(path, path.read_bytes())


def _parsed(path: Path, content: bytes | OSError) -> Catalog:
    if isinstance(content, OSError):
        raise content
    locale = Locale.parse(path.stem, sep="-")
    return read_po(io.BytesIO(content), locale=locale, abort_invalid=True)


def is_whole(message: Message) -> bool:
    """Say whether a sentence is translated, in every form of its plural, and not just guessed."""
    forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return bool(message.id) and all(forms) and not message.fuzzy


def _compiled(catalogue: Catalog) -> GNUTranslations:
    # A gap would be printed as nothing; without it the English sentence stands there.
    for message in [each for each in catalogue if each.id and not is_whole(each)]:
        catalogue.delete(message.id)
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    buffer.seek(0)
    return GNUTranslations(buffer)


def _lookup(tag: str, known: Mapping[str, object]) -> str:
    """Return the longest known beginning of a tag, "" for none."""
    parts = tag.split("-")
    for length in range(len(parts), 0, -1):
        wanted = "-".join(parts[:length]).lower()
        for each in known:
            if each.lower() == wanted:
                return each
    return ""


def _ranked(header: str) -> list[str]:
    """Return the languages of an Accept-Language header, most wanted first."""
    found: list[tuple[float, int, str]] = []
    for place, item in enumerate(header[:LONGEST_HEADER].split(",")):
        tag, _, weight = item.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if tag and tag != "*" and 0 < quality <= 1:
            found.append((-quality, place, tag.strip()))
    return [tag for _, _, tag in sorted(found)]


@lru_cache(maxsize=64)
def _locale(tag: str) -> Locale | None:
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return None
