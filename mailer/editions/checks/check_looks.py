"""Looks: contrast in both schemes, size of type, space between lines, dark mail programs."""

from __future__ import annotations

from mailer.editions.anatomy import Run
from mailer.editions.checks.exhibit import Exhibit, Hits
from mailer.editions.checks.rulebook import Hit
from mailer.editions.colours import READABLE, contrast, palettes

SMALLEST_PX = 14
BODY_PX = 16
LINE_HEIGHT = 1.5
RUNNING_LENGTH = 120
"""A run of so many characters is text to be read, not a label."""
FINE_PRINT_LENGTH = 300


def check_looks(given: Exhibit) -> Hits:
    """Yield what is hard to read."""
    anatomy = given.anatomy
    for scheme, palette in zip(("light", "dark"), palettes(given.publication.theme), strict=True):
        for pair, ratio in palette.pairs().items():
            if ratio < READABLE:
                yield Hit(
                    f"contrast-{scheme}",
                    f"the theme's {pair} has a contrast of {ratio:.1f} in the {scheme} scheme",
                    f"choose colours with {READABLE} or more in publication.toml, [theme]",
                    setting="theme",
                )
    weak = {
        (run.colour, run.ground): run.text
        for run in reversed(anatomy.runs)
        if contrast(run.colour, run.ground) < READABLE
    }
    for (colour, ground), text in weak.items():
        yield Hit(
            "contrast",
            f"{text.strip()[:40]!r} has a contrast of {contrast(colour, ground):.1f}",
            f"it is {colour} on {ground}; have {READABLE} or more",
            clue=colour,
        )
    yield from _type(anatomy.runs)
    if "prefers-color-scheme" not in anatomy.styles or "color-scheme" not in anatomy.metas:
        yield Hit(
            "no-dark-scheme",
            "the templates have no colours for a dark mail program",
            clue="<mj-head",
        )
    elif "data-ogsc" not in anatomy.styles:
        yield Hit("no-dark-outlook", "Outlook's dark mode is not answered", clue="<mj-head")


def _type(runs: list[Run]) -> Hits:
    small = next((run for run in runs if run.size_px < SMALLEST_PX), None)
    if small:
        yield Hit(
            "type-small",
            f"{small.text.strip()[:40]!r} is set in {small.size_px:g} px",
            clue=f"{small.size_px:g}px",
        )
    running = [run for run in runs if len(run.text.strip()) >= RUNNING_LENGTH]
    # Fine print, a footer's sentences, is short.
    body = next(
        (
            run
            for run in running
            if SMALLEST_PX <= run.size_px < BODY_PX and len(run.text) > FINE_PRINT_LENGTH
        ),
        None,
    )
    if body:
        yield Hit(
            "type-body-small",
            f"{body.text.strip()[:40]!r} is running text in {body.size_px:g} px",
            clue=f"{body.size_px:g}px",
        )
    tight = next((run for run in running if 0 < run.line_height < LINE_HEIGHT - 0.01), None)
    if tight:
        yield Hit(
            "lines-tight",
            f"{tight.text.strip()[:40]!r} has a line-height of {tight.line_height:.2f}",
            clue="line-height",
        )
