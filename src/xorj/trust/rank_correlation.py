"""Ranks, their correlation, and how well scores in bands agree with what came. Pure; used by live_windows and by the bench's measures."""

import numpy as np

from xorj.trust.cohort import Bools, Floats, Ints

BUCKETS = 20
BAND_EDGES: Ints = np.array([0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 100])
BAND_EDGES.setflags(write=False)


def ranks(values: Floats) -> Floats:
    """Ranks from 0, ties sharing their mean."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    result: Floats = (last - (count + 1) / 2)[place]
    return result


def spearman(one: Floats, other: Floats) -> float:
    """NaN where there is nothing to correlate."""
    return correlation(ranks(one), ranks(other))


def correlation(one: Floats, other: Floats) -> float:
    """Pearson's; NaN for fewer than 3 pairs or where one side never varies."""
    if len(one) < 3:
        return float("nan")
    a, b = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / scale) if scale > 0 else float("nan")


def buckets(score: Floats, count: int = BUCKETS) -> list[Ints]:
    """The places of the lowest scores, of the next ones, and so on: `count` parts as equal as can be, ties in the order given."""
    return np.array_split(np.argsort(score, kind="stable"), count)


def bucketed(score: Floats, realised: Floats) -> float:
    """Spearman between the bucket of a score and the mean of what its wallets realised."""
    means = [realised[part].mean() for part in buckets(score)]
    return spearman(np.arange(BUCKETS, dtype=np.float64), np.array(means))


def calibration_table(score: Floats, paid: Bools, edges: Ints) -> list[tuple[int, float, float]]:
    """For every band of scores: how many wallets, what was predicted, how many paid; wallets without a score are in none."""
    known = np.isfinite(score)
    band = np.clip(np.searchsorted(edges, score[known], side="right") - 1, 0, len(edges) - 2)
    return [_band(score[known][band == one], paid[known][band == one]) for one in range(len(edges) - 1)]


def calibration_error(table: list[tuple[int, float, float]]) -> float:
    """The mean distance between predicted and realised over all wallets, NaN without any."""
    total = sum(count for count, _, _ in table)
    return sum(count * abs(said - was) for count, said, was in table) / total if total else float("nan")


def _band(score: Floats, paid: Bools) -> tuple[int, float, float]:
    return (len(score), float(score.mean()) / 100, float(paid.mean())) if len(score) else (0, 0.0, 0.0)
