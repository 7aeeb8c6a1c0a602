"""XORJ's own way, as the bench times it: whole buckets, the compiled kernel, figures of every wallet; and the bound it is held against."""

import math
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from numba import njit

from xorj.adapters.lake.leg_files import LegFiles
from xorj.performance import columns as c
from xorj.performance.compiled import compiled
from xorj.performance.compute_buckets import compute_bucket
from xorj.performance.kernel import Figures, figures_of, read_only, room_of
from xorj.primitives.clock import DAY_S

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
    last = prices.as_of // DAY_S
    warm()
    scatter, room, statistics = scatter_and_statistics(), room_of(1, last + 1 - int(legs.time.min()) // DAY_S), np.zeros(c.STATISTICS)
    columns = c.Legs(*map(read_only, legs))
    scatter(columns, last, room, statistics)
    kernel, bound = [], []
    for _ in range(RUNS):
        started = time.process_time()
        figures_of(legs, prices.marks, prices.as_of, compile_legs_min=0)
        kernel.append(time.process_time() - started)
        started = time.process_time()
        scatter(columns, last, room, statistics)
        bound.append(time.process_time() - started)
    in_ns = 1e9 / len(legs.wallet)
    return {
        "kernel_ns_per_swap": min(kernel) * in_ns,
        "bound_ns_per_swap": min(bound) * in_ns,
        "kernel_over_bound": min(kernel) / min(bound),
    }


@cache
def scatter_and_statistics() -> Callable[..., float]:
    """The bound: each wallet's days found, each leg added to its day, and the kernel's own statistics of the days; no lots, no marks."""
    extent, measure = compiled().extent, compiled().measure

    @njit(error_model="numpy", _nrt=False)
    def run(legs, last_day, room, statistics):  # type: ignore[no-untyped-def] # compiled: its types are those of the arrays
        row, seen = 0, 0.0
        while row < len(legs.wallet):
            end, _, first_day = extent(legs, row)
            days = last_day - first_day + 1
            for day in range(days):
                room.pnl_by_day[day] = room.contributed_by_day[day] = 0.0
            for at in range(row, end):
                day = legs.time[at] // DAY_S - first_day
                flow = legs.value[at] if legs.quantity[at] < 0 else -legs.value[at]
                room.pnl_by_day[day] += flow - legs.fee[at]
                room.contributed_by_day[day] += legs.value[at]
                seen += legs.token[at] + legs.flags[at]
            measure(room, days, statistics)
            seen += statistics[c.DRAWDOWN]
            row = end
        return seen

    found: Callable[..., float] = run
    return found
