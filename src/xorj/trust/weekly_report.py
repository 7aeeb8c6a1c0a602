"""The report of a week: what closed windows say of the score, gate by gate, failures like successes. Pure; made by score_windows."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from xorj.trust import live_windows as live
from xorj.trust.live_calibration import Assumed, LiveCalibration
from xorj.trust.live_windows import Comparison, Measures
from xorj.trust.predictions import LiveWindow, next_close

DAYS_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class Gate:
    """One promise. `holds` is None while there is not enough to say."""

    name: str
    asked: str
    found: float | None
    holds: bool | None


@dataclass(frozen=True, slots=True)
class WeeklyReport:
    """As of a day of the chain, counted from 1970. `windows` are pairs of the day before each began and its last; `alarm` says that the
    calibration error is above 0.05; `next_closes_day` is None before the first cohort."""

    week: int
    as_of_day: int
    cohorts: int
    windows: tuple[tuple[int, int], ...]
    measures: Measures
    gates: tuple[Gate, ...]
    plus: tuple[Comparison, ...]
    plus_may_rank: bool
    calibration: str
    next_closes_day: int | None
    alarm: bool

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def report_of(
    windows: Sequence[LiveWindow], frozen_days: Sequence[int], calibration: LiveCalibration | Assumed, *, as_of_day: int
) -> WeeklyReport:
    """All windows that have closed, the oldest first."""
    measures = live.measured(windows)
    error = measures.calibration_error.value
    opened = [window.cohort.day for window in windows]
    return WeeklyReport(
        week=as_of_day // DAYS_A_WEEK,
        as_of_day=as_of_day,
        cohorts=len(frozen_days),
        windows=tuple((window.cohort.day, window.cohort.closes_day) for window in windows),
        measures=measures,
        gates=gates(measures),
        plus=tuple(live.compared(window) for window in windows),
        plus_may_rank=live.plus_may_rank(windows),
        calibration=calibration.version if isinstance(calibration, LiveCalibration) else f"assumed: {calibration.reason}",
        next_closes_day=next_close(frozen_days, opened),
        alarm=error is not None and error > live.CALIBRATION_ALARM,
    )


def gates(found: Measures) -> tuple[Gate, ...]:
    """K1's bound, K4's parts, and the promise itself: K1 counts only together with K4."""
    parts = (
        _gate("K1 buckets, 5 % bound", f"> {live.K1_MIN}", found.k1.low, lambda value: value > live.K1_MIN),
        _gate(
            "K4 calibration error", f"<= {live.CALIBRATION_ERROR_MAX}", found.calibration_error.value, _at_most(live.CALIBRATION_ERROR_MAX)
        ),
        _gate("K4 best 20: cost a copier half", f"<= {live.RUINED_MAX}", found.ruined, _at_most(live.RUINED_MAX)),
        _gate("K4 best 20: linked wallets", f"<= {live.LINKED_MAX}", found.linked, _at_most(live.LINKED_MAX)),
    )
    known = [part.holds for part in parts]
    promise = False if False in known else None if None in known else True
    return (*parts, Gate("correlation above 0.85: K1 together with K4", "all of the above", None, promise))


def _gate(name: str, asked: str, found: float | None, holds: Callable[[float], bool]) -> Gate:
    return Gate(name, asked, found, None if found is None else holds(found))


def _at_most(limit: float) -> Callable[[float], bool]:
    return lambda value: value <= limit
