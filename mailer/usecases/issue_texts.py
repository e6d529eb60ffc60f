"""The texts an issue's editions are made of, read so that findings can name file and line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mailer.app import App
from mailer.articles.article import Article
from mailer.editions.checks.finding_places import Places
from mailer.editions.templates import TemplateSet
from mailer.publication import FILE_NAME

LARGEST_BYTES = 1_000_000
"""A longer file is a whole paper; a line in it would not be found by a few words."""


def places_of(
    app: App, name: str, articles: Mapping[str, Article], templates: TemplateSet
) -> Places:
    """Return the texts of an issue: its file, its articles' files, the templates, the settings."""
    root = app.root
    origins = {article.origin for article in articles.values() if article.origin}
    files = {
        origin: text for origin in sorted(origins) if (text := _text(root, origin)) is not None
    }
    return Places(
        issue_file=f"issues/{name}.md",
        issue_text=_text(root, f"issues/{name}.md") or "",
        publication_file=FILE_NAME,
        publication_text=_text(root, FILE_NAME) or "",
        templates=templates.sources,
        articles=articles,
        files=files,
    )


def _text(root: Path, name: str) -> str | None:
    path = (root / name).resolve()
    # An origin may be an address; only what lies in the publication's folder is read.
    if "://" in name or not path.is_relative_to(root.resolve()):
        return None
    try:
        if path.stat().st_size > LARGEST_BYTES:
            return None
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
