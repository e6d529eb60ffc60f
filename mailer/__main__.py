"""``python -m mailer`` and the ``mailer`` command."""

from __future__ import annotations

import gc
import sys

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it: 128 and the signal's number."""


def main() -> None:
    """Run the command line; ends the process with the command's exit code."""
    try:
        _run()
    except KeyboardInterrupt:
        # Also in the first third of a second, while the program is only being read.
        sys.exit(INTERRUPTED)
    finally:
        # What is left goes with the process; to search it for circles first takes a tenth of a
        # short command. So whatever has to be closed is closed by name before.
        gc.freeze()


def _run() -> None:
    from mailer.circles import look_seldom

    look_seldom()
    from mailer.cli.commands import app

    app(prog_name="mailer")


if __name__ == "__main__":
    main()
