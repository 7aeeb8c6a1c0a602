"""`xorj performance`: what each wallet of a lake earned."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import typer
from rich.table import Column, Table

from xorj.adapters.lake.delta_lake import DeltaLake, chain_of
from xorj.cli.tables import show
from xorj.performance.compute_performance import PerformanceReport, compute_performance
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import SLOT_MAX, Slot, parse_pubkey

AsOf = typer.Option(None, "--as-of", min=0, max=SLOT_MAX, help="As of this slot; the newest in the lake when not given.")

SHOWN = ("wallet", "trades", "net_pnl_usd", "roi", "win_rate", "max_drawdown", "sharpe", "days")


def performance(
    lake: Path = typer.Option(..., help="Folder of the lake.", metavar="DIR"),
    wallet: str | None = typer.Option(None, help="This wallet alone."),
    as_of: int | None = AsOf,
    as_json: bool = typer.Option(False, "--json", help="One JSON list instead of a table."),
) -> None:
    """Compute each wallet's performance from its swaps. Example: ./xorj performance --lake .xorj/lake --json

    Ratios are fractions; what is undefined is null.
    """
    report = read_report(lake, as_of)
    rows = [_row(one) for one in report.wallets] if report is not None else []
    if wallet is not None:
        wanted = parse_pubkey(wallet, "--wallet")
        rows = [row for row in rows if row["wallet"] == wanted]
        if not rows:
            raise InvalidInput("--wallet", given=wanted, rule="a wallet with swaps in the lake")
    if as_json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(rows)


def read_report(lake: Path, as_of: int | None) -> PerformanceReport | None:
    """The performance of every wallet in a lake of any chain. Raises InvalidInput where there is no lake."""
    reader = DeltaLake(lake, chain_of(lake))
    return asyncio.run(compute_performance(reader, as_of=None if as_of is None else Slot(as_of)))


def _row(one: Any) -> dict[str, Any]:
    row = asdict(one)
    return row | {"daily_returns": list(one.daily_returns)}


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table(*(Column(name, no_wrap=name == "wallet") for name in SHOWN))
    for row in sorted(rows, key=lambda one: -one["net_pnl_usd"]):
        table.add_row(*(f"{value:.4g}" if isinstance(value, float) else str(value) for value in (row[name] for name in SHOWN)))
    show(table)
