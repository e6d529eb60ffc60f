"""Looking at an issue: its editions as files and on the light table, as readers who do not exist.

``lay_out`` renders one region and lays out its sheet; ``preview`` does so for all and writes
``index.html``, the page that has them all, beside each edition's HTML, text and message. Regions
are rendered one after the other: for fourteen of them two processes took longer than one, and
threads as long (docs/performance.md). A publication that cannot send yet (no From, say) has no
messages.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mailer import almanac
from mailer.app import App
from mailer.editions.edition import Edition, merge_html, merge_text
from mailer.editions.finding import Finding, Level
from mailer.editions.guises import Guise
from mailer.editions.preview import sample_fields, write_preview, write_whole
from mailer.errors import ConfigurationError
from mailer.lighttable.lightpage import Looked, make_page, picture_data
from mailer.lighttable.sample_readers import NAMED, SAMPLE_READERS, SampleReader
from mailer.lighttable.screenshots import WIDTHS, Darkroom, find_chromium, shoot
from mailer.lighttable.sheets import Sheet, make_sheet, picture_address
from mailer.publication import Region
from mailer.usecases.proofing import (
    Ingredients,
    absent,
    check_issue,
    check_region,
    gather,
    render_region,
)
from mailer.usecases.sample_mail import sample_messages

__all__ = [
    "Laid",
    "Preview",
    "find_chromium",
    "lay_out",
    "looked_at",
    "preview",
    "preview_part",
    "sheet_of",
]

LISTEN_S = 0.2
"""Seconds until a Ctrl-C is heard, at most."""

Progress = Callable[[int, int], None]
Part = Literal["html", "text", "headers", "source"]


@dataclass(frozen=True, slots=True)
class Laid:
    """An edition and its sheet."""

    edition: Edition
    sheet: Sheet


@dataclass(frozen=True, slots=True)
class Preview:
    """What was written: the page, and the files of each region with their sheets."""

    page: Path
    files: Mapping[str, Mapping[str, Path]]
    sheets: Mapping[str, Sheet]
    pictures: Mapping[str, Sequence[Path]]

    def data(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return {
            "page": self.page,
            "editions": {
                slug: {
                    **files,
                    **_facts(self.sheets[slug]),
                    "png": self.pictures.get(slug, ()),
                }
                for slug, files in self.files.items()
            },
        }


def lay_out(
    app: App,
    given: Ingredients,
    region: Region,
    of_issue: Sequence[Finding] = (),
    *,
    edition: Edition | None = None,
) -> Laid:
    """Render an issue for a region and lay its sheet out, checks and all.

    Args:
        of_issue: what ``check_issue`` found.
        edition: the region's, where it was rendered from ``given`` already.
    """
    edition = edition or render_region(app, given, region)
    findings = [
        *(f for f in of_issue if f.region in {"", region.slug}),
        *check_region(app, given, edition),
        *absent(app, {region.slug: edition}),
    ]
    fields = _of_samples(app, edition, region)
    messages = sample_messages(app, edition, fields)
    return Laid(edition, sheet_of(app, edition, findings=findings, messages=messages))


def sheet_of(
    app: App,
    edition: Edition,
    *,
    findings: Sequence[Finding] = (),
    messages: Mapping[str, bytes] | None = None,
) -> Sheet:
    """Lay out an edition's sheet, for a look at it, or with what was found and written."""
    region = app.region(edition.region)
    return make_sheet(
        edition,
        region=region,
        publication=app.publication,
        fields=_of_samples(app, edition, region),
        messages=messages or {},
        findings=findings,
        web_url=app.web_url,
    )


def looked_at(app: App, given: Ingredients) -> Looked:
    """Return the head of the page for an issue."""
    issue = given.issue
    return Looked(app.publication.title, issue.id, issue.number, almanac.long_date(issue.date))


def preview(
    app: App,
    name: str,
    *,
    regions: Sequence[str] | None = None,
    out: Path | None = None,
    chromium: str = "",
    progress: Progress | None = None,
) -> Preview:
    """Write an issue's editions and the page to look at them.

    Args:
        app: the publication.
        name: the issue's id.
        regions: only these; None for all.
        out: the folder; None for ``var/preview/<issue>``.
        chromium: from ``find_chromium``, to take pictures into ``png/``; "" takes none.
        progress: called with done and total.
    Raises:
        RenderFailed: a template's mistake, or Chromium made no picture.
    """
    folder = out or app.root / "var" / "preview" / name
    wanted = app.regions(list(regions) if regions else None)
    given = gather(app, name)
    of_issue = check_issue(app, given)
    laid: dict[str, Laid] = {}
    for done, region in enumerate(wanted, 1):
        laid[region.slug] = lay_out(app, given, region, of_issue)
        if progress:
            progress(done, len(wanted))
    files: dict[str, dict[str, Path]] = {}
    for slug, each in laid.items():
        fields = each.sheet.fields[NAMED.id]
        files[slug] = write_preview(
            each.edition, folder, fields=fields, images=app.images, web_url=app.web_url
        )
        if content := each.sheet.messages.get(NAMED.id):
            files[slug]["eml"] = folder / f"{slug}.eml"
            write_whole(files[slug]["eml"], content)
    sheets = {slug: each.sheet for slug, each in laid.items()}
    page = folder / "index.html"
    html = make_page(looked_at(app, given), list(sheets.values()), images=app.images)
    write_whole(page, html.encode())
    pictures: dict[str, list[Path]] = {}
    if chromium:
        pictures = _pictures(app, sheets, folder / "png", chromium=chromium, progress=progress)
    return Preview(page, files, sheets, pictures)


def _pictures(
    app: App,
    sheets: Mapping[str, Sheet],
    folder: Path,
    *,
    chromium: str,
    progress: Progress | None,
) -> dict[str, list[Path]]:
    """Take each edition's picture, light and dark, as wide as a phone and as a desktop."""
    jobs: dict[tuple[str, Guise], dict[str, Path]] = {
        (slug, guise): {kind: folder / f"{slug}-{kind}-{guise.value}.png" for kind in WIDTHS}
        for slug in sheets
        for guise in (Guise.LIGHT, Guise.DARK)
    }

    darkroom = Darkroom()

    def take(job: tuple[str, Guise]) -> None:
        sheet = sheets[job[0]]
        html = merge_html(sheet.guises[job[1]], sheet.fields[NAMED.id])
        shown = picture_address(app.web_url).sub(
            lambda found: picture_data(app.images / found[1]), html
        )
        shoot(shown, chromium=chromium, files=jobs[job], darkroom=darkroom)

    # Each waits for a Chromium of its own.
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        try:
            begun = [pool.submit(take, job) for job in jobs]
            for done, _ in enumerate(_as_they_end(begun), 1):
                if progress:
                    progress(done, len(jobs))
        except BaseException:
            # Also at Ctrl-C: the pool would take every picture first.
            pool.shutdown(wait=False, cancel_futures=True)
            darkroom.close()
            raise
    taken: dict[str, list[Path]] = {}
    for (slug, _), files in jobs.items():
        taken.setdefault(slug, []).extend(files.values())
    return taken


def _as_they_end(begun: Iterable[Future[None]]) -> Iterator[None]:
    """Yield once for each that ended; one that failed raises.

    Python tells of a Ctrl-C between two steps of its own. One that comes just before the wait for
    a lock would be told of only after it, so no wait is a long one.
    """
    waiting = set(begun)
    while waiting:
        ended, waiting = wait(waiting, timeout=LISTEN_S, return_when=FIRST_COMPLETED)
        for each in ended:
            yield each.result()


def preview_part(app: App, name: str, region: str, part: Part) -> str:
    """Return one part of one region's edition for a sample reader.

    Raises:
        ConfigurationError: headers or source are wanted and sending needs what is missing.
    """
    place = app.region(region)
    edition = render_region(app, gather(app, name), place)
    fields = _fields(app, edition, place, NAMED)
    if part == "html":
        return merge_html(edition.html, fields)
    if part == "text":
        return merge_text(edition.text, fields)
    faults = app.publication.faults_before_sending()
    if faults:
        raise ConfigurationError(faults)
    message = sample_messages(app, edition, {NAMED.id: fields})[NAMED.id]
    source = message.decode().replace("\r\n", "\n")
    return source if part == "source" else source.partition("\n\n")[0] + "\n"


def _of_samples(app: App, edition: Edition, region: Region) -> dict[str, dict[str, str]]:
    return {reader.id: _fields(app, edition, region, reader) for reader in SAMPLE_READERS}


def _fields(app: App, edition: Edition, region: Region, reader: SampleReader) -> dict[str, str]:
    fields = sample_fields(
        app.publication, region, name=reader.name, web_url=app.web_url, greet=edition.greeting
    )
    return fields | edition.roster_values({})


def _facts(sheet: Sheet) -> dict[str, Any]:
    return {
        "subject": sheet.subject,
        "preheader": sheet.preheader,
        "html_bytes": sheet.sizes.html,
        "text_bytes": sheet.sizes.text,
        "message_bytes": sheet.sizes.message,
        "links": len(sheet.links),
        "pictures": len(sheet.pictures),
        **{f"{level.value}s": sheet.count(level) for level in Level},
    }
