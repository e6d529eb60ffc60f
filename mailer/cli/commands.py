"""The command tree, its global options, and the one place where errors become exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mailer import __version__
from mailer.cli import (
    article_commands,
    audience_commands,
    choice_commands,
    copy_commands,
    diary_commands,
    dkim_commands,
    doctor_commands,
    edition_commands,
    inbox_commands,
    issue_commands,
    operating_commands,
    report_commands,
    retention_commands,
    rights_commands,
    roster_commands,
    schedule_commands,
    segment_commands,
    sending_commands,
    setup_commands,
    source_commands,
    status_commands,
    web_commands,
)
from mailer.cli.output import complain, err, exit_code
from mailer.errors import ConfigurationError, Fault, InvalidInput, MailerError
from mailer.mistakes import said_of_typing


class _Group(TyperGroup):
    """Turns an error into lines on standard error and an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line; a word that cannot be understood is one line too."""
        words = (args, prog_name, complete_var, False, windows_expand_args)
        run = partial(super().main, *words, **extra)
        if not standalone_mode:
            return run()
        try:
            code = run()
        except typer.Abort as error:
            if isinstance(error.__cause__, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            err().print("Stopped.", style="dim")
            sys.exit(1)
        except Exception as error:
            if not type(error).__module__.startswith(("typer", "click")):
                raise
            sys.exit(_misunderstood(error))
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (MailerError, ConfigurationError) as error:
            if ctx.params.get("debug"):
                raise
            complain(error)
            raise typer.Exit(exit_code(error)) from None
        except (typer.Exit, typer.Abort, KeyboardInterrupt, BrokenPipeError):
            raise
        except OSError as error:
            if ctx.params.get("debug") or error.strerror is None:
                raise
            problem = f"cannot be used: {error.strerror}"
            place = str(error.filename or "")
            complain(InvalidInput(Fault(problem, where=place, remedy="check it and its folder")))
            raise typer.Exit(1) from None
        except Exception as error:
            if ctx.params.get("debug") or type(error).__module__.startswith(("typer", "click")):
                raise
            complain(error)
            err().print(
                f"This is a fault of the program ({type(error).__name__}); "
                "`mailer --debug …` shows where.",
                style="dim",
                markup=False,
            )
            raise typer.Exit(exit_code(error)) from None


def _misunderstood(error: Any) -> int:
    """Say which word of a command line is wrong, in one line; return the exit code."""
    context = getattr(error, "ctx", None)
    if context and type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(context.get_help(), err=True)
        return int(error.exit_code)
    said = " ".join(error.format_message().split()).replace("Value error, ", "").rstrip(".")
    said = said_of_typing(said)
    command = context.command_path if context else "mailer"
    complain(InvalidInput(Fault(said, remedy=f"`{command} --help` shows how")))
    return int(error.exit_code)


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"briefing-mailer {__version__}")
        raise typer.Exit


@app.callback()
def main(
    ctx: typer.Context,
    publication: Annotated[
        Path | None,
        typer.Option(
            "--publication",
            "-C",
            envvar="MAILER_PUBLICATION",
            help="The publication's folder; else the nearest one above where you are.",
            show_default=False,
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback on errors.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Select, edit, render and send a weekly briefing, region by region.

    A first week: `mailer init DIR`, `mailer ingest`, `mailer issue draft`, edit the file,
    `mailer preview next --open`, `mailer issue approve next`, `mailer run`.
    """
    del debug, version
    ctx.obj = publication


for commands in (
    setup_commands,
    article_commands,
    edition_commands,
    sending_commands,
    schedule_commands,
    operating_commands,
    copy_commands,
    doctor_commands,
    status_commands,
    web_commands,
):
    commands.register(app)
retention_commands.register(app)
choice_commands.register(app, issue_commands.app)
app.add_typer(issue_commands.app, name="issue")
app.add_typer(diary_commands.app, name="diary")
roster_commands.register(audience_commands.app)
rights_commands.register(audience_commands.app)
segment_commands.register(audience_commands.app)
app.add_typer(audience_commands.app, name="subscribers")
app.command(name="regions")(audience_commands.regions)
app.add_typer(source_commands.app, name="sources")
app.add_typer(report_commands.app, name="report")
app.add_typer(dkim_commands.app, name="dkim")
app.add_typer(inbox_commands.app, name="inbox")
