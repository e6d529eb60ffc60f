"""A subscriber and the subscriptions that link one to regions' lists.

An address is compared in its normalised form: the domain in lower-case A-labels, the local part
NFC and folded to lower case (no provider in use distinguishes case), nothing else changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

TIME_ZONE = "time_zone"
"""The field of a reader with an IANA name: a roster's column ``time zone``, or their own choice."""


class SubscriptionState(StrEnum):
    """A subscription's consent."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True)
class Subscription:
    """The link between a subscriber and a region's list; ``changed_at`` is aware UTC."""

    region: str
    state: SubscriptionState
    changed_at: datetime
    source: str = ""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person's address, name and subscriptions."""

    id: int
    address: str
    name: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    subscriptions: tuple[Subscription, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipient:
    """An eligible subscriber and the one region whose edition they get."""

    subscriber_id: int
    address: str
    name: str
    region: str
