"""The publication: ``publication.toml`` and its regions' ``subscribers/<region>.toml``.

Everything that is the publisher's to decide and may stand in git is here; secrets and machines
are in ``settings``. Loading reads every file and reports every fault at once with file, line and
key. What is only needed to send (postal address, From) may be empty, so that a new publication
can be previewed; ``faults_before_sending`` says what is missing then.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from mailer.checked import (
    SLUG,
    ClockTime,
    Domain,
    LanguageTag,
    Line,
    MailAddress,
    Slug,
    WebAddress,
    ZoneName,
    zone,
)
from mailer.errors import ConfigurationError, Fault, InvalidInput
from mailer.policies import (
    ApprovalPolicy,
    AudiencePolicy,
    PolicyModel,
    RetryPolicy,
    SelectionPolicy,
    Sending,
    Support,
    Theme,
)
from mailer.segment import read_segment, wrong_region
from mailer.sources import Source, sources_twice, unknown_names
from mailer.timetable import Column, Schedule
from mailer.tomlfile import faults_of, find_line, read_toml

FILE_NAME = "publication.toml"


def _narrowing(value: str) -> str:
    if value:
        try:
            read_segment(value)
        except InvalidInput as error:
            raise ValueError(str(error)) from None
    return value


Narrowing = Annotated[str, AfterValidator(_narrowing)]
"""An expression over readers, or "" for all of them."""


class Section(PolicyModel):
    """A named part of an issue: at most ``quota`` stories; ``minimum`` is wanted, not forced.

    Articles that name no section may fill one with ``takes_any``; ``kinds`` narrows a section to
    some kinds of article. ``look`` says how its stories are drawn.
    """

    slug: Slug
    title: Line
    quota: int = Field(ge=1, le=30)
    minimum: int = Field(default=0, ge=0)
    kinds: tuple[str, ...] = ()
    takes_any: bool = False
    needs_picture: bool = False
    look: Literal["stories", "list"] = "stories"

    @model_validator(mode="after")
    def _minimum_fits(self) -> Self:
        if self.minimum > self.quota:
            raise ValueError(
                f"minimum {self.minimum} is more than quota {self.quota}; make them agree"
            )
        return self


class Region(PolicyModel):
    """An audience with its own list, reply address, time zone and fallback parent.

    ``language``, ``time_zone`` and ``send_time`` fall back to the publication's. ``places`` are
    names found in articles that mean this region; ``postcodes`` are beginnings of its postcodes, by
    which the page for joining proposes it; ``where`` narrows the list to some of its
    readers (see ``segment``).
    """

    slug: Slug
    name: Line
    list_id: Line
    reply_to: MailAddress
    parent: str = ""
    time_zone: ZoneName
    send_time: ClockTime | None = None
    language: LanguageTag = ""
    group_contact: MailAddress = ""
    places: tuple[str, ...] = ()
    postcodes: tuple[Line, ...] = ()
    where: Narrowing = ""

    @model_validator(mode="after")
    def _list_id_is_a_domain(self) -> Self:
        if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", self.list_id):
            raise ValueError(
                f"list_id {self.list_id!r} is not RFC 2919's form; write name.domain such as "
                "wales.briefing.example"
            )
        return self


class _PublicationFile(PolicyModel):
    """What ``publication.toml`` may say."""

    title: Annotated[Line, Field(min_length=1)]
    tagline: Line = ""
    publisher: Line = ""
    postal_address: Line = ""
    website: WebAddress = ""
    contact: MailAddress = ""
    alerts_to: MailAddress = ""
    editors: tuple[MailAddress, ...] = ()
    from_name: Line = ""
    from_address: MailAddress = ""
    bounce_domain: Domain = ""
    why_you_get_this: Line = "You asked for this briefing on our website."
    columnist: Line = ""
    column_title: Line = "This week"
    first_number: int = Field(default=1, ge=1)
    language: LanguageTag = Field(default="en", min_length=2)
    time_zone: ZoneName
    regions: tuple[Slug, ...] = Field(min_length=1)
    sections: tuple[Section, ...] = Field(min_length=1)
    sources: tuple[Source, ...] = ()
    templates: Slug = "briefing"
    schedule: Schedule = Schedule()
    column: Column = Column()
    selection: SelectionPolicy = SelectionPolicy()
    approval: ApprovalPolicy = ApprovalPolicy()
    retry: RetryPolicy = RetryPolicy()
    sending: Sending = Sending()
    audience: AudiencePolicy = AudiencePolicy()
    theme: Theme = Theme()
    support: Support = Support()

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        for what, names in (
            ("regions", self.regions),
            ("sections", tuple(section.slug for section in self.sections)),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what} names {', '.join(twice)} twice; keep one")
        trouble = sources_twice(self.sources) or unknown_names(
            self.sources,
            sections=[section.slug for section in self.sections],
            regions=self.regions,
        )
        if trouble:
            raise ValueError(trouble)
        return self


class Publication(_PublicationFile):
    """A loaded publication: its own file, its folder and its regions by slug, in order."""

    root: Path
    region_map: dict[str, Region]
    substitute: str = ""
    """What stands in for a column that was not filed, in Markdown."""

    def region(self, slug: str) -> Region:
        """Return a region; raises KeyError for an unknown slug."""
        return self.region_map[slug]

    def send_time(self, region: Region) -> time:
        """Return the region's local time of sending."""
        return region.send_time or self.schedule.send_time

    def ladder(self, slug: str) -> tuple[str, ...]:
        """Return the region and its parents, nearest first."""
        steps: list[str] = []
        while slug and slug not in steps:
            steps.append(slug)
            slug = self.region_map[slug].parent
        return tuple(steps)

    def faults_before_sending(self) -> list[Fault]:
        """Say what is missing before anything may be sent; empty when all is there."""
        where = str(self.root / FILE_NAME)
        needed = {
            "postal_address": "the law wants a postal address in every mail",
            "publisher": "a reader must be told who publishes",
            "from_name": "a mail needs a From name",
            "from_address": "a mail needs a From address",
        }
        faults = [
            Fault(f"is empty: {why}", where=where, field=key, remedy="fill it in; then send")
            for key, why in needed.items()
            if not getattr(self, key)
        ]
        author = self.from_address.rpartition("@")[2]
        if author and self.bounce_domain and not are_aligned(author, self.bounce_domain):
            faults.append(
                Fault(
                    f"{self.bounce_domain} does not belong to From's {author}: SPF would pass for "
                    "a stranger, and DMARC fail",
                    where=where,
                    field="bounce_domain",
                    remedy=f"use a name such as bounce.{organisation(author)}",
                )
            )
        return faults


_LABELS_FOR_ALL = frozenset(
    {"ac", "co", "com", "edu", "gov", "ltd", "me", "net", "or", "org", "plc"}
)
"""Second labels under which anybody registers a name in many countries: co.uk, com.au, or.jp."""


def organisation(domain: str) -> str:
    """Return the organisation's own domain: the last two labels, or three as in lantern.co.uk.

    Source: RFC 7489 section 3.2 asks for a list of public suffixes, which changes every week;
    this short rule stands for it. A domain under a private suffix counts as the suffix's.
    """
    name = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    labels = name.lower().split(".")
    is_shared = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _LABELS_FOR_ALL
    return ".".join(labels[-3:] if is_shared else labels[-2:])


def are_aligned(author: str, envelope: str) -> bool:
    """Say whether two domains are one organisation's, in DMARC's relaxed sense."""
    return organisation(author) == organisation(envelope)


def load_publication(root: Path) -> Publication:
    """Read ``publication.toml`` and every region's file under ``root``.

    Raises:
        ConfigurationError: with every fault of every file.
    """
    path = root / FILE_NAME
    faults: list[Fault] = []
    data, text = read_toml(path)
    settings: _PublicationFile | None = None
    try:
        settings = _PublicationFile.model_validate(data)
    except ValidationError as error:
        faults.extend(faults_of(error, where=str(path), text=text))
    named = data.get("regions")
    slugs = [each for each in named if _is_slug(each)] if isinstance(named, list) else []
    regions: dict[str, Region] = {}
    for slug in slugs:
        region_path = root / "subscribers" / f"{slug}.toml"
        try:
            region_data, region_text = read_toml(region_path)
            defaults = {"slug": slug, "time_zone": _zone_or_utc(data.get("time_zone"))}
            regions[slug] = Region.model_validate(defaults | region_data)
        except ConfigurationError as error:
            faults.extend(error.faults)
            continue
        except ValidationError as error:
            faults.extend(faults_of(error, where=str(region_path), text=region_text))
            continue
        if regions[slug].slug != slug:
            faults.append(
                Fault(
                    f"is {regions[slug].slug!r} but the file is named {slug}.toml",
                    where=str(region_path),
                    line=find_line(region_text, ["slug"]),
                    field="slug",
                    remedy="make them the same",
                )
            )
            # The checks below know a region by its file.
            regions[slug] = regions[slug].model_copy(update={"slug": slug})
    faults.extend(_ladder_faults(root, regions, slugs))
    faults.extend(_duplicate_list_ids(root, regions))
    faults.extend(_where_faults(root, regions, slugs))
    substitute = ""
    if settings is not None and settings.column.substitute:
        try:
            substitute = _substitute(root, settings.column.substitute)
        except ValueError as error:
            problem, _, remedy = str(error).partition("; ")
            line = find_line(text, ["column", "substitute"])
            faults.append(Fault(problem, str(path), line, "column.substitute", remedy))
    if faults or settings is None:
        raise ConfigurationError(faults)
    return Publication(root=root, region_map=regions, substitute=substitute, **dict(settings))


def _substitute(root: Path, name: str) -> str:
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise ValueError(f"{name} is outside the publication's folder; put the file into it")
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"{name} cannot be read as UTF-8; write the text there") from None
    if not text:
        raise ValueError(f"{name} is empty; write what stands in for the column")
    return text


def _is_slug(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(SLUG, value) is not None


def _zone_or_utc(name: object) -> str:
    # A bad zone of the publication is one fault, not one more for each region that inherits it.
    try:
        return zone(name) if isinstance(name, str) else "UTC"
    except ValueError:
        return "UTC"


def _ladder_faults(root: Path, regions: dict[str, Region], named: Collection[str]) -> list[Fault]:
    faults = []
    on_circles: set[str] = set()
    for region in regions.values():
        where = str(root / "subscribers" / f"{region.slug}.toml")
        # A parent whose own file is at fault is named there, not once more for each child.
        if region.parent and region.parent not in named:
            faults.append(
                Fault(
                    f"{region.parent!r} is not a region of the publication",
                    where=where,
                    field="parent",
                    remedy=f"use one of {', '.join(named)} or leave it out",
                )
            )
            continue
        steps = [region.slug]
        while (parent := regions[steps[-1]].parent) in regions and parent not in steps:
            steps.append(parent)
        if parent == region.slug and region.slug not in on_circles:
            on_circles.update(steps)
            faults.append(
                Fault(
                    f"goes in a circle: {' > '.join([*steps, parent])}",
                    where=where,
                    field="parent",
                    remedy="let one of them have no parent",
                )
            )
    return faults


def _duplicate_list_ids(root: Path, regions: dict[str, Region]) -> list[Fault]:
    first: dict[str, str] = {}
    faults = []
    for region in regions.values():
        other = first.setdefault(region.list_id, region.slug)
        if other != region.slug:
            faults.append(
                Fault(
                    f"{region.list_id!r} is {other}'s already",
                    where=str(root / "subscribers" / f"{region.slug}.toml"),
                    field="list_id",
                    remedy="a list has a List-Id of its own",
                )
            )
    return faults


def _where_faults(root: Path, regions: dict[str, Region], named: Collection[str]) -> list[Fault]:
    faults = []
    for region in regions.values():
        error = wrong_region(read_segment(region.where), tuple(named)) if region.where else None
        if error is not None:
            where = str(root / "subscribers" / f"{region.slug}.toml")
            (fault,) = error.faults
            faults.append(Fault(fault.problem, where=where, field="where", remedy=fault.remedy))
    return faults
