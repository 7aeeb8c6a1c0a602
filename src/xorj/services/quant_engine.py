"""The process `quant-engine` on 8001: reads swaps from the chain into the lake, scores wallets, keeps the rankings.

One loop ingests and ranks by what came, another makes scoring runs, which are also made on demand. After a restart it goes on where the
lake ends. Books follow the lake swap by swap; a third loop puts them away, and compares them with a full rebuild every night.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.jupiter.http import JupiterHttp
from xorj.adapters.jupiter.prices import JupiterTokens
from xorj.adapters.lake.book_file import BookFile
from xorj.adapters.lake.delta_lake import DeltaLake
from xorj.adapters.lake.place import place_of
from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres.alarms import PostgresAlarms
from xorj.adapters.postgres.own_fills import PostgresOwnFills
from xorj.adapters.postgres.predictions import PostgresPredictions
from xorj.adapters.postgres.readiness import database_check
from xorj.adapters.postgres.reporting import PostgresRankings
from xorj.adapters.postgres.tokens import PostgresTokens
from xorj.adapters.postgres.trust import PostgresTrust
from xorj.adapters.price_sources import open_prices
from xorj.adapters.solana_rpc.clock import NodeClock
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.adapters.solana_rpc.open_history import OpenedHistory, open_history
from xorj.adapters.solana_rpc.readiness import chain_check
from xorj.adapters.watch_list.file import WatchList, wallets_of
from xorj.chain.transactions import Commitment
from xorj.demo.identities import EXCLUDED_WALLETS
from xorj.engine_api.overlay import overlay_routes
from xorj.engine_api.quant_engine import quant_engine_routes
from xorj.engine_api.rankings import ranking_routes
from xorj.market.local_amm import PROGRAM_ID as LOCAL_AMM
from xorj.observability import health, http, logging, metrics
from xorj.performance.follow_performance import FollowedLake
from xorj.prices.discover_prices import AgreedPrices
from xorj.primitives.errors import RefusedForSafety, Unavailable
from xorj.primitives.ids import LOCAL_GENESIS, Address, Signature, Wallet
from xorj.settings import QUANT_ENGINE_PORT, QuantEngineSettings
from xorj.swaps.discover_tokens import discover_tokens
from xorj.swaps.follow_confirmed import follow_confirmed
from xorj.swaps.ingest_swaps import Ingested, Memory, Progress, Sources, ingest_swaps
from xorj.swaps.mend_history import mend_history
from xorj.swaps.overlay import Overlay
from xorj.swaps.programs import JUPITER_V6
from xorj.trust.eligibility import Rules
from xorj.trust.follow_ranks import FollowedRanks
from xorj.trust.live_calibration import LiveCalibration
from xorj.trust.ranking import Model, ScoringRun
from xorj.trust.score_copies import REFERENCE
from xorj.trust.score_wallets import Scored, score_and_store
from xorj.trust.score_windows import keep_predictions, newest_calibration

# as often as the chain has slots one question is asked; a whole pass follows where its answer is new, or after a while
LOOK_EVERY_S = 0.4
INGEST_EVERY_S = 2.0
OVERLAY_EVERY_S = 2.0
# a watched wallet costs a request at each look, whatever it does
WATCHED_LOOKED_AT_EVERY_S = 10.0
MENDED_EVERY_S = 600.0
WALLETS_MENDED_AT_ONCE_MAX = 20
SCORING_LOOKED_AFTER_EVERY_S = 0.5
CHAIN_ASKED_EVERY_S = 0.5
RUNS_KEPT = 1_000
BOOKS_FILE = "books.snapshot"
BOOKS_KEPT_EVERY_S = 60.0
BOOKS_COMPARED_HOUR_UTC = 3

log = logging.get("quant-engine")


@dataclass(slots=True)
class Parts:
    """Everything outside, opened; `unscored` records have come since the last run, which was made at `scored_at`."""

    settings: QuantEngineSettings
    engine: AsyncEngine
    node: SolanaNode
    history: OpenedHistory
    jupiter: JupiterHttp
    prices: AgreedPrices
    lake: FollowedLake
    ranks: FollowedRanks
    memory: Memory = field(default_factory=Memory)
    overlay: Overlay = field(default_factory=Overlay)
    overlaid_at: float = float("-inf")
    mended_at: float = field(default_factory=time.monotonic)
    watched_at: float = float("-inf")
    unscored: int = 0
    scored_at: float = float("-inf")
    looked_at: float = float("-inf")
    passed_at: float = float("-inf")
    newest_seen: Signature | None = None
    live: LiveCalibration | None = None
    learned_from: list[int] = field(default_factory=list)
    scoring: asyncio.Lock = field(default_factory=asyncio.Lock)
    comparing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def predictions(self) -> PostgresPredictions:
        return PostgresPredictions(self.engine, self.settings.genesis)

    @property
    def tokens(self) -> PostgresTokens:
        return PostgresTokens(self.engine, self.settings.genesis)

    @property
    def trust(self) -> PostgresTrust:
        return PostgresTrust(self.engine, self.settings.genesis)

    @property
    def rules(self) -> Rules:
        return _rules(self.settings)


def _rules(settings: QuantEngineSettings) -> Rules:
    """Whoever makes the local market is never a leader."""
    excluded = EXCLUDED_WALLETS if settings.genesis == LOCAL_GENESIS else frozenset()
    if settings.allow_unscored:
        return Rules(active_days_min=0, unmatched_share_max=1.0, excluded=excluded)
    return Rules(excluded=excluded)


async def serve(settings: QuantEngineSettings) -> None:
    """Runs until SIGTERM or SIGINT. Raises RefusedForSafety on another chain's database, lake or node."""
    if settings.allow_unscored and settings.genesis != LOCAL_GENESIS:
        raise RefusedForSafety("XORJ_ALLOW_UNSCORED is for the local chain alone: a record too short to judge must not move real funds")
    async with _opened(settings) as parts:
        app = http.create_app("quant-engine", checks=_checks(parts))
        asked = lambda: parts.ranks.newest, lambda: _score(parts), lambda: _compare_books(parts)
        app.include_router(quant_engine_routes(settings.require_service_token(), parts.trust, parts.prices, *asked))
        app.include_router(ranking_routes(settings.require_service_token(), PostgresRankings(parts.engine)))
        app.include_router(overlay_routes(settings.require_service_token(), parts.overlay))
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
        keeper = BookFile(settings.data_dir / BOOKS_FILE)
        lake = FollowedLake(DeltaLake(place_of(settings), settings.genesis), keeper, compile_loops=not settings.is_local)
        ranks = FollowedRanks(lake, _rules(settings), Model(settings.trust_model))
        history = await open_history(
            settings.rpc_endpoints, settings.genesis, stack, allowed=settings.rpc_allowances, full=settings.rpc_full_history
        )
        prices = await open_prices(jupiter, NodeClock(node), stack, settings)
        yield Parts(settings, engine, node, history, jupiter, prices, lake, ranks)


async def _work(parts: Parts) -> None:
    """Ingests, ranks, scores and compares for ever. What is unavailable is asked again at the next turn; what was committed stays."""
    await _chain_is_there(parts)
    tasks = [asyncio.create_task(loop(parts), name=loop.__name__) for loop in (_ingest_and_rank, _score_when_due, _look_after_books)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ingest_and_rank(parts: Parts) -> None:
    while True:
        began, before = time.monotonic(), parts.looked_at
        try:
            newest = await _newest_of_venue(parts)
            if newest != parts.newest_seen or began - parts.passed_at >= INGEST_EVERY_S:
                records = (await _ingest(parts)).records
                parts.passed_at, parts.newest_seen = began, newest
                parts.unscored += records
                if records or parts.ranks.newest is None:
                    await _rank(parts, before if records else None)
            parts.looked_at = began
            if time.monotonic() - parts.overlaid_at >= OVERLAY_EVERY_S:
                await _overlay(parts)
            if time.monotonic() - parts.mended_at >= MENDED_EVERY_S:
                await _mend(parts)
        except Unavailable as error:
            log.warning("turn_failed", error=str(error))
        await asyncio.sleep(max(0.0, began + LOOK_EVERY_S - time.monotonic()))


async def _newest_of_venue(parts: Parts) -> Signature | None:
    """Of its newest finalized transaction; None while it has none."""
    rows = await parts.history.reader.signatures(_venue(parts.settings), limit=1)
    return rows[0].signature if rows else None


async def _rank(parts: Parts, since: float | None) -> None:
    """`since` is when it was looked last without seeing what came now; None where nothing came."""
    fresh = await parts.ranks.refresh()
    if fresh is not None and since is not None and since > 0:
        metrics.RANKS_SECONDS.observe(time.monotonic() - since)


async def _score_when_due(parts: Parts) -> None:
    while True:
        try:
            if parts.unscored and time.monotonic() - parts.scored_at >= parts.settings.scoring_every_s:
                await _score(parts)
                await _name_tokens(parts)
        except Unavailable as error:
            log.warning("scoring_failed", error=str(error))
        await asyncio.sleep(SCORING_LOOKED_AFTER_EVERY_S)


async def _look_after_books(parts: Parts) -> None:
    """Puts the books away every while, and compares them once a night."""
    compared = _night()
    while True:
        await asyncio.sleep(BOOKS_KEPT_EVERY_S)
        try:
            await parts.lake.keep()
            if compared != _night():
                await _compare_books(parts)
                compared = _night()
        except Unavailable as error:
            log.warning("books_not_looked_after", error=str(error))


def _night() -> date:
    """The day of the last BOOKS_COMPARED_HOUR_UTC."""
    return (datetime.now(UTC) - timedelta(hours=BOOKS_COMPARED_HOUR_UTC)).date()


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
        is_due = time.monotonic() - parts.watched_at >= WATCHED_LOOKED_AT_EVERY_S
        sources = sources if is_due else replace(sources, watched=frozenset())
        ingested = await ingest_swaps(sources, history.reader, parts.lake, second=history.second, memory=parts.memory, tell=_progressed)
        parts.watched_at = time.monotonic() if is_due else parts.watched_at
    _count(ingested)
    if ingested.records:
        metrics.WALLETS_GAPPED.set(len(await parts.lake.open_holes()))
    newest, finalized = await parts.lake.newest_slot(), await parts.node.slot(commitment=Commitment.FINALIZED)
    metrics.INGEST_LAG_SLOTS.set(finalized - (newest or 0))
    if ingested.records:
        log.info("swaps_ingested", records=ingested.records, up_to_slot=ingested.up_to_slot, undecodable=sum(ingested.undecodable.values()))
    return ingested


async def _mend(parts: Parts) -> None:
    """Looks into holes once more, some wallets at a time: what a provider left out it may have by now."""
    parts.mended_at = time.monotonic()
    gapped = list(await parts.lake.open_holes())
    for wallet in random.sample(gapped, min(len(gapped), WALLETS_MENDED_AT_ONCE_MAX)):
        mended = await mend_history(wallet, parts.history.reader, parts.lake, second=parts.history.second)
        metrics.HISTORY_ADDED.inc(mended.records)
        parts.unscored += mended.records
        # no page: its history could not be believed this time, or another process has mended it
        event = "wallet_not_read" if not mended.pages else "wallet_still_gapped" if mended.gapped else "wallet_mended"
        log.info(event, wallet=wallet, records=mended.records)
    if gapped:
        metrics.WALLETS_GAPPED.set(len(await parts.lake.open_holes()))


async def _overlay(parts: Parts) -> None:
    """What is confirmed beyond the lake's end, and gone again where a fork undid it."""
    parts.overlaid_at = time.monotonic()
    moved = await follow_confirmed(await _sources(parts), parts.history.reader, parts.lake, parts.overlay)
    for what, count in (("came", moved.came), ("final", moved.passed), ("undone", moved.undone)):
        metrics.OVERLAY_MOVED.labels(what).inc(count)
    metrics.OVERLAY_TRANSACTIONS.set(len(parts.overlay.seen))
    if moved.undone:
        log.warning("transactions_undone", count=moved.undone)


def _venue(settings: QuantEngineSettings) -> Address:
    return LOCAL_AMM if settings.is_local else JUPITER_V6


async def _sources(parts: Parts) -> Sources:
    settings = parts.settings
    venue = _venue(settings)
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
        # what comes while the run is made is for the next one
        counted = parts.unscored
        try:
            with metrics.SCORING_SECONDS.time():
                live, terms = await _live_calibration(parts), replace(REFERENCE, refused=await parts.tokens.unfit())
                own = await PostgresOwnFills(parts.engine, parts.settings.genesis).newest()
                reader, model = await parts.lake.still(), Model(parts.settings.trust_model)
                scored = await score_and_store(reader, parts.trust, parts.rules, model, terms=terms, live=live, own=own)
        except Unavailable:
            metrics.SCORING_RUNS.labels("failed").inc()
            raise
        finally:
            # a run that failed waits as long as one that did not
            parts.scored_at = time.monotonic()
        parts.unscored -= counted
        if scored is None:
            return None
        run = scored.run
        parts.ranks.scored(run)
        await parts.ranks.refresh()
        await parts.trust.prune(keep=RUNS_KEPT)
        await _keep_predictions(parts, scored)
        metrics.SCORING_RUNS.labels("completed").inc()
        metrics.TRADERS_RANKED.set(len(run.ranked))
        log.info("wallets_ranked", run_id=run.id, as_of_slot=run.as_of_slot, analyzed=len(run.scores), ranked=len(run.ranked))
        return run


async def _live_calibration(parts: Parts) -> LiveCalibration | None:
    """What closed windows taught, None while it is assumed; computed again when another window has closed."""
    closed = await parts.predictions.closed()
    if closed != parts.learned_from:
        found = await newest_calibration(parts.predictions)
        log.info(
            "calibration_learned", windows=len(closed), calibration=found.version if isinstance(found, LiveCalibration) else found.reason
        )
        parts.live, parts.learned_from = found if isinstance(found, LiveCalibration) else None, closed
    return parts.live


async def _keep_predictions(parts: Parts, scored: Scored) -> None:
    """The day's predictions, a window that is over, the week's report. A run stands without them: the next one makes up for it."""
    kept = await keep_predictions(scored.run, scored.copied, parts.lake, parts.predictions, parts.predictions)
    if kept.frozen_day is not None:
        log.info("cohort_frozen", day=kept.frozen_day, wallets=len(scored.run.scores), run_id=scored.run.id)
    if kept.closed_opened_day is not None:
        log.info("window_closed", opened_day=kept.closed_opened_day)
    report = kept.report or await parts.predictions.newest_report()
    error = None if report is None else report.measures.calibration_error.value
    if error is not None:
        metrics.TRUST_CALIBRATION_ERROR.set(error)
    if kept.report is not None:
        say = log.error if kept.report.alarm else log.info
        say("trust_reported", week=kept.report.week, windows=len(kept.report.windows), calibration_error=error, alarm=kept.report.alarm)


async def _compare_books(parts: Parts) -> tuple[Wallet, ...]:
    """Wallets whose books a full rebuild found wrong: they have been made anew, and whoever listens to the outbox is told."""
    async with parts.comparing:
        wrong = await parts.lake.differing()
        metrics.BOOKS_DIFFERING.set(len(wrong))
        metrics.BOOKS_COMPARED.set_to_current_time()
        if not wrong:
            log.info("books_compared")
            return wrong
        log.error("books_differed", wallets=len(wrong), first=wrong[0])
        await PostgresAlarms(parts.engine).books_differed(wrong)
        await parts.ranks.refresh()
        return wrong


async def _name_tokens(parts: Parts) -> None:
    """Names are for readers: without them the ranking stands all the same."""
    try:
        named = await discover_tokens(await parts.lake.swaps(), JupiterTokens(parts.jupiter), parts.tokens)
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
