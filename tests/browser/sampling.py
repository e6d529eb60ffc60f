"""A small publication, an issue and its articles, as values: what editions are tested on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from mailer.articles.article import Article, DiaryEntry, Kind, Picture
from mailer.editions.edition import Edition
from mailer.editions.pictures import PreparedImage, PreparedPicture
from mailer.editions.rendering import render_edition
from mailer.editions.templates import TemplateSet, load_templates
from mailer.issues.issue import Issue, Pick, RegionBlock
from mailer.policies import Support
from mailer.publication import Publication, Region, Section

MONDAY = date(2026, 11, 30)
SEEN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
WEB_URL = "https://mail.tidewater.example"
FIELDS = {
    "name": "Ada Lark",
    "greeting": "Dear Ada,",
    "address": "ada@reader.example",
    "unsubscribe_url": f"{WEB_URL}/unsubscribe/abc",
    "preferences_url": f"{WEB_URL}/preferences/abc",
    "view_online_url": f"{WEB_URL}/issues/2026-11-30/wales",
}

SENTENCES = (
    "The ferry did not sail on Tuesday. ",
    "Nobody on the quay was surprised, and the cook had already taken the soup off the stove. ",
    "By noon the passengers had a list, a treasurer and a plan. ",
    "It was a good plan, and it fitted on the back of a ticket. ",
)


def make_article(name: str = "ferry", **changes: Any) -> Article:
    body = "".join(SENTENCES) + "\n\n" + "".join(reversed(SENTENCES)) * 4
    article = Article(
        id=name,
        title=f"The {name} committee meets",
        body_html=f"<p>{body}</p>",
        body_text=body,
        content_hash="0" * 64,
        first_seen_at=SEEN,
        standfirst=f"What the {name} committee decided, and what it left for the spring.",
        authors=("Cass Rowan", "Ivo Penn"),
        url=f"https://tidewater.example/{name}",
        kind=Kind.REPORT,
    )
    return replace(article, **changes)


def make_picture(name: str = "quay", **changes: Any) -> Picture:
    picture = Picture(
        src=f"images/{name}.png",
        alt=f"People waiting on the {name} in the rain.",
        caption="Tuesday, a little before noon.",
        credit="Drawing: Tidewater Studio",
        licence="CC BY 4.0",
    )
    return replace(picture, **changes)


def make_publication(root: Path = Path("/publication"), **changes: Any) -> Publication:
    regions = {
        slug: Region(
            slug=slug,
            name=name,
            list_id=f"{slug}.tidewater.example",
            reply_to=f"{slug}@tidewater.example",
            parent=parent,
            time_zone="Europe/London",
            group_contact=f"group-{slug}@tidewater.example" if parent else "",
        )
        for slug, name, parent in (
            ("national", "All coasts", ""),
            ("wales", "Wales", "national"),
            ("cardiff", "Cardiff", "wales"),
        )
    }
    values: dict[str, Any] = {
        "title": "Tidewater",
        "tagline": "News from the edges",
        "publisher": "Tidewater Society",
        "postal_address": "Tidewater Society, 3 Quay Lane, Saltmouth SM1 2ZZ",
        "website": "https://tidewater.example",
        "contact": "post@tidewater.example",
        "from_name": "Tidewater",
        "from_address": "post@tidewater.example",
        "columnist": "Wren Holloway",
        "column_title": "From the slipway",
        "language": "en-GB",
        "time_zone": "Europe/London",
        "regions": tuple(regions),
        "sections": (
            Section(slug="lead", title="The lead", quota=1),
            Section(slug="news", title="News", quota=6),
            Section(slug="reading", title="Worth reading", quota=4),
        ),
        "support": Support(
            title="Keep the lamp lit",
            text="We live on small sums from many people.",
            label="Give a small sum",
            url="https://tidewater.example/give",
        ),
    }
    return Publication(root=root, region_map=regions, **(values | changes))


def make_issue(**changes: Any) -> Issue:
    issue = Issue(
        id="2026-11-30",
        date=MONDAY,
        number=7,
        subject="A plan on the back of a ticket",
        preheader="The ferry that did not sail, and what its passengers did about it by noon.",
        opening=(
            "It rained.\n\nThen *everybody* came, and [the minutes](https://tidewater.example/minutes)"
            " say so.\n\n- soup\n- bread\n"
        ),
        sections={
            "lead": (Pick("ferry"),),
            "news": (Pick("pier"), Pick("light", headline="A light, renamed"), Pick("call")),
            "reading": (Pick("atlas"),),
        },
        regions={"wales": RegionBlock(note="Bring **boots**.", picks=(Pick("tram"),))},
        diary=("supper", "walk", "gone", "scots"),
        quote="A quay is a promise with bollards.",
        quote_source="From a letter",
    )
    return replace(issue, **changes)


def make_articles() -> dict[str, Article]:
    pieces = (
        make_article("ferry", picture=make_picture("quay")),
        make_article("pier", picture=make_picture("pier"), kind=Kind.NEWS),
        make_article("light"),
        make_article("call", kind=Kind.CALL, deadline=date(2026, 12, 4)),
        make_article("atlas", kind=Kind.REVIEW, url="", body_text="".join(SENTENCES)),
        make_article("tram"),
    )
    return {piece.id: piece for piece in pieces}


def make_diary() -> list[DiaryEntry]:
    return [
        DiaryEntry("supper", "Harbour supper", date(2026, 12, 5), time(19, 30), "Saltmouth"),
        DiaryEntry(
            "walk", "Shore walk", date(2026, 12, 12), url="https://tidewater.example/walk",
            regions=("wales",),
        ),
        DiaryEntry("gone", "Long gone fair", date(2026, 11, 1)),
        DiaryEntry("scots", "Northern ball", date(2026, 12, 6), regions=("scotland",)),
    ]  # fmt: skip


def make_images(*sources: str) -> dict[str, PreparedPicture]:
    return {
        src: PreparedPicture(
            PreparedImage(f"{number:032x}.jpg", 1200, 675, 90_000),
            PreparedImage(f"{number + 99:032x}.jpg", 640, 360, 30_000),
        )
        for number, src in enumerate(sources or ("images/quay.png", "images/pier.png"), 1)
    }


def templates(name: str = "briefing") -> TemplateSet:
    return load_templates(name)


def render(
    issue: Issue | None = None,
    *,
    region: str = "wales",
    publication: Publication | None = None,
    articles: Mapping[str, Article] | None = None,
    images: Mapping[str, PreparedPicture] | None = None,
    template_set: TemplateSet | None = None,
    diary: list[DiaryEntry] | None = None,
) -> Edition:
    chosen = publication or make_publication()
    return render_edition(
        issue or make_issue(),
        region=chosen.region(region),
        publication=chosen,
        articles=articles or make_articles(),
        diary=make_diary() if diary is None else diary,
        images=make_images() if images is None else images,
        web_url=WEB_URL,
        templates=template_set or templates(),
    )


def draw_picture(path: Path, size: tuple[int, int] = (1600, 1000)) -> None:
    """Draw a quay: sky, water, a lamp; enough detail for a JPEG to weigh something."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, size[1] * 2 // 3, size[0], size[1]), fill="#20303c")
    for x in range(0, size[0], 40):
        draw.line((x, size[1], x + 90, size[1] * 2 // 3), fill=(90 + x % 120, 110, 130), width=5)
    draw.ellipse(
        (size[0] // 2, size[1] // 5, size[0] // 2 + 120, size[1] // 5 + 120), fill="#f4d9a0"
    )
    image.save(path)
