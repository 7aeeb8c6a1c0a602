"""How well the score did in windows that have closed: K1, K3 and K4 of the specification's section 6, with intervals. Pure.

    K1   Spearman between 20 equal buckets of score and their mean realised daily utility; asked: its 5 % bound above 0.85, with K4
    K3   Spearman of score and realised utility-Sharpe, over the square root of the outcome's own split-half reliability
    K4   calibration error at most 0.03 (alarm above 0.05); of the 20 best of each window: the share that lost a copier half, and linked

The bounds are a circular block bootstrap of the windows' days: blocks of 5 days, the same days for all wallets, so that what wallets share
stays shared; 200 draws from one fixed seed. Called by score_windows and the command `trust report`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from xorj.trust.cohort import Bools, Floats, Ints
from xorj.trust.copy_score import HORIZON_DAYS
from xorj.trust.drawdown import max_drawdowns
from xorj.trust.predictions import LiveWindow, Prediction
from xorj.trust.rank_correlation import BAND_EDGES, bucketed, calibration_error, calibration_table, spearman
from xorj.trust.utility_sharpe import utility

BLOCK_DAYS = 5
DRAWS = 200
SEED = 20
BOUNDS = (0.05, 0.95)
# K1 says nothing of fewer: each of the 20 buckets would be a handful of wallets
WALLETS_FOR_K1 = 1_400
K1_MIN, CALIBRATION_ERROR_MAX, CALIBRATION_ALARM = 0.85, 0.03, 0.05
TOP, RUIN, RUINED_MAX, LINKED_MAX = 20, 0.5, 0.10, 0.18
PLUS_WINDOWS_MIN = 6
# of fewer wallets a share says nothing to a user
BAND_WALLETS_MIN = 20


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure with the bootstrap's 5 % and 95 % bounds; None where there is nothing to measure."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class BandRate:
    """Of the wallets with a score from `low` to below `high`: how many there were, and the shares that were predicted to pay and paid."""

    low: int
    high: int
    wallets: int
    predicted: float
    paid: float


@dataclass(frozen=True, slots=True)
class Measures:
    """What closed windows say. `wallets` counts the scored ones of all windows; shares are 0 to 1."""

    wallets: int
    k1: Figure
    k3: Figure
    k3_efficiency: Figure
    calibration_error: Figure
    ruined: float | None
    linked: float | None
    above_fifty: float | None
    bands: tuple[BandRate, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """V2 plus beside core in one window: K1, K3, and the share of the 20 best that ruined a copier or was linked. None: not measurable."""

    opened_day: int
    core: tuple[float, float, float] | None
    plus: tuple[float, float, float] | None

    @property
    def plus_won(self) -> bool:
        """Better in all three; as few bad leaders are as good as fewer only when there are none."""
        if self.core is None or self.plus is None:
            return False
        bad, bad_plus = self.core[2], self.plus[2]
        return self.plus[0] > self.core[0] and self.plus[1] > self.core[1] and (bad_plus < bad or bad_plus == bad == 0)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Scored wallets of some windows, one row each: score and window, float64[W, 90] of returns and of their utility."""

    score: Floats
    window: Ints
    returns: Floats
    utility: Floats
    is_linked: Bools


def measured(windows: Sequence[LiveWindow]) -> Measures:
    """All windows pooled."""
    rows = _rows(windows, lambda one: one.score)
    paid = rows.utility.mean(axis=1) > 0 if len(rows.score) else np.zeros(0, np.bool_)
    table = calibration_table(rows.score, paid, BAND_EDGES)
    bands = (BandRate(int(low), int(high), *row) for (low, high), row in zip(pairwise(BAND_EDGES), table, strict=True))
    return Measures(
        len(rows.score),
        _figure(rows, lambda days: bucketed(rows.score, rows.utility[:, days].mean(axis=1)), least=WALLETS_FOR_K1),
        _figure(rows, lambda days: spearman(rows.score, _sharpe(rows.utility[:, days]))),
        _figure(rows, lambda days: _efficiency(rows, days)),
        _figure(rows, lambda days: calibration_error(calibration_table(rows.score, rows.utility[:, days].mean(axis=1) > 0, BAND_EDGES))),
        _of_the_best(rows, lambda top: _is_ruined(rows.returns[top])),
        _of_the_best(rows, lambda top: rows.is_linked[top]),
        float((rows.score > 50).mean()) if len(rows.score) else None,
        tuple(band for band in bands if band.wallets),
    )


def band_of(score: float, bands: Sequence[BandRate]) -> BandRate | None:
    """What past windows say of a score like this; None where too few wallets had one."""
    held = min(score, float(BAND_EDGES[-1]) - 1e-9)
    return next((band for band in bands if band.low <= held < band.high and band.wallets >= BAND_WALLETS_MIN), None)


def compared(window: LiveWindow) -> Comparison:
    """Core and plus on one window."""
    return Comparison(window.cohort.day, _three(window, lambda one: one.score), _three(window, lambda one: one.plus))


def plus_may_rank(windows: Sequence[LiveWindow]) -> bool:
    """Whether V2 plus has beaten core in each of the last six windows. Until then nothing may rank by it; a person promotes it then."""
    last = list(windows)[-PLUS_WINDOWS_MIN:]
    return len(last) == PLUS_WINDOWS_MIN and all(compared(window).plus_won for window in last)


def paid(window: LiveWindow) -> Bools:
    """Whether copying paid, for each of the cohort's predictions in their order: the mean utility of the 90 days is positive."""
    result: Bools = _utilities(window).mean(axis=1) > 0
    return result


def realised_sharpe(window: LiveWindow) -> Floats:
    """float64[W]: the utility-Sharpe of the 90 days, for each of the cohort's predictions in their order."""
    return _sharpe(_utilities(window))


def _utilities(window: LiveWindow) -> Floats:
    returns = np.array([window.returns[one.wallet] for one in window.cohort.predictions]).reshape(-1, HORIZON_DAYS)
    return utility(returns)


def _rows(windows: Sequence[LiveWindow], score_of: Callable[[Prediction], float | None]) -> _Rows:
    found = [
        (score, at, window.returns[one.wallet], one.cluster_size > 1)
        for at, window in enumerate(windows)
        for one in window.cohort.predictions
        if (score := score_of(one)) is not None
    ]
    returns = np.array([one[2] for one in found]).reshape(-1, HORIZON_DAYS)
    scores, places, linked = ([one[column] for one in found] for column in (0, 1, 3))
    return _Rows(np.array(scores, np.float64), np.array(places, np.int64), returns, utility(returns), np.array(linked, np.bool_))


def _figure(rows: _Rows, measure: Callable[[Ints], float], *, least: int = 3) -> Figure:
    """The measure on all days, and its bounds over draws of days."""
    if len(rows.score) < least:
        return Figure(None, None, None)
    value = measure(np.arange(HORIZON_DAYS))
    draws = [drawn for days in _drawn_days() if np.isfinite(drawn := measure(days))]
    if not np.isfinite(value) or not draws:
        return Figure(None, None, None)
    low, high = np.quantile(np.array(draws), BOUNDS)
    return Figure(value, float(low), float(high))


def _drawn_days() -> list[Ints]:
    """DRAWS lists of HORIZON_DAYS days in blocks that go round at the window's end."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    starts = (rng.random((DRAWS, -(-HORIZON_DAYS // BLOCK_DAYS))) * HORIZON_DAYS).astype(np.int64)
    days = (starts[:, :, None] + np.arange(BLOCK_DAYS)) % HORIZON_DAYS
    return list(days.reshape(DRAWS, -1)[:, :HORIZON_DAYS])


def _sharpe(values: Floats) -> Floats:
    """Daily utility-Sharpe; 0 for an idle wallet."""
    spread = values.std(axis=1)
    result: Floats = values.mean(axis=1) / np.where(spread > 0, spread, np.inf)
    return result


def _efficiency(rows: _Rows, days: Ints) -> float:
    """Spearman over the square root of the outcome's reliability: of odd against even days, stepped up to the whole (Brown 1910)."""
    odd, even = (_sharpe(rows.utility[:, days[start::2]]) for start in (0, 1))
    half = spearman(odd, even)
    return spearman(rows.score, _sharpe(rows.utility[:, days])) / float(np.sqrt(2 * half / (1 + half))) if half > 0 else float("nan")


def _of_the_best(rows: _Rows, share: Callable[[Ints], Bools]) -> float | None:
    """The mean over windows of a share among the TOP best of each."""
    found = [float(share(_best(rows, window)).mean()) for window in np.unique(rows.window)]
    return sum(found) / len(found) if found else None


def _best(rows: _Rows, window: int) -> Ints:
    here = np.flatnonzero(rows.window == window)
    result: Ints = here[np.argsort(-rows.score[here], kind="stable")[:TOP]]
    return result


def _is_ruined(returns: Floats) -> Bools:
    result: Bools = max_drawdowns(returns.T) > RUIN
    return result


def _three(window: LiveWindow, score_of: Callable[[Prediction], float | None]) -> tuple[float, float, float] | None:
    """K1, K3 and the bad share of the best; K1 of one window alone needs fewer wallets, for it is only compared with itself."""
    rows = _rows([window], score_of)
    if len(rows.score) < TOP * 2:
        return None
    k1, k3 = bucketed(rows.score, rows.utility.mean(axis=1)), spearman(rows.score, _sharpe(rows.utility))
    bad = _of_the_best(rows, lambda top: _is_ruined(rows.returns[top]) | rows.is_linked[top])
    return (k1, k3, bad or 0.0) if np.isfinite(k1) and np.isfinite(k3) else None
