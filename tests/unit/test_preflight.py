"""Preflight: a sound edition passes, and each fault is found under its code."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from mailer.articles.article import DiaryEntry, Flag
from mailer.editions.checks.finding_places import Places
from mailer.editions.checks.rulebook import Hit
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
        ("Cass Rowan", "Cass Rowan\ufffd", "character-lost"),
        ("Cass Rowan", "Cass Row\u00c3\u00a4n", "character-lost"),
        ("https://tidewater.example/pier", "https://a:b@tidewater.example/pier", "link-login"),
        ("</head>", "<style>@media print{@media screen{p{}}}</style></head>", "style-nested"),
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


@pytest.mark.parametrize(
    ("html", "code"),
    [
        ('<p>See <a href="https://x.example/" style="text-decoration:none">the list</a> now.</p>',
         "link-not-underlined"),
        (f'<p style="font-size:15px">{"A long sentence about the tide. " * 12}</p>',
         "type-body-small"),
        (f'<p style="line-height:1.2">{"A long sentence about the tide. " * 6}</p>', "lines-tight"),
        (f'<p style="font:16px/20px serif">{"A long sentence about the tide. " * 6}</p>',
         "lines-tight"),
        ('<img src="https://x.example/a.png" width="10" alt="IMG_0231.jpg">',
         "picture-alt-is-name"),
    ],
)  # fmt: skip
def test_what_is_hard_to_read_or_to_tell_apart_is_found(html: str, code: str) -> None:
    assert code in codes(check(with_html("</body>", f"{html}</body>")), Level.WARNING)
    assert code not in codes(check())


def test_an_edition_says_its_title_and_where_it_is_on_the_web() -> None:
    without = tuple(
        re.sub(r"<title>.*?</title>", "<title></title>", piece) if isinstance(piece, str) else piece
        for piece in EDITION.html
    )
    assert "title-missing" in codes(check(replace(EDITION, html=without)))
    for slot, code in (
        ("view_online_url", "no-view-online"),
        ("preferences_url", "no-preferences"),
    ):
        bare = tuple(piece for piece in EDITION.html if piece != Slot(slot))
        assert code in codes(check(replace(EDITION, html=bare)), Level.WARNING)


def test_outlooks_dark_mode_is_answered() -> None:
    without = tuple(
        piece.replace("data-ogsc", "data-x") if isinstance(piece, str) else piece
        for piece in EDITION.html
    )
    assert "no-dark-outlook" in codes(check(replace(EDITION, html=without)), Level.WARNING)


def test_a_publication_without_a_sender_is_told_before_it_sends() -> None:
    publication = make_publication(from_address="")
    (finding,) = [f for f in check(publication=publication) if f.code == "no-sender"]
    assert finding.where == "publication.toml"


def test_why_the_reader_gets_it_is_shown() -> None:
    publication = make_publication(why_you_get_this="Because of a wager.")
    assert "reason-not-shown" in codes(check(publication=publication), Level.WARNING)


def test_a_heavy_picture_is_found() -> None:
    images = make_images()
    heavy = replace(images["images/quay.png"].thumb, size_bytes=41_000)
    images["images/quay.png"] = replace(images["images/quay.png"], thumb=heavy)
    found = check(issue=make_issue(), articles=make_articles(), images=images)
    assert "picture-heavy" in codes(found, Level.WARNING)


@pytest.mark.parametrize(
    ("subject", "is_shouting"),
    [
        ("THE FERRY IS LATE", True),
        ("The ferry is late!!", True),
        ("Win $$$ at the quay", True),
        ("The ferry is late!", False),
        ("NHS and BBC", False),
        ("العبّارة متأخرة", False),
    ],
)
def test_a_subject_that_shouts(subject: str, is_shouting: bool) -> None:
    found = codes(check(replace(EDITION, subject=subject)))
    assert ("subject-shouts" in found) is is_shouting


def test_a_preheader_that_repeats_the_subject() -> None:
    same = replace(EDITION, preheader=EDITION.subject.upper())
    assert "preheader-repeats" in codes(check(same))


@pytest.mark.parametrize(
    ("on", "at", "is_past"),
    [
        (date(2026, 11, 29), None, True),
        (date(2026, 11, 30), None, False),
        (date(2026, 11, 30), time(6, 59), True),
        (date(2026, 11, 30), time(7, 1), False),
        (date(2026, 12, 1), time(5, 0), False),
    ],
)
def test_an_event_is_past_by_the_hour_at_which_the_region_gets_it(
    on: date, at: time | None, is_past: bool
) -> None:
    found = codes(check(issue=make_issue(diary=("a",)), diary=[DiaryEntry("a", "Fair", on, at)]))
    assert ("diary-past" in found) is is_past


def test_a_deadline_that_is_past_and_a_flag_are_told_at_the_article() -> None:
    articles = make_articles()
    articles["pier"] = replace(
        articles["pier"],
        deadline=date(2026, 11, 29),
        flags=(Flag("no-date", "No date was found."),),
    )
    found = check(issue=make_issue(), articles=articles)
    assert "deadline-past" in codes(found, Level.WARNING)
    assert "article-flagged" in codes(found, Level.NOTE)


def test_a_correction_needs_words_and_no_stories() -> None:
    issue = make_issue(corrects="2026-11-30", opening="")
    bare = replace(EDITION, article_ids=())
    assert "correction-empty" in codes(check(bare, issue=issue), Level.ERROR)
    said = replace(issue, opening="It is Thursday.")
    assert not has_errors(check(bare, issue=said))


def test_findings_are_placed_where_they_can_be_mended() -> None:
    articles = make_articles()
    articles["pier"] = replace(
        articles["pier"], origin="articles/pier.md", picture=make_picture("quay", credit="")
    )
    places = Places(
        issue_file="issues/2026-11-30.md",
        issue_text="---\nsubject: x\nsections:\n  lead:\n    - ferry\n    - pier\n---\n",
        articles=articles,
        files={"articles/pier.md": "---\ntitle: x\nimage: quay.png\n---\n"},
    )
    rows = {
        "file": Hit("picture-no-credit", "x", article="pier", clue="image"),
        "pick": Hit("article-empty", "x", article="ferry"),
        "words": Hit("subject-long", "x", clue="subject:"),
        "given": Hit("region-no-contact", "x", where="subscribers/wales.toml", line=3),
    }
    assert {name: places.of(hit) for name, hit in rows.items()} == {
        "file": ("articles/pier.md", 3),
        "pick": ("issues/2026-11-30.md", 5),
        "words": ("issues/2026-11-30.md", 2),
        "given": ("subscribers/wales.toml", 3),
    }


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
