"""The light table as one page: HTML that holds everything and asks for nothing.

The page works from a file and from the preview's own server. Its style, its script, the sheets and
the pictures stand inside; its policy lets in this one script by its hash and no picture from
anywhere. What an article says is shown in frames in which no script can run (``sandbox`` without
``allow-scripts``, under the page's own policy), as text, or through the template's escaping.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mailer.editions.guises import Guise
from mailer.lighttable.sample_readers import SAMPLE_READERS
from mailer.lighttable.sheets import CLIPPED_BYTES, Sheet
from mailer.resources import templates_dir

FOLDER = "preview"
_TYPES = {".jpg": "image/jpeg", ".png": "image/png"}


@dataclass(frozen=True, slots=True)
class Looked:
    """What is looked at, for the page's head."""

    publication: str
    issue_id: str
    number: int
    date: str


def policy(script: str, *, is_live: bool) -> str:
    """Return the page's Content-Security-Policy, which its frames inherit."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    connect = "'self'" if is_live else "'none'"
    # A mail styles itself in attributes, which only 'unsafe-inline' lets in.
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        f"img-src data:; connect-src {connect}; "
        "form-action 'none'; base-uri 'none'"
    )


def make_page(
    looked: Looked,
    sheets: Sequence[Sheet],
    *,
    images: Path,
    live: str = "",
    version: int = 0,
) -> str:
    """Return the page.

    Args:
        sheets: in the publication's order.
        images: the folder of prepared pictures; one that is missing is not shown.
        live: the path the page listens under for changes; "" for a page in a file.
        version: counts the changes, so that the page knows whether it missed one.
    """
    environment = _environment()
    script, style = _asset("page.js"), _asset("page.css")
    names = sorted(frozenset().union(*(sheet.pictures for sheet in sheets)))
    return environment.get_template("page.html.j2").render(
        looked=looked,
        policy=policy(script, is_live=bool(live)),
        script=script,
        style=style,
        rows=[sheet.row() for sheet in sheets],
        packed=[(sheet.region, sheet.pack()) for sheet in sheets],
        pictures={name: data for name in names if (data := picture_data(images / name))},
        readers=SAMPLE_READERS,
        guises=_LOOKS,
        limit=CLIPPED_BYTES,
        live=live,
        version=version,
    )


_LOOKS: Mapping[Guise, str] = {
    Guise.LIGHT: "Light",
    Guise.DARK: "Dark",
    Guise.BARE: "Styles stripped",
    Guise.OUTLOOK: "Outlook",
}


@lru_cache(maxsize=256)
def picture_data(path: Path) -> str:
    """Return a prepared picture as a ``data:`` address, "" when it is not there.

    They are named by their content, so that one that was read needs no second look.
    """
    kind = _TYPES.get(path.suffix)
    if kind is None:
        return ""
    try:
        content = path.read_bytes()
    except OSError:
        return ""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(templates_dir() / FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _asset(name: str) -> str:
    return (templates_dir() / FOLDER / name).read_text(encoding="utf-8")
