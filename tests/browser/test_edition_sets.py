"""Every set at every width: in light and dark, with pictures and without, bare, as Outlook has it.

One page a guise is opened and then resized, so that the whole matrix costs a few seconds a set.
Pictures of all are left in ``test-output/editions``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mailer.editions.colours import READABLE, contrast
from mailer.editions.edition import Edition, merge_html
from mailer.editions.guises import Guise, dress
from mailer.editions.images import prepare_images
from tests.browser.measuring import ALTS, OVERFLOW, TEXTS
from tests.browser.sampling import FIELDS, WEB_URL, draw_picture
from tests.browser.searching import NOT_OF_MAIL, search
from tests.golden.drawing import NAMES, SETS, draw, every_part

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = (320, 375, 600, 1024)
SCHEMES = ("light", "dark")
OUTLOOKS_PX = 640
"""How wide the layout for Outlook's Word engine is, also in a narrower window: the one exception.

Word knows neither media queries nor max-width, so a layout that should not fill a wide window has a
fixed width there, in official MJML too (its maintainers on mjmlio/vscode-mjml, issue 61), and a
narrower window scrolls. The code stands in comments that Word alone opens: Outlook for Windows. The
new Outlook, Outlook's apps and every other program show what the other guises are.
"""

KEPT = {("light", 1024), ("dark", 375)}
PICTURES = Path(__file__).parents[2] / "test-output" / "editions"
SMALLEST_PX = 14
SEARCHED: dict[Guise | None, tuple[tuple[str, int], ...]] = {
    None: tuple((scheme, width) for scheme in SCHEMES for width in (375, 1024)),
    Guise.BARE: (("light", 375),),
    Guise.OUTLOOK: (("light", 1024),),
}
"""Where axe-core is asked: between a phone and a desktop nothing changes that it knows of, and the
guises have neither a dark scheme nor a narrow layout of their own."""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    root = tmp_path_factory.mktemp("pictures")
    for name in ("quay", "pier"):
        draw_picture(root / "images" / f"{name}.png")
    _, _, articles = every_part()
    folder = root / "prepared"
    return folder, dict(prepare_images(root, articles.values(), folder).pictures)


@pytest.fixture
def opened(chromium: Browser, images: tuple[Path, dict[str, Any]], tmp_path: Path) -> Iterator[Any]:
    """Open an edition in a guise; pictures come from the disk, or not at all."""
    folder, _ = images
    contexts = []

    def open_(edition: Edition, guise: Guise | None, *, has_images: bool = True) -> Page:
        segments = edition.html if guise is None else dress(edition.html, guise)
        path = tmp_path / f"{len(contexts)}.html"
        path.write_text(merge_html(segments, FIELDS), encoding="utf-8")
        context = chromium.new_context(viewport={"width": 1024, "height": 900})
        contexts.append(context)

        def gate(route: Any) -> None:
            url = route.request.url
            name = url.removeprefix(f"{WEB_URL}/images/")
            if url.startswith("file:"):
                route.continue_()
            elif has_images and name != url:
                route.fulfill(path=folder / name)
            else:
                route.abort()

        context.route("**/*", gate)
        page = context.new_page()
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()


def faults(page: Page, *, least: int = 0) -> list[object]:
    """Return what cannot be read on the page as it is now, which may be so wide at least."""
    found: list[object] = []
    excess, wide = page.evaluate(OVERFLOW, least)
    if excess > 0 or wide:
        found.append(("overflow", excess, wide))
    for words, colour, ground, size in [*page.evaluate(TEXTS), *page.evaluate(ALTS)]:
        if contrast(colour, ground) < READABLE:
            found.append(("contrast", words, colour, ground))
        if size < SMALLEST_PX:
            found.append(("small", words, size))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_set_is_whole_at_every_width_in_every_guise(
    opened: Any, images: tuple[Path, dict[str, Any]], name: str
) -> None:
    edition = draw(name, images=images[1])
    PICTURES.mkdir(parents=True, exist_ok=True)
    wrong = {}
    for has_images in (True, False):
        page = opened(edition, None, has_images=has_images)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                if found := faults(page):
                    wrong[scheme, width, has_images] = found
                if has_images and (scheme, width) in KEPT:
                    page.screenshot(path=PICTURES / f"{name}-{scheme}-{width}.png", full_page=True)
        for guise, least in ((Guise.BARE, 0), (Guise.OUTLOOK, OUTLOOKS_PX)):
            page = opened(edition, guise, has_images=has_images)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                if found := faults(page, least=least):
                    wrong[guise, width, has_images] = found
    assert wrong == {}


@pytest.mark.parametrize("name", [*SETS, "arabic"])
def test_axe_finds_nothing_in_a_set(
    opened: Any, images: tuple[Path, dict[str, Any]], name: str
) -> None:
    edition = draw(name, images=images[1])
    found = {}
    for guise, looks in SEARCHED.items() if name in SETS else [(None, SEARCHED[None])]:
        page = opened(edition, guise, has_images=False)
        for scheme, width in looks:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            if violations := search(page, without=NOT_OF_MAIL):
                found[guise, scheme, width] = violations
    assert found == {}


@pytest.mark.parametrize("name", ["briefing", "arabic"])
def test_only_outlooks_layout_is_wider_than_a_narrow_window(
    opened: Any, images: tuple[Path, dict[str, Any]], name: str
) -> None:
    page = opened(draw(name, images=images[1]), Guise.OUTLOOK)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        # When it fits one day, the exception goes.
        assert page.evaluate(OVERFLOW)[0] == max(0, OUTLOOKS_PX - width)


def test_what_cannot_be_read_would_be_noticed(
    opened: Any, images: tuple[Path, dict[str, Any]]
) -> None:
    page = opened(draw("urgent", images=images[1]), None, has_images=False)
    page.add_style_tag(content=".n { color: #bbbbbb !important; } h3 { width: 2000px; }")
    page.add_style_tag(content="img { font-size: 9px !important; }")
    assert {fault[0] for fault in faults(page)} == {"overflow", "contrast", "small"}
