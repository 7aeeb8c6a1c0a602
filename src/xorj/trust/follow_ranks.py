"""Ranks that follow the lake: whoever traded is ranked by his newest figures at once, on the trust scores of the newest run. Run by the
quant engine after each ingestion.

The classic score and eligibility come from performance alone and are computed anew. The trust score is made by runs, since it compares a
wallet with all others; between two of them it stands, and a wallet that no run has seen has none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from xorj.performance.compute_performance import PerformanceReport
from xorj.primitives.ids import Slot, Wallet
from xorj.swaps.coverage import Hole
from xorj.trust.copy_verdict import CopyVerdict, NotEnoughEvidence
from xorj.trust.eligibility import Rules
from xorj.trust.ranking import Model, ScoringRun, TraderScore
from xorj.trust.score_wallets import scores_of

# of those who did not trade, so many are marked at the newest prices each time, the longest ago first
WALLETS_MARKED_MAX = 500


class FreshBooks(Protocol):
    """Books that follow a lake; performance/follow_performance.py has them. Both raise Unavailable."""

    async def fresh(self, *, marked_max: int) -> PerformanceReport | None:
        """Everybody, as of now whoever traded, and of the others at most `marked_max`; None while there is nothing."""

    async def open_holes(self) -> Mapping[Wallet, tuple[Hole, ...]]:
        """The wallets in whose history something is unexplained."""


@dataclass(frozen=True, slots=True)
class FreshRanks:
    """The ranking as of a slot. Trust scores are those of the run `run_id`."""

    as_of_slot: Slot
    model: Model
    run_id: str
    scores: tuple[TraderScore, ...]

    def best(self, limit: int) -> list[TraderScore]:
        return [score for score in self.scores if score.rank is not None][:limit]


class FollowedRanks:
    """The newest ranks of a lake; None before the first run, without which nobody's rank could be explained."""

    def __init__(self, books: FreshBooks, rules: Rules, model: Model) -> None:
        self._books, self._rules, self._model = books, rules, model
        self._run: ScoringRun | None = None
        self._verdicts: dict[Wallet, CopyVerdict] = {}
        self.newest: FreshRanks | None = None

    def scored(self, run: ScoringRun) -> None:
        """Takes over the trust scores of a new run."""
        self._run = run
        self._verdicts = {score.wallet: score.copy for score in run.scores}

    async def refresh(self) -> FreshRanks | None:
        """Ranks everybody anew; None, as before the first run, where nothing was ranked. Raises Unavailable; the ranks of before stand."""
        run = self._run
        if run is None:
            return None
        report = await self._books.fresh(marked_max=WALLETS_MARKED_MAX)
        if report is None:
            return None
        rules = replace(self._rules, gapped=frozenset(await self._books.open_holes()))
        verdicts = {one.wallet: self._verdicts.get(one.wallet) or NotEnoughEvidence(one.wallet, 0, 0) for one in report.wallets}
        self.newest = FreshRanks(report.slot, self._model, run.id, scores_of(report, verdicts, rules, self._model))
        return self.newest
