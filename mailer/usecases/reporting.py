"""Reports for a person: figures as data, and the picture of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mailer.app import App
from mailer.audience.movement import CHANNELS
from mailer.reports.chart import draw_growth
from mailer.reports.growth import Growth, growth_of, together
from mailer.resources import templates_dir


def growth(app: App, region: str | None, weeks: int) -> list[Growth]:
    """Return the growth of one list, or of every list of the publication."""
    slugs = [region] if region else list(app.publication.region_map)
    return growth_of(app.database, slugs, weeks=weeks, now=app.clock.now())


def growth_data(lists: list[Growth]) -> dict[str, Any]:
    """Return growth as data: all lists together, and each."""
    return {
        "channels": CHANNELS,
        "all": _data(together(lists)),
        "lists": [{"region": each.region} | _data(each) for each in lists],
    }


def growth_svg(app: App, lists: list[Growth]) -> str:
    """Return growth as an SVG picture."""
    environment = Environment(
        loader=FileSystemLoader(templates_dir() / "reports"),
        undefined=StrictUndefined,
        autoescape=True,
    )
    view = draw_growth(
        lists,
        together(lists),
        title=app.publication.title,
        names={region.slug: region.name for region in app.regions(None)},
    )
    return environment.get_template("growth.svg.j2").render(view)


def write_svg(app: App, lists: list[Growth], path: Path) -> None:
    """Write the picture; the file appears whole or not at all."""
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(growth_svg(app, lists), encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _data(growth: Growth) -> dict[str, Any]:
    return {
        "readers": growth.readers,
        "joined": growth.joined,
        "left": growth.left,
        "net": growth.net,
        "weeks": [
            {
                "week": week.monday,
                "joined": week.joined,
                "left": week.left,
                "net": week.net,
                "readers": week.readers,
                "lapsed": week.lapses,
                "joins": dict(week.joins),
                "leaves": dict(week.leaves),
            }
            for week in growth.weeks
        ],
    }
