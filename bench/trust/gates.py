"""The gates of the score's specification, section 8.5, each with what it asks and what was found. Called by the command.

A gate that fails is printed as failing. None of them is a reason to change a role's parameter or a gate.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from bench.trust import baselines as b
from bench.trust import worlds as w
from bench.trust.evaluation import V2, SeedResult

from xorj.trust.rank_correlation import calibration_error

# section 6 defines K1 by realised utility; section 4 measures its column by realised Sharpe: both are shown, and both are gates
K1 = {"bucket_utility": "utility", "bucket": "Sharpe"}
Results = dict[str, list[SeedResult]]


@dataclass(frozen=True, slots=True)
class Gate:
    """One demand. `found` None: the worlds it needs were not run. `oracle`: what knowing today's true skill reaches.

    A gate that the oracle misses too tells of the population, not of the score; it fails all the same.
    """

    name: str
    rule: str
    found: float | None
    passed: bool
    oracle: float | None = None


def gates(results: Results) -> list[Gate]:
    """All gates, in the specification's order."""
    default = results[w.DEFAULT.name]
    return [
        *_buckets(default, results),
        *_true_skill(default),
        *_realised(default),
        *_top(default),
        *_safety(default),
        *_calibration(default),
        *_null(results.get(w.NULL.name)),
        *_hidden(results.get(w.HIDDEN.name)),
    ]


def column(results: list[SeedResult], name: str, of: str) -> list[float]:
    return [getattr(one.scores[name], of) for one in results]


def mean(results: list[SeedResult], name: str, of: str) -> float:
    return float(np.nanmean(column(results, name, of)))


def _least(name: str, found: float, least: float, oracle: float | None = None) -> Gate:
    return Gate(name, f">= {least:g}", found, found >= least, oracle)


def _most(name: str, found: float, most: float, oracle: float | None = None) -> Gate:
    return Gate(name, f"<= {most:g}", found, found <= most, oracle)


def _buckets(default: list[SeedResult], results: Results) -> list[Gate]:
    found = []
    for of, what in K1.items():
        of_seeds, oracle = column(default, V2, of), column(default, b.NOW, of)
        found += [
            _least(f"K1 buckets by {what}, median of seeds", float(np.median(of_seeds)), 0.92, float(np.median(oracle))),
            _least(f"K1 buckets by {what}, 5th percentile of seeds", _low(of_seeds), 0.85, _low(oracle)),
            _least(f"K1 buckets by {what}, bootstrap 5 % bound of the mean", bootstrap_bound(of_seeds), 0.85, bootstrap_bound(oracle)),
            _in_every_world(of, what, results),
        ]
    return found


def _low(of_seeds: list[float]) -> float:
    return float(np.quantile(of_seeds, 0.05))


def _in_every_world(of: str, what: str, results: Results) -> Gate:
    means = {name: mean(results[name], V2, of) for name in w.SPECIFIED if name in results}
    if len(means) < len(w.SPECIFIED):
        return Gate(f"K1 buckets by {what}, mean in every world", ">= 0.85", None, False)
    lowest = min(means, key=lambda name: means[name])
    return _least(f"K1 buckets by {what}, lowest world: {lowest}", means[lowest], 0.85)


def _hidden(results: list[SeedResult] | None) -> list[Gate]:
    """The roles as they were first committed: what no history shows, no score of a history can see."""
    if results is None:
        return []
    k1, oracle = (float(np.median(column(results, name, "bucket_utility"))) for name in (V2, b.NOW))
    return [
        _least("martingales hide open losses: K1 buckets by utility, median", k1, 0.92, oracle),
        _most("martingales hide open losses: adverse share of the top 20", *_adverse(results, 0.18)),
    ]


def _adverse(results: list[SeedResult], most: float) -> tuple[float, float, float]:
    return mean(results, V2, "adverse"), most, mean(results, b.NOW, "adverse")


def bootstrap_bound(values: list[float], draws: int = 2_000) -> float:
    """The 5 % quantile of the mean of seeds drawn again, with a fixed seed. Seeds are windows that do not overlap."""
    rng = np.random.Generator(np.random.PCG64(5))
    means = np.array(values)[rng.integers(0, len(values), (draws, len(values)))].mean(axis=1)
    return float(np.quantile(means, 0.05))


def _true_skill(default: list[SeedResult]) -> list[Gate]:
    ours = mean(default, V2, "true")
    above = ((b.V1, 0.45), (b.V1_REPLAY, 0.25), (b.CALMAR, 0.10), (b.SHARPE, 0.0), (b.SORTINO, 0.0))
    return [
        _least("Spearman with true skill", ours, 0.50),
        _least("the same, 500 round trips or more", mean(default, V2, "true_500"), 0.75),
        *(_least(f"true skill above {name}", ours - mean(default, name, "true"), by) for name, by in above),
    ]


def _realised(default: list[SeedResult]) -> list[Gate]:
    ours = mean(default, V2, "real")
    best = max(mean(default, name, "real") for name in (b.SHARPE, b.SORTINO, b.CALMAR))
    return [
        _least("Spearman with the realised 90 days", ours, 0.33, mean(default, b.NOW, "real")),
        _least("of what today's oracle reaches (K3)", ours / mean(default, b.NOW, "real"), 0.65),
        _least(f"realised above {b.V1}, share of seeds", _share(default, b.V1, "real"), 1.0),
        _least("realised less the best plain ratio on replay", ours - best, -0.02),
    ]


def _share(results: list[SeedResult], other: str, of: str) -> float:
    return float(np.mean(np.array(column(results, V2, of)) > np.array(column(results, other, of))))


def _top(default: list[SeedResult]) -> list[Gate]:
    above = ((b.V1, 1.0), (b.SHARPE, 0.85), (b.SORTINO, 0.85), (b.CALMAR, 0.85), (b.V1_REPLAY, 0.65))
    fall = float(np.mean(column(default, V2, "fall")) - np.mean(column(default, b.SHARPE, "fall")))
    return [
        *(_least(f"top 20 earned more than {name}, share of seeds", _share(default, name, "gain"), share) for name, share in above),
        _most(f"top 20 drawdown less that of {b.SHARPE}", fall, 0.0),
    ]


def _safety(default: list[SeedResult]) -> list[Gate]:
    adverse = mean(default, V2, "adverse")
    return [
        _most("adverse share of the top 20 (39 % of all are)", *_adverse(default, 0.18)),
        _most(f"the same over that of {b.SHARPE}", adverse / mean(default, b.SHARPE, "adverse"), 0.5),
        _most("leaders of the top 20 whose copier lost half", mean(default, V2, "ruined"), 0.10, mean(default, b.NOW, "ruined")),
    ]


def pooled_bands(results: list[SeedResult], of: str = "bands") -> list[tuple[int, float, float]]:
    """All seeds' bands together: wallets, predicted, paid."""
    rows = np.array([getattr(one.honesty, of) for one in results])
    count = rows[:, :, 0].sum(axis=0)
    sums = (rows[:, :, 1:] * rows[:, :, :1]).sum(axis=0) / np.maximum(count, 1)[:, None]
    return [(int(n), float(predicted), float(paid)) for n, (predicted, paid) in zip(count, sums, strict=True)]


def _calibration(default: list[SeedResult]) -> list[Gate]:
    return [
        _most("K4 calibration error", calibration_error(pooled_bands(default)), 0.03),
        _least("80 % band covers regular wallets' true theta", _of(default, lambda one: one.honesty.covered), 0.75),
    ]


def _null(results: list[SeedResult] | None) -> list[Gate]:
    share, loss = "nobody has skill: share of wallets above 50", "nobody has skill: median loss of following scores of 50"
    if results is None:
        return [Gate(share, "<= 0.002", None, False), Gate(loss, "<= 0.02", None, False)]
    gains = [one.honesty.policy_gain for one in results]
    return [
        _most(share, _of(results, lambda one: one.honesty.above_fifty), 0.002),
        _most(loss, -float(np.median(gains)), 0.02),
    ]


def _of(results: list[SeedResult], figure: Callable[[SeedResult], float]) -> float:
    return float(np.mean([figure(one) for one in results]))


KPI_GATES = ("median", "bootstrap")


def kpi(results: Results) -> str:
    """The one sentence about "correlation > 0.85": K1 with its bound, and only together with K4."""
    found = {gate.name: gate for gate in gates(results)}
    k1, bound = (next(g for name, g in found.items() if name.startswith("K1 buckets by utility") and text in name) for text in KPI_GATES)
    k4 = [gate for name, gate in found.items() if name.startswith(("K4", "adverse share of", "leaders of", "nobody has skill: share"))]
    average = float(np.mean(column(results[w.DEFAULT.name], V2, "bucket_utility")))
    safe = all(gate.passed for gate in k4)
    return (
        f"KPI (K1, rank correlation of 20 score buckets with their mean realised utility): mean {average:.3f}, median {k1.found:.3f}, "
        f"bootstrap 5 % bound {bound.found:.3f}; K4 (calibration, adverse share, ruin, null world) {'holds' if safe else 'does NOT hold'}: "
        f"the KPI is {'met' if safe and bound.passed else 'NOT met'} on these made populations, which says nothing about live wallets"
    )
