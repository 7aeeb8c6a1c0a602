"""What theta, a wallet's true daily utility-Sharpe, can be before its record is seen, and after. Used by copy_score and calibration.

Section 7.4: a free mixture of normals on theta in [-0.6, 0.6], step 0.01, each with half the cohort's 5 % quantile of se as its deviation;
200 EM steps from equal weights. The result stands on the 121 points of the grid with the components folded in: p = K v, where column j of K
is component j on the grid, summing to 1, and v are the mixture's weights. A wallet's posterior is w_j ~ p_j phi((s - theta_j) / se).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xorj.primitives import elementary
from xorj.trust.cohort import Floats
from xorj.trust.utility_sharpe import Estimates

GRID: Floats = np.arange(-60, 61) / 100
GRID.setflags(write=False)
STEP = 0.01
EM_STEPS = 200
WALLETS_MIN = 300
ERROR_QUANTILE = 0.05
# a larger cohort's prior is fitted on strata: 2 % of se wide, and a twentieth of se in s
EXACT_MAX = 20_000
ERROR_WIDTH = 0.02
SHARPE_WIDTH = 0.05
_FAR = 1_000
ROWS_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """Estimates that stand for a cohort: float64[S] each, every stratum's mean s and se and how many wallets it has."""

    sharpe: Floats
    error: Floats
    wallets: Floats


def fitted(estimates: Estimates, *, exact_max: int = EXACT_MAX) -> Floats:
    """float64[121] summing to 1: the prior of this cohort's scoreable wallets. Raises ValueError for fewer than 300 of them.

    Up to exact_max wallets each counts for itself; a larger cohort is fitted on its strata.
    """
    scoreable = estimates.is_scoreable
    sharpe, error = estimates.sharpe[scoreable], estimates.error[scoreable]
    if len(sharpe) < WALLETS_MIN:
        raise ValueError(f"a prior needs at least {WALLETS_MIN} scoreable wallets, and this cohort has {len(sharpe)}")
    deviation = float(np.quantile(error, ERROR_QUANTILE)) / 2
    one = Strata(sharpe, error, np.ones(len(sharpe)))
    return _mixture(one if len(sharpe) <= exact_max else stratified(one), deviation)


def stratified(whole: Strata) -> Strata:
    """One stratum for all whose errors, and Sharpes counted in errors, are alike. Tails keep their own; no chance is involved."""
    width = np.floor(elementary.log(whole.error) / ERROR_WIDTH).astype(np.int64)
    place = np.floor(np.clip(whole.sharpe / whole.error, -_FAR, _FAR) / SHARPE_WIDTH).astype(np.int64)
    _, stratum = np.unique(width * round(4 * _FAR / SHARPE_WIDTH) + place, return_inverse=True)
    wallets = np.bincount(stratum).astype(np.float64)
    return Strata(np.bincount(stratum, whole.sharpe) / wallets, np.bincount(stratum, whole.error) / wallets, wallets)


def _mixture(strata: Strata, deviation: float) -> Floats:
    apart = (GRID[:, None] - GRID[None, :]) / deviation
    kernel = elementary.exp(-(apart * apart) / 2)
    kernel /= kernel.sum(axis=0)
    seen = _product(elementary.exp(_log_likelihood(strata.sharpe, strata.error)), kernel)
    share = strata.wallets / strata.wallets.sum()
    weights = np.full(len(GRID), 1 / len(GRID))
    for _ in range(EM_STEPS):
        weights *= (seen * (share / expected(seen, weights))[:, None]).sum(axis=0)
    folded = expected(kernel, weights)
    result: Floats = folded / folded.sum()
    return result


def posteriors(estimates: Estimates, prior: Floats) -> Iterator[tuple[slice, Floats]]:
    """Posterior weights float64[rows, 121], each row summing to 1, for estimates without NaN, some thousands of wallets at a time."""
    log_prior = elementary.log(prior)
    for start in range(0, len(estimates.sharpe), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        log_weights = _log_likelihood(estimates.sharpe[rows], estimates.error[rows]) + log_prior
        log_weights -= log_weights.max(axis=1, keepdims=True)
        weights = elementary.exp(log_weights)
        weights /= weights.sum(axis=1, keepdims=True)
        yield rows, weights


def expected(weights: Floats, values: Floats) -> Floats:
    """float64[rows]: sum over j of weights_rj values_j. NumPy's own products may fuse and reorder, each processor in its way."""
    result: Floats = (weights * values).sum(axis=1)
    return result


def _product(rows: Floats, kernel: Floats) -> Floats:
    """float64[rows, J]: sum over i of rows_wi kernel_ij, in the order of i."""
    result = np.zeros((len(rows), kernel.shape[1]))
    for column, part in zip(rows.T, kernel, strict=True):
        result += column[:, None] * part
    return result


def quantile(weights: Floats, level: float) -> Floats:
    """float64[rows]: where the posterior reaches `level`, the mass of each point lying evenly within half a step on both sides of it."""
    reached = np.cumsum(weights, axis=1)
    place = np.argmax(reached >= level, axis=1)
    row = np.arange(len(weights))
    mass = weights[row, place]
    within = (level - (reached[row, place] - mass)) / mass
    result: Floats = GRID[place] + STEP * (within - 0.5)
    return result


def _log_likelihood(sharpe: Floats, error: Floats) -> Floats:
    """float64[rows, 121], each row's largest value 0, so that a wallet far off the grid has a likelihood too."""
    apart = (sharpe[:, None] - GRID) / error[:, None]
    result: Floats = -(apart * apart) / 2
    result -= result.max(axis=1, keepdims=True)
    return result
