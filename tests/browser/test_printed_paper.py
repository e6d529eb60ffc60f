"""A paper printed by a real program: its own typefaces, ligatures, justified columns, drop caps."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from playwright.sync_api import Browser

from mailer.articles.files import read_document
from mailer.articles.intake import IngestPolicy

STYLE = """
@page { size: A4; margin: 12mm }
body { font: 9pt serif } h1 { font-size: 40pt; margin: 0 } h2 { font-size: 22pt; margin: 6pt 0 }
.columns { columns: 3; column-gap: 14pt; text-align: justify; hyphens: auto }
p { margin: 0; text-indent: 10pt } .flush { text-indent: 0 }
.drop::first-letter { float: left; font-size: 34pt; line-height: 26pt; padding-right: 2pt }
"""
LEAD = """
The bill came on a Tuesday, in a brown envelope, and it charged every flat for the wear of eleven
steps. Nobody on Cooper Row had ever seen such a thing, and the postman said that he had delivered
forty of them that morning alone.

The company that owns the row says that stairs are a service, and speaks of vertical access and of a
neighbourhood contribution, to be paid each quarter in advance by everybody who climbs, and by those
who are carried.

The meeting agreed that no family would pay before the others had been asked, and wrote one answer
for all forty doors. The company has not replied.
"""
TRAM = """
A tram stop at Salt Lane was moved by nine yards in the night, and in the morning it had no name.
Passengers waited for the tram at the old pole until lunch, because that is where they have always
waited for it.

A public meeting about the stop will be held on Thursday 11 December, 7.30–9pm, in Salt Lane Chapel.
Everybody is asked to come on foot, and to bring a chair.
"""


def paragraphs_of(text: str) -> list[str]:
    return [" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n")]


def columns(byline: str, text: str) -> str:
    first, *rest = paragraphs_of(text)
    texts = "".join(f"<p>{paragraph}</p>" for paragraph in rest)
    return (
        f'<div class="columns"><p class="flush"><b>{byline}</b></p>'
        f'<p class="flush drop">{first}</p>{texts}</div>'
    )


def test_a_printed_paper_is_read_whole(chromium: Browser, tmp_path: Path) -> None:
    page = chromium.new_page()
    page.set_content(
        f'<html lang="en-GB"><style>{STYLE}</style><h1>THE LANTERN</h1>'
        '<p class="flush">DECEMBER 2031 • FREE EVERY MONTH • ISSUE NO. 41</p>'
        f"<h2>The landlord who counted the stairs</h2>{columns('WINIFRED ASKE', LEAD)}"
        f"<h2>A tram stop moves nine yards</h2>{columns('By Ivo Marchbank', TRAM)}</html>"
    )
    path = tmp_path / "printed.pdf"
    page.pdf(path=path, prefer_css_page_size=True)
    page.close()
    now = datetime(2031, 11, 28, 12, tzinfo=UTC)
    document = read_document(path, desk=IngestPolicy(now, "Europe/London", tmp_path))
    lead, tram = document.articles
    assert (lead.title, lead.authors) == ("The landlord who counted the stairs", ("Winifred Aske",))
    assert (tram.title, tram.authors) == ("A tram stop moves nine yards", ("Ivo Marchbank",))
    assert lead.body_text.split("\n\n") == paragraphs_of(LEAD)
    assert tram.body_text.split("\n\n") == paragraphs_of(TRAM)
    assert [(entry.on, entry.title) for entry in document.diary] == [
        (date(2031, 12, 11), "Public meeting about the stop")
    ]
