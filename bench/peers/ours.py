"""XORJ's own way, as the bench times it: whole buckets, the compiled kernel, figures of every wallet; and the bound it is held against."""

import math
import time
from pathlib import Path

import numpy as np
from numba import njit

from xorj.adapters.lake.leg_files import LegFiles
from xorj.performance import columns as c
from xorj.performance.compiled import compiled
from xorj.performance.compute_buckets import compute_bucket
from xorj.performance.kernel import Figures, figures_of

RUNS = 5


def warm() -> None:
    """Loads the machine code, compiling it first where it is not kept."""
    one = np.zeros(1)
    legs = c.Legs(*(np.zeros(1, dtype=kind) for kind in (np.uint32, np.uint32, np.uint32, np.uint32, float, float, float, np.uint8)))
    figures_of(legs, c.Marks(np.zeros(1, np.int64), np.zeros(1, np.int64), one), 0, compile_legs_min=0)
    compiled()


def compute(folder: Path) -> dict[str, np.ndarray]:
    """Every wallet's figures, and the ranking by ROI that a scoring run would sort by."""
    files = LegFiles(folder)
    figures = joined([compute_bucket(files, bucket) for bucket in files.buckets()])
    totals, statistics = figures.totals, figures.statistics
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {
            "wallet": figures.wallets.astype(float),
            "realised": totals[:, c.REALISED],
            "roi": np.where(totals[:, c.CAPITAL] > 0, statistics[:, c.NET_PNL] / totals[:, c.CAPITAL], np.nan),
            "win_rate": np.where(totals[:, c.CLOSING] > 0, totals[:, c.WINS] / totals[:, c.CLOSING], np.nan),
            "drawdown": statistics[:, c.DRAWDOWN],
            "sharpe": ratio(statistics[:, c.MEAN], statistics[:, c.DEVIATION]),
            "sortino": ratio(statistics[:, c.MEAN], statistics[:, c.DOWNSIDE]),
        }
    found["rank"] = np.argsort(-np.nan_to_num(found["roi"], nan=-np.inf), kind="stable").astype(float)
    return found


def ratio(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    return np.where(deviation > 0, mean / deviation * math.sqrt(c.DAYS_PER_YEAR), np.nan)


def joined(parts: list[Figures]) -> Figures:
    names = ("wallets", "totals", "statistics", "returns", "equity_usd")
    return Figures(*(np.concatenate([getattr(one, name) for one in parts]) for name in names))


def kernel_and_bound(folder: Path) -> dict[str, float]:
    """Nanoseconds of processor time a swap: the kernel with daily marks, and the bound; the best of RUNS, taken in turns."""
    files = LegFiles(folder)
    bucket = files.buckets()[0]
    legs, prices = files.legs(bucket), files.price_table()
    first, last = int(prices.marks.first_day.min()), prices.as_of // c.DAY_S
    warm()
    scatter_and_statistics(*legs, first, last)
    kernel, bound = [], []
    for _ in range(RUNS):
        started = time.process_time()
        figures_of(legs, prices.marks, prices.as_of, compile_legs_min=0)
        kernel.append(time.process_time() - started)
        started = time.process_time()
        scatter_and_statistics(*legs, first, last)
        bound.append(time.process_time() - started)
    in_ns = 1e9 / len(legs.wallet)
    return {
        "kernel_ns_per_swap": min(kernel) * in_ns,
        "bound_ns_per_swap": min(bound) * in_ns,
        "kernel_over_bound": min(kernel) / min(bound),
    }


@njit(cache=True, error_model="numpy")
def scatter_and_statistics(wallet, token, swap, time, quantity, value, fee, flags, first_day, last_day):  # type: ignore[no-untyped-def] # compiled: its types are those of the arrays
    """The bound: every byte read once, each leg added to its day, the statistics of every wallet's days; no lots, no marks."""
    days = np.zeros(last_day - first_day + 1)
    row, found = 0, 0.0
    while row < len(wallet):
        number, first = wallet[row], len(days)
        days[:] = 0.0
        seen = 0
        while row < len(wallet) and wallet[row] == number:
            day = time[row] // c.DAY_S - first_day
            days[day] += (value[row] if quantity[row] < 0 else -value[row]) - fee[row]
            seen += token[row] + swap[row] + flags[row]
            first = min(first, day)
            row += 1
        equity, index, peak, fall, total, squares = 1e6, 1.0, 1.0, 0.0, 0.0, 0.0
        for day in range(first, len(days)):
            one = max(days[day] / equity, -1.0)
            equity += days[day]
            index *= 1.0 + one
            peak = max(peak, index)
            fall = max(fall, 1.0 - index / peak)
            total += one
            squares += one * one
        found += fall + total / (1.0 + math.sqrt(squares)) + seen
    return found
