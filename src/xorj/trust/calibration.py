"""What closed windows teach: how much of a skill persists (rho) and what is lost or won on the whole (drift). For scoring runs.

Section 7.5: (rho, d) maximise the log score, the sum of log p for wallets that paid their copiers and log (1 - p) for those that did not, p
being the score / 100 that the wallet would have had with them. Until four windows have closed: rho 0.5 and drift 0, an assumption.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xorj.trust import prior as priors
from xorj.trust.cohort import Bools, Floats
from xorj.trust.copy_score import RHO_ASSUMED, Calibration, chance_of_paying
from xorj.trust.utility_sharpe import Estimates

WINDOWS_MIN = 4
RHO_GRID = np.arange(51) / 50
DRIFT_GRID = np.arange(-30, 31) / 1_000
# one wallet that was certain to pay and did not must not decide alone
CHANCE_MIN = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class ClosedWindow:
    """A past cohort as it was estimated on the day the window opened, and whether each wallet paid its copiers until the day it closed."""

    opened_day: int
    closed_day: int
    estimates: Estimates
    paid: Bools


def calibrated(windows: Sequence[ClosedWindow], *, as_of_day: int, prior: Floats | None, version: str) -> Calibration:
    """rho and drift from windows that were closed by as_of_day; the prior and the version are passed on.

    Raises ValueError for a window that closes after as_of_day: it would know the future of what is scored.
    """
    if any(window.closed_day > as_of_day for window in windows):
        raise ValueError("a calibration may see only windows that closed before the day it is for")
    if len(windows) < WINDOWS_MIN:
        return Calibration(RHO_ASSUMED, 0.0, prior, version)
    total = sum((_log_scores(window) for window in windows), np.zeros((len(RHO_GRID), len(DRIFT_GRID))))
    best_rho, best_drift = np.unravel_index(int(np.argmax(total)), total.shape)
    return Calibration(float(RHO_GRID[best_rho]), float(DRIFT_GRID[best_drift]), prior, version)


def _log_scores(window: ClosedWindow) -> Floats:
    """float64[rho, drift]: the window's log score at every point of the two grids."""
    known = window.estimates.is_scoreable
    estimates = Estimates(window.estimates.sharpe[known], window.estimates.error[known], window.estimates.days[known])
    paid, prior = window.paid[known], priors.fitted(estimates)
    weights = np.concatenate([part for _, part in priors.posteriors(estimates, prior)])
    centre = float(np.einsum("wj,j->w", weights, priors.GRID).mean())
    result = np.empty((len(RHO_GRID), len(DRIFT_GRID)))
    for row, rho in enumerate(RHO_GRID):
        pays = np.stack([chance_of_paying(centre, float(rho), float(drift)) for drift in DRIFT_GRID], axis=1)
        chance = np.clip(weights @ pays, CHANCE_MIN, 1 - CHANCE_MIN)
        result[row] = np.log(np.where(paid[:, None], chance, 1 - chance)).sum(axis=0)
    return result
