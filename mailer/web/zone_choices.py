"""The time zones a reader may choose among, by country and city in the page's language.

Countries and cities are CLDR's, in alphabetical order as the language writes them, so that typing
the first letters of a country finds it in the list without a script. Zones of no country (``UTC``)
are not offered; a reader who has one by a roster keeps it until they choose another.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_location

Choices = tuple[tuple[str, str], ...]
"""IANA names, each with what the page says."""


def zone_choices(locale: Locale, held: str = "") -> Choices:
    """Return the zones to choose from.

    Args:
        locale: the page's.
        held: the one that the reader has; it is among them whatever it is.
    """
    choices = _every(locale)
    if not held or any(name == held for name, _ in choices):
        return choices
    return ((held, held), *choices)


@lru_cache(maxsize=16)
def _every(locale: Locale) -> Choices:
    known = available_timezones()
    found: list[tuple[str, str]] = []
    for name, territory in get_global("zone_territories").items():
        country = locale.territories.get(territory, "") if territory.isalpha() else ""
        if name in known and country and territory != "ZZ":
            city = get_timezone_location(ZoneInfo(name), locale=locale, return_city=True)
            found.append((name, f"{country} – {city}"))
    return tuple(sorted(found, key=lambda choice: _folded(choice[1])))


def _folded(text: str) -> str:
    """Return what letters sort by: those with marks beside those without."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(ch for ch in apart if not unicodedata.combining(ch)).casefold()
