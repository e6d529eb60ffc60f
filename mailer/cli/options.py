"""Arguments and options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer


def complete_region(incomplete: str) -> list[str]:
    """Return the regions of the publication at hand that begin so, for the shell."""
    return _stems("subscribers", "*.toml", incomplete)


def complete_issue(incomplete: str) -> list[str]:
    """Return the issues of the publication at hand that begin so, for the shell."""
    words = [word for word in ("latest", "next") if word.startswith(incomplete)]
    return _stems("issues", "*.md", incomplete) + words


def complete_source(incomplete: str) -> list[str]:
    """Return the sources of the publication at hand that begin so, for the shell."""
    from mailer.errors import ConfigurationError
    from mailer.publication import load_publication
    from mailer.whereabouts import find_root

    try:
        sources = load_publication(find_root(None)).sources
    except ConfigurationError:
        return []
    return [source.name for source in sources if source.name.startswith(incomplete)]


def _stems(folder: str, pattern: str, incomplete: str) -> list[str]:
    from mailer.errors import ConfigurationError
    from mailer.whereabouts import find_root

    try:
        root = find_root(None)
    except ConfigurationError:
        return []
    names = sorted(path.stem for path in (root / folder).glob(pattern))
    return [name for name in names if name.startswith(incomplete)]


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask; needed where there is no terminal.")
]
Regions = Annotated[
    list[str] | None,
    typer.Option(
        "--region",
        "-r",
        help="Only this region; may be given again.",
        metavar="REGION",
        autocompletion=complete_region,
    ),
]
IssueName = Annotated[
    str,
    typer.Argument(
        metavar="ISSUE",
        help="The date of an issue (2026-11-30), `next` for the coming one, `latest` for the "
        "newest there is.",
        autocompletion=complete_issue,
    ),
]
IssueDay = Annotated[
    datetime | None,
    typer.Argument(
        metavar="[DATE]",
        formats=["%Y-%m-%d"],
        help="The issue's date; the coming send day if left out.",
        show_default=False,
    ),
]
RegionName = Annotated[
    str,
    typer.Option(
        "--region",
        "-r",
        help="The region's list.",
        metavar="REGION",
        autocompletion=complete_region,
    ),
]

Where = Annotated[
    str,
    typer.Option(
        "--where",
        help="Only readers this is true for, such as 'language = \"cy\"'; see docs/segments.md.",
        metavar="EXPRESSION",
        show_default=False,
    ),
]


def folder(ctx: typer.Context) -> Path | None:
    """Return the folder given with ``--publication``, if any."""
    found = ctx.find_root().obj
    return found if isinstance(found, Path) else None
