"""What every store of scoring runs does, the one in memory and PostgreSQL alike; then SPEC's columns, which only the latter has."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import orjson
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.made_swaps import swap, wallet
from tests.fakes.made_windows import frozen, prediction, returns_of
from tests.fakes.trust_store import MemoryTrust

from xorj.adapters.postgres.predictions import PostgresPredictions
from xorj.adapters.postgres.reporting import PostgresRankings
from xorj.adapters.postgres.tables import scoring_runs, trader_scores
from xorj.adapters.postgres.trust import PostgresTrust
from xorj.performance.compute_performance import PerformanceReport
from xorj.performance.kernel import performance_of
from xorj.primitives.ids import LOCAL_GENESIS, Slot, Wallet
from xorj.swaps.valuation import value_swaps
from xorj.trust.copy_verdict import CopyScore, CopyVerdict, NotEnoughEvidence
from xorj.trust.eligibility import Rules
from xorj.trust.live_calibration import Assumed
from xorj.trust.predictions import LiveWindow
from xorj.trust.ranking import Model, ScoringRun
from xorj.trust.reasons import Reason
from xorj.trust.score_wallets import run_of
from xorj.trust.weekly_report import report_of

pytestmark = pytest.mark.database
Store = MemoryTrust | PostgresTrust
RULES = Rules(trades_min=2, active_days_min=1, closing_trades_min=1)


def run(slot: int, *, roi: float | None = None, model: Model = Model.CLASSIC) -> ScoringRun:
    """Ana earns half, Ben loses half, Cem never sold; as of `slot`."""
    swaps = [
        swap("ana", "100 USDC", "1 SOL", slot=1),
        swap("ana", "1 SOL", "150 USDC", slot=2),
        swap("ben", "100 USDC", "1 SOL", slot=3),
        swap("ben", "1 SOL", "50 USDC", slot=4),
        swap("cem", "100 USDC", "1 SOL", slot=5),
    ]
    made = performance_of(value_swaps(swaps), max(one.block_time for one in swaps))
    if roi is not None:
        made = [replace(one, roi=roi) for one in made]
    hashes = {one.wallet: f"hash of {one.wallet}" for one in made}
    report = PerformanceReport(Slot(slot), 1_700_000_000, f"inputs {slot}", hashes, tuple(made))
    copies: dict[Wallet, CopyVerdict] = {one.wallet: NotEnoughEvidence(one.wallet, 1, 1) for one in made}
    if model is Model.TRUST:
        copies |= {wallet(name): copy_score(name, score) for name, score in (("ana", 61.5), ("ben", 70.25))}
    return run_of(report, copies, RULES, model)


def copy_score(name: str, score: float) -> CopyScore:
    return CopyScore(wallet(name), score, 0.9, 0.2, 0.1, 0.3, 90, 40, 44, 0.05, 0.12, None, 0.003, "synthetic prior 1")


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Store:
    made: dict[str, Callable[[], Store]] = {
        "memory": MemoryTrust,
        "postgres": lambda: PostgresTrust(request.getfixturevalue("engine"), LOCAL_GENESIS),
    }
    return made[request.param]()


async def test_without_a_run_there_is_no_ranking(store: Store) -> None:
    assert await store.newest_ranking(10) == []
    assert await store.score_of(wallet("ana")) is None


async def test_a_run_comes_back_as_its_ranking_and_scores(store: Store) -> None:
    made = run(7)
    assert await store.store(made)
    ranking = await store.newest_ranking(10)
    assert [(one.rank, one.wallet) for one in ranking] == [(1, wallet("ana")), (2, wallet("ben"))]
    ana, cem = ranking[0], await store.score_of(wallet("cem"))
    assert cem is not None
    assert (cem.rank, cem.exclusion) == (None, "fewer than 2 trades")
    assert (ana.run_id, ana.as_of_slot, ana.trades, ana.was_clamped) == (made.id, 7, 2, False)
    assert ana.score == made.scores[0].classic.score
    assert ana.total_return_percent == pytest.approx(49.999, abs=0.01)
    assert ana.win_rate_percent == 100
    assert orjson.loads(orjson.dumps(ana.receipt)) == ana.receipt
    assert ana.receipt["wallet_input_hash"] == f"hash of {wallet('ana')}"
    assert await store.newest_ranking(1) == ranking[:1]
    assert await store.score_of(wallet("nobody")) is None


async def test_under_the_trust_score_it_ranks_and_both_scores_stand(store: Store) -> None:
    await store.store(run(7, model=Model.TRUST))
    ben, ana = await store.newest_ranking(10)
    assert [(one.wallet, one.score, one.copy_score) for one in (ben, ana)] == [
        (wallet("ben"), 70.25, 70.25),
        (wallet("ana"), 61.5, 61.5),
    ]
    assert (ben.edge, ben.evidence_days) == (0.9, 90)
    assert ben.classic_score == run(7).scores[1].classic.score
    assert ben.receipt["copy"]["calibration"] == "synthetic prior 1"
    cem = await store.score_of(wallet("cem"))
    assert cem is not None
    assert (cem.score, cem.copy_score, cem.edge, cem.evidence_days) == (0.0, None, None, 1)


async def test_the_newest_slot_counts_whatever_was_stored_last(store: Store) -> None:
    for slot in (9, 7):
        assert await store.store(run(slot))
    assert {one.as_of_slot for one in await store.newest_ranking(10)} == {9}


async def test_the_same_run_is_stored_once(store: Store) -> None:
    assert await store.store(run(7))
    assert not await store.store(run(7))
    assert len(await store.newest_ranking(10)) == 2


async def test_a_failed_run_never_becomes_the_ranking(store: Store) -> None:
    await store.store(run(7))
    await store.store_failure("v1-9-failed", model="v1", as_of_slot=Slot(9), cause="the lake is unavailable")
    await store.store_failure("v1-9-failed", model="v1", as_of_slot=Slot(9), cause="the lake is unavailable")
    assert {one.as_of_slot for one in await store.newest_ranking(10)} == {7}


async def test_old_runs_go_with_their_scores(store: Store) -> None:
    for slot in range(1, 6):
        await store.store(run(slot))
    assert await store.prune(keep=2) == 3
    assert {one.as_of_slot for one in await store.newest_ranking(10)} == {5}
    assert await store.prune(keep=2) == 0


async def rows(engine: AsyncEngine) -> list[Any]:
    async with engine.begin() as connection:
        return list(await connection.execute(select(trader_scores).order_by(trader_scores.c.rank)))


async def test_specs_columns_hold_percentages_of_two_places_and_ours_the_fractions(engine: AsyncEngine) -> None:
    await PostgresTrust(engine, LOCAL_GENESIS).store(run(7))
    ana = (await rows(engine))[0]
    assert (ana.win_rate, ana.total_return, ana.max_drawdown) == (Decimal("100.00"), Decimal("50.00"), Decimal("0.00"))
    assert ana.total_return_fraction == pytest.approx(0.5, abs=1e-4)
    assert ana.xorj_trust_score == round(Decimal(ana.score), 2)
    async with engine.begin() as connection:
        stored = (await connection.execute(select(scoring_runs))).one()
    assert (stored.status, stored.traders_analyzed, stored.traders_ranked, stored.genesis_hash) == ("completed", 3, 2, LOCAL_GENESIS)


async def test_what_does_not_fit_specs_column_is_clamped_and_flagged(engine: AsyncEngine) -> None:
    await PostgresTrust(engine, LOCAL_GENESIS).store(run(7, roi=1e9))
    ana = (await rows(engine))[0]
    assert (ana.total_return, ana.was_clamped, ana.total_return_fraction) == (Decimal("99999999.99"), True, 1e9)


async def test_a_ranking_of_another_chain_is_not_shown(engine: AsyncEngine) -> None:
    await PostgresTrust(engine, LOCAL_GENESIS).store(run(7))
    assert await PostgresTrust(engine, "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d").newest_ranking(10) == []


async def test_what_stands_behind_a_score_is_shown_and_of_the_past_only_what_was_seen(engine: AsyncEngine) -> None:
    made = run(7, model=Model.TRUST)
    why = (Reason("its record is 90 days long", -8.25),)
    scores = tuple(replace(one, copy=replace(one.copy, reasons=why)) if isinstance(one.copy, CopyScore) else one for one in made.scores)
    await PostgresTrust(engine, LOCAL_GENESIS).store(replace(made, scores=scores))
    ben, ana = (await PostgresRankings(engine).ranking(limit=10)).traders
    shown = ana.evidence
    assert (shown.trust_score, shown.edge_percent, shown.band_low, shown.band_high) == (61.5, 90, 0.1, 0.3)
    assert (shown.evidence_days, shown.capacity_usd, shown.calibration) == (90, None, "synthetic prior 1")
    assert shown.reasons == ["its record is 90 days long: −8.2 points"]
    assert (shown.past, ben.evidence.past) == (None, None)
    cohort = frozen(0, [prediction(f"like Ana {number}", 62) for number in range(20)])
    found = report_of([LiveWindow(cohort, returns_of(cohort))], [0], Assumed("a test"), as_of_day=91)
    await PostgresPredictions(engine, LOCAL_GENESIS).keep_report(found)
    ben, ana = (await PostgresRankings(engine).ranking(limit=10)).traders
    assert ana.evidence.past == "wallets scored like this (60 to 70) paid their copiers in 100 % of past 90-day windows (20 wallets)"
    assert ben.evidence.past is None
