"""The process `quant-engine` on 8001: reads swaps from the chain into the lake, scores wallets, keeps the rankings.

One loop ingests and, when something came, scores; a run is also made on demand. After a restart it goes on where the lake ends. Books
follow the lake swap by swap, and are compared with a full computation once a day.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.jupiter.http import JupiterHttp
from xorj.adapters.jupiter.prices import JupiterPrices, JupiterTokens
from xorj.adapters.lake.delta_lake import DeltaLake
from xorj.adapters.lake.place import place_of
from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres.readiness import database_check
from xorj.adapters.postgres.tokens import PostgresTokens
from xorj.adapters.postgres.trust import PostgresTrust
from xorj.adapters.solana_rpc.clock import NodeClock
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.adapters.solana_rpc.open_history import OpenedHistory, open_history
from xorj.adapters.solana_rpc.readiness import chain_check
from xorj.adapters.watch_list.file import WatchList, wallets_of
from xorj.chain.transactions import Commitment
from xorj.demo.identities import EXCLUDED_WALLETS
from xorj.engine_api.quant_engine import quant_engine_routes
from xorj.market.local_amm import PROGRAM_ID as LOCAL_AMM
from xorj.observability import health, http, logging, metrics
from xorj.performance.follow_performance import FollowedLake
from xorj.primitives.errors import RefusedForSafety, Unavailable
from xorj.primitives.ids import LOCAL_GENESIS, Address, Wallet
from xorj.settings import QUANT_ENGINE_PORT, QuantEngineSettings
from xorj.swaps.discover_tokens import discover_tokens
from xorj.swaps.ingest_swaps import Ingested, Memory, Progress, Sources, ingest_swaps
from xorj.swaps.programs import JUPITER_V6
from xorj.trust.eligibility import Rules
from xorj.trust.ranking import Model, ScoringRun
from xorj.trust.score_wallets import score_and_store

INGEST_EVERY_S = 2.0
CHAIN_ASKED_EVERY_S = 0.5
RUNS_KEPT = 1_000
BOOKS_COMPARED_EVERY_S = 86_400.0

log = logging.get("quant-engine")


@dataclass(slots=True)
class Parts:
    """Everything outside, opened; `unscored` records have come since the last run, which was made at `scored_at`."""

    settings: QuantEngineSettings
    engine: AsyncEngine
    node: SolanaNode
    history: OpenedHistory
    jupiter: JupiterHttp
    lake: FollowedLake
    memory: Memory = field(default_factory=Memory)
    unscored: int = 0
    scored_at: float = float("-inf")
    compared_at: float = field(default_factory=time.monotonic)
    scoring: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def trust(self) -> PostgresTrust:
        return PostgresTrust(self.engine, self.settings.genesis)

    @property
    def excluded(self) -> frozenset[Wallet]:
        """Whoever makes the local market is never a leader."""
        return EXCLUDED_WALLETS if self.settings.genesis == LOCAL_GENESIS else frozenset()

    @property
    def rules(self) -> Rules:
        if self.settings.allow_unscored:
            return Rules(active_days_min=0, unmatched_share_max=1.0, excluded=self.excluded)
        return Rules(excluded=self.excluded)


async def serve(settings: QuantEngineSettings) -> None:
    """Runs until SIGTERM or SIGINT. Raises RefusedForSafety on another chain's database, lake or node."""
    if settings.allow_unscored and settings.genesis != LOCAL_GENESIS:
        raise RefusedForSafety("XORJ_ALLOW_UNSCORED is for the local chain alone: a record too short to judge must not move real funds")
    async with _opened(settings) as parts:
        app = http.create_app("quant-engine", checks=_checks(parts))
        prices = JupiterPrices(parts.jupiter)
        app.include_router(quant_engine_routes(settings.require_service_token(), parts.trust, prices, lambda: _score(parts)))
        address = http.Address(settings.bind_host, QUANT_ENGINE_PORT + settings.port_offset)
        await http.serve(app, address, [lambda: _work(parts)])


@asynccontextmanager
async def _opened(settings: QuantEngineSettings) -> AsyncIterator[Parts]:
    async with AsyncExitStack() as stack:
        engine = postgres.create(
            settings.require_database_url(),
            application="quant-engine",
            tls_required=settings.database_tls_required,
            connections_min=settings.database_connections_min,
            connections_max=settings.database_connections_max,
        )
        stack.push_async_callback(engine.dispose)
        await postgres.require_chain(engine, settings.genesis)
        node = await stack.enter_async_context(SolanaNode(settings.rpc_endpoints[0], name="provider 1"))
        key = settings.jupiter_api_key
        jupiter = await stack.enter_async_context(JupiterHttp(settings.jupiter_endpoint, api_key=key.get_secret_value() if key else None))
        # the local market is small: compiling would take longer than it saves
        lake = FollowedLake(DeltaLake(place_of(settings), settings.genesis), compile_loops=not settings.is_local)
        history = await open_history(
            settings.rpc_endpoints, settings.genesis, stack, allowed=settings.rpc_allowances, full=settings.rpc_full_history
        )
        yield Parts(settings, engine, node, history, jupiter, lake)


async def _work(parts: Parts) -> None:
    """Ingests and scores for ever. What is unavailable is asked again at the next turn; nothing that was committed is lost."""
    await _chain_is_there(parts)
    while True:
        try:
            parts.unscored += (await _ingest(parts)).records
            if parts.unscored and time.monotonic() - parts.scored_at >= parts.settings.scoring_every_s:
                await _score(parts)
                await _name_tokens(parts)
            if time.monotonic() - parts.compared_at >= BOOKS_COMPARED_EVERY_S:
                await _compare_books(parts)
        except Unavailable as error:
            log.warning("turn_failed", error=str(error))
        await asyncio.sleep(INGEST_EVERY_S)


async def _chain_is_there(parts: Parts) -> None:
    """Returns when the node answers. Raises RefusedForSafety when it is on another chain."""
    while True:
        try:
            found = await parts.node.genesis_hash()
        except Unavailable as error:
            log.info("chain_awaited", error=str(error))
            await asyncio.sleep(CHAIN_ASKED_EVERY_S)
            continue
        if found != parts.settings.genesis:
            raise RefusedForSafety(f"the node is on the chain with genesis {found}, this process is for {parts.settings.genesis}")
        # a lake that was never scored, or not since the last stop, is scored at once
        parts.unscored = len(await parts.lake.cursors())
        return


async def _ingest(parts: Parts) -> Ingested:
    with metrics.INGEST_SECONDS.time():
        sources, history = await _sources(parts), parts.history
        ingested = await ingest_swaps(sources, history.reader, parts.lake, second=history.second, memory=parts.memory, tell=_progressed)
    _count(ingested)
    if ingested.records:
        metrics.WALLETS_GAPPED.set(len(await parts.lake.open_holes()))
    newest, finalized = await parts.lake.newest_slot(), await parts.node.slot(commitment=Commitment.FINALIZED)
    metrics.INGEST_LAG_SLOTS.set(finalized - (newest or 0))
    if ingested.records:
        log.info("swaps_ingested", records=ingested.records, up_to_slot=ingested.up_to_slot, undecodable=sum(ingested.undecodable.values()))
    return ingested


async def _sources(parts: Parts) -> Sources:
    settings = parts.settings
    venue = LOCAL_AMM if settings.is_local else JUPITER_V6
    return Sources(
        venues=(venue,),
        watched=wallets_of(settings.watched_wallets, "XORJ_WATCHED_WALLETS") | WatchList(settings.data_dir).wallets(),
        since=settings.history_since_s,
        venues_since=await _venues_since(parts, venue),
    )


async def _venues_since(parts: Parts, venue: Address) -> int | None:
    """By the chain's own time, and only where the venue was never read: later its cursor says where to go on."""
    back_s = parts.settings.discovery_s
    if back_s is None or await parts.lake.venue_cursor(venue) is not None:
        return None
    return int((await NodeClock(parts.node).now()).unix_seconds - back_s)


def _progressed(progress: Progress) -> None:
    metrics.INGEST_READ.set(progress.read)
    metrics.INGEST_TO_READ.set(progress.to_read)
    metrics.INGEST_GAPS.set(progress.gaps)


def _count(ingested: Ingested) -> None:
    for outcome, count in ingested.outcomes.items():
        metrics.INGESTED.labels(outcome).inc(count)
    for reason, count in ingested.undecodable.items():
        metrics.UNDECODABLE.labels(reason).inc(count)
    for what, count in ingested.breaks.items():
        metrics.HISTORY_BREAKS.labels(what).inc(count)
    metrics.INGEST_PAGES.inc(ingested.pages)
    metrics.HISTORY_ADDED.inc(ingested.added)
    metrics.HISTORY_DENIED.inc(ingested.denied)
    metrics.WALLETS_LEFT_OUT.set(len(ingested.left_out))
    for wallet, fault in ingested.left_out.items():
        log.warning("wallet_left_out", wallet=wallet, why=fault.what)
    for wallet in sorted(ingested.gapped):
        log.warning("wallet_gapped", wallet=wallet)


async def _score(parts: Parts) -> ScoringRun | None:
    """One run as of the newest ingested slot, kept; None while there is nothing to score."""
    async with parts.scoring:
        try:
            with metrics.SCORING_SECONDS.time():
                run = await score_and_store(parts.lake, parts.trust, parts.rules, Model(parts.settings.trust_model))
        except Unavailable:
            metrics.SCORING_RUNS.labels("failed").inc()
            raise
        parts.unscored, parts.scored_at = 0, time.monotonic()
        if run is None:
            return None
        await parts.trust.prune(keep=RUNS_KEPT)
        metrics.SCORING_RUNS.labels("completed").inc()
        metrics.TRADERS_RANKED.set(len(run.ranked))
        log.info("wallets_ranked", run_id=run.id, as_of_slot=run.as_of_slot, analyzed=len(run.scores), ranked=len(run.ranked))
        return run


async def _compare_books(parts: Parts) -> None:
    """Says how many wallets' books were not those of a full computation; they have been made anew then."""
    parts.compared_at = time.monotonic()
    wrong = await parts.lake.differing()
    metrics.BOOKS_DIFFERING.set(len(wrong))
    if wrong:
        log.error("books_differed", wallets=len(wrong), first=wrong[0])
    else:
        log.info("books_compared")


async def _name_tokens(parts: Parts) -> None:
    """Names are for readers: without them the ranking stands all the same."""
    tokens = PostgresTokens(parts.engine, parts.settings.genesis)
    try:
        named = await discover_tokens(await parts.lake.swaps(), JupiterTokens(parts.jupiter), tokens)
    except Unavailable as error:
        log.warning("tokens_not_named", error=str(error))
        return
    if named:
        log.info("tokens_named", count=named)


def _checks(parts: Parts) -> list[health.Check]:
    async def lake() -> health.Health:
        await parts.lake.cursors()
        return health.OK

    return [database_check(parts.engine), chain_check(parts.node), health.Check("lake", lake)]
