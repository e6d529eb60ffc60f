"""Sheets: what is laid out of an edition, measured against the bytes that are sent."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

from mailer.delivery.delivery import Delivery, DeliveryState
from mailer.delivery.message import compile_edition, letterhead
from mailer.editions.edition import Edition, merge_html, merge_text
from mailer.editions.finding import Finding, Level
from mailer.editions.guises import Guise, dress, frame_ready
from mailer.lighttable.lightpage import Looked, make_page, picture_data
from mailer.lighttable.sample_readers import LONGEST, NAMED, NAMELESS, SAMPLE_READERS
from mailer.lighttable.sheets import Sheet, make_sheet
from tests.browser.sampling import FIELDS, SEEN, WEB_URL, make_publication, render

DELIVERY = Delivery(
    id=1,
    issue_id="2026-11-30",
    region="wales",
    subscriber_id=1,
    address=FIELDS["address"],
    name=FIELDS["name"],
    token="t0ken",
    dated_at=SEEN,
    due_at=SEEN,
    state=DeliveryState.PLANNED,
)
LOOKED = Looked("Tidewater", "2026-11-30", 7, "Monday 30 November 2026")


def lay(edition: Edition | None = None, **changes: Any) -> Sheet:
    publication = make_publication()
    values: dict[str, Any] = {
        "region": publication.region("wales"),
        "publication": publication,
        "fields": {reader.id: {**FIELDS, "name": reader.name} for reader in SAMPLE_READERS},
        "messages": {},
        "findings": [
            Finding(Level.WARNING, "x", "a <b> is odd", "wales", "mend it", "publication.toml", 7)
        ],
        "web_url": WEB_URL,
    }
    return make_sheet(edition or render(), **(values | changes))


def unpacked(sheet: Sheet) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(sheet.pack())))


def joined(pieces: list[Any], fields: dict[str, str]) -> str:
    """Join as the page's script does, but with a picture's address in its place."""
    return "".join(
        piece
        if isinstance(piece, str)
        else fields[piece["s"]]
        if "s" in piece
        else f"{WEB_URL}/images/{piece['p']}"
        for piece in pieces
    )


def test_the_page_gets_the_whole_edition() -> None:
    edition = render().without(frozenset())
    data = unpacked(lay(edition))
    for guise in Guise:
        wanted = merge_html(dress(frame_ready(edition.html), guise), FIELDS)
        assert joined(data["guises"][guise], FIELDS) == wanted
    assert joined(data["text"], FIELDS) == merge_text(edition.text, FIELDS)
    assert (data["subject"], data["preheader"]) == (edition.subject, edition.preheader)
    assert data["findings"] == [
        {
            "level": "warning",
            "code": "x",
            "message": "a <b> is odd",
            "place": "publication.toml:7",
            "remedy": "mend it",
        }
    ]
    assert (data["errors"], data["warnings"]) == (0, 1)


def test_sizes_are_those_of_the_sent_parts() -> None:
    publication = make_publication()
    edition = render()
    compiled = compile_edition(edition, letterhead(publication, publication.region("wales")))
    message = compiled.render(DELIVERY, FIELDS)
    sheet = lay(edition, fields={"named": FIELDS}, messages={"named": message})
    _, text, html, _ = message.split(b"\r\n--=_")
    sent = [len(part.partition(b"\r\n\r\n")[2]) for part in (text, html)]
    assert [sheet.sizes.text, sheet.sizes.html] == sent
    assert sheet.sizes.message == len(message)


def test_links_are_counted_and_pictures_known() -> None:
    sheet = lay()
    urls = [way.url for way in sheet.links]
    assert FIELDS["unsubscribe_url"] in urls
    assert "https://tidewater.example/pier" in urls
    assert all(way.times >= 1 for way in sheet.links)
    assert len({(way.url, way.text) for way in sheet.links}) == len(sheet.links)
    assert len(sheet.pictures) == 2


def test_sample_readers_are_the_edges() -> None:
    assert NAMELESS.name == ""
    assert len(LONGEST.name) == 200
    assert NAMED.name


def test_a_page_holds_its_pictures_and_names_nothing_foreign(tmp_path: Path) -> None:
    sheet = lay()
    name = min(sheet.pictures)
    (tmp_path / name).write_bytes(b"picture of a quay")
    page = make_page(LOOKED, [sheet], images=tmp_path)
    assert base64.b64encode(b"picture of a quay").decode() in page
    assert "src=" not in page
    assert "connect-src 'none'" in page.replace("&#39;", "'")
    assert "connect-src 'self'" in make_page(LOOKED, [sheet], images=tmp_path, live="/k/").replace(
        "&#39;", "'"
    )
    assert picture_data(tmp_path / "quay.exe") == ""
    assert picture_data(tmp_path / f"{'0' * 32}.jpg") == ""
