"""Scoring runs and scores. Implements TrustStore of xorj.trust.ports; built by the quant engine and the command `trust explain`.

SPEC's columns hold percentages rounded to two places, clamped where they do not fit; what they were rounded from stands beside them.
"""

from dataclasses import asdict
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from sqlalchemy import Row, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.tables import scoring_runs, trader_scores
from xorj.adapters.postgres.transactions import transaction
from xorj.primitives.ids import Slot, Wallet
from xorj.trust.copy_verdict import CopyScore, CopyVerdict
from xorj.trust.ports import StoredScore
from xorj.trust.ranking import ScoringRun, TraderScore
from xorj.trust.receipt import receipt_of

COMPLETED, FAILED = "completed", "failed"
CENT = Decimal("0.01")
# the largest that ten digits and five hold, two of them after the point
WIDE_MAX, NARROW_MAX = Decimal("99999999.99"), Decimal("999.99")
_NEWEST_FIRST = scoring_runs.c.as_of_slot.desc(), scoring_runs.c.created_at.desc()


class PostgresTrust:
    """Implements TrustStore for one chain."""

    def __init__(self, engine: AsyncEngine, genesis: str) -> None:
        self._engine, self._genesis = engine, genesis

    async def store(self, run: ScoringRun) -> bool:
        async with transaction(self._engine) as connection:
            row = self._run(run.id, run.model, run.as_of_slot, COMPLETED) | {
                "traders_analyzed": len(run.scores),
                "traders_ranked": len(run.ranked),
                "as_of_block_time": run.as_of_block_time,
                "input_hash": run.input_hash,
                "parameter_hash": run.parameter_hash,
                "completed_at": func.now(),
            }
            made = await connection.execute(insert(scoring_runs).values(row).on_conflict_do_nothing().returning(scoring_runs.c.id))
            if made.first() is None:
                return False
            if run.scores:
                await connection.execute(insert(trader_scores), [self._score(run, score) for score in run.scores])
            return True

    async def store_failure(self, run_id: str, *, model: str, as_of_slot: Slot, cause: str) -> None:
        row = self._run(run_id, model, as_of_slot, FAILED) | {"failure": cause, "traders_analyzed": 0, "traders_ranked": 0}
        async with transaction(self._engine) as connection:
            await connection.execute(insert(scoring_runs).values(row).on_conflict_do_nothing())

    async def newest_ranking(self, limit: int) -> list[StoredScore]:
        async with transaction(self._engine) as connection:
            run = await self._newest_run(connection)
            if run is None:
                return []
            query = select(trader_scores).where(trader_scores.c.run_id == run.id, trader_scores.c.rank.is_not(None))
            rows = await connection.execute(query.order_by(trader_scores.c.rank).limit(limit))
            return [_stored(run, row) for row in rows]

    async def score_of(self, wallet: Wallet) -> StoredScore | None:
        async with transaction(self._engine) as connection:
            run = await self._newest_run(connection)
            if run is None:
                return None
            query = select(trader_scores).where(trader_scores.c.run_id == run.id, trader_scores.c.wallet_address == wallet)
            row = (await connection.execute(query)).first()
            return None if row is None else _stored(run, row)

    async def prune(self, *, keep: int) -> int:
        kept = select(scoring_runs.c.id).where(scoring_runs.c.genesis_hash == self._genesis).order_by(*_NEWEST_FIRST).limit(keep)
        old = delete(scoring_runs).where(scoring_runs.c.genesis_hash == self._genesis, scoring_runs.c.id.not_in(kept))
        async with transaction(self._engine) as connection:
            return (await connection.execute(old)).rowcount

    async def _newest_run(self, connection: AsyncConnection) -> Row[Any] | None:
        mine = scoring_runs.c.status == COMPLETED, scoring_runs.c.genesis_hash == self._genesis
        return (await connection.execute(select(scoring_runs).where(*mine).order_by(*_NEWEST_FIRST).limit(1))).first()

    def _run(self, run_id: str, model: str, as_of_slot: Slot, status: str) -> dict[str, Any]:
        return {"id": run_id, "status": status, "genesis_hash": self._genesis, "model": model, "as_of_slot": as_of_slot}

    def _score(self, run: ScoringRun, score: TraderScore) -> dict[str, Any]:
        performance, value = score.performance, score.value(run.model) or 0.0
        rounded, clamped = _rounded(
            xorj_trust_score=(value, WIDE_MAX),
            win_rate=(_percent(performance.win_rate), NARROW_MAX),
            total_return=(_percent(performance.roi), WIDE_MAX),
            max_drawdown=(_percent(performance.max_drawdown), NARROW_MAX),
        )
        return rounded | {
            "id": f"{run.id}:{score.wallet}",
            "run_id": run.id,
            "wallet_address": score.wallet,
            "trade_count": performance.trades,
            "genesis_hash": self._genesis,
            "model": run.model,
            "rank": score.rank,
            "is_eligible": score.is_eligible,
            "exclusion_reason": score.exclusion,
            "score": value,
            "classic_score": score.classic.score,
            **_copy_columns(score.copy),
            "win_rate_fraction": performance.win_rate,
            "total_return_fraction": performance.roi,
            "max_drawdown_fraction": performance.max_drawdown,
            "sharpe_ratio": performance.sharpe,
            "was_clamped": clamped,
            "receipt": receipt_of(run, score),
        }


def _copy_columns(copy: CopyVerdict) -> dict[str, Any]:
    known = copy if isinstance(copy, CopyScore) else None
    return {
        "copy_score": known and known.score,
        "edge": known and known.edge,
        "band_low": known and known.band_low,
        "band_high": known and known.band_high,
        "evidence_days": copy.evidence_days,
        "capacity_usd": known and known.capacity_usd,
        "copy_cost_fraction": known and known.cost_share,
        "expected_drawdown_fraction": known and known.drawdown_worst_tenth,
        "calibration": known and known.calibration,
        "reasons": [asdict(reason) for reason in known.reasons] if known else [],
    }


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else fraction * 100


def _rounded(**columns: tuple[float | None, Decimal]) -> tuple[dict[str, Any], bool]:
    """Each value to two places and within its column; and whether one of them did not fit."""
    values: dict[str, Any] = {}
    clamped = False
    for name, (value, largest) in columns.items():
        exact = None if value is None else Decimal(repr(value)).quantize(CENT, ROUND_HALF_EVEN)
        values[name] = None if exact is None else max(-largest, min(largest, exact))
        clamped = clamped or values[name] != exact
    return values, clamped


def _stored(run: Row[Any], row: Row[Any]) -> StoredScore:
    return StoredScore(
        run_id=run.id,
        model=row.model,
        as_of_slot=Slot(run.as_of_slot),
        wallet=Wallet(row.wallet_address),
        rank=row.rank,
        exclusion=row.exclusion_reason,
        score=row.score,
        classic_score=row.classic_score,
        copy_score=row.copy_score,
        edge=row.edge,
        evidence_days=row.evidence_days,
        win_rate_percent=_percent(row.win_rate_fraction),
        total_return_percent=_percent(row.total_return_fraction),
        max_drawdown_percent=_percent(row.max_drawdown_fraction),
        trades=row.trade_count,
        was_clamped=row.was_clamped,
        receipt=row.receipt,
    )
