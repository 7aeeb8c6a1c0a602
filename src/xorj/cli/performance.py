"""`xorj performance`: what each wallet of a lake earned."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
import typer
from rich.table import Column, Table

from xorj.adapters.lake.delta_lake import DeltaLake
from xorj.adapters.lake.leg_files import LegFiles
from xorj.adapters.lake.place import Place
from xorj.adapters.lake.store import chain_of
from xorj.adapters.workers.process_pool import ProcessPool
from xorj.adapters.workers.ray_cluster import RayCluster
from xorj.cli.lake_option import LakeOption, named_lake
from xorj.cli.slot_option import asked_slot, nothing_at
from xorj.cli.tables import show
from xorj.performance.compute_buckets import compute_buckets
from xorj.performance.compute_legs import compute_legs
from xorj.performance.compute_performance import PerformanceReport, compute_performance
from xorj.performance.kernel import performances
from xorj.performance.metrics import Performance
from xorj.performance.ports import Workers
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import SLOT_MAX, parse_pubkey
from xorj.settings import ClusterSettings, load

AsOf = typer.Option(None, "--as-of", min=0, max=SLOT_MAX, help="As of this slot; the newest in the lake when not given.")

SHOWN = ("wallet", "trades", "net_pnl_usd", "roi", "win_rate", "max_drawdown", "sharpe", "days")


class Engine(StrEnum):
    """Where a large lake is computed."""

    POOL = "pool"
    RAY = "ray"


def performance(
    lake: LakeOption = typer.Option(..., help="The lake: a folder, or s3://bucket/folder.", metavar="DIR", parser=named_lake),
    wallet: str | None = typer.Option(None, help="This wallet alone."),
    as_of: int | None = AsOf,
    engine: Engine | None = typer.Option(None, help="Compute by bucket: pool, processes here; ray, a cluster."),
    legs: Path | None = typer.Option(None, help="Folder for the buckets, which every node reads; temporary when not given.", metavar="DIR"),
    as_json: bool = typer.Option(False, "--json", help="One JSON list instead of a table."),
) -> None:
    """Compute each wallet's performance from its swaps. Example: ./xorj performance --lake .xorj/lake --json

    Ratios are fractions; what is undefined is null. docs/performance-definitions.md says what each figure means.
    """
    wanted = None if wallet is None else parse_pubkey(wallet, "--wallet")
    if legs is not None and legs.exists() and not legs.is_dir():
        raise InvalidInput("--legs", given=str(legs), rule="a folder, or a name where one can be made")
    found = _in_process(lake.place, as_of) if engine is None else _by_bucket(lake.place, as_of, engine, legs)
    rows = [asdict(one) for one in found if wanted is None or one.wallet == wanted]
    if wanted is not None and not rows:
        raise InvalidInput("--wallet", given=wanted, rule="a wallet with swaps in the lake")
    if as_json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(rows)


def read_report(lake: Place, as_of: int | None) -> PerformanceReport:
    """The performance of every wallet in a lake of any chain. Raises InvalidInput where there is no lake, and no swap at that slot."""
    reader = DeltaLake(lake, chain_of(lake))

    async def computed() -> PerformanceReport | None:
        return await compute_performance(reader, as_of=await asked_slot(reader, as_of))

    report = asyncio.run(computed())
    if report is None:
        raise nothing_at(as_of, lake)
    return report


def _in_process(lake: Place, as_of: int | None) -> list[Performance]:
    return list(read_report(lake, as_of).wallets)


def _by_bucket(lake: Place, as_of: int | None, engine: Engine, folder: Path | None) -> list[Performance]:
    """The same figures, whole buckets at a time on the engine's workers."""
    reader = DeltaLake(lake, chain_of(lake))

    async def divided(files: LegFiles) -> None:
        await compute_legs(reader, files, as_of=await asked_slot(reader, as_of))

    with _workers(engine) as workers, tempfile.TemporaryDirectory(prefix="xorj-legs-") as temporary:
        files = LegFiles((folder or Path(temporary)).absolute())
        asyncio.run(divided(files))
        computed = compute_buckets(files, workers, per_task=_per_task(files), with_series=True)
        found = [one for done in computed for one in performances(files.wallets(done.bucket), done.figures)]
    if not found:
        raise nothing_at(as_of, lake)
    return sorted(found, key=lambda one: one.wallet)


@contextmanager
def _workers(engine: Engine) -> Iterator[Workers]:
    if engine is Engine.POOL:
        with ProcessPool(os.cpu_count() or 1) as pool:
            yield pool
        return
    with RayCluster(load(ClusterSettings).ray_address) as cluster:
        yield cluster


def _per_task(files: LegFiles) -> int:
    """Tasks are few: each must be worth starting, and four a processor are enough to keep all of them busy."""
    return max(1, len(files.buckets()) // (4 * (os.cpu_count() or 1)))


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table(*(Column(name, no_wrap=name == "wallet") for name in SHOWN))
    for row in sorted(rows, key=lambda one: -one["net_pnl_usd"]):
        table.add_row(*(f"{value:.4g}" if isinstance(value, float) else str(value) for value in (row[name] for name in SHOWN)))
    show(table)
