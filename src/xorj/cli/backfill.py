"""`xorj swaps backfill, watch, unwatch, watched`: which wallets are read, and reading one at once. Registered by cli/swaps.py."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import typer
from rich.console import Console

from xorj.adapters.lake.delta_lake import DeltaLake
from xorj.adapters.solana_rpc.open_history import OpenedHistory, open_history
from xorj.adapters.watch_list.file import WatchList
from xorj.cli.folder_option import folder
from xorj.cli.ingest_progress import IngestProgress
from xorj.cli.lake_option import LakeOption, named_lake, place_named
from xorj.primitives.errors import InvalidInput, Unavailable
from xorj.primitives.ids import Wallet, parse_pubkey
from xorj.settings import CommonSettings, HistorySettings, load
from xorj.swaps.extend_history import extend_history
from xorj.swaps.ingest_swaps import Ingested, Memory, Progress, Sources, ingest_swaps
from xorj.swaps.mend_history import mend_history

FOLLOW_EVERY_S = 2.0
WALLETS = typer.Argument(..., help="Wallets.", metavar="WALLET...")
DATA_DIR = typer.Option(None, help="The data folder; the settings' when not given.", metavar="DIR", parser=folder)


def backfill(
    wallets: list[str] = typer.Argument(..., help="Wallets to read.", metavar="WALLET..."),
    since: str | None = typer.Option(None, help="First day (UTC), YYYY-MM-DD; the first transaction when neither given nor set."),
    lake: LakeOption | None = typer.Option(
        None, help="The lake: a folder, or s3://bucket/folder; the settings' when not given.", metavar="DIR", parser=named_lake
    ),
    follow: bool = typer.Option(False, help="Go on with what the wallets do, until Ctrl-C."),
    rpc_url: str | None = typer.Option(None, help="Providers to read from, separated by commas; the settings' when not given."),
) -> None:
    """Read wallets into a lake from a day or their first transaction on, and what is known already further back where it is asked for.

    Holes are looked into once more. Shows rate, remaining time and gaps. Example: ./xorj swaps backfill 9QC3… --since 2026-08-01
    """
    known = _parsed(wallets)
    settings = load(HistorySettings, rpc_urls=rpc_url)
    since_s = settings.history_since_s if since is None else _day_s(since)
    place = DeltaLake(place_named(lake), settings.genesis)
    console = Console(stderr=True)
    progress = IngestProgress(console, f"{len(known)} wallet{'s' if len(known) > 1 else ''}")
    ingested = asyncio.run(_backfill(settings, known, since_s, place, progress, follow=follow))
    gapped = f"; a gap in {', '.join(sorted(ingested.gapped))}: not to be ranked" if ingested.gapped else ""
    typer.echo(f"{ingested.records} transactions were new, {ingested.added} of them not listed at first, {ingested.pages} pages{gapped}")
    for wallet, fault in ingested.left_out.items():
        typer.echo(f"{wallet} was left as it is: {fault.what}", err=True)
    if ingested.left_out:
        raise typer.Exit(1)


def watch(wallets: list[str] = WALLETS, data_dir: Path | None = DATA_DIR) -> None:
    """Have wallets read and ranked whatever they trade; the quant engine takes them up by itself. Example: ./xorj swaps watch 9QC3…"""
    added = _watch_list(data_dir).add(_parsed(wallets))
    typer.echo(f"{added} wallets were not watched before")


def unwatch(wallets: list[str] = WALLETS, data_dir: Path | None = DATA_DIR) -> None:
    """Read wallets only for what they do at the venues again; what was read stays. Example: ./xorj swaps unwatch 9QC3…"""
    removed = _watch_list(data_dir).remove(_parsed(wallets))
    typer.echo(f"{removed} wallets are watched no more")


def watched(data_dir: Path | None = DATA_DIR) -> None:
    """List the watched wallets, one a line. Example: ./xorj swaps watched"""
    for wallet in sorted(_watch_list(data_dir).wallets()):
        typer.echo(wallet)


def _parsed(wallets: list[str]) -> list[Wallet]:
    return [Wallet(parse_pubkey(one, "WALLET")) for one in wallets]


def _watch_list(data_dir: Path | None) -> WatchList:
    chosen = load(CommonSettings, data_dir=data_dir).data_dir
    if not chosen.is_dir():
        raise InvalidInput("--data-dir", given=str(chosen), rule="a data folder; ./xorj up makes one")
    return WatchList(chosen)


def _day_s(text: str) -> int:
    try:
        return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise InvalidInput("--since", given=text, rule="a day as YYYY-MM-DD") from error


async def _backfill(
    settings: HistorySettings, wallets: list[Wallet], since_s: int | None, lake: DeltaLake, progress: IngestProgress, *, follow: bool
) -> Ingested:
    async with AsyncExitStack() as stack:
        history = await open_history(
            settings.rpc_endpoints, settings.genesis, stack, allowed=settings.rpc_allowances, full=settings.rpc_full_history
        )
        await history.require_chain(settings.genesis)
        with progress.shown():
            return await _read(history, Sources((), watched=frozenset(wallets), since=since_s), lake, progress, follow=follow)


async def _read(history: OpenedHistory, sources: Sources, lake: DeltaLake, progress: IngestProgress, *, follow: bool) -> Ingested:
    memory, told = Memory(), Progress(0, 0, 0, 0)

    def tell(now: Progress) -> None:
        nonlocal told
        told = now
        progress.tell(now)

    whole = await ingest_swaps(sources, history.reader, lake, second=history.second, memory=memory, tell=tell)
    for wallet in sorted(sources.watched):
        further = partial(_tell_after, tell, told)
        back = await extend_history(wallet, history.reader, lake, since=sources.since, second=history.second, tell=further)
        mended = await mend_history(wallet, history.reader, lake, second=history.second)
        whole = whole.joined(back).joined(mended)
    whole.gapped = set(sources.watched & (await lake.open_holes()).keys())
    while follow:
        await asyncio.sleep(FOLLOW_EVERY_S)
        try:
            more = await ingest_swaps(sources, history.reader, lake, second=history.second, memory=memory)
        except Unavailable as error:
            typer.echo(f"{error}; it is asked again in {FOLLOW_EVERY_S} s", err=True)
            continue
        whole = whole.joined(more)
        if more.records:
            progress.tell(replace(told, read=told.read + more.records, to_read=told.to_read + more.records))
    return whole


def _tell_after(tell: Callable[[Progress], None], before: Progress, now: Progress) -> None:
    tell(Progress(before.pages + now.pages, before.read + now.read, before.to_read + now.to_read, before.gaps + now.gaps))
