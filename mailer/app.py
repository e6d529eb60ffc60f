"""The composition root: settings and publication in, wired services out; the only place that wires.

An ``App`` opens nothing until it is asked for: ``mailer regions`` needs no relay, ``mailer
preview`` no secret. Whoever opened it closes it (``with open_app(...) as app``).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mailer.clock import SystemClock
from mailer.errors import ConfigurationError, Fault, NotFound
from mailer.once import once
from mailer.publication import Publication, Region, load_publication
from mailer.settings import Settings, load_settings
from mailer.whereabouts import find_root

if TYPE_CHECKING:
    # Each stage costs time to import; a command pays only for those it uses.
    from mailer.articles.datebook import Datebook
    from mailer.articles.fetching import Fetcher
    from mailer.articles.ingesting import Ingest
    from mailer.articles.intake import IngestPolicy
    from mailer.articles.library import Library
    from mailer.articles.placing import Placer
    from mailer.articles.polling import Polling
    from mailer.audience.confirmations import Confirmations
    from mailer.audience.erasure import Pepper
    from mailer.audience.outbox import Outbox
    from mailer.audience.preferences import Preferences
    from mailer.audience.register import Register
    from mailer.audience.roster import Rosters
    from mailer.audience.signups import SignUps
    from mailer.audience.tokens import Tokens
    from mailer.clock import Clock
    from mailer.delivery.dkim import DkimSigner
    from mailer.delivery.ledger import Ledger
    from mailer.editions.templates import TemplateSet
    from mailer.hook import Hook
    from mailer.inbox.store import Store
    from mailer.issues.amending import Amendments
    from mailer.issues.approving import Approvals
    from mailer.issues.archive import Archive
    from mailer.issues.correcting import Corrections
    from mailer.issues.desk import Desk
    from mailer.relays import Relays
    from mailer.storage.database import Database

PREVIEW_URL = "https://preview.example"
"""Stands for the readers' web address while none is set."""


def open_app(folder: Path | None = None, *, settings: Settings | None = None) -> App:
    """Read the publication and the settings, and wire what they ask for.

    Raises:
        ConfigurationError: with the faults of both.
    """
    root = find_root(folder)
    faults: list[Fault] = []
    publication: Publication | None = None
    try:
        settings = settings or load_settings(root)
    except ConfigurationError as error:
        faults.extend(error.faults)
    try:
        publication = load_publication(root)
    except ConfigurationError as error:
        faults.extend(error.faults)
    if publication is None or settings is None:
        raise ConfigurationError(faults)
    return App(root, publication, settings)


class App:
    """A publication with its services."""

    def __init__(self, root: Path, publication: Publication, settings: Settings) -> None:
        self.root = root
        self.publication = publication
        self.settings = settings
        # Addresses that gave no picture: when they were asked, by the monotonic clock, and why not.
        self.pictures_not_had: dict[str, tuple[float, str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if "hook" in self.__dict__:
            self.hook.close()
        if "database" in self.__dict__:
            self.database.close()

    @property
    def web_url(self) -> str:
        """The readers' web address, or a stand-in for previews."""
        return self.settings.web_url or PREVIEW_URL

    @property
    def time_zone(self) -> str:
        """The zone of dates without one: the machine's setting, else the publication's."""
        return self.settings.time_zone or self.publication.time_zone

    @property
    def images(self) -> Path:
        """Where the prepared pictures lie."""
        return self.root / "var" / "images"

    def region(self, slug: str) -> Region:
        """Return a region.

        Raises:
            NotFound: there is none of that name; says which there are.
        """
        try:
            return self.publication.region_map[slug]
        except KeyError:
            known = ", ".join(self.publication.region_map)
            raise NotFound(
                Fault(f"there is no region {slug!r}", remedy=f"use one of {known}")
            ) from None

    def regions(self, slugs: list[str] | None) -> list[Region]:
        """Return the named regions, or all, in the publication's order."""
        if slugs is None:
            return list(self.publication.region_map.values())
        wanted = {self.region(slug).slug for slug in slugs}
        return [r for r in self.publication.region_map.values() if r.slug in wanted]

    def faults_before_sending(self) -> list[Fault]:
        """Say what stands in the way of sending."""
        faults = [
            *self.publication.faults_before_sending(),
            *self.settings.faults_before_sending(),
        ]
        if not faults:
            try:
                _ = self.signer
            except ConfigurationError as error:
                faults.extend(error.faults)
        return faults

    @once
    def clock(self) -> Clock:
        return self.settings.clock()

    @once
    def database(self) -> Database:
        from mailer.storage.database import open_database

        return open_database(self.settings.database_url, root=self.root)

    @once
    def archive(self) -> Archive:
        from mailer.issues.archive import Archive

        return Archive(self.database, self.clock)

    @once
    def library(self) -> Library:
        from mailer.articles.library import Library

        return Library(self.database, self.clock, self.placer)

    @once
    def placer(self) -> Placer:
        from mailer.articles.placing import Placer

        return Placer({r.slug: (r.name, *r.places) for r in self.regions(None)})

    @once
    def datebook(self) -> Datebook:
        from mailer.articles.datebook import Datebook

        return Datebook(self.database, self.clock)

    @once
    def ingest(self) -> Ingest:
        from mailer.articles.ingesting import Ingest
        from mailer.articles.review_file import read_rulings

        return Ingest(self.library, self.ingest_policy, lambda: read_rulings(self.review_path))

    @property
    def review_path(self) -> Path:
        """Where editors' rulings about what was read are kept."""
        return self.root / "articles" / "review.toml"

    def ingest_policy(self) -> IngestPolicy:
        """Return how documents are read now."""
        from mailer.articles.intake import IngestPolicy

        return IngestPolicy(
            now=self.clock.now(),
            time_zone=self.time_zone,
            root=self.root,
            regions={r.slug: (r.name, *r.places) for r in self.regions(None)},
            sections=tuple(section.slug for section in self.publication.sections),
        )

    def fetcher(self) -> Fetcher:
        """Return what fetches from the web; who asked for it closes it."""
        from mailer.articles.destinations import read_networks
        from mailer.articles.fetching import Fetcher, FetchPolicy

        about = f" (+{self.publication.website})" if self.publication.website else ""
        policy = FetchPolicy(
            user_agent=f"briefing-mailer{about}".encode("ascii", "ignore").decode(),
            allowed=read_networks(self.settings.fetch_allow),
        )
        # Networks take real time, in a rehearsal too.
        return Fetcher(policy, SystemClock())

    @once
    def polling(self) -> Polling:
        from mailer.articles.polling import Polling

        return Polling(self.database, self.library, self.ingest_policy, self.fetcher)

    @once
    def desk(self) -> Desk:
        from mailer.issues.desk import Desk

        return Desk(self.root, self.publication, self.archive, self.library, self.clock)

    @once
    def approvals(self) -> Approvals:
        from mailer.issues.approving import Approvals

        return Approvals(self.desk, self.publication, self.archive)

    @once
    def amendments(self) -> Amendments:
        from mailer.issues.amending import Amendments

        return Amendments(self.database, self.archive, self.clock)

    @once
    def corrections(self) -> Corrections:
        from mailer.issues.correcting import Corrections

        return Corrections(self.root, self.publication, self.archive, self.clock)

    @once
    def rosters(self) -> Rosters:
        from mailer.audience.roster import Rosters, digest_with

        return Rosters(
            self.database,
            self.clock,
            self.publication.region_map,
            digest_of=partial(digest_with, self.pepper),
        )

    @once
    def register(self) -> Register:
        from mailer.audience.erasure import erased_among
        from mailer.audience.register import Register

        erased = partial(erased_among, pepper=self.pepper)
        return Register(self.database, self.clock, self.publication.region_map, erased)

    @once
    def tokens(self) -> Tokens:
        from mailer.audience.tokens import Tokens

        secret, *retired = self.settings.secrets()
        return Tokens(secret, retired=retired)

    @once
    def pepper(self) -> Pepper:
        from mailer.audience.erasure import Pepper

        return Pepper(self.settings.secrets())

    @once
    def sign_ups(self) -> SignUps:
        from mailer.audience.erasure import erased_among
        from mailer.audience.signups import SignUps

        return SignUps(
            self.database,
            self.clock,
            tokens=self.tokens,
            regions=self.publication.region_map,
            policy=self.publication.audience,
            erased=partial(erased_among, pepper=self.pepper),
        )

    @once
    def confirmations(self) -> Confirmations:
        from mailer.audience.confirmations import Confirmations
        from mailer.audience.erasure import lift_erasure

        return Confirmations(
            self.database,
            self.clock,
            tokens=self.tokens,
            policy=self.publication.audience,
            lift=partial(lift_erasure, pepper=self.pepper),
        )

    @once
    def preferences(self) -> Preferences:
        from mailer.audience.preferences import Preferences

        return Preferences(
            self.database,
            self.clock,
            regions=self.publication.region_map,
            policy=self.publication.audience,
        )

    @once
    def outbox(self) -> Outbox:
        from mailer.audience.outbox import Outbox

        return Outbox(self.database, self.clock, self.tokens)

    @once
    def ledger(self) -> Ledger:
        from mailer.delivery.ledger import Ledger

        return Ledger(self.database, self.clock)

    @once
    def inbox(self) -> Store:
        from mailer.inbox.store import Store

        return Store(self.root / "var" / "inbox", self.clock)

    @once
    def templates(self) -> TemplateSet:
        return self.template_set("")

    def template_set(self, name: str, *, named_in: tuple[str, str] = ("", "")) -> TemplateSet:
        """Return a template set of the publication's; "" is the one it has chosen.

        Args:
            named_in: the file and the key that name it, for the message that there is none.
        """
        from mailer.editions.templates import load_templates

        return load_templates(
            name or self.publication.templates,
            override=self.root / "templates",
            named_in=named_in if name else ("publication.toml", "templates"),
        )

    @once
    def signer(self) -> DkimSigner | None:
        """The DKIM signer, or None where no key is set."""
        keys = self.settings.dkim_keys()
        if not keys:
            return None
        from mailer.delivery.dkim import load_signer

        return load_signer(
            self.publication.from_address.rpartition("@")[2],
            [(selector, self.root / path) for selector, path in keys],
        )

    @once
    def hook(self) -> Hook:
        from mailer.hook import Hook

        return Hook(self.settings, self.clock)

    @once
    def relays(self) -> Relays:
        from mailer.relays import Relays

        return Relays(self.settings)


def make_publication(directory: Path, *, force: bool = False) -> list[Path]:
    """Make a publication in a new or empty folder whose first issue is the coming Monday's.

    Args:
        directory: where.
        force: add only what is missing to a folder that holds something already.
    Returns:
        The files made.
    """
    import secrets

    from mailer.scaffold import scaffold

    clock = load_settings(None).clock()
    monday = coming_monday(clock.now())
    return scaffold(directory, monday=monday, secret=secrets.token_urlsafe(48), force=force)


def coming_monday(now: datetime) -> date:
    """Return today when it is Monday, else the next one, by the UTC date."""
    today = now.date()
    return today + timedelta(days=-today.weekday() % 7)
