"""The gates of the score's specification, section 8.5, each with what it asks and what was found. Called by the command.

A gate that fails is printed as failing. None of them is a reason to change a role's parameter or a gate.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from bench.trust import baselines as b
from bench.trust import worlds as w
from bench.trust.evaluation import V2, SeedResult

Results = dict[str, list[SeedResult]]


@dataclass(frozen=True, slots=True)
class Gate:
    """One demand. `found` None: the worlds it needs were not run."""

    name: str
    rule: str
    found: float | None
    passed: bool


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
    ]


def column(results: list[SeedResult], name: str, of: str) -> list[float]:
    return [getattr(one.scores[name], of) for one in results]


def mean(results: list[SeedResult], name: str, of: str) -> float:
    return float(np.nanmean(column(results, name, of)))


def _least(name: str, found: float, least: float) -> Gate:
    return Gate(name, f">= {least:g}", found, found >= least)


def _most(name: str, found: float, most: float) -> Gate:
    return Gate(name, f"<= {most:g}", found, found <= most)


def _buckets(default: list[SeedResult], results: Results) -> list[Gate]:
    of_seeds = column(default, V2, "bucket")
    worst = {name: mean(some, V2, "bucket") for name, some in results.items()}
    everywhere = set(w.WORLDS) <= set(results)
    lowest = min(worst, key=lambda name: worst[name])
    return [
        _least("K1 bucket correlation, median of seeds", float(np.median(of_seeds)), 0.92),
        _least("K1 bucket correlation, 5th percentile of seeds", float(np.quantile(of_seeds, 0.05)), 0.85),
        _least("K1 bucket correlation, bootstrap 5 % bound of the mean", bootstrap_bound(of_seeds), 0.85),
        _least(f"K1 mean in every world (lowest: {lowest})", worst[lowest], 0.85)
        if everywhere
        else Gate("K1 mean in every world", ">= 0.85", None, False),
    ]


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
        _least("Spearman with the realised 90 days", ours, 0.33),
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
        _most("adverse share of the top 20 (39 % of all are)", adverse, 0.18),
        _most(f"the same over that of {b.SHARPE}", adverse / mean(default, b.SHARPE, "adverse"), 0.5),
        _most("leaders of the top 20 whose copier lost half", mean(default, V2, "ruined"), 0.10),
    ]


def pooled_bands(results: list[SeedResult], of: str = "bands") -> list[tuple[int, float, float]]:
    """All seeds' bands together: wallets, predicted, paid."""
    rows = np.array([getattr(one.honesty, of) for one in results])
    count = rows[:, :, 0].sum(axis=0)
    sums = (rows[:, :, 1:] * rows[:, :, :1]).sum(axis=0) / np.maximum(count, 1)[:, None]
    return [(int(n), float(predicted), float(paid)) for n, (predicted, paid) in zip(count, sums, strict=True)]


def calibration_error(bands: list[tuple[int, float, float]]) -> float:
    """Expected calibration error: the bands' gaps between predicted and paid, weighted by their wallets."""
    total = sum(count for count, _, _ in bands)
    return sum(count * abs(predicted - paid) for count, predicted, paid in bands) / total


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


def kpi(results: Results) -> str:
    """The one sentence about "correlation > 0.85": K1 with its bound, and only together with K4."""
    found = {gate.name: gate for gate in gates(results)}
    k1, bound = (next(g for name, g in found.items() if text in name) for text in ("median", "bootstrap"))
    k4 = [gate for name, gate in found.items() if name.startswith(("K4", "adverse share of", "leaders of", "nobody has skill: share"))]
    average = float(np.mean(column(results[w.DEFAULT.name], V2, "bucket")))
    safe = all(gate.passed for gate in k4)
    return (
        f"KPI (K1, rank correlation over 20 score buckets): mean {average:.3f}, median {k1.found:.3f}, bootstrap "
        f"5 % bound {bound.found:.3f}; K4 (calibration, adverse share, ruin, null world) {'holds' if safe else 'does NOT hold'}: "
        f"the KPI is {'met' if safe and bound.passed else 'NOT met'} on these made populations, which says nothing about live wallets"
    )
