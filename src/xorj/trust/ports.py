"""What scoring runs are made from and where they are kept. Adapters: adapters/lake, adapters/postgres/trust.

Every method raises Unavailable when the store cannot answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from xorj.primitives.ids import Slot, Wallet
from xorj.swaps.ports import MovementReader, SwapReader
from xorj.trust.predictions import FrozenCohort, LiveWindow
from xorj.trust.ranking import ScoringRun
from xorj.trust.weekly_report import WeeklyReport


@dataclass(frozen=True, slots=True)
class StoredScore:
    """One wallet's score in the newest finished run, as it was stored; percentages as SPEC shows them, None where undefined.

    `score` is the one of the run's model; classic_score and copy_score, None without evidence, stand beside it.
    """

    run_id: str
    model: str
    as_of_slot: Slot
    wallet: Wallet
    rank: int | None
    exclusion: str | None
    score: float
    classic_score: float
    copy_score: float | None
    edge: float | None
    evidence_days: int
    win_rate_percent: float | None
    total_return_percent: float | None
    max_drawdown_percent: float | None
    trades: int
    was_clamped: bool
    receipt: Mapping[str, Any]


class HistoryReader(SwapReader, MovementReader, Protocol):
    """What a scoring run is made from: the swaps of all wallets, and what else moved between them. Adapter: adapters/lake."""

    async def version(self) -> int:
        """The number of the newest commit that is read, 0 of an empty lake: what a receipt pins."""


class TrustStore(Protocol):
    """Finished and failed runs, append-only. Only the newest finished one counts."""

    async def store(self, run: ScoringRun) -> bool:
        """Run and scores in one transaction; False when a run with this id is there already, which changes nothing."""

    async def store_failure(self, run_id: str, *, model: str, as_of_slot: Slot, cause: str) -> None:
        """A run that came to no ranking, with its cause."""

    async def newest_ranking(self, limit: int) -> list[StoredScore]:
        """Ranked wallets of the newest finished run, best first."""

    async def score_of(self, wallet: Wallet) -> StoredScore | None:
        """The wallet's score in the newest finished run, ranked or not; None when it has none."""

    async def prune(self, *, keep: int) -> int:
        """Deletes all but the newest `keep` runs with their scores; returns how many runs went."""


class PredictionLog(Protocol):
    """What was predicted on each day. Append-only: what was kept once is never changed and never deleted."""

    async def freeze(self, cohort: FrozenCohort) -> bool:
        """Cohort and predictions in one transaction; False when the day has one already, which changes nothing."""

    async def days(self) -> list[int]:
        """The days of all frozen cohorts, the oldest first."""

    async def cohort(self, day: int) -> FrozenCohort | None:
        """A day's cohort as it was frozen, predictions by wallet."""


class WindowStore(Protocol):
    """What came of the predictions, and what was reported about it. Append-only."""

    async def close(self, window: LiveWindow) -> bool:
        """The outcome of a frozen cohort; False when its window is closed already, which changes nothing."""

    async def closed(self) -> list[int]:
        """The days on which the closed windows opened, the oldest first."""

    async def windows(self) -> list[LiveWindow]:
        """All closed windows whole, the oldest first."""

    async def keep_report(self, report: WeeklyReport) -> bool:
        """A week's report, and where it raises the alarm a message in the same transaction; False when the week has one already."""

    async def newest_report(self) -> WeeklyReport | None:
        """The last week's, None before the first."""
