"""Pictures as they stand in the mail, and as their articles describe them."""

from __future__ import annotations

import re

from mailer.articles.article import Article, Picture
from mailer.editions.anatomy import Shown
from mailer.editions.checks.exhibit import Exhibit, Hits
from mailer.editions.checks.rulebook import Hit
from mailer.issues.issue import Pick

BODY_WIDTH = 640
SHARP = 1.5
"""A picture should have this many pixels for each it is shown at."""
SHOWN_LEAD = 640
SHOWN_THUMB = 200


def check_pictures(given: Exhibit) -> Hits:
    """Yield what is wrong with a picture."""
    for shown in given.anatomy.pictures:
        yield from _shown(given, shown)
    picks = {pick.article_id: pick for pick in (given.issue.picks if given.issue else ())}
    for place, name in enumerate(given.edition.article_ids):
        article = (given.articles or {}).get(name)
        if article is None:
            continue
        picture = picks.get(name, Pick(name)).picture_of(article)
        if picture is not None:
            yield from _described(given, article, picture, is_lead=place == 0)


def _shown(given: Exhibit, shown: Shown) -> Hits:
    if shown.alt is None:
        yield Hit("picture-no-alt", f"the picture {shown.src} has no alt attribute", clue="<img")
    elif re.fullmatch(r"[\w-]+\.(?:jpe?g|png|gif|webp)", shown.alt.strip(), re.IGNORECASE):
        yield Hit(
            "picture-alt-is-name",
            f"the picture {shown.src} is described as {shown.alt!r}",
            clue=shown.alt,
        )
    if not shown.src.startswith("https://") and not given.is_ours(shown.src):
        yield Hit(
            "picture-not-https",
            f"the picture {shown.src!r} is not loaded over https",
            clue=shown.src,
        )
    if shown.width is None or not 0 < shown.width <= BODY_WIDTH:
        yield Hit(
            "picture-width",
            f"{shown.src} is {shown.width or '?'} px wide in a mail of {BODY_WIDTH}",
            clue="<mj-image",
        )


def _described(given: Exhibit, article: Article, picture: Picture, *, is_lead: bool) -> Hits:
    name = f"article {article.id!r}"
    if not picture.credit.strip():
        yield Hit(
            "picture-no-credit",
            f"{name}: nobody is credited for the picture {picture.src}",
            article=article.id,
            clue="image",
        )
    if picture.alt is None:
        yield Hit(
            "picture-undescribed",
            f"{name}: nobody has said what the picture {picture.src} shows",
            article=article.id,
            clue="image",
        )
    prepared = (given.images or {}).get(picture.src)
    if prepared is None:
        return
    image = prepared.lead if is_lead else prepared.thumb
    width = SHOWN_LEAD if is_lead else SHOWN_THUMB
    if image.width < width * SHARP:
        yield Hit(
            "picture-small",
            f"{name}: the picture {picture.src} has {image.width} px where {width} are shown",
            article=article.id,
            clue="image",
        )
