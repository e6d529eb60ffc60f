"""``python -m mailer`` and the ``mailer`` command."""

from __future__ import annotations

import gc


def main() -> None:
    """Run the command line; ends the process with the command's exit code."""
    # A command lives for a second and makes few circles; to look for them costs a tenth of it.
    gc.set_threshold(50_000, 20, 50)
    from mailer.cli.commands import app

    app(prog_name="mailer")


if __name__ == "__main__":
    main()
