"""The root of the command line: which command lives where, and what an error becomes. Called by __main__ and by the tests.

A command is found by its name in COMMANDS and imported only when it is called, so that `xorj --help` costs what typer costs.
"""

import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import typer
import typer.core
import typer.main

from xorj.primitives.errors import InvalidInput, RefusedForSafety, XorjError

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_REFUSED, EXIT_INTERRUPTED = 0, 1, 2, 3, 130
RUN, LOOK, WORK = "Run it", "Look into it", "Work on it"

EXAMPLES = """Copy trading on Solana without giving anyone your money.

Examples: `./xorj up` runs everything on this machine; `./xorj demo --json` proves the main job and stops.
Each command has its own: `./xorj COMMAND --help`.

Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 refused for safety."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command lives, as `module:attribute` below xorj.cli, and what the list of commands says about it.

    The attribute is a function or a typer.Typer of its own. `passes_on` hands options that we do not know to the command.
    """

    place: str
    help: str
    panel: str
    passes_on: bool = False


COMMANDS = {
    "up": Entry("operate:up", "Set up and run everything; print the dashboard's address.", RUN),
    "status": Entry("operate:status", "What runs, and whether it is ready.", RUN),
    "logs": Entry("operate:logs", "Show the processes' logs.", RUN),
    "down": Entry("operate:down", "Stop what `up --detach` started.", RUN),
    "doctor": Entry("doctor:doctor", "Say what this machine lacks, and how to get it.", RUN),
    "reset": Entry("operate:reset", "Delete the data folder's contents.", RUN),
    "emergency-stop": Entry("emergency_stop:emergency_stop", "Stop planning and signing trades, at once.", RUN),
    "demo": Entry("demo:demo", "The main job without a page: settled copies, every invariant checked.", RUN),
    "localnet": Entry("localnet:localnet", "Run the local Solana chain alone.", RUN),
    "run": Entry("run:run", "Run one process in the foreground.", RUN),
    "swaps": Entry("swaps:app", "Decode transactions to swaps; import swaps into a lake.", LOOK),
    "performance": Entry("performance:performance", "What each wallet earned, and how.", LOOK),
    "trust": Entry("trust:app", "Scores and rankings, with their receipts.", LOOK),
    "check": Entry("check:check", "Format, lint, types, layers, house rules, generated files.", WORK),
    "test": Entry("check:run_tests", "The test suite that this machine can run.", WORK),
    "bench": Entry("bench:bench", "One benchmark, its peers in the same run.", WORK, passes_on=True),
    "program": Entry("program:app", "Build and test the on-chain programs (needs Rust).", WORK),
    "web": Entry("web:app", "Build and test the page (needs Node).", WORK),
}


class LazyCommands(typer.core.TyperGroup):
    """Lists commands from COMMANDS alone, and imports one when it is resolved."""

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        entry = COMMANDS.get(cmd_name)
        return entry and typer.core.TyperCommand(cmd_name, callback=None, help=entry.help, rich_help_panel=entry.panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(name or ""), rest


def load(name: str) -> Any:
    """The command itself. Raises KeyError for a name that is not in COMMANDS."""
    entry = COMMANDS[name]
    module, attribute = entry.place.split(":")
    found: typer.Typer | Callable[..., None] = getattr(import_module(f"xorj.cli.{module}"), attribute)
    if not isinstance(found, typer.Typer):
        function, found = found, typer.Typer(add_completion=False, rich_markup_mode="markdown")
        settings = {"allow_extra_args": True, "ignore_unknown_options": True} if entry.passes_on else {}
        found.command(name, context_settings=settings)(function)
    command = typer.main.get_command(found)
    command.name = name
    return command


app = typer.Typer(
    cls=LazyCommands,
    no_args_is_help=True,
    help=EXAMPLES,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"xorj {metadata.version('xorj')}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", help="Show the version.", is_eager=True, callback=_show_version),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error that is not the user's."),
) -> None:
    """What stands before the command: `xorj --debug COMMAND`."""


def run(arguments: Sequence[str]) -> int:
    """Runs one command and returns its exit code; an error becomes one clear message, never a traceback unless --debug asks for it."""
    try:
        typer.main.get_command(app).main(args=list(arguments), prog_name="xorj")
    except SystemExit as stopped:
        return stopped.code if isinstance(stopped.code, int) else EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except XorjError as error:
        return _explained(error)
    except Exception:
        if "--debug" in arguments:
            raise
        return _reported()
    return EXIT_OK


def _explained(error: XorjError) -> int:
    refused = isinstance(error, RefusedForSafety)
    typer.echo(f"{'refused' if refused else 'error'}: {error}", err=True)
    if refused:
        return EXIT_REFUSED
    return EXIT_USAGE if isinstance(error, InvalidInput) else EXIT_FAILED


def _reported() -> int:
    """A fault of ours: the traceback goes to a file that only the user can read, its last line and the file's path to the terminal."""
    kind, error, _ = sys.exc_info()
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    with tempfile.NamedTemporaryFile("w", prefix=f"xorj-{stamp}-", suffix=".log", delete=False) as report:
        report.write(traceback.format_exc())
    name = kind.__name__ if kind is not None else "error"
    typer.echo(
        f"error: xorj failed unexpectedly: {name}: {error}\nthe whole story: {Path(report.name)} (or run again with --debug first)",
        err=True,
    )
    return EXIT_FAILED
