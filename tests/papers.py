"""Small PDFs written by hand: pages of lines, boxes and columns, as a layout program sets them."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from pathlib import Path

WIDTH, HEIGHT = 595, 842
FACES = {"R": "Times-Roman", "B": "Times-Bold", "I": "Times-Italic"}
_EM = 0.47
"""About what a letter of Times takes of its size; lines are cut by it."""


@dataclass
class Page:
    """One page's content stream; ``y`` is where the next line of a column stands."""

    ops: list[str] = field(default_factory=list)

    def line(self, x: float, y: float, text: str, *, size: float = 9, face: str = "R") -> None:
        """Set one line of text."""
        safe = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        self.ops.append(f"BT /{face} {size} Tf {x} {y} Td ({safe}) Tj ET")

    def lines(
        self, x: float, y: float, rows: list[str], *, size: float = 9, face: str = "R"
    ) -> float:
        """Set lines below one another, those after white indented; return the next y."""
        for row in rows:
            indent = 8 if row.startswith(" ") else 0
            self.line(x + indent, y, row.strip(), size=size, face=face)
            y -= 1.2 * size
        return y

    def text(
        self,
        x: float,
        y: float,
        width: float,
        text: str,
        *,
        size: float = 9,
        face: str = "R",
        indent: float = 0,
    ) -> float:
        """Set a paragraph in a column; return where the next line would stand."""
        rows = textwrap.wrap(text, int(width / (_EM * size)), break_on_hyphens=False)
        for place, row in enumerate(rows):
            self.line(x + (0 if place else indent), y, row, size=size, face=face)
            y -= 1.2 * size
        return y

    def box(self, x: float, y: float, width: float, height: float) -> None:
        """Draw a rectangle."""
        self.ops.append(f"{x} {y} {width} {height} re S")


def pdf_of(pages: list[Page]) -> bytes:
    """Return the file."""
    objects: list[bytes] = []

    def add(content: str | bytes) -> int:
        objects.append(content.encode("cp1252") if isinstance(content, str) else content)
        return len(objects)

    fonts = " ".join(
        f"/{key} {number} 0 R"
        for key, number in [
            (
                key,
                add(
                    f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} "
                    "/Encoding /WinAnsiEncoding >>"
                ),
            )
            for key, name in FACES.items()
        ]
    )
    tree = len(objects) + 2 * len(pages) + 1
    kids = []
    for page in pages:
        stream = "\n".join(page.ops).encode("cp1252")
        content = add(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream))
        kids.append(
            add(
                f"<< /Type /Page /Parent {tree} 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] "
                f"/Contents {content} 0 R /Resources << /Font << {fonts} >> >> >>"
            )
        )
    listed = " ".join(f"{kid} 0 R" for kid in kids)
    add(f"<< /Type /Pages /Count {len(kids)} /Kids [{listed}] >>")
    root = add(f"<< /Type /Catalog /Pages {tree} 0 R >>")
    out = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return out + b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        size,
        root,
        table,
    )


def lantern() -> list[Page]:
    """Two pages of The Lantern as a layout program makes them: three columns, a box, a jump."""
    front, back = Page(), Page()
    front.line(40, 780, "THE LANTERN", size=44, face="B")
    front.line(40, 760, "DECEMBER 2031 • FREE EVERY MONTH • ISSUE NO. 41", size=8)
    front.line(40, 710, "The landlord who counted the stairs", size=28, face="B")
    front.text(
        40, 685, 510,
        "Forty families on Cooper Row were sent a bill for their own staircase, and they have "
        "decided to climb it together.",
        size=13,
    )  # fmt: skip
    # The first column: byline, a drop cap, hyphens at the ends of lines.
    front.line(40, 640, "WINIFRED ASKE", face="B")
    front.line(40, 608, "T", size=30)
    y = front.lines(
        60, 624, ["he bill came on a Tuesday, in a", "brown envelope, and it charged ev-"]
    )
    y = front.lines(40, y, ["ery flat for the wear of eleven steps."])
    y = front.lines(
        40, y,
        [
            "   Nobody on Cooper Row had seen such",
            "a thing, and the post-",
            "man said that he had delivered forty",
            "of them. The company says that stairs",
            "are a service, and that who climbs",
        ],
    )  # fmt: skip
    # The second column goes on in the middle of the sentence, and has a box below it.
    y = front.lines(
        220, 640,
        [
            "must pay for the climbing.",
            "   Hedda Brook lives at the top and",
            "keeps the letter on the fridge. “We",
            "have walked up for thirty years and",
            "never once been carried,” she said.",
        ],
    )  # fmt: skip
    front.text(
        220,
        570,
        150,
        "“We have walked up for thirty years and never once been carried”",
        size=13,
        face="I",
    )
    front.lines(
        220, 500,
        [
            "   The meeting agreed that no family",
            "would pay before the others had been",
            "asked. Continued on page 2",
        ],
    )  # fmt: skip
    front.box(215, 390, 165, 70)
    front.line(225, 440, "FERRY CAFÉ", size=14, face="B")
    front.lines(225, 420, ["Open every day. Soup from noon.", "Call us on 01632 960177"])
    # The third column is another piece with a picture above it.
    front.line(400, 640, "The stop at Salt Lane. Photo: Oda Pryce / CC BY 2.0", size=6.5)
    front.text(400, 615, 150, "A tram stop moves nine yards", size=18, face="B")
    front.line(400, 565, "By Ivo Marchbank", face="B")
    y = front.text(
        400, 550, 150,
        "The tram stop at Salt Lane was moved by nine yards in the night, and in the morning it "
        "had no name. Passengers waited at the old pole until lunch.",
    )  # fmt: skip
    front.text(
        400, y, 150,
        "A public meeting about the stop will be held on Thursday 11 December, 7.30–9pm, in Salt "
        "Lane Chapel, and the tram company has been asked to come on foot.",
        indent=10,
    )  # fmt: skip
    front.line(290, 30, "1")
    back.line(290, 30, "2")
    back.line(40, 780, "Landlord counted the stairs", size=20, face="B")
    back.line(40, 760, "Continued from page 1", face="I")
    back.text(
        40, 745, 240,
        "The families have hired a surveyor of their own, who found that the staircase carries the "
        "roof. A torchlight walk against the bill sets off from Cooper Row on 13 December at 6pm.",
    )  # fmt: skip
    back.line(320, 780, "Five questions for a lamplighter", size=20, face="B")
    y = back.text(
        320, 760, 240,
        "Marten Oakes lit the last gas lamps of the harbour. He talked to us in the shed where he "
        "keeps four of them.",
    )  # fmt: skip
    for question, answer in (
        (
            "Why did you keep the lamps?",
            "They were going to the tip, and I had a van to put them in.",
        ),
        ("Did anybody try to stop you?", "A man from the works department held the ladder for me."),
        ("What is the light like?", "It is the colour of weak tea, and you look harder by it."),
    ):
        back.line(320, y - 4, question, face="B")
        y = back.text(320, y - 16, 240, answer)
    return [front, back]


def write_pdf(path: Path, pages: list[Page]) -> Path:
    """Write a PDF and return where it is."""
    path.write_bytes(pdf_of(pages))
    return path
