"""PDFs as files: a paper of two pages is read whole; what cannot be read is one clear line."""

from __future__ import annotations

import io
import zlib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, StreamObject

from mailer.articles import pdfreading
from mailer.articles.article import Document, Kind
from mailer.articles.files import read_document
from mailer.articles.intake import IngestPolicy
from mailer.articles.pdfreading import read_pdf
from mailer.errors import InvalidInput
from tests.papers import Page, lantern, pdf_of, write_pdf

NOW = datetime(2031, 11, 28, 12, tzinfo=UTC)


def read(path: Path) -> Document:
    return read_document(path, desk=IngestPolicy(NOW, "Europe/London", path.parent))


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Document:
    return read(write_pdf(tmp_path_factory.mktemp("paper") / "lantern.pdf", lantern()))


def test_a_paper_becomes_its_pieces(paper: Document) -> None:
    assert [(a.title, a.authors, a.kind, len(a.parts)) for a in paper.articles] == [
        ("The landlord who counted the stairs", ("Winifred Aske",), Kind.NEWS, 0),
        ("A tram stop moves nine yards", ("Ivo Marchbank",), Kind.NEWS, 0),
        ("Five questions for a lamplighter", (), Kind.INTERVIEW, 3),
    ]
    assert [advert.title for advert in paper.adverts] == ["Ferry café"]
    assert [entry.on for entry in paper.diary] == [date(2031, 12, 11), date(2031, 12, 13)]
    assert paper.flags == ()


def test_columns_drop_caps_hyphens_and_the_jump_are_whole(paper: Document) -> None:
    lead, tram, _ = paper.articles
    paragraphs = lead.body_text.split("\n\n")
    assert paragraphs[0] == (
        "The bill came on a Tuesday, in a brown envelope, and it charged every flat for the wear "
        "of eleven steps."
    )
    assert "the postman said" in paragraphs[1]
    assert "who climbs must pay for the climbing." in paragraphs[1]
    assert paragraphs[-1].startswith("The families have hired a surveyor")
    assert lead.standfirst.startswith("Forty families on Cooper Row")
    assert lead.quotes == ("We have walked up for thirty years and never once been carried",)
    assert tram.picture is not None
    assert tram.picture.licence == "CC BY 2.0"


def test_text_in_a_drawing_of_its_own_is_read_too(tmp_path: Path) -> None:
    """What the layout mode leaves out, text inside a form, is taken as the plain mode gives it."""
    reader = PdfReader(io.BytesIO(pdf_of(lantern()[:1])))
    writer = PdfWriter(clone_from=reader)
    page = writer.pages[0]
    form = StreamObject()
    form.set_data(page.get_contents().get_data())  # type: ignore[union-attr]
    form.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Form"),
            NameObject("/BBox"): page.mediabox,
            NameObject("/Resources"): page["/Resources"],
        }
    )
    resources = DictionaryObject(
        {NameObject("/XObject"): DictionaryObject({NameObject("/F"): writer._add_object(form)})}
    )
    content = StreamObject()
    content.set_data(b"/F Do")
    page[NameObject("/Resources")] = resources
    page[NameObject("/Contents")] = writer._add_object(content)
    path = tmp_path / "form.pdf"
    writer.write(path)
    words = " ".join(run.text for run in read_pdf(path)[0].runs)
    assert "The landlord who counted the stairs" in words


def test_an_encrypted_file_is_said_to_be_one(tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf_of(lantern()))))
    writer.encrypt("secret", algorithm="AES-256")
    path = tmp_path / "locked.pdf"
    writer.write(path)
    with pytest.raises(InvalidInput, match=r"locked\.pdf: is encrypted; save it without"):
        read(path)


def test_a_file_that_opens_without_a_password_is_read(tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf_of(lantern()))))
    writer.encrypt("", owner_password="secret", algorithm="AES-256")
    path = tmp_path / "open.pdf"
    writer.write(path)
    assert len(read(path).articles) == 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.7\nnothing else",
        b"not a PDF at all",
        pdf_of(lantern())[:900],
        pdf_of(lantern()).replace(b"/Kids", b"/Sids"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "torn.pdf"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as error:
        read(path)
    (fault,) = error.value.faults
    assert str(path) in str(fault)
    assert "damaged" in fault.problem or "no text" in fault.problem


def test_pictures_of_pages_are_told_from_text(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "scan.pdf", [Page(), Page()])
    with pytest.raises(InvalidInput, match="no text, only pictures of pages; run it through text"):
        read(path)


def test_too_many_pages_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_pdf(tmp_path / "book.pdf", [Page()] * (pdfreading.MAX_PAGES + 1))
    with pytest.raises(InvalidInput, match="has more than 120 pages; split it"):
        read(path)
    monkeypatch.setattr(pdfreading, "MAX_PDF_BYTES", 100)
    with pytest.raises(InvalidInput, match="bytes large; split it; 100 is the most"):
        read(path)


def test_a_bomb_is_one_line(tmp_path: Path) -> None:
    """A hundred megabytes of content in a hundred kilobytes."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * 1_000_000) for _ in range(100)) + packer.flush()
    whole = pdf_of([Page(["BT ET"])])
    head, _, rest = whole.partition(b"<< /Length 5 >>\nstream\nBT ET\n")
    stream = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%b\n" % (len(packed), packed)
    path = tmp_path / "bomb.pdf"
    path.write_bytes(head + stream + rest)
    with pytest.raises(InvalidInput) as error:
        read(path)
    assert len(error.value.faults) == 1


def test_a_file_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "slow.pdf", lantern())
    with pytest.raises(InvalidInput, match="took longer than 0 s to read; split it"):
        read_pdf(path, timeout_s=0.001)
