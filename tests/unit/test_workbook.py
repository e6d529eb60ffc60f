"""Workbooks are read by their sheet's row numbers, and hostile ones are refused unread."""

from __future__ import annotations

import io
import json
import zipfile
from xml.sax.saxutils import escape

import pytest

from mailer.audience import workbook
from mailer.audience.roster_form import RosterRow, open_roster
from mailer.errors import InvalidInput

PACKAGE = "http://schemas.openxmlformats.org/package/2006"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'

Value = str | float | bool | None


def cell(place: str, value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def sheet(rows: dict[int, list[Value]]) -> str:
    body = "".join(
        f'<row r="{number}">'
        + "".join(cell(f"{chr(65 + at)}{number}", value) for at, value in enumerate(values))
        + "</row>"
        for number, values in rows.items()
    )
    return f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'


def packed(*sheets: str, more: dict[str, bytes] | None = None) -> bytes:
    names = range(1, len(sheets) + 1)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>'
            for n in names
        )
        + "</Types>",
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships"><Relationship '
        f'Id="r1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
        + "".join(f'<sheet name="Readers {n}" sheetId="{n}" r:id="r{n}"/>' for n in names)
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in names
        )
        + "</Relationships>",
    }
    parts |= {f"xl/worksheets/sheet{n}.xml": each for n, each in enumerate(sheets, 1)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        for name, data in (more or {}).items():
            archive.writestr(name, data)
    return out.getvalue()


def read(content: bytes) -> tuple[list[RosterRow], tuple[str, ...]]:
    with open_roster(content, where="readers.xlsx") as roster:
        return list(roster.rows), roster.notes


def refused(content: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        read(content)
    (fault,) = caught.value.faults
    assert fault.where == "readers.xlsx"
    assert fault.remedy
    return str(fault)


def test_rows_have_the_numbers_of_the_sheet() -> None:
    rows, notes = read(
        packed(
            sheet(
                {
                    3: ["Email", "Name", "Postcode", "Visits", "Member"],
                    4: ["ada@x.example", "Ada & Co", "01234", 3.0, True],
                    7: ["nonsense", "Bad"],
                    9: ["zoe@x.example", "Zoë", None, 2.5],
                }
            ),
            sheet({1: ["other"]}),
        )
    )
    assert [(row.line, row.address, row.name, row.code) for row in rows] == [
        (4, "ada@x.example", "Ada & Co", ""),
        (7, "", "", "address"),
        (9, "zoe@x.example", "Zoë", ""),
    ]
    assert json.loads(rows[0].fields) == {"postcode": "01234", "visits": "3", "member": "true"}
    assert rows[1].raw.startswith("nonsense,Bad")
    assert "has 2 sheets; the first, 'Readers 1', is read" in notes


def test_a_zip_that_is_no_workbook() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("subscribed_members.csv", "Email Address\n")
    assert "unpack it and import the file inside" in refused(out.getvalue())


@pytest.mark.parametrize("size", [10, 300, -40])
def test_a_torn_workbook(size: int) -> None:
    assert "save the sheet as CSV" in refused(packed(sheet({1: ["email"]}))[:size])


def test_an_old_or_locked_workbook() -> None:
    assert "without a password" in refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500))


def test_an_empty_sheet() -> None:
    assert "the first sheet is empty" in refused(packed(sheet({})))


def test_a_zip_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "LARGEST_UNPACKED", 1 << 20)
    bomb = packed(sheet({1: ["email"]}), more={"xl/media/x.bin": bytes(2 << 20)})
    assert len(bomb) < 1 << 14
    assert "unpacks to more than 1 MiB" in refused(bomb)


def test_a_zip_that_lies_about_its_sizes() -> None:
    content = bytearray(packed(sheet({1: ["email"]}), more={"xl/media/x.bin": bytes(2 << 20)}))
    true = (2 << 20).to_bytes(4, "little")
    at = content.rindex(true)
    content[at : at + 4] = (100).to_bytes(4, "little")
    assert "damaged" in refused(bytes(content))


@pytest.mark.parametrize("place", ["XFD1048576", "A200001", "XFD300"])
def test_two_cells_far_apart_are_no_reason_for_memory(place: str) -> None:
    far = f'<row r="2"><c r="{place}" t="inlineStr"><is><t>x</t></is></c></row>'
    hostile = sheet({1: ["email"]}).replace("</sheetData>", f"{far}</sheetData>")
    assert "200,000 rows or 4,000,000 cells" in refused(packed(hostile))


def test_cells_without_a_place_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_CELLS", 40_000)
    row = "<row>" + "<c><v>1</v></c>" * 30 + "</row>"

    def hostile(rows: int) -> bytes:
        more = row * rows + "</sheetData>"
        return packed(sheet({1: ["email"]}).replace("</sheetData>", more))

    assert len(read(hostile(1_300))[0]) == 1_300
    assert "40,000 cells" in refused(hostile(1_400))


def test_entities_are_refused() -> None:
    doctype = '<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    hostile = sheet({1: ["email"], 2: ["ada@x.example"]}).replace(HEAD, HEAD + doctype)
    assert "declares XML entities" in refused(packed(hostile))


def test_too_large_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "LARGEST_OCTETS", 100)
    assert "a workbook of more than" in refused(packed(sheet({1: ["email"]})))
