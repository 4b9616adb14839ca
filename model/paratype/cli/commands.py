"""The group of all commands, and what holds for each of them."""

from __future__ import annotations

import io
import sys
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup, TyperOption

import paratype
from paratype.cli.ending import READER_GONE, report_fault
from paratype.streams import discard, open_closed_streams

__all__ = ["app", "main"]


class _Commands(TyperGroup):
    """The commands, which end with a message and a code, and quietly if who reads what they print goes away."""

    def get_params(self, ctx: Any) -> Any:
        params = super().get_params(ctx)
        for param in params:
            if isinstance(param, TyperOption) and param.name == "show_completion":
                param.hidden = True  # one of typer's two options for completion is enough in the help
        return params

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            discard(sys.stdout)
            discard(sys.stderr)
            raise typer.Exit(READER_GONE) from error
        except (typer.Exit, typer.BadParameter) as ending:
            if ctx.params["debug"] and ending.__cause__:
                traceback.print_exception(ending.__cause__)
            raise


app = typer.Typer(
    cls=_Commands,
    help="Say what each paragraph of conflict reporting does: attack report, threat statement, casualty figure, "
    "analysis, or none of them.",
    no_args_is_help=True,
    rich_markup_mode="markdown",  # else the help keeps the line ends of the docstrings
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line. Its standard output is UTF-8, whatever the locale."""
    open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace", newline="\n")
    try:
        app()
    except Exception as error:
        sys.exit(report_fault(error))


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"paratype {paratype.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where in the program an error came up; before the command.")
    ] = False,
) -> None:
    pass
