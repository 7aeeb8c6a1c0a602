"""How good a list of scores is, given what came after: the columns of the bench's table. Called by evaluation."""

from dataclasses import dataclass

import numpy as np
from bench.trust import worlds as w
from bench.trust.population import Population

from xorj.trust.cohort import Bools, Floats, Ints
from xorj.trust.drawdown import max_drawdowns
from xorj.trust.rank_correlation import bucketed, correlation, spearman
from xorj.trust.utility_sharpe import utility

TOP = 20
RUIN = 0.5
WINSORISED = 0.01
LEADER_SCORE_MIN = 50.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One score on one population.

    true, true_regular, true_500: Spearman with the copier's true daily Sharpe, of all, of regular wallets, of those with 500 round trips.
    real, pear: Spearman, and Pearson of winsorised values, with the realised Sharpe of the 90 days.
    bucket, bucket_utility: Spearman over 20 equal buckets between score and the mean of realised Sharpe (section 4) or utility (section 6).
    gain, fall: 90-day return and maximum drawdown of a portfolio of the top 20. adverse, ruined: shares of the top 20.
    """

    true: float
    true_regular: float
    true_500: float
    real: float
    pear: float
    bucket: float
    bucket_utility: float
    gain: float
    fall: float
    adverse: float
    ruined: float


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What the 90 days brought the copier of each wallet."""

    sharpe: Floats
    utility: Floats
    paid: Bools


def outcome_of(people: Population) -> Outcome:
    """Realised Sharpe (0 for an idle wallet), mean daily utility, and whether that was positive: whether copying paid."""
    spread = people.future.std(axis=1)
    sharpe = people.future.mean(axis=1) / np.where(spread > 0, spread, np.inf)
    mean = utility(people.future).mean(axis=1)
    return Outcome(sharpe, mean, mean > 0)


def measured(score: Floats, people: Population, outcome: Outcome) -> Measured:
    """A wallet without a score stands below all that have one."""
    lowest = np.nanmin(score) - 1
    known = np.where(np.isfinite(score), score, lowest)
    regular, busy = people.role == w.REGULAR, people.cohort.round_trips >= 500
    top = best(score)
    gain, fall = portfolio(people.future[top])
    return Measured(
        spearman(known, people.skill_now),
        spearman(known[regular], people.skill_now[regular]),
        spearman(known[busy], people.skill_now[busy]),
        spearman(known, outcome.sharpe),
        pearson(known, outcome.sharpe),
        bucketed(known, outcome.sharpe),
        bucketed(known, outcome.utility),
        gain,
        fall,
        float((people.role[top] != w.REGULAR).mean()),
        float((max_drawdowns(people.future[top].T) > RUIN).mean()),
    )


def best(score: Floats, count: int = TOP) -> Ints:
    """Indices of the best wallets, best first; those without a score come last, and of equals the first in the list."""
    result: Ints = np.argsort(-np.where(np.isfinite(score), score, -np.inf), kind="stable")[:count]
    return result


def portfolio(leaders: Floats, places: int = TOP) -> tuple[float, float]:
    """Return and maximum drawdown of 1/20 in each of at most 20 leaders, float64[L, T], and the rest in cash; no rebalancing."""
    worth = np.cumprod(1 + leaders, axis=1).sum(axis=0) / places + (1 - len(leaders) / places)
    peak = np.maximum(np.maximum.accumulate(worth), 1)
    return float(worth[-1] - 1), float((1 - worth / peak).max(initial=0))


def policy(score: Floats, people: Population) -> tuple[float, float]:
    """portfolio of up to 20 leaders with a score of 50 or more."""
    top = best(score)
    return portfolio(people.future[top[np.nan_to_num(score[top], nan=-1) >= LEADER_SCORE_MIN]])


def pearson(one: Floats, other: Floats) -> float:
    return correlation(_winsorised(one), _winsorised(other))


def _winsorised(values: Floats) -> Floats:
    low, high = np.quantile(values, (WINSORISED, 1 - WINSORISED))
    return np.clip(values, low, high)
