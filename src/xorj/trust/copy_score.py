"""V2, the trust score: a calibrated probability that copying a wallet pays over 90 days, net of costs. Used by scoring runs and benches.

A cohort's record of copier returns becomes estimates with errors (utility_sharpe, 7.3), a prior (prior, 7.4), and here the score (7.5):

    score = 100 sum_j w_j Phi(sqrt(90) (c + d + rho (theta_j - c)))     w the wallet's posterior, c the mean posterior mean of the cohort
    edge  = sum of w_j with theta_j > 0;   band = 10 % to 90 % of the posterior

rho says how much of a skill persists, d how much is lost or won on the whole; both are fitted on closed windows (calibration).
"""

import math
from dataclasses import dataclass

import numpy as np

from xorj.primitives import elementary
from xorj.trust import prior as priors
from xorj.trust.cohort import Bools, Cohort, Floats
from xorj.trust.utility_sharpe import Estimates, estimate

__all__ = ["UNCALIBRATED", "Calibration", "Cohort", "CohortScores", "Estimates", "estimate", "score_cohort", "score_estimates"]

MODEL = "v2"
HORIZON_DAYS = 90
BAND = (0.10, 0.90)
RHO_ASSUMED = 0.5
WEIGHTS_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What past cohorts taught: persistence rho, daily drift in theta, and the prior, float64[121] on the grid of theta summing to 1.

    None for the prior fits it on the cohort that is scored. `version` names it wherever a score made with it is shown.
    """

    rho: float
    drift: float
    prior: Floats | None = None
    version: str = "uncalibrated"


# until four windows have closed: an assumption, and shown as one
UNCALIBRATED = Calibration(rho=RHO_ASSUMED, drift=0.0, prior=None, version="uncalibrated")


@dataclass(frozen=True, slots=True, eq=False)
class CohortScores:
    """float64[W] each, NaN where there is not enough evidence.

    score 0..100; edge 0..1, probability that theta is positive; posterior mean and band in theta, daily utility-Sharpe; days of life.
    """

    score: Floats
    edge: Floats
    posterior_mean: Floats
    band_low: Floats
    band_high: Floats
    evidence_days: Floats


def score_cohort(cohort: Cohort, calibration: Calibration = UNCALIBRATED) -> CohortScores:
    """Scores all wallets of one cohort; the same input gives the same bits.

    Raises ValueError for input that cannot be, naming the field, and for fewer than 300 scoreable wallets where the prior is to be fitted.
    """
    return score_estimates(estimate(cohort), calibration)


def score_estimates(estimates: Estimates, calibration: Calibration = UNCALIBRATED) -> CohortScores:
    """score_cohort from its second step on, for a cohort too large to be held at once: estimate it in parts, join them, score the whole."""
    if not (math.isfinite(calibration.rho) and math.isfinite(calibration.drift)):
        raise ValueError("rho and drift must be finite")
    prior = priors.fitted(estimates) if calibration.prior is None else checked_prior(calibration.prior)
    scoreable = estimates.is_scoreable
    known = Estimates(estimates.sharpe[scoreable], estimates.error[scoreable], estimates.days[scoreable])
    mean, edge, low, high, score = (np.empty(len(known.sharpe)) for _ in range(5))
    for rows, weights in priors.posteriors(known, prior):
        mean[rows] = priors.expected(weights, priors.GRID)
        edge[rows] = weights[:, priors.GRID > 0].sum(axis=1)
        low[rows], high[rows] = (priors.quantile(weights, level) for level in BAND)
    if len(mean):
        pays = chance_of_paying(float(mean.sum()) / len(mean), calibration.rho, calibration.drift)
        for rows, weights in priors.posteriors(known, prior):
            score[rows] = priors.expected(weights, pays)
    columns = (np.clip(100 * score, 0, 100), np.clip(edge, 0, 1), mean, low, high, known.days)
    return CohortScores(*(_spread(column, scoreable) for column in columns))


def chance_of_paying(centre: float, rho: float, drift: float) -> Floats:
    """float64[121]: for every theta of the grid, the probability that the copier's utility over the horizon is positive."""
    ahead = centre + drift + rho * (priors.GRID - centre)
    return elementary.normal_cdf(math.sqrt(HORIZON_DAYS) * ahead)


def checked_prior(given: Floats) -> Floats:
    """The prior, summing to 1 to the last digit. Raises ValueError for one that is no distribution on the grid."""
    prior = np.asarray(given, np.float64)
    if prior.shape != priors.GRID.shape:
        raise ValueError(f"prior must be {len(priors.GRID)} weights, not of shape {prior.shape}")
    total = float(prior.sum())
    if not (np.all(np.isfinite(prior)) and np.all(prior >= 0) and abs(total - 1) <= WEIGHTS_SUM_TOLERANCE):
        raise ValueError("prior must be weights of at least 0 that sum to 1")
    result: Floats = prior / total
    return result


def _spread(column: Floats, where: Bools) -> Floats:
    whole = np.full(len(where), np.nan)
    whole[where] = column
    return whole
