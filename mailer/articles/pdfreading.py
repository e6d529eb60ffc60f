"""A PDF's pages as placed words, read in a process of its own.

pypdf is written in Python and reads files that strangers made; a file can keep it busy or swell.
So it works in a child process with caps on memory and time, and whatever happens there is one
clear line here: encrypted, damaged, only pictures of pages, too large, too many pages, too slow.

The places and widths of the letters are what pypdf's layout mode works with; that part of it is not
public, and where it fails or finds nothing (text in a form of its own) the page is taken as the
public visitor gives it, with widths that are estimated.

Known limit: on systems without ``resource`` (Windows) only the time is capped.
"""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any
from unicodedata import normalize

from mailer.articles.pagelayout import Frame, Sheet
from mailer.articles.pageorder import Run
from mailer.errors import Fault, InvalidInput

MAX_PDF_BYTES = 60_000_000
MAX_PAGES = 120
TIMEOUT_S = 90.0
_LETTER = 0.46
"""What a letter takes of its size, on average, where nobody says it."""
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
    except (PyPdfError, ValueError, TypeError, LookupError, AttributeError, OSError):
        return {"fault": "damaged"}
    except (RuntimeError, ArithmeticError, AssertionError, ImportError):
        # Nested too deep, a filter or a cipher that the library does not have.
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
    box = page.mediabox
    left, bottom = float(box.left), float(box.bottom)
    frames: list[list[float]] = []
    plain: list[list[Any]] = []

    def operand(op: bytes, args: list[Any], cm: list[float], _tm: list[float]) -> None:
        if op == b"re" and len(args) == 4:
            frames.append(_frame([float(arg) for arg in args], cm, left, bottom))

    def said(text: str, cm: list[float], tm: list[float], font: Any, size: float) -> None:
        name = str((font or {}).get("/BaseFont", ""))
        x, y, scale = _placed(tm, cm)
        high = size * scale
        for number, line in enumerate(text.strip("\n").split("\n")):
            wide = _LETTER * high * len(line)
            low = y - 1.2 * high * number - bottom
            if line.strip():
                plain.append(_run(x - left, x + wide - left, low, high, line, name))

    page.extract_text(visitor_operand_before=operand, visitor_text=said)
    return {
        "width": float(box.width),
        "height": float(box.height),
        "runs": _placed_runs(page, left, bottom) or plain,
        "frames": frames[:2_000],
    }


def _placed_runs(page: Any, left: float, bottom: float) -> list[list[Any]]:
    """Return every piece of text with its exact place and width; nothing where that fails."""
    try:
        from pypdf._text_extraction._layout_mode import _fixed_width_page as layout
        from pypdf._text_extraction._layout_mode._text_state_manager import TextStateManager
        from pypdf.generic import ContentStream

        contents = page["/Contents"].get_object()
        operations = iter(ContentStream(contents, page.pdf, "bytes").operations)
        fonts = page._layout_mode_fonts()  # noqa: SLF001 - see the module's docstring
        state = TextStateManager()
        pieces: list[Any] = []
        # The whole page is read as one level: what moves all of it stands outside of any other.
        for first in operations:
            rest = chain([first], operations)
            pieces += layout.recurse_to_target_op(rest, state, b"Q", fonts, strip_rotated=False)[1]
        return [
            _run(
                piece.tx - left,
                piece.displaced_tx - left,
                piece.ty - bottom,
                piece.font_height,
                piece.text,
                str(piece.font.name),
            )
            for piece in pieces
            if not piece.rotated and piece.text.strip()
        ]
    except (ImportError, AttributeError, KeyError, TypeError, ValueError, IndexError):
        return []


def _run(x0: float, x1: float, y: float, size: float, text: str, font: str) -> list[Any]:
    name = font.casefold()
    is_bold = any(word in name for word in ("bold", "black", "heavy", "semibold", "demi"))
    is_italic = "italic" in name or "oblique" in name
    whole = "".join(normalize("NFKC", ch) if "\ufb00" <= ch <= "\ufb06" else ch for ch in text)
    clean = "".join(ch if ch.isprintable() or ch == "\u00ad" else " " for ch in whole)
    return [round(x0, 2), round(x1, 2), round(y, 2), round(abs(size), 2), clean, is_bold, is_italic]


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
