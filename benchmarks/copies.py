"""How long a backup, a restore, a scrape and a status take with an issue planned for many readers.

Usage: python -m benchmarks.copies [READERS]
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mailer.app import make_publication, open_app
from mailer.operating.backing_up import back_up
from mailer.operating.gauges import Gauges
from mailer.operating.overview import overview
from mailer.operating.restoring import restore
from tests.faults.world import make_world


def quiet(_what: str, _done: int, _total: int) -> None: ...


def timed(name: str, do: Callable[[], Any]) -> Any:
    began = time.perf_counter()
    found = do()
    print(f"{name:<24} {time.perf_counter() - began:7.2f} s")
    return found


def main() -> None:
    readers = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    root = Path(tempfile.mkdtemp(prefix="mailer-bench-"))
    try:
        make_publication(root / "publication")
        with open_app(root / "publication") as app:
            make_world(
                app.database, app.clock, [f"reader{n}@reader.example" for n in range(readers)]
            )
            gauges = Gauges(app)
            print(f"{readers} deliveries planned")
            timed("figures, first scrape", gauges.text)
            timed("figures, next scrape", gauges.text)
            timed("status", lambda: overview(app))
            for name in ("backup.tar.gz", "backup.tar"):
                target = root / name
                made = timed(
                    name,
                    lambda target=target: back_up(
                        app, target, with_secrets=False, keep=0, progress=quiet
                    ),
                )
                print(f"{'':<24} {made['size_bytes'] / 1e6:7.1f} MB")
        timed(
            "restore of backup.tar.gz",
            lambda: restore(
                root / "backup.tar.gz",
                root / "restored",
                force=False,
                may_hold=True,
                progress=quiet,
            ),
        )
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
