"""`xorj bench NAME`: one measurement, its peers in the same run. They live in bench/ of the checkout: one file a figure, or a folder."""

import sys
from importlib import import_module
from pathlib import Path

import typer

BENCH = Path(__file__).resolve().parents[3] / "bench"


def bench(
    context: typer.Context,
    name: str = typer.Argument("", help="One of the benches; without one they are listed.", show_default=False),
) -> None:
    """Run one benchmark and print its figures as ratios; pass --json for machines. Example: ./xorj bench localnet --json

    A bench's own options are shown by ./xorj bench NAME -- --help
    """
    places = _places()
    place = places.get(name.replace("_", "-"))
    if place is None:
        known = f"there are: {', '.join(sorted(places)) or 'none outside a checkout'}"
        typer.echo(f"no bench named {name!r}; {known}" if name else known, err=True)
        raise typer.Exit(2)
    sys.path.insert(0, str(BENCH.parent))
    sys.exit(import_module(place).main(context.args))


def _places() -> dict[str, str]:
    """The module of each bench by its name. A folder is one when it has a __main__.py; a file without main() belongs to another bench."""
    files = [path for path in BENCH.glob("*.py") if "\ndef main(" in path.read_text()]
    folders = [path.parent for path in BENCH.glob("*/__main__.py")]
    named = {path.stem.replace("_", "-"): f"bench.{path.stem}" for path in files}
    return named | {path.name.replace("_", "-"): f"bench.{path.name}.__main__" for path in folders}
