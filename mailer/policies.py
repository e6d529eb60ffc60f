"""The policies a publication sets: small values that services take instead of the whole.

Each is a table of ``publication.toml`` with defaults that work; a key that is not known is a fault.
Pure: no file is read here.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mailer.checked import Colour, Domain, FontList, Line, WebAddress

KINDS = (
    *("news", "report", "analysis", "editorial", "feature", "interview", "guide", "call"),
    "review",
)
"""The kinds of articles; a test compares them with ``Kind``."""


class PolicyModel(BaseModel):
    """Frozen, and strict about keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Weights(PolicyModel):
    """How much each term of the score counts; 0 switches a term off."""

    priority: float = 1.0
    recency: float = 1.0
    region: float = 0.5
    section: float = 0.5
    source: float = 0.3
    length: float = 0.2
    freshness: float = 0.5
    variety: float = 0.5


class Limit(PolicyModel):
    """How many pieces of one kind, by one author or from one source the sections may or shall hold.

    ``at_least`` are wanted before anything else is chosen, while there are any; ``at_most`` None
    leaves it to ``per_author`` and ``per_source``.
    """

    kind: Line = ""
    author: Line = ""
    source: Line = ""
    at_most: int | None = Field(default=None, ge=0)
    at_least: int = Field(default=0, ge=0, le=30)

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        named = [name for name in ("kind", "author", "source") if getattr(self, name)]
        if len(named) != 1:
            raise ValueError("needs a kind, an author or a source, exactly one of them")
        if self.kind and self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r} is unknown; use one of {', '.join(KINDS)}")
        if self.at_most is None and not self.at_least:
            raise ValueError("limits nothing; give it at_most or at_least")
        if self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least} is more than at_most {self.at_most}")
        return self

    @property
    def subject(self) -> tuple[str, str]:
        """What is limited: kind, author or source, and its name."""
        what = "kind" if self.kind else "author" if self.author else "source"
        return what, getattr(self, what)


class SelectionPolicy(PolicyModel):
    """How articles are chosen; see docs/selection.md.

    ``region_quota`` and ``region_minimum`` are for a region's own block: what it has less than
    the minimum comes from further up its ladder.
    """

    half_life_days: float = Field(default=3.0, gt=0)
    window_days: int = Field(default=7, ge=1, le=366)
    per_author: int = Field(default=2, ge=1)
    per_source: int = Field(default=8, ge=1)
    region_quota: int = Field(default=3, ge=0, le=10)
    region_minimum: int = Field(default=1, ge=0, le=10)
    short_words: int = Field(default=120, ge=1)
    long_words: int = Field(default=1800, ge=1)
    limits: tuple[Limit, ...] = ()
    weights: Weights = Weights()

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.short_words > self.long_words:
            raise ValueError(
                f"short_words {self.short_words} is more than long_words {self.long_words}"
            )
        return self


class ApprovalPolicy(PolicyModel):
    """Who may approve, and what stops it: a second person, warnings as well as errors."""

    second_person: bool = False
    strict: bool = False


class RetryPolicy(PolicyModel):
    """When a deferred delivery is tried again, and when it is given up."""

    first_delay_minutes: float = Field(default=5, gt=0)
    factor: float = Field(default=2, ge=1)
    longest_delay_minutes: float = Field(default=240, gt=0)
    max_age_hours: float = Field(default=72, gt=0)
    in_doubt: Literal["resend", "hold"] = "resend"


class Theme(PolicyModel):
    """Colours of the light and the dark scheme, fonts, the logo, and how round corners are.

    The contrast of both schemes is checked before an issue is approved. ``font`` sets what is
    read, ``heading_font`` titles and headlines ("" is the same), ``small_font`` labels and fine
    print. ``radius`` rounds pictures and panels, ``button_radius`` buttons, in pixels.
    """

    accent: Colour = "#9c2a1f"
    accent_dark: Colour = "#f0a598"
    ink: Colour = "#1d1b19"
    paper: Colour = "#fbf8f3"
    ink_dark: Colour = "#ece7e1"
    paper_dark: Colour = "#1c1a18"
    font: FontList = "Georgia, 'Times New Roman', serif"
    heading_font: FontList = ""
    small_font: FontList = "Helvetica, Arial, sans-serif"
    radius: int = Field(default=3, ge=0, le=24)
    button_radius: int = Field(default=3, ge=0, le=32)
    logo: str = ""
    logo_alt: Line = ""


class Support(PolicyModel):
    """The appeal at the end of an edition; no title, no appeal."""

    title: Line = ""
    text: str = ""
    label: Line = ""
    url: WebAddress = ""


class DomainLimits(PolicyModel):
    """What some recipient domains are given: messages a second and at once; 0 is no limit."""

    domains: tuple[Domain, ...] = Field(min_length=1)
    per_second: float = Field(default=0, ge=0)
    at_once: int = Field(default=0, ge=0)


class WarmUpPlan(PolicyModel):
    """A new sender's daily ceiling: ``first_day`` messages, then ``growth`` times as many a day.

    Without ``starts_on`` there is no ceiling.
    """

    starts_on: date | None = None
    first_day: int = Field(default=500, ge=1)
    growth: float = Field(default=1.5, gt=1, le=10)


class Sending(PolicyModel):
    """How hard recipients' providers may be pressed; ``domain_at_once`` 0 leaves it to the mailer.

    Domains that are not named share no limit; the mailer still gives a domain that defers less.
    """

    domain_at_once: int = Field(default=0, ge=0)
    limits: tuple[DomainLimits, ...] = ()
    warm_up: WarmUpPlan = WarmUpPlan()

    @model_validator(mode="after")
    def _domains_once(self) -> Self:
        names = [name for limit in self.limits for name in limit.domains]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"limits names {', '.join(twice)} twice; keep one")
        return self


class SignUpLimits(PolicyModel):
    """How many sign-ups an hour are taken, 0 for any number; more are answered and not kept.

    ``per_network`` is one IPv4 address or one IPv6 /64, ``per_domain`` a mail domain.
    """

    per_network: int = Field(default=60, ge=0)
    per_address: int = Field(default=5, ge=0)
    per_domain: int = Field(default=1200, ge=0)
    overall: int = Field(default=20_000, ge=0)


class AudiencePolicy(PolicyModel):
    """How readers join, and how long what is known of them is kept.

    ``keeps_network_address``: the address a sign-up came from is kept with the consent.
    ``confirm_days``: how long a confirmation's link works. ``pending_days``: who has not confirmed
    by then is forgotten. ``ledger_days``: deliveries older than that become totals.
    ``reader_time_zones``: a reader's field ``time_zone`` decides at what instant it is their hour.
    """

    keeps_network_address: bool = False
    confirm_days: int = Field(default=7, ge=1, le=60)
    pending_days: int = Field(default=30, ge=1, le=366)
    ledger_days: int = Field(default=400, ge=30)
    longest_pause_weeks: int = Field(default=12, ge=0, le=52)
    reader_time_zones: bool = False
    limits: SignUpLimits = SignUpLimits()
