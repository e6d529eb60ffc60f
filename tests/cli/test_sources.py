"""``mailer sources``: lists of feeds in and out, and the sources as an editor meets them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mailer.articles.opml import read_opml, write_opml
from mailer.errors import InvalidInput
from mailer.sources import Source
from tests.cli.conftest import driver
from tests.cli.driving import Mailer


@pytest.fixture
def root(fresh: Path) -> Path:
    return fresh


@pytest.fixture
def mailer(fresh: Path) -> Mailer:
    return driver(fresh)


OPML = """<?xml version="1.0"?><opml version="2.0"><head><title>Mine</title></head><body>
<outline text="Local"><outline type="rss" text="Town &amp; Quay" xmlUrl="https://town.example/feed"/>
<outline text="Quays" xmlUrl="https://quay.example/rss" category="/boats/ferries,/news"/></outline>
<outline title="Town &amp; Quay" xmlUrl="http://other.example/atom"/>
<outline text="Again" xmlUrl="https://town.example/feed"/>
<outline text="A note"/></body></opml>"""


def test_a_list_is_read() -> None:
    listed = read_opml(OPML.encode())
    assert [(s.name, s.url, s.tags) for s in listed.sources] == [
        ("Town & Quay", "https://town.example/feed", ("Local",)),
        ("Quays", "https://quay.example/rss", ("Local", "ferries", "news")),
        ("Town & Quay 2", "http://other.example/atom", ()),
    ]


def test_what_is_written_is_read_back() -> None:
    sources = [
        Source(name='A "quoted" <name> & more', url="https://a.example/f?x=1&y=2", tags=("b & c",)),
        Source(name="Kept here", file="feeds/x.xml"),
        Source(name="B", url="https://b.example/feed"),
    ]
    back = read_opml(write_opml("The Lantern & Co", sources).encode())
    assert list(back.sources) == [sources[0], sources[2]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not well-formed"),
        ("<rss/>", "is no OPML file"),
        ("<opml><body/></opml>", "names no feed"),
        ("<opml><body><outline xmlUrl='https://x.example'></body></opml>", "mismatched tag"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><opml>&x;</opml>', "declares entities"),
        ("<opml>" + "<outline>" * 200 + "</outline>" * 200 + "</opml>", "nests over 100"),
    ],
    ids=range(6),
)
def test_what_is_no_list_is_one_line(text: str, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_opml(text.encode(), where="x.opml")
    (fault,) = caught.value.faults
    assert says in fault.problem
    assert fault.where == "x.opml"


def test_a_list_is_imported_and_taken_back(mailer: Mailer, root: Path) -> None:
    path = root / "publication.toml"
    before = path.read_text()
    (root / "mine.opml").write_text(
        OPML.replace('<outline text="A note"/>', "<outline text='Bad' xmlUrl='file:///etc/x'/>")
    )
    said = mailer("sources", "import", str(root / "mine.opml"), "--dry-run")
    assert path.read_text() == before
    assert 'url = "https://quay.example/rss"' in said.out
    said = mailer("sources", "import", str(root / "mine.opml"))
    assert said.code == 8
    assert "'Bad' is not a web address" in said.err
    after = path.read_text()
    # Every line that was there still is, in its order.
    rest = iter(after.splitlines())
    assert all(line in rest for line in before.splitlines())
    names = [row["name"] for row in mailer("sources", "list", "--json").data]
    assert names[-3:] == ["Town & Quay", "Quays", "Town & Quay 2"]
    again = mailer("sources", "import", str(root / "mine.opml"), "--json")
    assert (again.data["added"], again.data["known"], again.data["written"]) == ([], 3, False)
    assert mailer("sources", "import", "--undo").code == 0
    assert path.read_text() == before
    assert mailer("sources", "import", "--undo").code == 5


def test_a_change_since_the_import_is_not_undone(mailer: Mailer, root: Path) -> None:
    (root / "mine.opml").write_text(OPML)
    mailer("sources", "import", str(root / "mine.opml"))
    path = root / "publication.toml"
    path.write_text(path.read_text() + "# mine\n")
    said = mailer("sources", "import", "--undo")
    assert said.code == 5
    assert "was changed since the import" in said.err
    assert path.read_text().endswith("# mine\n")


def test_a_publication_without_sources_gets_its_first(mailer: Mailer, root: Path) -> None:
    path = root / "publication.toml"
    text = path.read_text()
    start, end = text.index("[[sources]]"), text.index("# --- The week")
    path.write_text(text[:start] + text[end:])
    (root / "mine.opml").write_text(OPML)
    assert mailer("sources", "import", str(root / "mine.opml")).code == 0
    assert len(mailer("sources", "list", "--json").data) == 3


def test_the_feeds_are_exported(mailer: Mailer, root: Path) -> None:
    (root / "mine.opml").write_text(OPML)
    mailer("sources", "import", str(root / "mine.opml"))
    assert mailer("sources", "export", str(root / "out.opml")).code == 0
    back = read_opml((root / "out.opml").read_bytes())
    assert [s.url for s in back.sources] == [
        "https://town.example/feed",
        "https://quay.example/rss",
        "http://other.example/atom",
    ]
    assert mailer("sources", "export").out.startswith("<?xml")


def test_sources_are_checked_and_nothing_is_kept(mailer: Mailer, root: Path) -> None:
    rows = mailer("sources", "check", "--json").data
    assert [row["status"] for row in rows] == ["read"] * 3
    assert [row["beginnings"] for row in rows] == [0, 1, 0]
    assert mailer("articles", "--json").data == []
    (root / "feeds" / "harbour-notices.xml").write_text("<rss><channel></rss>")
    said = mailer("sources", "check", "Exbridge Harbour Notices")
    assert said.code == 8
    assert re.search(r"harbour-notices\.xml:1: is not well-formed XML: mismatched tag", said.err)
    assert mailer("sources", "check", "Nobody").code == 4


def test_one_article_is_shown_with_where_it_is_and_was(mailer: Mailer, root: Path) -> None:
    assert mailer("ingest").code == 0
    feed = root / "feeds" / "lantern-site.xml"
    feed.write_text(feed.read_text().replace("For the record:", "Put right:"))
    (report,) = [
        row
        for row in mailer("ingest", "--sources", "The Lantern's site", "--json").data["sources"]
        if row["status"] == "read"
    ]
    assert (report["updated"], report["unchanged"]) == (1, 1)
    name = "catford-reading-room-finds-its-keys"
    shown = mailer("articles", "show", name, "--json").data
    assert [origin["origin"] for origin in shown["origins"]] == [
        "articles/reading-room-keys.md",
        "feeds/lantern-site.xml",
    ]
    changed = mailer(
        "articles", "show", "for-the-record-last-weeks-tide-table", "--versions", "--json"
    ).data
    assert changed["title"].startswith("Put right:")
    (version,) = changed["versions"]
    assert version["title"].startswith("For the record:")
    assert "The tide table" in version["text"]
    said = mailer("articles", "show", "for-the-record-last-weeks-tide-table", "--versions")
    assert "For the record:" in said.out
    assert json.dumps(shown)


def test_taking_in_again_shows_only_what_is_new(mailer: Mailer, root: Path) -> None:
    assert "who-owns-the-mud" in mailer("ingest").out
    (root / "articles" / "new.md").write_text("---\ntitle: A new ferry\n---\n\nIt sails.\n")
    again = mailer("ingest")
    assert "a-new-ferry" in again.out
    assert "who-owns-the-mud" not in again.out
    assert "articles are as they were; `mailer articles` lists them." in again.err
    assert "unchanged" in mailer("ingest", root / "articles" / "new.md").out
    assert len(mailer("ingest", "--json").data["articles"]) > 30


@pytest.mark.parametrize(
    ("address", "problem", "remedy"),
    [
        ("ftp://town.example/a", "is a ftp address, not http or https", "public address"),
        ("https://", "names no host", "public address"),
        ("http://127.0.0.1/", "which is this machine", "MAILER_FETCH_ALLOW"),
        ("https://a:b@town.example/", "carries a name or password", "public address"),
    ],
)
def test_an_address_that_is_refused_says_what_helps(
    mailer: Mailer, address: str, problem: str, remedy: str
) -> None:
    said = mailer("ingest", address)
    assert said.code == 8
    (line,) = said.error_lines
    assert line.startswith(f"error: {address}: ")
    assert problem in line
    assert remedy in line


def test_nothing_to_take_in_or_to_export_is_said(mailer: Mailer, root: Path) -> None:
    (root / "nothing").mkdir()
    assert "nothing to take in" in mailer("ingest", root / "nothing").err
    assert "3 left out: OPML holds addresses" in mailer("sources", "export").err
