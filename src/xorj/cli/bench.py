"""`xorj bench NAME`: one measurement, its peers in the same run. The benches live in bench/ of the checkout, one file a figure."""

import runpy
import sys
from pathlib import Path

import typer

BENCH = Path(__file__).resolve().parents[3] / "bench"


def bench(
    context: typer.Context,
    name: str = typer.Argument(..., help="One of the benches; without one they are listed.", show_default=False),
) -> None:
    """Run one benchmark and print its figures as ratios; pass --json for machines. Example: ./xorj bench localnet --json"""
    names = sorted(path.stem for path in BENCH.glob("*.py")) if BENCH.exists() else []
    if name not in names:
        typer.echo(f"no bench named {name!r}; there are: {', '.join(names) or 'none outside a checkout'}", err=True)
        raise typer.Exit(2)
    module = runpy.run_path(str(BENCH / f"{name}.py"))
    sys.exit(module["main"](context.args))
