"""A PDF's pages as placed words, read in a process of its own.

pypdf is written in Python and reads files that strangers made; a file can keep it busy or swell.
So it works in a child process with caps on memory and time, and whatever happens there is one
clear line here: encrypted, damaged, only pictures of pages, too large, too many pages, too slow.

Uses pypdf's public ways in only: what the layout mode notes of every piece of text gives its
place and width, the visitor of operands its typeface and the boxes drawn. Where the two do not
agree on a page, its text is taken as the plain mode gives it, with widths that are estimated.

Known limit: on systems without ``resource`` (Windows) only the time is capped.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from mailer.articles.pagelayout import Frame, Run, Sheet
from mailer.errors import Fault, InvalidInput

MAX_PDF_BYTES = 60_000_000
MAX_PAGES = 120
TIMEOUT_S = 90.0
_MEMORY_BYTES = 1_500_000_000
_MOST_RUNS = 400_000
_FEWEST_LETTERS_A_PAGE = 20
_FAULTS = {
    "encrypted": ("is encrypted", "save it without a password"),
    "damaged": ("is no PDF that can be read: it is damaged", "export it anew"),
    "pictures": (
        "has no text, only pictures of pages",
        "run it through text recognition (ocrmypdf does it), then ingest the result",
    ),
    "pages": (f"has more than {MAX_PAGES} pages", "split it"),
    "long": ("holds more text than a paper has", "split it"),
    "memory": ("needs more memory than a paper may", "export it anew, or ingest its text"),
}


def read_pdf(path: Path, *, timeout_s: float = TIMEOUT_S) -> list[Sheet]:
    """Return a PDF's pages.

    Raises:
        InvalidInput: in one line, whatever is wrong with it.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise _fault(f"cannot be read: {error.strerror}", "check the file") from None
    if size > MAX_PDF_BYTES:
        raise _fault(f"is {size:,} bytes large", f"split it; {MAX_PDF_BYTES:,} is the most")
    command = [sys.executable, "-m", "mailer.articles.pdfreading", str(path.resolve())]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise _fault(
            f"took longer than {timeout_s:.0f} s to read", "split it, or ingest its text"
        ) from None
    try:
        data = json.loads(done.stdout)
    except ValueError:
        data = {"fault": "memory" if done.returncode < 0 else "damaged"}
    if "fault" in data:
        raise _fault(*_FAULTS[data["fault"]])
    return [
        Sheet(
            page["width"],
            page["height"],
            tuple(Run(*run) for run in page["runs"]),
            tuple(Frame(*frame) for frame in page["frames"]),
        )
        for page in data["pages"]
    ]


def _fault(problem: str, remedy: str) -> InvalidInput:
    return InvalidInput(Fault(problem, remedy=remedy))


# In the child process


def _child(path: str) -> dict[str, Any]:
    import logging

    _cap()
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.disable(logging.CRITICAL)
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            return {"fault": "encrypted"}
        if len(reader.pages) > MAX_PAGES:
            return {"fault": "pages"}
        pages = []
        total = 0
        for page in reader.pages:
            pages.append(_page(page))
            total += len(pages[-1]["runs"])
            if total > _MOST_RUNS:
                return {"fault": "long"}
    except MemoryError:
        return {"fault": "memory"}
    except (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, OSError):
        return {"fault": "damaged"}
    except (RecursionError, ArithmeticError, AssertionError, NotImplementedError, ImportError):
        return {"fault": "damaged"}
    letters = sum(len(run[4].strip()) for page in pages for run in page["runs"])
    if letters < _FEWEST_LETTERS_A_PAGE * len(pages):
        return {"fault": "pictures"}
    return {"pages": pages}


def _cap() -> None:
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    seconds = int(TIMEOUT_S)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    # A crash of the reader is an answer; nobody wants its memory on the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _page(page: Any) -> dict[str, Any]:
    import tempfile

    box = page.mediabox
    left, bottom = float(box.left), float(box.bottom)
    faces: list[str] = []
    frames: list[list[float]] = []
    plain: list[list[Any]] = []
    face = ""

    def operand(op: bytes, args: list[Any], cm: list[float], _tm: list[float]) -> None:
        nonlocal face
        if op == b"Tf" and args:
            face = _face(page, str(args[0]))
        elif op in {b"Tj", b"'", b'"'}:
            faces.append(face)
        elif op == b"TJ" and args:
            faces.extend(face for part in args[0] if isinstance(part, str | bytes))
        elif op == b"re" and len(args) == 4:
            frames.append(_frame([float(arg) for arg in args], cm, left, bottom))

    def said(text: str, cm: list[float], tm: list[float], font: Any, size: float) -> None:
        name = str((font or {}).get("/BaseFont", ""))
        x, y, scale = _placed(tm, cm)
        high = size * scale
        for number, line in enumerate(text.strip("\n").split("\n")):
            if line.strip():
                wide = x + 0.46 * high * len(line)
                plain.append(
                    _run(x - left, wide - left, y - 1.2 * high * number - bottom, high, line, name)
                )

    page.extract_text(visitor_operand_before=operand, visitor_text=said)
    with tempfile.TemporaryDirectory() as folder:
        page.extract_text(
            extraction_mode="layout",
            layout_mode_debug_path=Path(folder),
            layout_mode_strip_rotated=False,
        )
        notes = Path(folder) / "tjs.json"
        noted = json.loads(notes.read_text(encoding="utf-8")) if notes.exists() else []
    shown = [note for note in noted if isinstance(note, dict)]
    runs = plain
    if shown and len(shown) == len(faces):
        runs = [
            _run(
                note["tx"] - left,
                note["displaced_tx"] - left,
                note["ty"] - bottom,
                note["font_height"],
                note["text"],
                name,
            )
            for note, name in zip(shown, faces, strict=True)
            if not note["rotated"] and note["text"].strip()
        ]
    return {
        "width": float(box.width),
        "height": float(box.height),
        "runs": runs,
        "frames": frames[:2_000],
    }


def _run(x0: float, x1: float, y: float, size: float, text: str, font: str) -> list[Any]:
    name = font.casefold()
    is_bold = any(word in name for word in ("bold", "black", "heavy", "semibold", "demi"))
    is_italic = "italic" in name or "oblique" in name
    clean = "".join(ch if ch.isprintable() or ch == "\u00ad" else " " for ch in text)
    return [round(x0, 2), round(x1, 2), round(y, 2), round(abs(size), 2), clean, is_bold, is_italic]


def _face(page: Any, name: str) -> str:
    try:
        return str(page["/Resources"]["/Font"][name].get_object().get("/BaseFont", ""))
    except (KeyError, AttributeError, TypeError):
        return ""


def _placed(tm: list[float], cm: list[float]) -> tuple[float, float, float]:
    x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
    y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
    return x, y, abs(tm[3] * cm[3]) or 1.0


def _frame(args: list[float], cm: list[float], left: float, bottom: float) -> list[float]:
    x, y, width, height = args
    xs = [cm[0] * px + cm[2] * py + cm[4] - left for px in (x, x + width) for py in (y, y + height)]
    ys = [
        cm[1] * px + cm[3] * py + cm[5] - bottom for px in (x, x + width) for py in (y, y + height)
    ]
    return [min(xs), min(ys), max(xs), max(ys)]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_child(sys.argv[1])))
