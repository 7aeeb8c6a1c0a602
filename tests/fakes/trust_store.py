"""Scoring runs in memory, for flows and as the other half of the trust store's contract suite."""

from xorj.performance.metrics import Performance
from xorj.primitives.ids import Slot, Wallet
from xorj.trust.copy_verdict import CopyScore
from xorj.trust.ports import StoredScore
from xorj.trust.ranking import ScoringRun, TraderScore
from xorj.trust.receipt import receipt_of


class MemoryTrust:
    """Runs in the order they were stored."""

    def __init__(self) -> None:
        self.runs: list[ScoringRun] = []
        self.failures: dict[str, str] = {}

    async def store(self, run: ScoringRun) -> bool:
        if any(known.id == run.id for known in self.runs):
            return False
        self.runs.append(run)
        return True

    async def store_failure(self, run_id: str, *, model: str, as_of_slot: Slot, cause: str) -> None:
        self.failures[run_id] = cause

    async def newest_ranking(self, limit: int) -> list[StoredScore]:
        run = self._newest()
        return [] if run is None else [_stored(run, score) for score in run.ranked[:limit]]

    async def score_of(self, wallet: Wallet) -> StoredScore | None:
        run = self._newest()
        found = [] if run is None else [_stored(run, score) for score in run.scores if score.wallet == wallet]
        return found[0] if found else None

    async def prune(self, *, keep: int) -> int:
        newest = sorted(self.runs, key=lambda run: run.as_of_slot)
        gone = newest[:-keep]
        self.runs = [run for run in self.runs if run not in gone]
        return len(gone)

    def _newest(self) -> ScoringRun | None:
        return max(self.runs, key=lambda run: run.as_of_slot, default=None)


def _stored(run: ScoringRun, score: TraderScore) -> StoredScore:
    performance: Performance = score.performance
    win_rate, roi = (None if one is None else one * 100 for one in (performance.win_rate, performance.roi))
    return StoredScore(
        run_id=run.id,
        model=run.model,
        as_of_slot=run.as_of_slot,
        wallet=score.wallet,
        rank=score.rank,
        exclusion=score.exclusion,
        score=score.value(run.model) or 0.0,
        classic_score=score.classic.score,
        copy_score=score.copy.score if isinstance(score.copy, CopyScore) else None,
        edge=score.copy.edge if isinstance(score.copy, CopyScore) else None,
        evidence_days=score.copy.evidence_days,
        win_rate_percent=win_rate,
        total_return_percent=roi,
        max_drawdown_percent=performance.max_drawdown * 100,
        trades=performance.trades,
        was_clamped=roi is not None and abs(roi) > 99_999_999.99,
        receipt=receipt_of(run, score),
    )
