"""The sizes and schemes in which every page of the public site is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

SIZES = {"phone": 375, "desk": 1280}
SCHEMES = ("light", "dark")


def looks(page: Page) -> Iterator[tuple[str, str]]:
    """Give a page that is open every size and scheme in turn; gives their names."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for size, width in SIZES.items():
            page.set_viewport_size({"width": width, "height": 900})
            yield size, scheme
