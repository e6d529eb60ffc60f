"""``python -m mailer`` and the ``mailer`` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line; ends the process with the command's exit code."""
    from mailer.cli.commands import app

    app(prog_name="mailer")


if __name__ == "__main__":
    main()
