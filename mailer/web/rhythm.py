"""How often mail comes, as a page says it in its own language. Pure.

The schedule's ``words`` name the days, for editors and in English; a reader who is about to join
wants to know how much mail it will be.
"""

from __future__ import annotations

from mailer.languages import Words
from mailer.timetable import Schedule


def _(sentence: str) -> str:
    """Mark a sentence for the catalogues."""
    return sentence


_ONCE = {
    "weekly": _("once a week"),
    "fortnightly": _("once every two weeks"),
    "monthly": _("once a month"),
}
_OFTEN = {
    "weekly": _("%(count)s times a week"),
    "fortnightly": _("%(count)s times in two weeks"),
    "monthly": _("%(count)s times a month"),
}


def rhythm(schedule: Schedule, words: Words) -> str:
    """Return ``once a week``, ``2 times a month``, ``on announced days``.

    Named days that come on top of a rhythm are said as well, whether or not they are past.
    """
    if schedule.repeats == "dates":
        return words.gettext(_("on announced days"))
    count = len(set(schedule.send_day))
    if schedule.repeats == "monthly":
        count *= len(set(schedule.week))
    said = words.gettext(_ONCE[schedule.repeats])
    if count > 1:
        said = words.gettext(_OFTEN[schedule.repeats]) % {"count": count}
    if schedule.dates:
        return words.gettext(_("%(rhythm)s and on some other days")) % {"rhythm": said}
    return said
