"""Starting the contestants: our engine on a planned list, and the clients it is compared with.

A list is prepared and planned once; every sending works on a copy, so each finds the same state.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rig import (
    CONNECTIONS,
    HERE,
    NODE_MODULES,
    NODEMAILER,
    RIVALS,
    Broken,
    Measure,
    Missing,
    Sink,
    find,
    run,
)

ENGINE = [sys.executable, str(HERE / "engine.py")]


@dataclass(frozen=True, slots=True)
class Lists:
    """Planned lists in a scratch folder, and the message that the rivals send."""

    folder: Path

    def prepared(self, readers: int) -> Path:
        """Return a publication with so many readers, not planned; made once."""
        root = self.folder / f"prepared-{readers}"
        if not root.exists():
            _call("prepare", root, "--readers", readers)
        return root

    def planned(self, readers: int) -> Path:
        """Return a publication whose issue is planned; made once, to be copied."""
        root = self.folder / f"planned-{readers}"
        if not root.exists():
            shutil.copytree(self.prepared(readers), root)
            _call("plan", root)
        return root

    def copy(self, root: Path) -> Path:
        """Return a fresh copy of a publication."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        return Path(shutil.copytree(root, copy))

    def message(self) -> Path:
        """Return one finished message as a file; its parts lie beside it as JSON."""
        out = self.folder / "message.eml"
        if not out.exists():
            _call("message", self.prepared(100), out)
        return out


def _call(*words: object) -> None:
    found = subprocess.run(
        [*ENGINE, *map(str, words)], stdout=subprocess.PIPE, text=True, check=False
    )
    if found.returncode:
        raise Broken(f"engine.py {words[0]}: exit {found.returncode}")


def plan(root: Path) -> Measure:
    """Plan a prepared list."""
    return run([*ENGINE, "plan", str(root)])


def send(
    lists: Lists,
    sink: Sink,
    readers: int,
    *,
    port: int | None = None,
    connections: int = CONNECTIONS,
    is_signed: bool = False,
    seconds: float = 0,
) -> Measure:
    """Send a list with our engine; every message must be accepted unless the time is limited."""
    root = lists.copy(lists.planned(readers))
    return send_root(
        root,
        sink,
        readers,
        port=port,
        connections=connections,
        is_signed=is_signed,
        seconds=seconds,
    )


def send_root(
    root: Path,
    sink: Sink,
    readers: int,
    *,
    port: int | None = None,
    connections: int = CONNECTIONS,
    is_signed: bool = False,
    seconds: float = 0,
) -> Measure:
    """Send a planned publication as it lies, without a copy."""
    command = [*ENGINE, "send", str(root), "--port", str(port or sink.port)]
    command += ["--connections", str(connections), "--seconds", str(seconds)]
    command += ["--total", str(readers)]
    command += ["--dkim"] if is_signed else []
    return run(command, sink=sink, expect=None if seconds else readers)


Rival = Callable[[Sink, int], Measure]
"""Sends so many messages to the sink."""


def python_rival(name: str, message: Path, *, connections: int = CONNECTIONS) -> Rival:
    """Return a rival written in Python."""

    def send_messages(sink: Sink, count: int, port: int | None = None) -> Measure:
        words = [str(port or sink.port), str(count), str(connections), str(message)]
        return run([sys.executable, str(RIVALS / name), *words], sink=sink, expect=count)

    return send_messages


def nodemailer(message: Path) -> Rival:
    """Return nodemailer's pool.

    Args:
        message: finished bytes, or a JSON file of parts from which it makes the MIME itself.

    Raises:
        Missing: Node.js or nodemailer is not installed.
    """
    node = find("node", remedy="apt-get install nodejs npm")
    if not (NODE_MODULES / "nodemailer" / "package.json").exists():
        raise Missing(f"nodemailer is not installed: {NODEMAILER}")

    def send_messages(sink: Sink, count: int) -> Measure:
        words = [str(sink.port), str(count), str(CONNECTIONS), str(message), str(NODE_MODULES)]
        return run([node, str(RIVALS / "nodemailer_pool.mjs"), *words], sink=sink, expect=count)

    return send_messages


def aiosmtplib(message: Path) -> Rival:
    """Return aiosmtplib with a task for each connection.

    Raises:
        Missing: it is not installed.
    """
    try:
        import aiosmtplib as _  # noqa: F401
    except ModuleNotFoundError:
        raise Missing(
            "aiosmtplib is not installed: pip install -r requirements/bench.txt"
        ) from None
    return python_rival("aiosmtplib_pool.py", message)


def nodemailer_version() -> str:
    """Return the installed version, or ""."""
    path = NODE_MODULES / "nodemailer" / "package.json"
    return str(json.loads(path.read_text())["version"]) if path.exists() else ""
