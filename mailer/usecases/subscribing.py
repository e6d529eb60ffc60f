"""Lists of feeds in and out of ``publication.toml``, whose comments and order stay as they are.

New sources are written as tables at the end of the ones that are there. The file is written whole
beside itself and moved into place, only after the result was read as a publication. What it was
before is kept under ``var/``, and ``undo_import`` puts that back, unless somebody changed the file
since.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mailer.app import App
from mailer.articles.fetching import Fetcher
from mailer.articles.opml import Subscriptions, read_opml, write_opml
from mailer.articles.visit import Visit, visit
from mailer.articles.visiting import SourceState
from mailer.errors import ConfigurationError, Fault, IllegalTransition, InvalidInput, NotFound
from mailer.publication import FILE_NAME, load_publication
from mailer.sources import Source, source_key
from mailer.usecases.sourcing import Progress, named

KEPT = "var/sources-import.json"
MAX_OPML_BYTES = 5_000_000
_HEADER = re.compile(r"\s*\[\[?\s*[\w.\"'-]+\s*\]\]?")
_SOURCES = re.compile(r"\s*\[\[\s*sources\s*\]\]")


def read_list(app: App, path: Path) -> tuple[Subscriptions, list[Source]]:
    """Read an OPML file: what it names, and those that the publication has not got yet.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it cannot be used.
    """
    if not path.is_file():
        raise NotFound(Fault("is missing", where=str(path), remedy="check the name"))
    if path.stat().st_size > MAX_OPML_BYTES:
        raise InvalidInput(Fault(f"is over {MAX_OPML_BYTES:,} bytes large", where=str(path)))
    listed = read_opml(path.read_bytes(), where=str(path))
    places = {source.place for source in app.publication.sources}
    names = {source_key(source.name) for source in app.publication.sources}
    new = []
    for source in listed.sources:
        if source.place in places:
            continue
        name, number = source.name, 1
        while source_key(name) in names:
            number += 1
            name = f"{source.name[:70]} {number}"
        names.add(source_key(name))
        new.append(source.model_copy(update={"name": name}))
    return listed, new


def tables_of(sources: Sequence[Source]) -> str:
    """Return the TOML tables of sources, with what is not as usual."""
    tables = []
    for source in sources:
        told = source.model_dump(exclude_defaults=True) | {"name": source.name}
        lines = [f"{key} = {_toml(told[key])}" for key in Source.model_fields if key in told]
        tables.append("\n".join(["[[sources]]", *lines]) + "\n")
    return "\n".join(tables)


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    if isinstance(value, str):
        # JSON's strings are TOML's, but for what TOML wants escaped besides.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return json.dumps(value)


def add_sources(app: App, sources: Sequence[Source]) -> None:
    """Write sources into ``publication.toml``, and keep what it was before.

    Raises:
        ConfigurationError: the result would not be a publication; nothing was written.
        InvalidInput: the file is written in a way that leaves no place; nothing was written.
    """
    path = app.root / FILE_NAME
    before = path.read_bytes().decode("utf-8")
    after = _inserted(before, tables_of(sources)).encode("utf-8")
    if _read_checked(app.root, after) != [*app.publication.sources, *sources]:
        raise InvalidInput(
            Fault(
                "has its sources in a form that leaves no place for more",
                where=str(path),
                remedy="add what `mailer sources import FILE --dry-run` prints by hand",
            )
        )
    kept = {"before": before, "after": hashlib.sha256(after).hexdigest()}
    (app.root / KEPT).parent.mkdir(exist_ok=True)
    _replace(app.root / KEPT, json.dumps(kept).encode("utf-8"))
    _replace(path, after)


def undo_import(root: Path) -> None:
    """Put back what ``publication.toml`` was before the last import.

    Raises:
        IllegalTransition: nothing was imported, or the file was changed since.
    """
    kept, path = root / KEPT, root / FILE_NAME
    if not kept.is_file():
        raise IllegalTransition(
            Fault("there is no import to undo", where=str(path), remedy="edit the file")
        )
    told = json.loads(kept.read_text(encoding="utf-8"))
    if hashlib.sha256(path.read_bytes()).hexdigest() != told["after"]:
        raise IllegalTransition(
            Fault(
                "was changed since the import, and the change would be lost",
                where=str(path),
                remedy="take the [[sources]] tables out by hand",
            )
        )
    _replace(path, told["before"].encode("utf-8"))
    kept.unlink()


def _inserted(text: str, tables: str) -> str:
    """Return the file with tables after its last source, else at its end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    headers = [n for n, line in enumerate(lines) if _HEADER.match(line)]
    sources = [n for n in headers if _SOURCES.match(lines[n])]
    if not sources:
        return text.rstrip() + newline * 2 + tables.replace("\n", newline)
    after = next((n for n in headers if n > sources[-1]), len(lines))
    # What stands in comments above the next table belongs to that one.
    while after > sources[-1] + 1 and re.match(r"\s*(#.*)?$", lines[after - 1].rstrip()):
        after -= 1
    added = newline + tables.replace("\n", newline)
    head = "".join(lines[:after])
    return (head if head.endswith("\n") else head + newline) + added + "".join(lines[after:])


def _read_checked(root: Path, content: bytes) -> list[Source]:
    """Read a new file as a publication beside the regions' files; return its sources."""
    with tempfile.TemporaryDirectory(prefix=".mailer-import-", dir=root) as scratch:
        trial = Path(scratch)
        (trial / FILE_NAME).write_bytes(content)
        (trial / "subscribers").symlink_to(root / "subscribers", target_is_directory=True)
        try:
            return list(load_publication(trial).sources)
        except ConfigurationError as error:
            raise ConfigurationError(
                Fault(fault.problem, str(root / FILE_NAME), fault.line, fault.field, fault.remedy)
                for fault in error.faults
            ) from None


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=".mailer-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        Path(name).chmod(mode)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def export(app: App) -> str:
    """Return the publication's feeds as OPML."""
    return write_opml(app.publication.title, app.publication.sources)


def check_sources(
    app: App, names: Sequence[str] = (), *, progress: Progress | None = None
) -> list[Visit]:
    """Visit sources as if for the first time, and keep nothing of it.

    Raises:
        NotFound: a name that there is not.
    """
    sources = named(app, names) if names else list(app.publication.sources)
    desk = app.ingest_policy()
    fetcher: Fetcher = app.fetcher()
    visits = []
    try:
        for done, source in enumerate(sources, 1):
            visits.append(visit(source, SourceState(source.place), desk=desk, fetcher=fetcher))
            if progress is not None:
                progress(done, len(sources))
    finally:
        fetcher.close()
    return visits
