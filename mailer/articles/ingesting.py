"""Taking files in: read each, keep each, report all.

A bad file is reported with file and line and never stops the others. A folder stands for the
files in it that can be read, in order of name; hidden ones, a README and other kinds are passed
over. A link in it that cannot be followed is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mailer.articles.article import Article, Flag, Picture
from mailer.articles.confidence import confidence
from mailer.articles.files import SUFFIXES, read_document
from mailer.articles.intake import IngestPolicy
from mailer.articles.library import KeptReport, Library
from mailer.articles.rulings import Ruling, apply
from mailer.errors import Fault, MailerError, StorageFailed

if TYPE_CHECKING:
    # Fetching costs time to import; files need none of it.
    from mailer.articles.polling import SourceReport


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file, or of the page at an address: kept, or its faults."""

    path: Path | str
    kept: KeptReport | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of every file and source, in the order they were read.

    Dates are of ``time_zone``. A page of the web is reported like a file.
    """

    files: tuple[FileReport, ...] = ()
    time_zone: str = "UTC"
    sources: tuple[SourceReport, ...] = ()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Every fault of every file and source, in order."""
        return (
            *(fault for file in self.files for fault in file.faults),
            *(source.fault for source in self.sources if source.fault),
        )

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """What stands in a file that was taken in, and has no effect."""
        kept = [file.kept for file in self.files if file.kept]
        return tuple(warning for report in kept for warning in report.document.warnings)

    def to_data(self) -> dict[str, Any]:
        """Return plain data for ``--json``: dates in ISO form, everything by name."""
        kept = [file.kept for file in self.files if file.kept]
        statuses = {name: status for report in kept for name, status in report.statuses}
        return {
            "articles": [
                _article_data(article, statuses[article.id], ZoneInfo(self.time_zone))
                for report in kept
                for article in report.document.articles
            ],
            "directory": [
                {
                    "name": entry.name,
                    "address": entry.address,
                    "phone": entry.phone,
                    "region": entry.region,
                    "origin": report.document.origin,
                }
                for report in kept
                for entry in report.document.directory
            ],
            "diary": [
                {
                    "id": entry.id,
                    "title": entry.title,
                    "date": entry.on.isoformat(),
                    "time": entry.at.strftime("%H:%M") if entry.at else "",
                    "place": entry.place,
                    "url": entry.url,
                    "regions": list(entry.regions),
                    "article": entry.article_id,
                    "flags": _flags(entry.flags),
                    "origin": report.document.origin,
                }
                for report in kept
                for entry in report.document.diary
            ],
            "adverts": [
                {"title": advert.title, "text": advert.text, "origin": report.document.origin}
                for report in kept
                for advert in report.document.adverts
            ],
            "documents": [
                {
                    "origin": report.document.origin,
                    "articles": [article.id for article in report.document.articles],
                    "stale": list(report.stale),
                    "flags": _flags(report.document.flags),
                }
                for report in kept
            ],
            "sources": [source.to_data() for source in self.sources],
            "warnings": [_fault(warning) for warning in self.warnings],
            "faults": [_fault(fault) for fault in self.faults],
        }


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "where": fault.where,
        "line": fault.line,
        "field": fault.field,
        "problem": fault.problem,
        "remedy": fault.remedy,
    }


def _flags(flags: Sequence[Flag]) -> list[dict[str, str]]:
    return [{"code": flag.code, "note": flag.note} for flag in flags]


def _picture(picture: Picture) -> dict[str, str | None]:
    return {
        "src": picture.src,
        "alt": picture.alt,
        "caption": picture.caption,
        "credit": picture.credit,
        "licence": picture.licence,
    }


def _article_data(article: Article, status: str, zone: ZoneInfo) -> dict[str, Any]:
    published = article.published_at.astimezone(zone) if article.published_at else None
    return {
        "id": article.id,
        "title": article.title,
        "authors": list(article.authors),
        "author_note": article.author_note,
        "kind": article.kind.value,
        "standfirst": article.standfirst,
        "published_at": article.published_at.isoformat() if article.published_at else None,
        "date": published.date().isoformat() if published else None,
        "deadline": article.deadline.isoformat() if article.deadline else None,
        "section": article.section,
        "regions": list(article.regions),
        "tags": list(article.tags),
        "parts": list(article.parts),
        "priority": article.priority,
        "picture": _picture(article.picture) if article.picture else None,
        "credits": [_picture(picture) for picture in article.credits],
        "url": article.url,
        "source": article.source,
        "origin": article.origin,
        "is_draft": article.is_draft,
        "words": article.word_count,
        "quotes": list(article.quotes),
        "joins": list(article.joins),
        "confidence": confidence(article.flags),
        "flags": _flags(article.flags),
        "status": status,
    }


class Ingest:
    """Reads files into the library; ``policy`` and ``rulings`` are asked afresh for every run."""

    def __init__(
        self,
        library: Library,
        policy: Callable[[], IngestPolicy],
        rulings: Callable[[], Sequence[Ruling]] = tuple,
    ) -> None:
        self._library = library
        self._policy = policy
        self._rulings = rulings

    def files(
        self, paths: Sequence[Path], *, progress: Callable[[int, int], None] | None = None
    ) -> IngestReport:
        """Take files and folders in.

        Args:
            paths: in any order; a file named twice is read once.
            progress: told how many are done, and of how many.
        Returns:
            One report a file; a file that cannot be used has faults and changed nothing.
        Raises:
            StorageFailed: the database cannot be written; files before it are kept.
        """
        found = expand(paths)
        desk = self._policy()
        rulings = self._rulings()
        reports = []
        for done, path in enumerate(found, 1):
            reports.append(self._file(path, desk, rulings))
            if progress is not None:
                progress(done, len(found))
        return IngestReport(tuple(reports), desk.time_zone)

    def _file(self, path: Path, desk: IngestPolicy, rulings: Sequence[Ruling]) -> FileReport:
        try:
            ruled = apply(read_document(path, desk=desk), rulings)
            kept = self._library.keep(ruled.document)
            return FileReport(path, self._without_removed(kept, ruled.removed))
        except StorageFailed:
            raise
        except MailerError as error:
            return FileReport(path, faults=error.faults)

    def _without_removed(self, kept: KeptReport, removed: Sequence[Article]) -> KeptReport:
        """Take out what the file gave before an editor ruled that it is no article."""
        hashes = {article.content_hash for article in removed}
        gone = {name for name in kept.stale if self._library.article(name).content_hash in hashes}
        for name in gone:
            self._library.remove(name)
        return replace(kept, stale=tuple(name for name in kept.stale if name not in gone))


def expand(paths: Sequence[Path]) -> list[Path]:
    """Return the files that paths name, each once; a folder stands for the readable ones in it."""
    found: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            found[path] = None
            continue
        for inner in sorted(path.rglob("*")):
            is_hidden = any(part.startswith(".") for part in inner.relative_to(path).parts)
            # A README describes its folder; it is nobody's article.
            is_passed_over = is_hidden or inner.stem.lower() == "readme"
            if is_passed_over:
                continue
            # A link is looked at where it is read, and said there if it leads to nothing.
            is_link = inner.is_symlink()
            is_readable = inner.suffix.lower() in SUFFIXES and (is_link or inner.is_file())
            if is_readable or (is_link and inner.is_dir()):
                found[inner] = None
    return list(found)
