"""The columns of a roster: which of them hold the address, the name, the status and the rest.

Headers are compared without regard to case, spaces, underscores and hyphens, in the languages of
the spreadsheets that publishers here are likely to have. What is no address, name, language,
status or date becomes a field of the reader: its name in lower case with underscores, its value
as text. Limits: 40 fields with names of at most 60 characters; a longer value than 500 is cut,
and the notes say how many were. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

from mailer.audience.exporter import ANYBODY, Exporter, exporter_of, status_column
from mailer.audience.spreadsheet import Row, shown
from mailer.audience.subscriber import TIME_ZONE
from mailer.checked import is_zone
from mailer.errors import Fault, InvalidInput
from mailer.segment import column_key, field_name

ADDRESS_COLUMNS = (
    "email",
    "e mail",
    "address",
    "mail",
    "email address",
    "e mail address",
    "mail address",
    "email adresse",
    "e mail adresse",
    "emailadresse",
    "mailadresse",
    "adresse e mail",
    "adresse email",
    "adresse mail",
    "adresse électronique",
    "courriel",
    "correo",
    "correo electrónico",
    "correo electronico",
    "indirizzo email",
    "indirizzo e mail",
    "endereço de e mail",
    "e mailadres",
    "emailadres",
    "e postadress",
    "e post",
    "adres e mail",
    "sähköposti",
    "e bost",
    "cyfeiriad e bost",
    "ríomhphost",
)
NAME_COLUMNS = (
    "name",
    "full name",
    "fullname",
    "display name",
    "nom complet",
    "nom",
    "nombre completo",
    "nombre",
    "nome completo",
    "nome",
    "naam",
    "namn",
    "navn",
    "nimi",
    "imię i nazwisko",
    "enw",
    "ainm",
)
FIRST_NAME_COLUMNS = (
    "first name",
    "firstname",
    "fname",
    "given name",
    "forename",
    "vorname",
    "prénom",
    "prenom",
    "voornaam",
    "förnamn",
    "fornavn",
    "imię",
    "enw cyntaf",
)
LAST_NAME_COLUMNS = (
    "last name",
    "lastname",
    "lname",
    "surname",
    "family name",
    "nachname",
    "familienname",
    "nom de famille",
    "apellido",
    "apellidos",
    "cognome",
    "sobrenome",
    "achternaam",
    "efternamn",
    "etternavn",
    "nazwisko",
    "cyfenw",
)
LANGUAGE_COLUMNS = ("language", "lang", "locale", "sprache", "langue", "idioma", "lingua", "iaith")

_LAST_BESIDE_A_FIRST = ("nom", "name")
_FIRST_BESIDE_A_LAST = ("nome", "nombre")
_FOREIGN_FIRST = ("vorname", "prénom", "prenom", "voornaam", "förnamn", "fornavn")

_as_json = json.JSONEncoder().encode
"""In ASCII, as SQLAlchemy writes JSON: SQLite compares the names of fields letter by letter."""

MOST_FIELDS = 40
LONGEST_FIELD_NAME = 60
LONGEST_VALUE = 500


class Columns:
    """Where in a row the columns that matter stand.

    Raises:
        InvalidInput: there is no column of addresses, or more than one.
    """

    def __init__(self, header: Row, where: str) -> None:
        if header.problem:
            raise InvalidInput(
                Fault(f"the header {header.problem}", where, header.line, remedy=header.remedy)
            )
        self.keys = [column_key(cell) for cell in header.cells]
        self.width = len(self.keys)
        self.exporter: Exporter = exporter_of(self.keys)
        self.cut = self.undated = self.zoneless = 0
        self._first_zoneless = ""
        addresses = [key for key in self.keys if key in ADDRESS_COLUMNS]
        # "address" beside "email" is where somebody lives.
        if len(addresses) > 1 and "address" in addresses:
            addresses.remove("address")
        if len(addresses) != 1:
            raise InvalidInput(_header_fault(header, addresses, where))
        self.address = self.keys.index(addresses[0])
        self._find_names()
        self.language = self._find(LANGUAGE_COLUMNS)
        self.status = self._find((status_column(self.exporter, self.keys),))
        self.given = self._all(self.exporter.given)
        self.since = self._all(self.exporter.since)
        self.denied = self._all(self.exporter.denied)
        self.reasons = self._all(self.exporter.reasons)
        self.nested = self._all(self.exporter.nested)
        self.objections = [
            (at, stance)
            for key, stance in self.exporter.objections.items()
            for at in self._all((key,))
        ]
        self._choose_fields(header)

    def _find_names(self) -> None:
        self.name = self._find(NAME_COLUMNS)
        self.first_name = self._find(FIRST_NAME_COLUMNS)
        self.last_name = self._find(LAST_NAME_COLUMNS)
        word = self.keys[self.name] if self.name is not None else ""
        first = self.keys[self.first_name] if self.first_name is not None else ""
        if self.last_name is None and word in _LAST_BESIDE_A_FIRST and first in _FOREIGN_FIRST:
            self.name, self.last_name = None, self.name
        has_last_alone = self.first_name is None and self.last_name is not None
        if has_last_alone and word in _FIRST_BESIDE_A_LAST:
            self.name, self.first_name = None, self.name

    def _choose_fields(self, header: Row) -> None:
        one = (self.address, self.name, self.first_name, self.last_name, self.language, self.status)
        used = {at for at in one if at is not None}
        used |= {*self.given[:1], *self.since, *self.denied, *self.nested, *self.reasons}
        used |= {at for at, _ in self.objections}
        if self.exporter is not ANYBODY:
            used |= set(self.given)
        self.fields: list[tuple[int, str]] = []
        self.ignored: list[str] = []
        names: set[str] = set()
        for at, key in enumerate(self.keys):
            if at in used or not key:
                continue
            name = field_name(key)
            is_kept = (
                key not in self.exporter.dropped
                and len(name) <= LONGEST_FIELD_NAME
                and name not in names
                and len(names) < MOST_FIELDS
                and name.isprintable()
            )
            if is_kept:
                names.add(name)
                self.fields.append((at, name))
            else:
                self.ignored.append(header.cells[at].strip())

    def _find(self, wanted: Sequence[str]) -> int | None:
        found = (self.keys.index(key) for key in wanted if key and key in self.keys)
        return next(found, None)

    def _all(self, wanted: Sequence[str]) -> list[int]:
        return [self.keys.index(key) for key in wanted if key in self.keys]

    def name_of(self, cells: Sequence[str]) -> str:
        """Return the name a row gives, put together from its parts if need be."""
        whole = cell(cells, self.name)
        if whole or (self.first_name is None and self.last_name is None):
            return whole
        return f"{cell(cells, self.first_name)} {cell(cells, self.last_name)}".strip()

    def fields_of(self, cells: Sequence[str], line: int) -> str:
        """Return a row's further columns as JSON, text by name; empty cells are left out.

        Args:
            line: where the row stands, for what is said of a time zone that is none.
        """
        if not self.fields and not self.nested:
            return "{}"
        found: dict[str, str] = {}
        for at, name in self.fields:
            if value := cell(cells, at):
                found[name] = value
        for at in self.nested:
            for name, value in _unfolded(cell(cells, at)).items():
                if len(found) < MOST_FIELDS:
                    found.setdefault(name, value)
        for name, value in found.items():
            if len(value) > LONGEST_VALUE:
                found[name] = value[: LONGEST_VALUE - 1] + "…"
                self.cut += 1
        if (zone := found.get(TIME_ZONE)) and not _is_zone(zone):
            self.zoneless += 1
            self._first_zoneless = self._first_zoneless or f"{shown(zone)!r} in line {line}"
            # Kept, it would stand before the right one that a mended roster brings.
            del found[TIME_ZONE]
        return _as_json(found) if found else "{}"

    def notes(self) -> list[str]:
        """Return what a person should know of the columns."""
        found = []
        if self.exporter.name:
            found.append(f"is read as an export of {self.exporter.name}")
        if self.exporter.caution:
            found.append(self.exporter.caution)
        if self.fields:
            found.append(f"keeps as fields {', '.join(name for _, name in self.fields)}")
        if self.ignored:
            found.append(f"ignored the columns {', '.join(self.ignored)}")
        if self.undated:
            found.append(
                f"did not understand {self.undated} dates of consent; write them as 2026-11-30"
            )
        if self.zoneless:
            found.append(
                f"names {self.zoneless} time zones that are none, first {self._first_zoneless}; "
                "write one such as Europe/London, else the region's hour is theirs"
            )
        if self.cut:
            found.append(f"cut {self.cut} values to {LONGEST_VALUE} characters")
        return found


# A roster names few zones, many times.
_is_zone = lru_cache(maxsize=1024)(is_zone)


def cell(cells: Sequence[str], at: int | None) -> str:
    """Return a row's cell without the spaces around it; "" where the row has none."""
    return cells[at].strip() if at is not None and at < len(cells) else ""


def _unfolded(text: str) -> dict[str, str]:
    """Return a JSON object's values as text by field name; {} for anything else."""
    if not text.startswith("{"):
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    plain = {}
    for key, value in found.items():
        name = field_name(key)
        if not name or len(name) > LONGEST_FIELD_NAME or value in (None, "", [], {}):
            continue
        written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        plain[name] = written.replace("\x00", "")
    return plain


def _header_fault(header: Row, addresses: Sequence[str], where: str) -> Fault:
    if len(addresses) > 1:
        named = [each.strip() for each in header.cells if column_key(each) in addresses]
        problem = f"the header names {' and '.join(map(repr, named))}"
        remedy = "keep one column of mail addresses"
    elif any("@" in each for each in header.cells):
        problem = "there is no header: the first line is a reader already"
        remedy = "put a first line such as email,name above it"
    else:
        problem = f"the header has no column of mail addresses ({shown(header.raw)!r})"
        remedy = "name one of its columns email, e-mail, address, mail or email address"
    return Fault(problem, where=where, line=header.line, field="email", remedy=remedy)
