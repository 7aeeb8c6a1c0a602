"""How a wallet behaves, in 17 numbers, and what such behaviour meant later: V2 plus, in shadow. Pure; used by score_windows and the bench.

Section 7.7: theta shift = 0.5 (mu - median mu), mu a ridge regression (lambda 50) of the next window's utility-Sharpe on the ranks and
squared ranks of the 17 features in their cohort. Everything else is core's: posterior, centre, rho, drift. It is computed and logged and
ranks nobody; live_windows says when it has beaten core often enough for a person to promote it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xorj.primitives import elementary
from xorj.trust import prior as priors
from xorj.trust.cohort import Cohort, Floats
from xorj.trust.copy_score import HORIZON_DAYS, Calibration
from xorj.trust.drawdown import max_drawdowns
from xorj.trust.rank_correlation import ranks
from xorj.trust.utility_sharpe import ROWS_AT_ONCE, Estimates, market_beta

FEATURES = (
    "skewness",
    "log kurtosis",
    "share of active days above zero",
    "expected shortfall at 5 % over deviation",
    "worst day over deviation",
    "share of gains in the best three days",
    "autocorrelation of one day",
    "log round trips",
    "log days",
    "log deviation",
    "beta",
    "log holding hours",
    "linked share",
    "log cluster size",
    "booked less copied Sharpe",
    "maximum drawdown",
    "share of active days",
)
SHORTFALL, BEST_DAYS = 0.05, 3
GAP_MIN, GAP_MAX = -1.0, 3.0
HOURS_MIN = 1 / 60
RIDGE, SHIFT_SHARE = 50.0, 0.5
DEVIATION_MIN = 1e-9


@dataclass(frozen=True, slots=True)
class Shift:
    """What was learned: 34 coefficients, of the ranks and then of their squares, and where from."""

    coefficients: tuple[float, ...]
    version: str


def features(cohort: Cohort, holding_hours: Floats, booked_sharpe: Floats) -> Floats:
    """float64[W, 17] in the order of FEATURES; of days of life, daily figures, NaN for a wallet without any. Hours are the mean holding
    time, booked_sharpe the wallet's own daily Sharpe (NaN where unknown: then there is no gap to its copier's)."""
    parts = [
        _of_part(cohort.rows(start, start + ROWS_AT_ONCE), holding_hours[start:][:ROWS_AT_ONCE], booked_sharpe[start:][:ROWS_AT_ONCE])
        for start in range(0, len(cohort.round_trips), ROWS_AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.empty((0, len(FEATURES)))


def _of_part(part: Cohort, hours: Floats, booked: Floats) -> Floats:
    alive, r = part.alive, np.where(part.alive, part.daily_returns, 0.0)
    days = alive.sum(axis=1)
    n = np.maximum(days, 1).astype(np.float64)
    mean = r.sum(axis=1) / n
    z = np.where(alive, r - mean[:, None], 0.0)
    variance = np.maximum((z * z).sum(axis=1) / n, DEVIATION_MIN * DEVIATION_MIN)
    deviation = np.sqrt(variance)
    active = alive & (r != 0)
    lowest, gains = np.sort(np.where(alive, r, np.inf), axis=1), np.sort(np.maximum(r, 0), axis=1)[:, ::-1]
    gap = np.clip(booked - mean / deviation, GAP_MIN, GAP_MAX)
    columns = (
        (z * z * z).sum(axis=1) / n / (deviation * variance),
        elementary.log((z * z * z * z).sum(axis=1) / n / (variance * variance)),
        _over((active & (r > 0)).sum(axis=1), active.sum(axis=1)),
        -_mean_of_first(lowest, np.maximum(np.ceil(SHORTFALL * n), 1)) / deviation,
        -np.where(days > 0, lowest[:, 0], 0.0) / deviation,
        _over(gains[:, :BEST_DAYS].sum(axis=1), gains.sum(axis=1)),
        (z[:, 1:] * z[:, :-1]).sum(axis=1) / n / variance,
        elementary.log(1 + part.round_trips.astype(np.float64)),
        elementary.log(n),
        elementary.log(deviation),
        market_beta(r, alive, part.market_returns),
        elementary.log(np.maximum(hours, HOURS_MIN)),
        part.linked_share,
        elementary.log(part.cluster_size.astype(np.float64)),
        np.where(np.isfinite(gap), gap, 0.0),
        max_drawdowns(r.T),
        active.sum(axis=1) / n,
    )
    return np.where((days > 0)[:, None], np.stack(columns, axis=1), np.nan)


def _over(above: Floats, below: Floats) -> Floats:
    result: Floats = np.asarray(above, np.float64) / np.where(np.asarray(below) > 0, below, 1)
    return result


def _mean_of_first(ordered: Floats, counts: Floats) -> Floats:
    """The mean of each row's first so many values."""
    first = np.arange(ordered.shape[1]) < counts[:, None]
    result: Floats = np.where(first & np.isfinite(ordered), ordered, 0.0).sum(axis=1) / counts
    return result


def _columns(found: Floats) -> Floats:
    """float64[W, 34]: each feature's rank in the cohort, centred, from -1/2 to 1/2, and its square less the square's mean."""
    wallets = max(len(found) - 1, 1)
    linear = np.stack([ranks(column) / wallets - 0.5 for column in found.T], axis=1) if len(found) else np.empty((0, len(FEATURES)))
    return np.concatenate([linear, linear * linear - 1 / 12], axis=1)


def learned(windows: Sequence[tuple[Floats, Floats]], version: str) -> Shift:
    """From windows' features float64[W, 17] and what their wallets realised, float64[W] utility-Sharpe of the next window; NaN rows are
    left out. Raises ValueError without any wallet."""
    pairs = [pair for found, ahead in windows if len((pair := _known(found, ahead))[1])]
    if not pairs:
        raise ValueError("there is no wallet to learn from")
    x = np.concatenate([_columns(found) for found, _ in pairs])
    y = np.concatenate([ahead - ahead.mean() for _, ahead in pairs])
    matrix = np.stack([(x * column[:, None]).sum(axis=0) for column in x.T])
    matrix += RIDGE * np.eye(len(matrix))
    return Shift(tuple(float(one) for one in _solved(matrix, (x * y[:, None]).sum(axis=0))), version)


def _known(found: Floats, ahead: Floats) -> tuple[Floats, Floats]:
    known = np.isfinite(found).all(axis=1) & np.isfinite(ahead)
    return found[known], ahead[known]


def _solved(matrix: Floats, wanted: Floats) -> Floats:
    """The solution of a positive definite system by elimination, written out so that its bits are the same on every processor."""
    a, b = matrix.copy(), wanted.copy()
    for row in range(len(b)):
        factors = a[row + 1 :, row] / a[row, row]
        a[row + 1 :] -= factors[:, None] * a[row]
        b[row + 1 :] -= factors * b[row]
    for row in range(len(b) - 1, -1, -1):
        b[row] = (b[row] - (a[row, row + 1 :] * b[row + 1 :]).sum()) / a[row, row]
    return b


def shifts(found: Floats, shift: Shift) -> Floats:
    """float64[W]: by how much theta is shifted, relative to this cohort's median; NaN for a wallet without features."""
    known = np.isfinite(found).all(axis=1)
    result = np.full(len(found), np.nan)
    if known.any():
        mu = priors.expected(_columns(found[known]), np.array(shift.coefficients))
        result[known] = SHIFT_SHARE * (mu - np.median(mu))
    return result


def plus_scores(estimates: Estimates, found: Floats, calibration: Calibration, shift: Shift) -> Floats:
    """float64[W]: core's score with every wallet's theta shifted; NaN where core has none. `calibration` must hold core's prior."""
    if calibration.prior is None:
        raise ValueError("the shift needs the prior that core was scored with")
    usable = estimates.is_scoreable & np.isfinite(found).all(axis=1)
    known = Estimates(estimates.sharpe[usable], estimates.error[usable], estimates.days[usable])
    centre = _centre(known, calibration.prior)
    by, scores = shifts(found, shift)[usable], np.empty(len(known.sharpe))
    for rows, weights in priors.posteriors(known, calibration.prior):
        # a shift of theta by s moves its chance as a drift of rho s would
        ahead = centre + calibration.drift + calibration.rho * (priors.GRID + by[rows, None] - centre)
        scores[rows] = priors.expected(weights, elementary.normal_cdf(math.sqrt(HORIZON_DAYS) * ahead))
    result = np.full(len(usable), np.nan)
    result[usable] = np.clip(100 * scores, 0, 100)
    return result


def _centre(known: Estimates, prior: Floats) -> float:
    """The mean posterior mean."""
    total = sum(float(priors.expected(weights, priors.GRID).sum()) for _, weights in priors.posteriors(known, prior))
    return total / max(len(known.sharpe), 1)
