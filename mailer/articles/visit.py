"""One visit to one source: asked if it has something new, read if it has.

``visit`` does what takes a network or a file and no database, so that many run side by side; its
``Visit`` holds what is to be kept. ``read_source`` turns bytes into a document and is all that
costs a processor; it can run in another process.

Conditional requests carry what the source gave the last time, unless the source's table in
publication.toml has changed since: then its articles are wanted again, with the new defaults.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mailer.articles.article import Document
from mailer.articles.fetching import Answer, Fetcher, Trouble
from mailer.articles.intake import IngestPolicy
from mailer.articles.newsitem import document_of
from mailer.articles.placing import placer_of
from mailer.articles.syndication import read_feed
from mailer.articles.traits import traits_of
from mailer.articles.visiting import SourceState, due_after_failure, due_after_success
from mailer.errors import Fault, InvalidInput
from mailer.sources import Source

Read = Callable[[bytes, str, str, Source, IngestPolicy], "Document | Fault"]
Status = Literal["read", "unchanged", "failed"]

MAX_FEED_BYTES = 5_000_000
_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"
)
_GIVES_UP_MOVE = 3


@dataclass(frozen=True, slots=True)
class Visit:
    """What a visit brought: a document when there is something to keep, a fault when it failed."""

    source: Source
    state: SourceState
    status: Status
    document: Document | None = None
    fault: Fault | None = None


def read_source(
    raw: bytes, content_type: str, url: str, source: Source, desk: IngestPolicy
) -> Document | Fault:
    """Return a feed's articles, or what is wrong with it."""
    try:
        return document_of(read_feed(raw, content_type=content_type, url=url), source, desk)
    except InvalidInput as error:
        return error.faults[0]


def read_ahead(
    raw: bytes, content_type: str, url: str, source: Source, desk: IngestPolicy
) -> Document | Fault:
    """Return what ``read_source`` does, with the traits of the articles.

    For a process of its own: the one that writes has more to do than those that read.
    """
    found = read_source(raw, content_type, url, source, desk)
    if isinstance(found, Fault):
        return found
    placer = placer_of(tuple(desk.regions.items()))
    return replace(found, traits=tuple(traits_of(article, placer) for article in found.articles))


def visit(
    source: Source,
    state: SourceState,
    *,
    desk: IngestPolicy,
    fetcher: Fetcher,
    read: Read = read_source,
) -> Visit:
    """Visit a source."""
    now = desk.now
    state = replace(state, asked_at=now)
    if source.file:
        return _of_file(source, state, desk, read)
    settings = _settings_hash(source)
    is_same = state.body_hash.startswith(settings)
    headers = {"If-None-Match": state.etag, "If-Modified-Since": state.last_modified}
    found = fetcher.fetch(
        state.moved_to or source.url,
        headers={name: value for name, value in headers.items() if value and is_same},
        accept=_ACCEPT,
    )
    if isinstance(found, Trouble):
        return _failed(source, state, desk, Fault(found.problem, remedy=_remedy(found)), found)
    due_at = due_after_success(source, found.headers, now)
    good = replace(
        state,
        moved_to=found.moved_to or state.moved_to,
        succeeded_at=now,
        due_at=due_at,
        failures=0,
        trouble="",
    )
    body_hash = settings + hashlib.sha256(found.body).hexdigest()[:48]
    if found.status == 304 or body_hash == state.body_hash:
        if not is_same:
            # Nothing was to come back for an unconditional request but the whole.
            return _failed(source, state, desk, Fault("answers 304 to a plain request"))
        return Visit(source, good, "unchanged")
    content_type = found.headers.get("content-type", "")
    document = _read(read, found.body, content_type, found.url, source, desk)
    if isinstance(document, Fault):
        return _failed(source, state, desk, document)
    return Visit(source, _remembered(good, found, body_hash, document), "read", document)


def _read(
    read: Read, raw: bytes, content_type: str, url: str, source: Source, desk: IngestPolicy
) -> Document | Fault:
    """Read a feed; where it meets a fault of ours, that is its own trouble and no other's."""
    try:
        return read(raw, content_type, url, source, desk)
    except (BrokenExecutor, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - one feed must not end the others
        problem = f"cannot be read, by a fault of the program ({type(error).__name__})"
        return Fault(problem, remedy="tell its developers, with the feed")


def _remembered(
    state: SourceState, found: Answer, body_hash: str, document: Document
) -> SourceState:
    return replace(
        state,
        etag=_header(found, "etag"),
        last_modified=_header(found, "last-modified"),
        body_hash=body_hash,
        items=len(document.articles),
    )


def _header(found: Answer, name: str) -> str:
    value = found.headers.get(name, "").strip()
    return value if len(value) <= 500 and value.isascii() and value.isprintable() else ""


def _of_file(source: Source, state: SourceState, desk: IngestPolicy, read: Read) -> Visit:
    where = str(desk.root / source.file)
    try:
        raw = _bytes_of(desk.root, source.file)
    except InvalidInput as error:
        return _failed(source, state, desk, error.faults[0])
    good = replace(state, succeeded_at=desk.now, failures=0, trouble="")
    body_hash = _settings_hash(source) + hashlib.sha256(raw).hexdigest()[:48]
    if body_hash == state.body_hash:
        return Visit(source, good, "unchanged")
    document = _read(read, raw, "", "", source, desk)
    if isinstance(document, Fault):
        return _failed(source, state, desk, replace(document, where=where))
    good = replace(good, body_hash=body_hash, items=len(document.articles))
    return Visit(source, good, "read", document)


def _bytes_of(root: Path, name: str) -> bytes:
    path = (root / name).resolve()
    where = str(root / name)
    if not path.is_relative_to(root.resolve()):
        raise InvalidInput(
            Fault("leads out of the publication's folder", where, remedy="move it in")
        )
    if not path.is_file():
        raise InvalidInput(Fault("is missing", where, remedy="put the feed there, or name its url"))
    try:
        if path.stat().st_size > MAX_FEED_BYTES:
            raise InvalidInput(Fault(f"is over {MAX_FEED_BYTES:,} bytes large", where))
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(Fault(f"cannot be read: {error.strerror}", where)) from None


def _failed(
    source: Source,
    state: SourceState,
    desk: IngestPolicy,
    fault: Fault,
    trouble: Trouble | None = None,
) -> Visit:
    failures = state.failures + 1
    due_at = (
        None
        if source.file
        else due_after_failure(
            source,
            desk.now,
            failures=failures,
            status=trouble.status if trouble else 0,
            retry_after_s=trouble.retry_after_s if trouble else None,
        )
    )
    moved_to = "" if failures >= _GIVES_UP_MOVE else state.moved_to
    place = f"{source.name} ({state.moved_to or source.place})"
    told = replace(fault, where=fault.where or place)
    bad = replace(
        state, failures=failures, due_at=due_at, trouble=fault.problem[:500], moved_to=moved_to
    )
    return Visit(source, bad, "failed", None, told)


def _remedy(trouble: Trouble) -> str:
    if trouble.code == "refused":
        return "use a public address; MAILER_FETCH_ALLOW opens networks of your own"
    if trouble.status in {404, 410}:
        return "look for the feed's new address, or set is_enabled = false"
    return "it is asked again later"


def _settings_hash(source: Source) -> str:
    told = source.model_dump_json(exclude={"every_minutes", "weight", "is_enabled"})
    return hashlib.sha256(told.encode()).hexdigest()[:16]
