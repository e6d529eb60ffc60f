"""The issue that every set is drawn from, and what came out of it when somebody last looked.

``python -m tests.golden.drawing`` (``make golden``) writes ``tests/golden/*.{html,txt}`` anew; look
at the changes before committing them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

from mailer.articles.article import Article, Kind
from mailer.editions.edition import Edition, merge_html, merge_text
from mailer.editions.pictures import PreparedPicture
from mailer.editions.templates import TemplateSet
from mailer.issues.issue import Issue, Pick, RegionBlock
from mailer.publication import Publication
from tests.browser.sampling import (
    FIELDS,
    make_article,
    make_articles,
    make_images,
    make_issue,
    make_picture,
    make_publication,
    render,
    templates,
)
from tests.browser.tongues import ARABIC, GERMAN, edition_of

FOLDER = Path(__file__).parent
SETS = ("briefing", "bulletin", "single", "urgent")
TONGUES = {"german": GERMAN, "arabic": ARABIC}
NAMES = (*SETS, *TONGUES)


@cache
def template_set(name: str) -> TemplateSet:
    """Return a set; the other languages are drawn by the briefing."""
    return templates(name if name in SETS else "briefing")


def every_part() -> tuple[Publication, Issue, dict[str, Article]]:
    """Return an issue that has something for every part of every set."""
    publication = make_publication()
    sections = tuple(
        section.model_copy(update={"look": "list" if section.slug == "reading" else "stories"})
        for section in publication.sections
    )
    articles = make_articles()
    body = (
        "<p>The ferry did not sail. <a href='https://tidewater.example/log'>The log</a> says why."
        "</p><h3>By noon</h3><ul><li>a list</li><li>a treasurer</li></ul>"
        "<blockquote><p>It fits on a ticket.</p></blockquote><p>And so it did.</p>"
    )
    articles["ferry"] = replace(
        articles["ferry"], kind=Kind.CALL, deadline=date(2026, 12, 4), body_html=body
    )
    articles["tram"] = replace(articles["tram"], picture=make_picture("pier"))
    articles["keeper"] = make_article(
        "keeper",
        title="“I have counted lamps since I could walk”",
        kind=Kind.INTERVIEW,
        picture=make_picture("quay", caption=""),
        parts=("Who taught you to count?", "And the nights without power?", "What is left to do?"),
    )
    issue = make_issue(
        sections={
            "lead": (Pick("ferry"),),
            "news": (Pick("pier"), Pick("light", headline="A light, renamed"), Pick("keeper")),
            "reading": (Pick("call"), Pick("atlas")),
        },
        regions={"wales": RegionBlock(note="Bring **boots**.", picks=(Pick("tram"),))},
    )
    return publication.model_copy(update={"sections": sections}), issue, articles


def publication_of(name: str) -> Publication:
    """Return whose edition ``draw`` renders."""
    return every_part()[0] if name in SETS else edition_of(TONGUES[name])[0]


def draw(name: str, *, images: Mapping[str, PreparedPicture] | None = None) -> Edition:
    """Render a set, or the briefing in another language."""
    shown = make_images() if images is None else images
    if name in SETS:
        publication, issue, articles = every_part()
        diary = None
    else:
        publication, issue, articles, diary = edition_of(TONGUES[name])
    return render(
        issue,
        publication=publication,
        articles=articles,
        images=shown,
        diary=diary,
        template_set=template_set(name),
    )


def parts(edition: Edition) -> dict[str, str]:
    """Return both parts as one reader gets them."""
    fields = FIELDS | {"greeting": edition.greeting("Ada")}
    return {"html": merge_html(edition.html, fields), "txt": merge_text(edition.text, fields)}


def main() -> None:
    """Write every golden file."""
    for name in NAMES:
        for kind, content in parts(draw(name)).items():
            (FOLDER / f"{name}.{kind}").write_text(content, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
