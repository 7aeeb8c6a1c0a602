"""How deep a copier must expect to fall within 90 days, by resampling the wallet's own copied days. Shown beside the score.

Section 7.6: stationary bootstrap of the daily copier return: blocks begin anywhere, last 5 days on average and go round at the record's
end. The draws come from one fixed seed, so the same record has the same drawdown. Used by scoring runs.
"""

from dataclasses import dataclass

import numpy as np

from xorj.trust.cohort import Bools, Floats, Ints

HORIZON_DAYS = 90
BLOCK_DAYS = 5
PATHS = 1_000
SEED = 90


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedDrawdowns:
    """float64[W] each, fractions 0 to 1: the maximum drawdown that half, and nine in ten, of the paths stay within. NaN: no day of life."""

    median: Floats
    worst_tenth: Floats


def expected_drawdowns(daily_returns: Floats, alive: Bools) -> ExpectedDrawdowns:
    """Of every wallet, from float64[W, D] daily copier returns on its days of life."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    begins, places = rng.random((HORIZON_DAYS, PATHS)) < 1 / BLOCK_DAYS, rng.random((HORIZON_DAYS, PATHS))
    begins[0] = True
    found = np.full((len(daily_returns), 2), np.nan)
    for wallet, (returns, living) in enumerate(zip(daily_returns, alive, strict=True)):
        if living.any():
            record = returns[living]
            paths = record[_days(begins, places, len(record))]
            found[wallet] = np.quantile(max_drawdowns(paths), (0.5, 0.9))
    return ExpectedDrawdowns(found[:, 0], found[:, 1])


def max_drawdowns(paths: Floats) -> Floats:
    """float64[P]: the deepest fall from the highest value so far, the start included, of float64[T, P] daily returns."""
    equity = np.cumprod(1 + np.maximum(paths, -1), axis=0)
    peak = np.maximum(np.maximum.accumulate(equity, axis=0), 1)
    result: Floats = (1 - equity / peak).max(axis=0, initial=0)
    return result


def _days(begins: Bools, places: Floats, length: int) -> Ints:
    """int64[T, P]: which day of the record each day of each path is."""
    result = np.empty(begins.shape, np.int64)
    day = np.zeros(begins.shape[1], np.int64)
    for row, (begin, place) in enumerate(zip(begins, places, strict=True)):
        day = np.where(begin, (place * length).astype(np.int64), (day + 1) % length)
        result[row] = day
    return result
