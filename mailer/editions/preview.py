"""An edition as a sample reader would see it, written as files to open.

``write_preview`` writes ``<region>.html`` and ``<region>.txt`` and copies the pictures they show
into ``images/`` beside them, so that the folder can be moved or sent to somebody; addresses of
our own pictures become relative. Files appear whole or not at all.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from mailer.editions.edition import Edition, greeting, merge_html, merge_text
from mailer.publication import Publication, Region

PREVIEW_WEB_URL = "https://preview.invalid"
"""Stands in for the web address of a publication that has none yet (RFC 2606)."""


def sample_fields(
    publication: Publication,
    region: Region,
    *,
    name: str = "Ada Reader",
    address: str = "",
    web_url: str = "",
    greet: Callable[[str], str] = greeting,
) -> dict[str, str]:
    """Return a value for every slot, for a reader who does not exist.

    Args:
        web_url: our own address; the sample's links below it change nothing.
        greet: how the edition addresses a reader of that name.
    """
    base = web_url or PREVIEW_WEB_URL
    domain = publication.from_address.rpartition("@")[2] or "reader.example"
    return {
        "name": name,
        "greeting": greet(name),
        "address": address or f"ada.reader@{domain}",
        "unsubscribe_url": f"{base}/unsubscribe/sample-{region.slug}",
        "preferences_url": f"{base}/preferences/sample-{region.slug}",
        "view_online_url": f"{base}/view/sample-{region.slug}",
    }


def write_preview(
    edition: Edition,
    out: Path,
    *,
    fields: Mapping[str, str],
    images: Path,
    web_url: str,
) -> dict[str, Path]:
    """Write one edition's parts for one reader.

    Args:
        out: the folder; made when missing.
        fields: a value for every slot.
        images: where prepared pictures are.
        web_url: the address the edition was rendered with.
    Returns:
        ``html`` and ``text`` with their paths.
    """
    out.mkdir(parents=True, exist_ok=True)
    html = merge_html(edition.html, fields)
    pattern = re.compile(re.escape(f"{web_url}/images/") + r"([0-9a-f]+\.[a-z]+)")
    for name in sorted(set(pattern.findall(html))):
        target = out / "images" / name
        source = images / name
        if not source.is_file() or target.resolve() == source.resolve() or target.is_file():
            continue
        target.parent.mkdir(exist_ok=True)
        partial = target.with_name(f"{name}.{os.getpid()}.part")
        shutil.copyfile(source, partial)
        partial.replace(target)
    files = {"html": out / f"{edition.region}.html", "text": out / f"{edition.region}.txt"}
    write_whole(files["html"], pattern.sub(r"images/\1", html).encode())
    write_whole(files["text"], merge_text(edition.text, fields).encode())
    return files


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    partial.write_bytes(content)
    partial.replace(path)
