"""Every way a file can come in, and every way it can be refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from mailer.articles.article import Article, Kind
from mailer.articles.files import MAX_FILE_BYTES, read_document
from mailer.articles.intake import IngestPolicy
from mailer.errors import InvalidInput

NOW = datetime(2031, 10, 20, 12, tzinfo=UTC)
FIXTURES = Path(__file__).parents[1] / "fixtures" / "articles"
REGIONS = {"wales": ("Wales", "Cardiff"), "bristol": ("Bristol",)}


def desk(root: Path) -> IngestPolicy:
    return IngestPolicy(NOW, "Europe/London", root, REGIONS, ("news",))


def read(path: Path, *, root: Path | None = None) -> Article:
    (article,) = read_document(path, desk=desk(root or path.parent)).articles
    return article


def written(folder: Path, text: str | bytes, name: str = "a.md") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def codes(article: Article) -> list[str]:
    return [flag.code for flag in article.flags]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.md", b"", "a.md: is empty"),
        ("a.md", b" \n\t\n", "a.md: is empty"),
        ("a.md", b"one\ntw\x00o", "a.md:2: has a NUL character"),
        ("a.md", b"one\n\nthree \xff\xe9", "a.md:3: is not UTF-8 at byte 11; save it as UTF-8"),
        ("a.md", b"x" * (MAX_FILE_BYTES + 1), "a.md: is 2,000,001 bytes large; split it"),
        ("a.docx", b"x", "a.docx: is a .docx file; use "),
        ("a.md", b"---\ntitle: A\n---\n", "a.md:4: there is no text below the front matter"),
        ("a.md", b"---\nauthor: A\n---\ntext", "a.md:1: title: is missing; add a title: line"),
        ("a.html", b"<div>" * 200, "a.html: the HTML nests over 100 levels"),
        ("a.md", b"---\ntitle: A\n---\n" + b"<b>" * 200, "a.md:4: the HTML nests over 100"),
    ],
)
def test_bad_files_are_one_clear_line(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = written(tmp_path, content, name)
    with pytest.raises(InvalidInput) as caught:
        read_document(path, desk=desk(tmp_path))
    (fault,) = caught.value.faults
    assert said in str(fault)
    assert fault.remedy


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()
    for name in ("none.md", "folder.md"):
        with pytest.raises(InvalidInput, match=name):
            read_document(tmp_path / name, desk=desk(tmp_path))


def test_utf16_and_byte_order_marks_are_read(tmp_path: Path) -> None:
    text = "---\ntitle: Café\n---\nText\r\nmore"
    for encoding in ("utf-8-sig", "utf-16"):
        assert read(written(tmp_path, text.encode(encoding))).title == "Café"


def test_markdown_with_front_matter(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "---\ntitle: Boats\nslug: little-boats\nauthor: Ada Vine\ndate: 2031-10-15\ndraft: true\n"
        "briefing:\n  section: news\n  regions: [wales]\n---\n# Boats\n\nSmall *ones*.\n\n"
        "## What next\n\nMore.\n",
        "articles/a.md",
    )
    article = read(path, root=tmp_path)
    assert (article.id, article.title, article.authors) == ("little-boats", "Boats", ("Ada Vine",))
    assert article.is_draft
    assert article.origin == "articles/a.md"
    assert article.body_text == "Small ones.\n\nWhat next\n\nMore."
    assert article.flags == ()


def test_a_headline_in_the_body_is_the_title(tmp_path: Path) -> None:
    article = read(written(tmp_path, "---\nauthor: Ada Vine\n---\n\n# Boats\n\nText.\n"))
    assert (article.title, article.body_text) == ("Boats", "Text.")


def test_a_file_outside_the_publication_keeps_its_whole_path(tmp_path: Path) -> None:
    path = written(tmp_path / "elsewhere", "---\ntitle: A\n---\nText")
    root = tmp_path / "publication"
    assert read(path, root=root).origin == path.resolve().as_posix()


@pytest.mark.parametrize(
    ("src", "found"),
    [
        ("images/a.png", "images/a.png"),
        ("/images/a.png", "images/a.png"),
        ("a.png", "images/a.png"),
        ("near.png", "articles/near.png"),
        ("images/none.png", "images/none.png"),
        (f"images/{'a' * 300}.png", f"images/{'a' * 300}.png"),
        ("https://pictures.example/a.png", "https://pictures.example/a.png"),
    ],
)
def test_pictures_are_found_in_the_publication(tmp_path: Path, src: str, found: str) -> None:
    written(tmp_path, b"png", "images/a.png")
    written(tmp_path, b"png", "articles/near.png")
    path = written(tmp_path, f"---\ntitle: A\nimage: {src}\n---\nText", "articles/a.md")
    picture = read(path, root=tmp_path).picture
    assert picture is not None
    assert picture.src == found


def test_the_first_picture_of_the_text_is_used(tmp_path: Path) -> None:
    article = read(written(tmp_path, "---\ntitle: A\n---\nText\n\n![Two boats](images/b.png)\n"))
    assert article.picture is not None
    assert (article.picture.src, article.picture.alt) == ("images/b.png", "Two boats")
    assert "img" not in article.body_html


def test_events_are_diary_entries_and_dates_in_the_text_are_flagged(tmp_path: Path) -> None:
    document = read_document(
        written(
            tmp_path,
            "---\ntitle: Boats\ndate: 2031-10-15\nbriefing:\n  regions: [wales]\n  events:\n"
            "  - {title: Boat fair, date: 2031-11-01, time: '11:00', place: Quay}\n---\n"
            "Come to the boat fair on 1 November. There will be a public meeting on 8 November at "
            "7pm in Chapel Hall. The meeting on 2 October was full, and a march is in the spring.",
        ),
        desk=desk(tmp_path),
    )
    fair, meeting = document.diary
    assert (fair.title, fair.on, fair.at, fair.flags) == (
        "Boat fair",
        date(2031, 11, 1),
        time(11),
        (),
    )
    assert fair.regions == ("wales",)
    assert (meeting.title, meeting.on, meeting.at, meeting.place) == (
        "Public meeting",
        date(2031, 11, 8),
        time(19),
        "Chapel Hall",
    )
    assert "found-in-text" in [flag.code for flag in meeting.flags]
    assert meeting.article_id == fair.article_id == "boats"


def test_an_html_page_says_its_own_name(tmp_path: Path) -> None:
    article = read(
        written(
            tmp_path,
            "<html><head><title>Boats | The Site</title><meta name=author content='Ada Vine'>"
            "<meta property='article:published_time' content='2031-10-15T09:00:00Z'>"
            "<link rel=canonical href='https://site.example/boats'><script>x()</script></head>"
            "<body><nav>Home</nav><article><h1>Boats at rest</h1><img src='b.png' alt='Two boats'>"
            "<p>They lie in the <b>mud</b>.</p><p>Share this:</p><p>Leave a Reply</p></article>"
            "<footer>All rights reserved</footer></body></html>",
            "a.html",
        )
    )
    assert (article.title, article.authors) == ("Boats at rest", ("Ada Vine",))
    assert article.url == "https://site.example/boats"
    assert article.published_at == datetime(2031, 10, 15, 9, tzinfo=UTC)
    assert article.body_html == "<p>They lie in the <strong>mud</strong>.</p>"
    assert article.picture is not None
    assert article.picture.src == "b.png"


def test_an_html_page_without_metadata_is_read_for_its_byline(tmp_path: Path) -> None:
    article = read(
        written(tmp_path, "<h1>Boats</h1><p>By Ada Vine</p><p>They lie in the mud.</p>", "a.html")
    )
    assert (article.title, article.authors) == ("Boats", ("Ada Vine",))
    assert article.body_text == "They lie in the mud."


def test_a_strapline_is_left_out_and_said(tmp_path: Path) -> None:
    article = read(FIXTURES / "strapline.txt")
    assert article.title == "Ferry crews walk out at dawn!"
    assert article.authors == ()
    assert codes(article) == ["strapline-dropped", "no-byline", "no-date"]
    assert article.kind is Kind.REPORT
    assert "Reply" not in article.body_text
    assert "Federation" not in article.body_text


def test_a_caption_printed_twice_is_a_picture_and_the_foot_a_byline() -> None:
    article = read(FIXTURES / "doubled-caption.txt")
    assert article.title.startswith("Crowds bring cake to the ferry crews")
    assert article.authors == ("Rhoswen Tallis",)
    assert article.author_note.startswith("Rhoswen Tallis used to be")
    assert article.picture is not None
    assert article.picture.caption == "Ticket clerks' tea table outside Pier House"
    assert article.picture.credit == "Anselm Okoro-Reid"
    assert article.body_text.startswith("Half way through")
    assert article.body_text.endswith("than spoons.”")


def test_a_syndicated_page_has_no_residue_and_a_doubtful_headline() -> None:
    article = read(FIXTURES / "syndicated.txt")
    assert article.title.startswith("Ferry union members at the Gull Point slipway")
    assert {"syndicated", "headline-unclear", "no-byline"} <= set(codes(article))
    assert article.body_text.endswith("keep it until the spring.")
    assert "⛵" not in article.body_text


def test_a_call_has_a_deadline_a_list_and_a_made_headline() -> None:
    article = read(FIXTURES / "call.txt")
    assert article.kind is Kind.CALL
    assert article.deadline == date(2030, 10, 14)
    assert article.body_html.count("<li>") == 3
    assert article.body_html.count("<ul>") == 1
    assert {"headline-made", "deadline-from-text", "year-inferred"} <= set(codes(article))
    assert article.body_text.startswith("Last week the harbour company")


def test_a_plain_text_with_everything_at_its_head(tmp_path: Path) -> None:
    article = read(
        written(
            tmp_path,
            "Home | News\n\nBoats at rest\n\nBy Ada Vine\n\nThursday 16 October 2031\n\n"
            "The mud is soft and the boats are asleep in it, all nine of them.\n\n"
            "Entries must reach the harbour office by Friday 24 October.\n\n"
            "Original post: https://site.example/boats\n\nLeave a Reply\n",
            "a.txt",
        )
    )
    assert (article.title, article.authors) == ("Boats at rest", ("Ada Vine",))
    assert article.published_at == datetime(2031, 10, 15, 23, tzinfo=UTC)
    assert article.deadline == date(2031, 10, 24)
    assert article.url == "https://site.example/boats"


def test_markdown_without_front_matter_keeps_its_marks(tmp_path: Path) -> None:
    article = read(
        written(
            tmp_path, "# Boats\n\nIn the *mud* of [Quay](https://q.example), asleep.\n\n- one\n"
        )
    )
    assert article.title == "Boats"
    assert "<em>mud</em>" in article.body_html
    assert "<li>one</li>" in article.body_html


def test_a_region_is_suggested_never_set(tmp_path: Path) -> None:
    article = read(
        written(tmp_path, "Boats in Cardiff\n\nThe mud is soft there, and cold.\n", "a.txt")
    )
    assert article.regions == ()
    assert "region-suggested" in codes(article)


@pytest.mark.parametrize("text", ["x", "#", "•", "Photo: Ada Vine", "By Ada Vine", "1 May", "---x"])
def test_scraps_of_text_become_something_or_one_line(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text, "a.txt")
    try:
        document = read_document(path, desk=desk(tmp_path))
    except InvalidInput as error:
        faults = error.faults
    else:
        faults = ()
        assert all(article.title and article.id for article in document.articles)
    assert all(fault.where == str(path) and fault.remedy for fault in faults)
