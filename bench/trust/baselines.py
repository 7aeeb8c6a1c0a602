"""What V2 is measured against: V1 and the usual ratios on the wallet's own books and on the copy replay, and two who know the truth.

Every score is float64[W], higher is better, NaN where it has none. Called by evaluation.
"""

import numpy as np
from bench.trust.population import Population

from xorj.primitives.errors import InvalidInput
from xorj.trust.classic_score import classic_score
from xorj.trust.cohort import Bools, Floats, Ints
from xorj.trust.drawdown import max_drawdowns

V1, V1_REPLAY, PSR = "V1 as specified, wallet history", "V1 on copy replay", "PSR, replay"
SHARPE_WALLET, SORTINO_WALLET, CALMAR_WALLET = "Sharpe, wallet history", "Sortino, wallet history", "Calmar, wallet history"
SHARPE, SORTINO, CALMAR = "Sharpe, replay", "Sortino, replay", "Calmar, replay"
NOW, AHEAD = "oracle: knows today's true skill", "oracle: knows the future true skill"


def baselines(people: Population) -> dict[str, Floats]:
    """All of them by name."""
    alive, trips = people.cohort.alive, people.cohort.round_trips
    series = {"wallet history": people.booked, "replay": people.cohort.daily_returns}
    ratios = {
        f"{name}, {source}": score
        for source, returns in series.items()
        for name, score in zip(("Sharpe", "Sortino", "Calmar"), _ratios(returns, alive), strict=True)
    }
    return {
        V1: _classic(people.booked, trips),
        V1_REPLAY: _classic(people.cohort.daily_returns, trips),
        **ratios,
        PSR: _probabilistic_sharpe(people.cohort.daily_returns, alive),
        NOW: people.skill_now,
        AHEAD: people.skill_ahead,
    }


def _classic(returns: Floats, trips: Ints) -> Floats:
    roi = 100 * (np.prod(1 + returns, axis=1) - 1)
    fall = 100 * max_drawdowns(returns.T)
    return np.array([_classic_or_none(*one) for one in zip(roi, fall, trips, strict=True)])


def _classic_or_none(roi: float, fall: float, trips: int) -> float:
    try:
        return classic_score(roi_percent=float(roi), max_drawdown_percent=float(fall), trades=int(trips)).score
    except InvalidInput:
        return float("nan")


def _ratios(returns: Floats, alive: Bools) -> tuple[Floats, Floats, Floats]:
    """Sharpe and Sortino of daily returns; Calmar: yearly growth over maximum drawdown."""
    days = alive.sum(axis=1)
    mean = returns.sum(axis=1) / days
    spread = np.sqrt(np.where(alive, (returns - mean[:, None]) ** 2, 0).sum(axis=1) / days)
    downside = np.sqrt((np.minimum(returns, 0) ** 2).sum(axis=1) / days)
    growth = np.prod(1 + returns, axis=1) ** (365 / days) - 1
    fall = max_drawdowns(returns.T)
    return _divided(mean, spread), _divided(mean, downside), _divided(growth, fall)


def _divided(above: Floats, below: Floats) -> Floats:
    """A gain without any risk is worth as much as can be; nothing over nothing is 0."""
    result: Floats = above / np.where(below > 0, below, 1e-6)
    return result


def _probabilistic_sharpe(returns: Floats, alive: Bools) -> Floats:
    """The probability that the true Sharpe ratio is positive (Bailey and Lopez de Prado 2012), before the normal cdf."""
    days = alive.sum(axis=1)
    mean = returns.sum(axis=1) / days
    around = np.where(alive, returns - mean[:, None], 0)
    spread = np.sqrt((around**2).sum(axis=1) / days)
    spread = np.where(spread > 0, spread, np.inf)
    sharpe = mean / spread
    skewness, kurtosis = ((around**power).sum(axis=1) / days / spread**power for power in (3, 4))
    scale = 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2
    result: Floats = sharpe * np.sqrt(np.maximum(days - 1, 1)) / np.sqrt(np.maximum(scale, 1e-6))
    return result
