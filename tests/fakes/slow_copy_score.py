"""The trust score of one wallet after the other, in plain Python, as its specification is written: the slow reference of tests.

Nothing here is shared with xorj.trust: the expected maximum comes from another quadrature, the prior from nested loops.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

GRID = [step / 100 for step in range(-60, 61)]
NORMAL = NormalDist()


@dataclass(frozen=True)
class Wallet:
    """One wallet's record: its returns on its days of life only, with the market's on the same days. `places` are those days' numbers."""

    returns: list[float]
    market: list[float]
    places: list[int]
    round_trips: int
    linked_share: float
    cluster_size: int


def utilities(wallet: Wallet) -> list[float]:
    pairs = list(zip(wallet.returns, wallet.market, strict=True))
    mean = sum(wallet.market) / len(wallet.market)
    variance = sum((m - mean) ** 2 for m in wallet.market) / len(wallet.market)
    scale = sum(m * m for m in wallet.market) + 30 * variance
    beta = sum(r * m for r, m in pairs) / scale if scale > 0 else 0.0
    gamma = 3
    return [((1 + max(r - beta * m, -0.95)) ** (1 - gamma) - 1) / (1 - gamma) for r, m in pairs]


def estimate(wallet: Wallet) -> tuple[float, float] | None:
    """(s, se), None without enough evidence."""
    n, k = len(wallet.returns), wallet.round_trips
    if k < 2 or n < 3:
        return None
    u = utilities(wallet)
    if max(u) == min(u) or max(wallet.returns) == min(wallet.returns):
        return None
    mean = sum(u) / n
    moment = {power: sum((one - mean) ** power for one in u) / n for power in (2, 3, 4)}
    s = mean / math.sqrt(moment[2])
    skewness, kurtosis = moment[3] / moment[2] ** 1.5, moment[4] / moment[2] ** 2
    at = dict(zip(wallet.places, u, strict=True))
    dependence = 1.0
    for lag in range(1, 6):
        products = [(at[day] - mean) * (at[day - lag] - mean) for day in wallet.places if day - lag in at]
        dependence += 2 * (1 - lag / 6) * sum(products) / (n * moment[2])
    squared = 1 / n * max(1, 1 - skewness * s + (kurtosis - 1) / 4 * s * s) * max(1, dependence)
    squared *= (k + 1) / (k - 1) / (1 - min(wallet.linked_share, 0.99))
    se = math.sqrt(squared)
    return s - se * expected_maximum(wallet.cluster_size), se


def expected_maximum(size: int) -> float:
    """Simpson's rule on the chance that the largest of `size` normals is beyond x, above and below zero."""

    def above(x: float) -> float:
        return 1 - NORMAL.cdf(x) ** size

    def below(x: float) -> float:
        return NORMAL.cdf(-x) ** size

    return simpson(above, 0, 9) - simpson(below, 0, 9)


def simpson(function, low, high, steps=2_000):  # type: ignore[no-untyped-def]
    width = (high - low) / steps
    inner = sum(function(low + i * width) * (4 if i % 2 else 2) for i in range(1, steps))
    return (function(low) + inner + function(high)) * width / 3


def prior_of(estimates: list[tuple[float, float]]) -> list[float]:
    """200 EM steps for the weights of normals on the grid, then the components folded into it."""
    errors = sorted(se for _, se in estimates)
    place = 0.05 * (len(errors) - 1)
    low = int(place)
    deviation = (errors[low] + (place - low) * (errors[min(low + 1, len(errors) - 1)] - errors[low])) / 2
    components = []
    for centre in GRID:
        shape = [math.exp(-(((theta - centre) / deviation) ** 2) / 2) for theta in GRID]
        components.append([one / sum(shape) for one in shape])
    seen = []
    for s, se in estimates:
        likelihood = [math.exp(-(((s - theta) / se) ** 2) / 2) for theta in GRID]
        seen.append([sum(a * b for a, b in zip(likelihood, component, strict=True)) for component in components])
    weights = [1 / len(GRID)] * len(GRID)
    for _ in range(200):
        shares = [0.0] * len(GRID)
        for row in seen:
            total = sum(weight * one for weight, one in zip(weights, row, strict=True))
            for j, one in enumerate(row):
                shares[j] += weights[j] * one / total
        weights = [share / len(seen) for share in shares]
    return [sum(weight * component[i] for weight, component in zip(weights, components, strict=True)) for i in range(len(GRID))]


def posterior(s: float, se: float, prior: list[float]) -> list[float]:
    products = [p * math.exp(-(((s - theta) / se) ** 2) / 2) for p, theta in zip(prior, GRID, strict=True)]
    return [one / sum(products) for one in products]


def mean_of(weights: list[float]) -> float:
    return sum(weight * theta for weight, theta in zip(weights, GRID, strict=True))


def score_of(weights: list[float], centre: float, rho: float, drift: float) -> float:
    ahead = [NORMAL.cdf(math.sqrt(90) * (centre + drift + rho * (theta - centre))) for theta in GRID]
    return 100 * sum(weight * one for weight, one in zip(weights, ahead, strict=True))


def quantile_of(weights: list[float], level: float) -> float:
    """Where the mass reaches the level, each point's mass lying evenly within half a step of it."""
    reached = 0.0
    for weight, theta in zip(weights, GRID, strict=True):
        if reached + weight >= level:
            return theta - 0.005 + 0.01 * (level - reached) / weight
        reached += weight
    return GRID[-1]
