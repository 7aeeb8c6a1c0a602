"""What was predicted of every wallet on one day, kept as it was, and what copying brought in the 90 days after. Pure.

A cohort is frozen by the first run of a UTC day of the chain and never changed: whoever dies or hides later is in it still. A window is a
cohort with its outcome. Windows do not overlap: the next opens with the first cohort that was frozen on or after the day the last one
closed. Made by score_windows, kept by the prediction log, measured by live_windows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xorj.primitives.ids import Slot, Wallet
from xorj.trust.copy_score import HORIZON_DAYS


@dataclass(frozen=True, slots=True)
class Prediction:
    """One wallet on the day. Scores 0..100, edge 0..1, band and estimate in theta; None throughout where there was not enough evidence.

    `plus` is the score of V2 plus, in shadow; `behaviour` what it was made from. `cluster_size` counts the owner's wallets that were known.
    """

    wallet: Wallet
    rank: int | None
    score: float | None
    edge: float | None
    band_low: float | None
    band_high: float | None
    sharpe: float | None
    error: float | None
    evidence_days: int
    round_trips: int
    cluster_size: int
    plus: float | None
    behaviour: tuple[float, ...]
    input_hash: str


@dataclass(frozen=True, slots=True)
class FrozenCohort:
    """All predictions of one UTC day, counted from 1970, with what made them. `prior` are its weights on the grid of theta."""

    day: int
    run_id: str
    as_of_slot: Slot
    input_hash: str
    parameter_hash: str
    lake_version: int | None
    calibration: str
    prior: tuple[float, ...]
    is_own_prior: bool
    plus_version: str
    predictions: tuple[Prediction, ...]

    @property
    def closes_day(self) -> int:
        """The last day of its window, which begins with the day after."""
        return self.day + HORIZON_DAYS


@dataclass(frozen=True, slots=True)
class LiveWindow:
    """A cohort whose 90 days are over: the copier's daily return of each of its wallets on the days after it, by wallet."""

    cohort: FrozenCohort
    returns: Mapping[Wallet, tuple[float, ...]]

    def __post_init__(self) -> None:
        if any(len(days) != HORIZON_DAYS for days in self.returns.values()):
            raise ValueError(f"a window has {HORIZON_DAYS} days of every wallet")


def due(frozen_days: Sequence[int], closed_days: Sequence[int], *, today: int) -> int | None:
    """The day of the cohort whose window is to be closed next, and can be as of `today`, an unfinished day; None while there is none.

    frozen_days are those of all cohorts, closed_days the days on which windows opened that are closed already.
    """
    free_from = max(closed_days) + HORIZON_DAYS if closed_days else 0
    opened = min((day for day in frozen_days if day >= free_from), default=None)
    return opened if opened is not None and opened + HORIZON_DAYS < today else None


def next_close(frozen_days: Sequence[int], closed_days: Sequence[int]) -> int | None:
    """The last day of the window that is open now; None before the first cohort."""
    free_from = max(closed_days) + HORIZON_DAYS if closed_days else 0
    opened = min((day for day in frozen_days if day >= free_from), default=None)
    return None if opened is None else opened + HORIZON_DAYS
