"""What an edition says by itself, in its own language: labels, bylines, dates, times, greetings.

Sentences are English here and in the templates; the catalogues in ``templates/locales`` give the
others. English dates are written the house's way (``Friday 4 December``, ``7.30pm``), every other
language's as CLDR writes them, whatever the machine's locale says. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time

from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list

from mailer import almanac
from mailer.articles.article import Kind
from mailer.articles.recurring import is_rule, place_in_month, rule_in_words
from mailer.editions.text import one_line
from mailer.languages import Words


def _(sentence: str) -> str:
    """Mark a sentence for the catalogues."""
    return sentence


_BUTTONS = {
    Kind.REPORT: _("Read the full report"),
    Kind.ANALYSIS: _("Read the analysis"),
    Kind.EDITORIAL: _("Read the editorial"),
    Kind.FEATURE: _("Read the feature"),
    Kind.INTERVIEW: _("Read the interview"),
    Kind.GUIDE: _("Read the guide"),
    Kind.CALL: _("Read the call"),
    Kind.REVIEW: _("Read the review"),
}
_ANY_BUTTON = _("Read the full story")

_LABELS = {
    Kind.REPORT: _("Report"),
    Kind.ANALYSIS: _("Analysis"),
    Kind.EDITORIAL: _("Editorial"),
    Kind.FEATURE: _("Feature"),
    Kind.INTERVIEW: _("Interview"),
    Kind.GUIDE: _("Guide"),
    Kind.CALL: _("Call"),
    Kind.REVIEW: _("Review"),
}

_EVERY_MONTH = {
    1: _("every first %(day)s of the month"),
    2: _("every second %(day)s of the month"),
    3: _("every third %(day)s of the month"),
    4: _("every fourth %(day)s of the month"),
    -1: _("every last %(day)s of the month"),
}
"""A weekday of every month, by its place counted from the start or, below zero, from the end."""

_YEAR_LAST = re.compile(r"[,\u060c]?\s*(?:'[^']*'\s*)?y+$")


@dataclass(frozen=True, slots=True)
class Wording:
    """One language's way of saying what editors do not write."""

    words: Words

    def say(self, sentence: str, **values: object) -> str:
        """Return a sentence in this language with its values in their places."""
        found = self.words.gettext(sentence)
        return found % values if values else found

    def button(self, kind: Kind) -> str:
        """Return the words on the lead's button; there is one lead, so they are unique."""
        return self.say(_BUTTONS.get(kind, _ANY_BUTTON))

    @property
    def appeal(self) -> str:
        """The words on the appeal's button where the publication has none."""
        return self.say(_("Give what you can"))

    def label(self, kind: Kind) -> str:
        """Return the small label over a headline; news goes without one."""
        return self.say(_LABELS[kind]) if kind in _LABELS else ""

    def both(self, one: str, other: str) -> str:
        """Return ``one, other``, or whichever there is."""
        if one and other:
            return self.say(_("%(one)s, %(other)s"), one=one, other=other)
        return one or other

    def names(self, authors: Sequence[str]) -> str:
        """Return ``Ada, Ben and Cy``, or "" for nobody."""
        names = [name for name in (one_line(author) for author in authors) if name]
        if len(names) < 2 or not self._is_english:
            return format_list(names, locale=self.words.locale)
        return f"{', '.join(names[:-1])} and {names[-1]}"

    def by(self, names: str) -> str:
        """Return ``By Ada and Ben``, or "" for nobody."""
        return self.say(_("By %(names)s"), names=names) if names else ""

    def due(self, day: date) -> str:
        """Return ``by Friday 4 December``."""
        return self.say(_("by %(date)s"), date=self.day_and_month(day))

    def minutes(self, count: int) -> str:
        """Return ``4 min read``; a piece of a minute needs no such warning."""
        return self.say(_("%(count)s min read"), count=count) if count > 1 else ""

    @property
    def greetings(self) -> tuple[str, str]:
        """How a reader with a name (as ``%(name)s``) and one without are addressed."""
        return self.say(_("Dear %(name)s,")), self.say(_("Dear reader,"))

    def long_date(self, day: date) -> str:
        """Return ``Monday 30 November 2026``."""
        if self._is_english:
            return almanac.long_date(day)
        return format_date(day, format="full", locale=self.words.locale)

    def day_and_month(self, day: date) -> str:
        """Return ``Friday 4 December``."""
        if self._is_english:
            return almanac.day_and_month(day)
        # CLDR's patterns without a year abbreviate; so the full one goes without its last part.
        pattern = self.words.locale.date_formats["full"].pattern
        return format_date(day, _YEAR_LAST.sub("", pattern), locale=self.words.locale)

    def weekday(self, day: date) -> str:
        """Return ``Friday``."""
        return format_date(day, format="EEEE", locale=self.words.locale)

    def month(self, day: date) -> str:
        """Return ``Dec``, for a date's tile."""
        if self._is_english:
            return almanac.MONTHS[day.month - 1][:3]
        return format_date(day, format="LLL", locale=self.words.locale).rstrip(".")

    def clock_time(self, at: time) -> str:
        """Return ``2.30pm``, ``7pm``, ``noon`` or ``midnight``."""
        if not self._is_english:
            return format_time(at, format="short", locale=self.words.locale)
        if at.minute == 0 and at.hour in {0, 12}:
            return "noon" if at.hour else "midnight"
        minutes = f".{at.minute:02d}" if at.minute else ""
        return f"{at.hour % 12 or 12}{minutes}{'pm' if at.hour >= 12 else 'am'}"

    def between(self, start: str, end: str) -> str:
        """Return ``7pm to 9pm`` for two times in words, or the start where there is no end."""
        return self.say(_("%(start)s to %(end)s"), start=start, end=end) if end else start

    def until(self, day: date) -> str:
        """Return ``until Friday 4 December``."""
        return self.say(_("until %(date)s"), date=self.day_and_month(day))

    def repeats(self, rule: str, on: date) -> str:
        """Return ``every Friday`` for a rule of ``recurring`` and a day it names; "" for none."""
        if self._is_english or not is_rule(rule):
            return rule_in_words(rule)
        if rule.startswith("FREQ=WEEKLY"):
            return self.say(_("every %(day)s"), day=self.weekday(on))
        return self.say(_EVERY_MONTH[place_in_month(rule)], day=self.weekday(on))

    def moment(self, day: date, time_said: str) -> str:
        """Return ``4 December at 7pm``, or the day alone."""
        if self._is_english:
            said = f"{day.day} {almanac.MONTHS[day.month - 1]}"
        else:
            said = format_skeleton("MMMMd", day, locale=self.words.locale)
        return self.say(_("%(day)s at %(time)s"), day=said, time=time_said) if time_said else said

    def keep(self, what: str) -> str:
        """Return the words of the link that puts a happening into the reader's calendar."""
        return self.say(_("Add %(what)s to your calendar"), what=what)

    @property
    def _is_english(self) -> bool:
        # The house is British; an American publication gets what CLDR says of it.
        return self.words.locale.language == "en" and self.words.locale.territory != "US"
