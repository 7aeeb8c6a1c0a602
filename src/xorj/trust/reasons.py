"""Why a wallet's score is what it is: what each part of its evidence adds or takes, in points of the score. Pure; used by score_copies.

A part's effect is the score as it is less the score as it would be if that part alone were neutral: the record as usual as the cohort's
centre, a year of days, any number of round trips, days that swing evenly and know nothing of each other, no linked volume, no choice
out of a cluster, and SOL's own moves left in. Effects do not add up to the score, and the three largest are told.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xorj.primitives import elementary
from xorj.trust import prior as priors
from xorj.trust.cohort import Bools, Cohort, Floats
from xorj.trust.copy_score import HORIZON_DAYS, Calibration
from xorj.trust.utility_sharpe import LINKED_SHARE_MAX, ROUND_TRIPS_MIN, Estimates, estimate, expected_maxima

TOLD = 3
# below it a part made no difference that anybody would see
POINTS_MIN = 0.5
LONG_DAYS = 365
PARTS = ("record", "days", "round trips", "evenness", "linked volume", "cluster", "market")


@dataclass(frozen=True, slots=True)
class Reason:
    """One part in words, and by how many points it moved the score."""

    text: str
    points: float


def effects(cohort: Cohort, estimates: Estimates, calibration: Calibration) -> Floats:
    """float64[W, 7] in the order of PARTS, points of score; NaN where there is no score. `calibration` must hold the prior in use."""
    prior = calibration.prior
    if prior is None:
        raise ValueError("effects need the prior that the wallets were scored with")
    known = estimates.is_scoreable
    of = _parts(cohort, estimates, known)
    centre = _mean(_posterior_means(of.estimates, prior))
    as_it_is = _scores(of.estimates, prior, calibration, centre)
    sharpe, error, days = of.estimates.sharpe, of.estimates.error, of.estimates.days
    trips, linked, maxima = of.trips, of.linked, of.maxima
    # the record before the cluster's correction, which is so many errors
    record = sharpe + error * maxima
    errors = (
        error * np.sqrt(np.minimum(days / LONG_DAYS, 1.0)),
        error / np.sqrt(trips),
        np.minimum(np.sqrt(trips * linked / days), error),
        error / np.sqrt(linked),
    )
    neutral = (
        (np.full(len(sharpe), centre), error),
        *((record - one * maxima, one) for one in errors),
        (record, error),
        (of.unhedged.sharpe, of.unhedged.error),
    )
    found = np.full((len(known), len(PARTS)), np.nan)
    found[known] = np.stack([as_it_is - _scores(Estimates(s, e, days), prior, calibration, centre) for s, e in neutral], axis=1)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Of the scored wallets: estimates, the same with SOL's moves left in, and by what the squared error grew."""

    estimates: Estimates
    unhedged: Estimates
    trips: Floats
    linked: Floats
    maxima: Floats


def _parts(cohort: Cohort, estimates: Estimates, known: Bools) -> _Parts:
    unhedged = estimate(replace(cohort, market_returns=np.zeros_like(cohort.market_returns)))
    rows = np.flatnonzero(known)
    trips = np.maximum(cohort.round_trips[rows], ROUND_TRIPS_MIN).astype(np.float64)
    share = np.minimum(cohort.linked_share[rows], LINKED_SHARE_MAX)
    own, bare = (Estimates(one.sharpe[rows], one.error[rows], one.days[rows]) for one in (estimates, unhedged))
    # a record that is nothing but the market has no estimate without it
    sharpe, error = (np.where(bare.is_scoreable, left, right) for left, right in ((bare.sharpe, own.sharpe), (bare.error, own.error)))
    bare = Estimates(sharpe, error, own.days)
    return _Parts(own, bare, (trips + 1) / (trips - 1), 1 / (1 - share), expected_maxima(cohort.cluster_size[rows]))


def _posterior_means(estimates: Estimates, prior: Floats) -> Floats:
    parts = [priors.expected(weights, priors.GRID) for _, weights in priors.posteriors(estimates, prior)]
    return np.concatenate(parts) if parts else np.empty(0)


def _mean(values: Floats) -> float:
    return float(values.sum()) / max(len(values), 1)


def _scores(estimates: Estimates, prior: Floats, calibration: Calibration, centre: float) -> Floats:
    ahead = centre + calibration.drift + calibration.rho * (priors.GRID - centre)
    pays = elementary.normal_cdf(math.sqrt(HORIZON_DAYS) * ahead)
    parts = [100 * priors.expected(weights, pays) for _, weights in priors.posteriors(estimates, prior)]
    return np.concatenate(parts) if parts else np.empty(0)


def largest(points: Sequence[float], *, days: int, round_trips: int, linked_share: float, cluster_size: int) -> tuple[Reason, ...]:
    """The three that moved the score most, the largest first, of those that moved it at all."""
    words = (
        "its copied record is {} than this market's usual one",
        f"its record is {days} days long",
        f"it made {round_trips} round trips",
        "its days swing unevenly or come in streaks",
        f"{100 * linked_share:.0f} % of its volume was with its own wallets",
        f"it is one of {cluster_size} wallets of one owner, who could choose the best",
        "{} of its gains are SOL's own moves",
    )
    better = points[0] > 0
    told = {0: "better" if better else "worse", 6: "part" if points[6] < 0 else "none"}
    moved = [part for part in range(len(PARTS)) if abs(points[part]) >= POINTS_MIN]
    found = [Reason(words[part].format(told.get(part, "")), float(points[part])) for part in moved]
    return tuple(sorted(found, key=lambda one: -abs(one.points))[:TOLD])
