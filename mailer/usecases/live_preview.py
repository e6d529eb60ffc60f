"""The light table that follows the files: rendered anew when an editor saves one.

A changed publication, region or ``.env`` opens all of it again; the issue, what it names and the
templates are read at every round. A change that could not be used is kept in mind until one can.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from mailer.app import App, open_app
from mailer.editions.edition import Edition
from mailer.editions.finding import Finding
from mailer.errors import ConfigurationError
from mailer.inbox import serving
from mailer.lighttable.lightpage import Looked
from mailer.lighttable.live import Live
from mailer.lighttable.sheets import Sheet
from mailer.publication import FILE_NAME
from mailer.resources import templates_dir
from mailer.usecases.previewing import lay_out, looked_at, sheet_of
from mailer.usecases.proofing import Ingredients, check_issue, gather, render_region

Announce = Callable[[str], None]
HOST = "127.0.0.1"
_FOLDERS = ("issues", "templates", "subscribers", "images")
_OPENS_ALL = frozenset({FILE_NAME, ".env"})


class Workbench:
    """An issue of a publication folder, rendered from its files as they are at each round."""

    def __init__(self, root: Path, issue_id: str, regions: Sequence[str] | None) -> None:
        self._root = root
        self._issue_id = issue_id
        self._wanted = list(regions) if regions else None
        self._app: App | None = None
        self._given: Ingredients | None = None
        self._of_issue: list[Finding] = []
        self._rendered: dict[str, Edition] = {}
        self._unused: set[Path] = set()
        self._looked = Looked(root.name, issue_id, 0, issue_id)

    @property
    def root(self) -> Path:
        return self._root

    @property
    def looked(self) -> Looked:
        return self._looked

    @property
    def images(self) -> Path:
        return self._root / "var" / "images"

    def watched(self) -> tuple[list[Path], list[Path]]:
        below = [self._root / name for name in _FOLDERS]
        return [self._root], [path for path in (*below, templates_dir()) if path.is_dir()]

    def prepare(self, changed: Collection[Path]) -> list[str]:
        self._unused |= set(changed)
        app = self._opened()
        self._rendered.clear()
        self._given = gather(app, self._issue_id)
        self._of_issue = check_issue(app, self._given)
        self._looked = looked_at(app, self._given)
        self._unused.clear()
        return [region.slug for region in app.regions(self._wanted)]

    def sketch(self, region: str) -> Sheet:
        app, given = self._ready()
        rendered = render_region(app, given, app.region(region))
        # The whole sheet, which is asked for next, is made of the same edition.
        self._rendered[region] = rendered
        return sheet_of(app, rendered)

    def lay(self, region: str) -> Sheet:
        app, given = self._ready()
        rendered = self._rendered.pop(region, None)
        return lay_out(app, given, app.region(region), self._of_issue, edition=rendered).sheet

    def _ready(self) -> tuple[App, Ingredients]:
        if self._app is None or self._given is None:
            raise ConfigurationError("the publication could not be read")
        return self._app, self._given

    def close(self) -> None:
        """Close what is open."""
        if self._app is not None:
            self._app.__exit__()

    def _opened(self) -> App:
        opens_all = any(
            path.name in _OPENS_ALL or path.parent.name == "subscribers" for path in self._unused
        )
        if self._app is None or opens_all:
            # The old one serves until the new one is there.
            fresh = open_app(self._root)
            self.close()
            self._app = fresh
        return self._app


def watch_preview(
    root: Path,
    issue_id: str,
    *,
    regions: Sequence[str] | None,
    port: int,
    announce: Announce,
) -> None:
    """Serve the light table on loopback and follow the files, until SIGINT or SIGTERM.

    Args:
        root: the publication's folder.
        port: 0 takes a free one.
        announce: told the page's address when it can be opened.
    """
    bench = Workbench(root, issue_id, regions)
    live = Live(bench)
    try:
        serving.serve_page(
            live.app(),
            host=HOST,
            port=port,
            ready=lambda address: announce(address.rstrip("/") + live.path),
            field="--port",
            on_exit=live.end,
        )
    finally:
        bench.close()
