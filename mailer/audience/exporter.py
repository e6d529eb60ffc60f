"""Exporters: the services whose exports are known by their headers, and what their columns mean.

A file is a service's when its header has all of the marks. Then its own words for a status are
read, its dates are the evidence of a consent or of leaving, and its technical columns (numbers of
theirs, network addresses, places guessed from them) are not kept. Everything else becomes a field
of the reader. A file of nobody's is read by ``ANYBODY``. Pure.

The header sets are those of Mailchimp's audience export (one file each for subscribed,
unsubscribed and cleaned contacts), listmonk's and Ghost's exporters, Substack's subscriber list
(older and newer) and Buttondown's documented subscriber fields. Known limits: listmonk's export
says that an account is enabled, and not to which list it said yes; Ghost's and Substack's do not
say when somebody left.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from mailer.audience.stance import STATUS_WORDS, Stance


@dataclass(frozen=True, slots=True)
class Exporter:
    """How a service's file is read; columns are named as ``column_key`` gives them.

    ``marks``: the sets of columns of which one must be there whole. ``given``: when the reader
    agreed, the first that is filled; ``since``: the date of the status, whatever it says.
    ``denied``: columns that say no to mail when they say no. ``objections``: columns that state an
    objection when they say yes or hold its date. ``nested``: columns of JSON whose values are
    fields. ``dropped``: not kept. With ``needs_date`` a row without a date of consent is not a
    confirmed one.
    """

    name: str
    marks: tuple[frozenset[str], ...] = ()
    status: tuple[str, ...] = ()
    words: Mapping[str, Stance] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    since: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    objections: Mapping[str, Stance] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    dropped: frozenset[str] = frozenset()
    needs_date: bool = False
    caution: str = ""


def _columns(names: str) -> frozenset[str]:
    return frozenset(name.strip() for name in names.split(","))


MAILCHIMP = Exporter(
    name="Mailchimp",
    marks=(_columns("email address, optin time, confirm time"),),
    status=("status",),
    words=STATUS_WORDS,
    given=("confirm time", "optin time"),
    objections={"unsub time": Stance.LEFT, "clean time": Stance.BOUNCED},
    reasons=("unsub reason other", "unsub reason"),
    dropped=_columns(
        "member rating, optin ip, confirm ip, latitude, longitude, gmtoff, dstoff, timezone, cc,"
        "region, last changed, leid, euid, unsub campaign title, unsub campaign id,"
        "clean campaign title,"
        "clean campaign id"
    ),
    needs_date=True,
)

LISTMONK = Exporter(
    name="listmonk",
    marks=(_columns("uuid, email, attributes, status, created at"),),
    status=("status",),
    words={
        "enabled": Stance.CONFIRMED,
        "disabled": Stance.UNCONFIRMED,
        "blocklisted": Stance.BLOCKED,
        "blacklisted": Stance.BLOCKED,
    },
    given=("created at",),
    nested=("attributes",),
    dropped=_columns("uuid, updated at"),
    caution=(
        "listmonk's export does not say which list a reader confirmed; see that it was filtered "
        "by the one list's confirmed subscribers"
    ),
)

GHOST = Exporter(
    name="Ghost",
    marks=(_columns("email, subscribed to emails, created at"),),
    given=("created at",),
    denied=("subscribed to emails",),
    objections={"deleted at": Stance.LEFT},
    dropped=_columns("id, stripe customer id, gift id"),
)

SUBSTACK = Exporter(
    name="Substack",
    marks=(
        _columns("email, email disabled, created at"),
        _columns("email, email disabled, expiry"),
    ),
    given=("created at",),
    objections={"email disabled": Stance.LEFT},
    dropped=_columns("stripe connected customer id"),
)

_BUTTONDOWN_WORDS: dict[str, Stance] = {
    **dict.fromkeys(
        (
            "regular",
            "premium",
            "trialed",
            "unpaid",
            "gifted",
            "churning",
            "churned",
            "paid",
            "paused",
            "past due",
        ),
        Stance.CONFIRMED,
    ),
    "unactivated": Stance.UNCONFIRMED,
    "upcoming": Stance.UNCONFIRMED,
    "disabled": Stance.UNCONFIRMED,
    "unsubscribed": Stance.LEFT,
    "removed": Stance.LEFT,
    "undeliverable": Stance.BOUNCED,
    "complained": Stance.COMPLAINED,
    "spammy": Stance.BLOCKED,
    "blocked": Stance.BLOCKED,
}

BUTTONDOWN = Exporter(
    name="Buttondown",
    marks=tuple(
        frozenset({address, kind, "creation date"})
        for address in ("email", "email address")
        for kind in ("type", "subscriber type")
    ),
    status=("type", "subscriber type"),
    words=_BUTTONDOWN_WORDS,
    given=("creation date",),
    objections={"unsubscription date": Stance.LEFT, "undeliverability date": Stance.BOUNCED},
    reasons=("unsubscription reason",),
    nested=("metadata",),
    dropped=_columns(
        "id, secondary id, ip address, avatar url, risk score, last open date, last click date,"
        "open rate, click rate, open count, click count, delivered count, stripe customer id,"
        "stripe customer, stripe coupon, subscriber import id, transitions, email transitions,"
        "undeliverability reason, firewall reasons, source"
    ),
)

ANYBODY = Exporter(
    name="",
    status=(
        "status",
        "state",
        "subscription status",
        "email status",
        "statut",
        "estado",
        "stato",
        "statws",
    ),
    words=STATUS_WORDS,
    given=(
        "since",
        "confirmed at",
        "consented at",
        "consent date",
        "subscribed at",
        "subscribed on",
        "subscription date",
        "opt in date",
        "opt in time",
        "optin time",
        "date subscribed",
        "date joined",
        "joined",
        "joined at",
        "signup date",
        "sign up date",
        "created at",
        "date added",
        "anmeldedatum",
        "date d'inscription",
        "fecha de alta",
    ),
    since=("since", "status since", "status date"),
    denied=("subscribed", "opted in", "opt in", "accepts marketing"),
    objections={
        "unsubscribed": Stance.LEFT,
        "unsubscribed at": Stance.LEFT,
        "unsubscribe date": Stance.LEFT,
        "opted out": Stance.LEFT,
        "opt out": Stance.LEFT,
        "abgemeldet": Stance.LEFT,
        "désinscrit": Stance.LEFT,
        "bounced": Stance.BOUNCED,
        "bounced at": Stance.BOUNCED,
        "complained": Stance.COMPLAINED,
        "complained at": Stance.COMPLAINED,
    },
)

EXPORTERS = (MAILCHIMP, LISTMONK, GHOST, SUBSTACK, BUTTONDOWN)

_PLACES = frozenset({"city", "town", "zip", "zip code", "postcode", "postal code", "country"})


def exporter_of(columns: Collection[str]) -> Exporter:
    """Return whose export has these columns; ``ANYBODY`` for a file of nobody's."""
    there = frozenset(columns)
    for exporter in EXPORTERS:
        if any(marks <= there for marks in exporter.marks):
            return exporter
    return ANYBODY


def status_column(exporter: Exporter, columns: Collection[str]) -> str:
    """Return which of the columns is the status; "" for none.

    A ``state`` beside a town or a postcode is where somebody lives.
    """
    for name in exporter.status:
        if name in columns and not (name == "state" and _PLACES & frozenset(columns)):
            return name
    return ""
