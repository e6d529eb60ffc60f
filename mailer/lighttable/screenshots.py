"""Pictures of an edition, taken by whatever Chromium this machine has.

Chromium is started once for each guise, without a network and without scripts: its page holds the
mail in two sandboxed frames, as wide as a phone and as a desktop, with every picture inside it. The
window is taller than any mail; what is below the mail is cut off. Nothing is installed for this:
without a Chromium there is one sentence saying how to get one.

Failures: ``ConfigurationError`` where there is none, ``RenderFailed`` where it made no picture.
Known limit: a mail longer than ``TALLEST`` pixels is cut there.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from html import escape
from pathlib import Path

from PIL import Image, ImageChops

from mailer.errors import ConfigurationError, Fault, RenderFailed

PROGRAMS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
WIDTHS: Mapping[str, int] = {"phone": 375, "desktop": 720}
TALLEST = 16_000
"""Pixels; Chromium paints no surface much larger."""

TIMEOUT_S = 60
_GAP = 40
_MARGIN = 24
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def find_chromium() -> str:
    """Return the path of a Chromium.

    Raises:
        ConfigurationError: there is none.
    """
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if found is None:
        raise ConfigurationError(
            Fault(
                "there is no Chromium on this machine to take pictures with",
                field="--png",
                remedy="`apt-get install chromium`, or leave --png out: the page needs none",
            )
        )
    return found


class Darkroom:
    """The Chromiums that run now; from several threads, so that all can be ended at once."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def close(self) -> None:
        """End every Chromium with all it started, and start no more."""
        with self._lock:
            self._is_closed = True
            for process in self._running:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def run(self, command: list[str]) -> str:
        """Run a Chromium to its end; return what it said on standard error."""
        try:
            with self._lock:
                if self._is_closed:
                    return "it was stopped"
                # A group of its own: Chromium is many processes, and all must go.
                process = subprocess.Popen(
                    command,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    start_new_session=True,
                )
                self._running.add(process)
        except OSError as error:
            return str(error)
        try:
            _out, said = process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return f"it took longer than {TIMEOUT_S} s"
        finally:
            with self._lock:
                self._running.discard(process)
        return said


def shoot(html: str, *, chromium: str, files: Mapping[str, Path], darkroom: Darkroom) -> None:
    """Take an edition's pictures.

    Args:
        html: a guise of it, merged, its pictures as ``data:`` addresses.
        chromium: from ``find_chromium``.
        files: where each of ``WIDTHS`` goes.
        darkroom: what can end it before it is done.
    Raises:
        RenderFailed: Chromium made no picture.
    """
    with tempfile.TemporaryDirectory(prefix="mailer-png-") as name:
        folder = Path(name)
        page, shot = folder / "page.html", folder / "shot.png"
        page.write_text(_page(html), encoding="utf-8")
        width = sum(WIDTHS.values()) + _GAP * (len(WIDTHS) - 1)
        said = darkroom.run(
            [
                chromium,
                "--headless",
                "--disable-gpu",
                "--hide-scrollbars",
                "--no-first-run",
                "--disable-background-networking",
                "--host-resolver-rules=MAP * ~NOTFOUND",
                f"--user-data-dir={folder / 'profile'}",
                f"--window-size={width},{TALLEST}",
                f"--screenshot={shot}",
                # Chromium refuses to start as root otherwise; its page runs no script.
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
                page.as_uri(),
            ]
        )
        if not shot.is_file():
            last = (said.strip().splitlines() or ["it said nothing"])[-1]
            raise RenderFailed(
                Fault(f"Chromium made no picture: {last}", where=chromium, remedy="try it by hand")
            )
        _cut(shot, files)


def _page(html: str) -> str:
    frames = "".join(
        f'<iframe sandbox="" width="{width}" height="{TALLEST}" srcdoc="{escape(html)}"></iframe>'
        for width in WIDTHS.values()
    )
    return (
        f'<!doctype html><html><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<style>body{{margin:0;display:flex;gap:{_GAP}px}}"
        f"iframe{{border:0;flex:none;background:#fff}}</style></head><body>{frames}</body></html>"
    )


def _cut(shot: Path, files: Mapping[str, Path]) -> None:
    """Cut the frames out of the window's picture, each to its own height."""
    with Image.open(shot) as whole:
        picture = whole.convert("RGB")
    left = 0
    for kind, width in WIDTHS.items():
        strip = picture.crop((left, 0, left + width, picture.height))
        left += width + _GAP
        ground = Image.new("RGB", strip.size, strip.getpixel((0, strip.height - 1)))
        box = ImageChops.difference(strip, ground).getbbox()
        height = min(strip.height, (box[3] if box else 0) + _MARGIN)
        path = files[kind]
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}.part")
        strip.crop((0, 0, width, height)).save(partial, "PNG")
        partial.replace(path)
