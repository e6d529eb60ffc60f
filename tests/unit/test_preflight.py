"""Preflight: a sound edition passes, and each fault is found under its code."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from mailer.articles.article import DiaryEntry
from mailer.editions.colours import contrast, mix, palettes
from mailer.editions.edition import Edition, Slot
from mailer.editions.finding import Finding, Level, has_errors
from mailer.editions.preflight import check_edition
from mailer.issues.issue import Pick, RegionBlock
from mailer.issues.writing import PLACEHOLDER
from mailer.policies import Theme
from tests.browser.sampling import (
    WEB_URL,
    make_articles,
    make_diary,
    make_images,
    make_issue,
    make_picture,
    make_publication,
    render,
)

EDITION = render()


def check(edition: Edition = EDITION, **given) -> list[Finding]:
    publication = given.pop("publication", make_publication())
    return check_edition(
        edition,
        publication=publication,
        region=publication.region(given.pop("region", "wales")),
        web_url=WEB_URL,
        **given,
    )


def codes(findings: list[Finding], level: Level | None = None) -> set[str]:
    return {found.code for found in findings if level in {None, found.level}}


def with_html(old: str, new: str) -> Edition:
    """Change the literal HTML, as a template's author might have."""
    changed = tuple(
        piece.replace(old, new, 1) if isinstance(piece, str) else piece for piece in EDITION.html
    )
    assert changed != EDITION.html
    return replace(EDITION, html=changed)


def test_a_sound_edition_has_nothing_to_mend() -> None:
    found = check(
        issue=make_issue(diary=("supper", "walk")),
        articles=make_articles(),
        images=make_images(),
        diary=make_diary(),
    )
    assert found == []


def test_findings_name_the_region_and_come_errors_first() -> None:
    found = check(
        replace(EDITION, subject="", preheader=""), publication=make_publication(postal_address="")
    )
    assert {item.region for item in found} == {"wales"}
    levels = [item.level for item in found]
    assert levels == sorted(levels, key=list(Level).index)
    assert has_errors(found)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('lang="en-GB"', 'lang="fr"', "language"),
        ('dir="ltr"', 'dir=""', "direction"),
        ("<h1 ", "<h2 ", "heading-first"),
        ('role="presentation" width="100%"', 'width="100%"', "table-role"),
        ("https://tidewater.example/pier", "", "link-broken"),
        ("https://tidewater.example/pier", "/pier", "link-broken"),
        ("https://tidewater.example/pier", "#pier", "link-broken"),
        ("https://tidewater.example/pier", "https://else.example/", "link-not-in-text"),
        ("https://tidewater.example/pier", "http://tidewater.example/pier", "link-not-https"),
        (">Read the full report<", ">Read more<", "link-vague"),
        (">Read the full report<", "><", "link-empty"),
        (">Read the full report<", ">A light, renamed<", "link-text-twice"),
        ('alt="People waiting on the quay in the rain." ', "", "picture-no-alt"),
        (f'src="{WEB_URL}', 'src="http://x.example', "picture-not-https"),
        ('width="640" style="border', 'width="900" style="border', "picture-width"),
        ("Cass Rowan", "Cass \x85 Rowan", "control-character"),
        ("Cass Rowan", "Cass \\u{a0} Rowan", "escape-shown"),
        ("Cass Rowan", "Cass {{ name }}", "braces-shown"),
        ("Cass Rowan", f"s{'a' * 32}n1e", "token-left"),
        ("font:14px/1.5", "font:11px/1.5", "type-small"),
        ("color:#1d1b19", "color:#c8c8c8", "contrast"),
        ("prefers-color-scheme", "no-such-thing", "no-dark-scheme"),
        ("3 Quay Lane", "Quay Lane", "postal-address-not-shown"),
        ("<h3 ", "<h5 >x</h5><h3 ", "heading-order"),
        ("<h3 ", "<h3></h3><h3 ", "heading-empty"),
    ],
)
def test_a_fault_in_the_html_is_found(old: str, new: str, code: str) -> None:
    assert code in codes(check(with_html(old, new)))
    assert code not in codes(check())


def test_a_publisher_who_is_not_shown_is_an_error() -> None:
    publication = make_publication(publisher="Somebody Else")
    assert "publisher-not-shown" in codes(check(publication=publication), Level.ERROR)


def test_an_anchor_that_exists_is_no_fault() -> None:
    edition = with_html("https://tidewater.example/pier", "#top")
    edition = replace(edition, html=("<p id='top'></p>", *edition.html))
    assert "link-broken" not in codes(check(edition))


def test_sizes() -> None:
    big = replace(EDITION, html=(*EDITION.html, "<p>" + "word " * 8000 + "</p>"))
    assert "html-large" in codes(check(big))
    bigger = replace(EDITION, html=(*EDITION.html, "<p>" + "word " * 16000 + "</p>"))
    assert "html-too-large" in codes(check(bigger), Level.ERROR)
    styled = with_html("</head>", "<style>" + ".a{color:red}" * 1500 + "</style></head>")
    assert "style-too-large" in codes(check(styled))
    assert "text-empty" in codes(check(replace(EDITION, text=())))


def test_an_edition_without_unsubscribe_is_an_error_in_either_part() -> None:
    for part in ("html", "text"):
        bare = tuple(p for p in getattr(EDITION, part) if p != Slot("unsubscribe_url"))
        found = check(replace(EDITION, **{part: bare}))
        assert "no-unsubscribe" in codes(found, Level.ERROR)


def test_a_missing_postal_address_only_warns() -> None:
    publication = make_publication(postal_address="")
    edition = render(publication=publication)
    found = check(edition, publication=publication)
    assert codes(found) == {"no-postal-address"}
    assert not has_errors(found)


@pytest.mark.parametrize(
    ("change", "code", "level"),
    [
        ({"subject": ""}, "subject-empty", Level.ERROR),
        ({"subject": "x" * 90}, "subject-long", Level.WARNING),
        ({"subject": "x" * 300}, "subject-too-long", Level.ERROR),
        ({"preheader": ""}, "preheader-empty", Level.WARNING),
        ({"preheader": "short"}, "preheader-length", Level.WARNING),
        ({"preheader": "x" * 200}, "preheader-length", Level.WARNING),
        ({"article_ids": ()}, "no-stories", Level.ERROR),
    ],
)
def test_a_fault_in_the_edition_is_found(change: dict, code: str, level: Level) -> None:
    assert code in codes(check(replace(EDITION, **change), issue=make_issue()), level)


@pytest.mark.parametrize(
    ("change", "code", "level"),
    [
        ({"opening": ""}, "opening-empty", Level.WARNING),
        ({"opening": PLACEHOLDER}, "opening-placeholder", Level.ERROR),
        ({"opening": "A.\n\nWrite this week's opening here."}, "opening-placeholder", Level.ERROR),
        ({"preheader": ""}, "preheader-made", Level.NOTE),
        ({"regions": {}}, "region-empty", Level.WARNING),
        ({"regions": {"national": RegionBlock("Hello.")}}, "region-inherits", Level.NOTE),
    ],
)
def test_what_an_editor_overlooked_is_found(change: dict, code: str, level: Level) -> None:
    assert code in codes(check(issue=make_issue(**change)), level)
    assert code not in codes(check(issue=make_issue()))


DUE = datetime(2026, 11, 30, 7, tzinfo=UTC)
"""When the sample issue goes out: London, seven o'clock."""


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"embargo_until": DUE}, None),
        ({"embargo_until": DUE + timedelta(minutes=1)}, "article-embargo"),
        ({"embargo_until": datetime(2026, 11, 30, 18, tzinfo=UTC)}, "article-embargo"),
        ({"expires_at": DUE + timedelta(minutes=1)}, None),
        ({"expires_at": DUE}, "article-expired"),
        ({"expires_at": datetime(2026, 11, 30, tzinfo=UTC)}, "article-expired"),
    ],
)
def test_embargo_and_expiry_are_held_against_the_hour_it_goes_out(
    change: dict, code: str | None
) -> None:
    articles = make_articles()
    articles["pier"] = replace(articles["pier"], **change)
    found = codes(check(issue=make_issue(), articles=articles), Level.ERROR)
    assert found == ({code} if code else set())


def test_the_first_regions_clock_decides() -> None:
    publication = make_publication()
    east = publication.region("national").model_copy(update={"time_zone": "Asia/Tokyo"})
    publication = publication.model_copy(
        update={"region_map": publication.region_map | {"national": east}}
    )
    articles = make_articles()
    articles["pier"] = replace(articles["pier"], embargo_until=DUE - timedelta(hours=3))
    found = check(issue=make_issue(), articles=articles, publication=publication)
    assert "article-embargo" in codes(found, Level.ERROR)


def test_pictures_without_credit_or_description_stop_approval() -> None:
    articles = make_articles()
    articles["ferry"] = replace(
        articles["ferry"], picture=make_picture("quay", alt=None, credit="")
    )
    issue = make_issue()
    wanted = {"picture-no-credit", "picture-undescribed"}
    assert wanted <= codes(check(issue=issue, articles=articles), Level.ERROR)
    said = Pick("ferry", image_alt="", image_credit="Somebody")
    for pick in (said, Pick("ferry", has_image=False)):
        issue = make_issue(sections={"lead": (pick,)})
        assert not wanted & codes(check(issue=issue, articles=articles))


def test_a_picture_too_small_for_its_place_is_noted() -> None:
    images = make_images()
    small = replace(images["images/quay.png"].lead, width=700)
    images["images/quay.png"] = replace(images["images/quay.png"], lead=small)
    found = check(issue=make_issue(), articles=make_articles(), images=images)
    assert "picture-small" in codes(found, Level.NOTE)


def test_a_lead_without_a_picture_is_noted() -> None:
    issue = make_issue(sections={"lead": (Pick("light"),)})
    edition = render(issue)
    assert "lead-no-picture" in codes(check(edition, issue=issue, articles=make_articles()))


def test_the_diary() -> None:
    entries = [DiaryEntry("gone", "Fair", date(2026, 11, 1))]
    found = check(issue=make_issue(diary=("gone", "never")), diary=entries)
    assert {"diary-past", "diary-unknown"} <= codes(found)


def test_development_pictures_may_be_on_our_own_http() -> None:
    html = tuple(
        piece.replace(WEB_URL, "http://127.0.0.1:8025") if isinstance(piece, str) else piece
        for piece in EDITION.html
    )
    publication = make_publication()
    found = check_edition(
        replace(EDITION, html=html),
        publication=publication,
        region=publication.region("wales"),
        web_url="http://127.0.0.1:8025",
    )
    assert "picture-not-https" not in codes(found)


def test_the_shipped_theme_can_be_read_in_both_schemes() -> None:
    for palette in palettes(Theme()):
        for pair, ratio in palette.pairs().items():
            assert ratio >= 4.5, pair


@pytest.mark.parametrize(
    ("theme", "code"),
    [
        (Theme(accent="#f0a598"), "contrast-light"),
        (Theme(accent_dark="#5c2a1f"), "contrast-dark"),
        (Theme(ink="#bbbbbb"), "contrast-light"),
    ],
)
def test_a_theme_that_cannot_be_read_is_an_error(theme: Theme, code: str) -> None:
    publication = make_publication(theme=theme)
    edition = render(publication=publication)
    assert code in codes(check(edition, publication=publication), Level.ERROR)


def test_contrast_is_wcags() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1
    assert mix("#000000", "#ffffff", 0.5) == "#808080"
