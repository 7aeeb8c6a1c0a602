"""How well a wallet did for its copier and how sure that is: daily utility-Sharpe with its standard error. Used by copy_score.

Section 7.3 of the score's specification. n days of life, k round trips, L linked share, c wallets in the cluster; moments are population
moments (divided by n) over the days of life:

    b   = sum(r m) / (sum(m^2) + 30 var(m))                          shrunk beta to SOL's return m
    x   = r - b m
    u   = ((1 + max(x, -0.95))^(1 - g) - 1) / (1 - g),  g = 3        so u = (1 - (1 + x)^-2) / 2
    s   = mean(u) / sd(u)
    se2 = (1/n) max(1, 1 - g3 s + (g4 - 1)/4 s^2)                    skewness g3, kurtosis g4: may only widen
          max(1, 1 + 2 sum_{l=1..5} (1 - l/6) acf_l)                 Bartlett; may only widen
          (k + 1)/(k - 1)  1/(1 - L)
    s  <- s - se E[max of c standard normals]                        the cluster's best was picked out of c
"""

from dataclasses import dataclass

import numpy as np

from xorj.primitives import elementary
from xorj.trust.cohort import Bools, Cohort, Floats, Ints, check_returns, checked

BETA_PRIOR_DAYS = 30
RETURN_MIN = -0.95
AUTOCORRELATION_LAGS = 5
ROUND_TRIPS_MIN = 2
DAYS_MIN = 3
LINKED_SHARE_MAX = 0.99
# wallets computed at once: temporaries of 1,024 x 365 days stay in the cache
ROWS_AT_ONCE = 1_024


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """float64[W] each: daily utility-Sharpe after the cluster's correction, its standard error, days of life. NaN: not enough evidence."""

    sharpe: Floats
    error: Floats
    days: Floats

    @property
    def is_scoreable(self) -> Bools:
        found: Bools = np.isfinite(self.error)
        return found


def joined(parts: list[Estimates]) -> Estimates:
    """The estimates of a cohort that was estimated in parts, in the parts' order. A wallet's estimate depends on its own record alone."""
    sharpe, error, days = (np.concatenate([getattr(part, name) for part in parts]) for name in ("sharpe", "error", "days"))
    return Estimates(sharpe, error, days)


def estimate(cohort: Cohort) -> Estimates:
    """Every wallet's estimate. Fewer than 2 round trips, fewer than 3 days, or no variation: NaN throughout. Raises ValueError."""
    whole = checked(cohort)
    wallets = len(whole.round_trips)
    parts = [_estimated(whole.rows(start, start + ROWS_AT_ONCE)) for start in range(0, wallets, ROWS_AT_ONCE)]
    return joined(parts) if parts else Estimates(np.empty(0), np.empty(0), np.empty(0))


def utility(excess: Floats) -> Floats:
    """Power utility of daily returns with risk aversion 3, as if no day lost more than 95 %."""
    wealth = 1 + np.maximum(excess, RETURN_MIN)
    result: Floats = (1 - 1 / (wealth * wealth)) / 2
    return result


def hedged(returns: Floats, alive: Bools, market: Floats) -> Floats:
    """float64[W, D]: what is left of the returns without the shrunk beta to the market; 0 outside life."""
    r = np.where(alive, returns, 0.0)
    result: Floats = r - market_beta(r, alive, market)[:, None] * np.where(alive, market, 0.0)
    return result


def market_beta(returns: Floats, alive: Bools, market: Floats) -> Floats:
    """float64[W]: the shrunk beta of returns that are 0 outside life."""
    m = np.where(alive, market, 0.0)
    days = np.maximum(alive.sum(axis=1), 1)
    around_mean = np.where(alive, m - (m.sum(axis=1) / days)[:, None], 0.0)
    variance = (around_mean * around_mean).sum(axis=1) / days
    scale = (m * m).sum(axis=1) + BETA_PRIOR_DAYS * variance
    result: Floats = (returns * m).sum(axis=1) / np.where(scale > 0, scale, 1.0)
    return result


def _estimated(part: Cohort) -> Estimates:
    returns, alive = part.daily_returns, part.alive
    check_returns(returns, alive, part.market_returns)
    days = alive.sum(axis=1)
    n = np.maximum(days, 1).astype(np.float64)
    u = np.where(alive, utility(hedged(returns, alive, part.market_returns)), 0.0)
    mean = u.sum(axis=1) / n
    z = np.where(alive, u - mean[:, None], 0.0)
    square = z * z
    variance = square.sum(axis=1) / n
    usable = _varies(returns, alive) & _varies(u, alive) & (variance > 0) & (days >= DAYS_MIN) & (part.round_trips >= ROUND_TRIPS_MIN)
    variance = np.where(usable, variance, 1.0)
    deviation = np.sqrt(variance)
    sharpe = mean / deviation
    skewness = (square * z).sum(axis=1) / n / (deviation * variance)
    kurtosis = (square * square).sum(axis=1) / n / (variance * variance)
    shape = np.maximum(1.0, 1 - skewness * sharpe + (kurtosis - 1) / 4 * (sharpe * sharpe))
    trips = np.maximum(part.round_trips, ROUND_TRIPS_MIN).astype(np.float64)
    linked = 1 / (1 - np.minimum(part.linked_share, LINKED_SHARE_MAX))
    error = np.sqrt(shape * _dependence(z, n * variance) * ((trips + 1) / (trips - 1)) * linked / n)
    corrected = sharpe - error * expected_maxima(part.cluster_size)
    return Estimates(*(np.where(usable, column, np.nan) for column in (corrected, error, n)))


def _varies(values: Floats, alive: Bools) -> Bools:
    """Whether any day of life differs from another; a variance may differ from 0 by rounding alone."""
    highest = np.where(alive, values, -np.inf).max(axis=1, initial=-np.inf)
    result: Bools = highest > np.where(alive, values, np.inf).min(axis=1, initial=np.inf)
    return result


def _dependence(z: Floats, total: Floats) -> Floats:
    """max(1, 1 + 2 sum of Bartlett-weighted autocorrelations); days outside life are 0 in z and make no pair."""
    lags = range(1, min(AUTOCORRELATION_LAGS, z.shape[1] - 1) + 1)
    weighted = [(1 - lag / (AUTOCORRELATION_LAGS + 1)) * (z[:, lag:] * z[:, :-lag]).sum(axis=1) / total for lag in lags]
    result: Floats = np.maximum(1.0, 1 + 2 * sum(weighted, np.zeros(len(z))))
    return result


# the trapezoid rule on a smooth function that vanishes at both ends is exact to the last digits at this step
_STEPS_PER_UNIT, _REACH = 64, 13
_POINTS = np.arange(-_REACH * _STEPS_PER_UNIT, _REACH * _STEPS_PER_UNIT + 1) / _STEPS_PER_UNIT
_LOG_DENSITY = elementary.log(elementary.normal_density(_POINTS))
_LOG_CDF = elementary.log_normal_cdf(_POINTS)


def expected_maxima(sizes: Ints) -> Floats:
    """E[max of c standard normals] for every c, the integral of x c phi(x) Phi(x)^(c - 1); exactly 0 for 1."""
    distinct, place = np.unique(sizes, return_inverse=True)
    count = distinct[:, None].astype(np.float64)
    density = elementary.exp(elementary.log(count) + _LOG_DENSITY + (count - 1) * _LOG_CDF)
    maxima = np.where(distinct == 1, 0.0, (density * _POINTS).sum(axis=1) / _STEPS_PER_UNIT)
    result: Floats = maxima[place]
    return result
