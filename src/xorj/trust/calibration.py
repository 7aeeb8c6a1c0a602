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
RHO_MAX, DRIFT_MAX = 1.0, 0.03
# looked at first everywhere at the coarse step, then around the best at the fine one
RHO_STEPS, DRIFT_STEPS = (0.05, 0.01), (0.005, 0.001)
# one wallet that was certain to pay and did not must not decide alone
CHANCE_MIN = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class ClosedWindow:
    """A past cohort as it was estimated on the day the window opened, and whether each wallet paid its copiers until the day it closed."""

    opened_day: int
    closed_day: int
    estimates: Estimates
    paid: Bools


def calibrated(
    windows: Sequence[ClosedWindow], *, as_of_day: int, prior: Floats | None, version: str, windows_min: int = WINDOWS_MIN
) -> Calibration:
    """rho and drift from windows that were closed by as_of_day; the prior and the version are passed on. From fewer: the assumption.

    Raises ValueError for a window that closes after as_of_day: it would know the future of what is scored.
    """
    if any(window.closed_day > as_of_day for window in windows):
        raise ValueError("a calibration may see only windows that closed before the day it is for")
    if len(windows) < windows_min:
        return Calibration(RHO_ASSUMED, 0.0, prior, version)
    posteriors = [_posterior(window) for window in windows]
    (rho_coarse, rho_fine), (drift_coarse, drift_fine) = RHO_STEPS, DRIFT_STEPS
    rho, drift = _best(posteriors, _steps(0, RHO_MAX, rho_coarse), _steps(-DRIFT_MAX, DRIFT_MAX, drift_coarse))
    near_rho = _steps(max(0, rho - rho_coarse), min(RHO_MAX, rho + rho_coarse), rho_fine)
    near_drift = _steps(max(-DRIFT_MAX, drift - drift_coarse), min(DRIFT_MAX, drift + drift_coarse), drift_fine)
    return Calibration(*_best(posteriors, near_rho, near_drift), prior, version)


def log_score(window: ClosedWindow, rho: float, drift: float) -> float:
    """How well these two would have predicted the window, with the prior of its own cohort: the higher, the better."""
    return float(_log_scores(_posterior(window), [(rho, drift)])[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Posterior:
    """A window's scoreable wallets: posterior weights float64[W, 121], their mean theta, and who paid."""

    weights: Floats
    centre: float
    paid: Bools


def _posterior(window: ClosedWindow) -> _Posterior:
    known = window.estimates.is_scoreable
    estimates = Estimates(window.estimates.sharpe[known], window.estimates.error[known], window.estimates.days[known])
    weights = np.concatenate([part for _, part in priors.posteriors(estimates, priors.fitted(estimates))])
    return _Posterior(weights, float(priors.expected(weights, priors.GRID).mean()), window.paid[known])


def _steps(low: float, high: float, step: float) -> list[float]:
    return [round(low + step * number, 6) for number in range(round((high - low) / step) + 1)]


def _best(posteriors: list[_Posterior], rhos: list[float], drifts: list[float]) -> tuple[float, float]:
    """The pair with the highest log score; of equals the first."""
    pairs = [(rho, drift) for rho in rhos for drift in drifts]
    total = sum((_log_scores(one, pairs) for one in posteriors), np.zeros(len(pairs)))
    return pairs[int(np.argmax(total))]


def _log_scores(one: _Posterior, pairs: list[tuple[float, float]]) -> Floats:
    pays = np.stack([chance_of_paying(one.centre, rho, drift) for rho, drift in pairs], axis=1)
    chance = np.clip(np.einsum("wj,jp->wp", one.weights, pays), CHANCE_MIN, 1 - CHANCE_MIN)
    result: Floats = np.log(np.where(one.paid[:, None], chance, 1 - chance)).sum(axis=0)
    return result
