"""`./xorj bench trust-speed`: how fast cohorts are scored, how much memory that takes, and what the strata of a large cohort's prior cost.

First 1,500 wallets x 365 days in one process, limited to one core; then --wallets of them in chunks on two processes, each chunk made,
estimated and forgotten, the whole scored at the end. Making the chunks is not counted. The prior of a large cohort is fitted on strata: the
largest difference to the score with the prior fitted on every wallet is shown for up to 200,000 wallets. Exit code 0: every limit was held.
"""

import argparse
import json
import multiprocessing
import os
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from xorj.trust import prior
from xorj.trust.cohort import Cohort
from xorj.trust.copy_score import UNCALIBRATED, Calibration, score_cohort, score_estimates
from xorj.trust.utility_sharpe import Estimates, estimate, joined

SMALL, DAYS = 1_500, 365
CHUNK = 10_000
PROCESSES = 2
MILLION = 1_000_000
COMPARED_MAX = 200_000
MIB = 1_024
LIMITS = {"small_s": 2.0, "million_wallets_s": 600.0, "memory_mib": 8_192.0, "strata_difference_points": 0.5}


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk's estimates, the seconds that estimating took, and its process's peak memory."""

    estimates: Estimates
    seconds: float
    memory_mib: float


def made(seed: int, wallets: int) -> Cohort:
    """Wallets of every age and skill over one year, by seed."""
    rng = np.random.default_rng(seed)
    market = np.random.default_rng(0).normal(0, 0.04, DAYS)
    returns = rng.standard_normal((wallets, DAYS))
    returns += rng.normal(-0.03, 0.08, wallets)[:, None]
    returns *= rng.uniform(0.005, 0.06, wallets)[:, None]
    returns += rng.uniform(0, 0.5, wallets)[:, None] * market
    np.maximum(returns, -1, out=returns)
    alive = np.arange(DAYS) >= DAYS - np.exp(rng.uniform(np.log(14), np.log(DAYS), wallets)).astype(int)[:, None]
    linked = np.where(rng.random(wallets) < 0.05, rng.random(wallets), 0)
    cluster = np.where(rng.random(wallets) < 0.04, 15, 1)
    return Cohort(returns, alive, market, rng.integers(0, 400, wallets), linked, cluster)


def chunk(number: int) -> Chunk:
    """Made and estimated in a worker; only the estimates leave it."""
    cohort = made(number, CHUNK)
    began = time.perf_counter()
    estimates = estimate(cohort)
    return Chunk(estimates, time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB)


def small_s() -> float:
    """Best of three of 1,500 wallets x 365 days on one core, prior and all."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cohort, best = made(1, SMALL), float("inf")
    for _ in range(3):
        began = time.perf_counter()
        score_cohort(cohort)
        best = min(best, time.perf_counter() - began)
    return best


def measure(wallets: int) -> dict[str, float]:
    """All figures. Wallets are rounded up to whole chunks."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as alone:
        figures = {"small_s": alone.submit(small_s).result()}
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        chunks = list(pool.map(chunk, range(-(-wallets // CHUNK))))
    began = time.perf_counter()
    estimates = joined([one.estimates for one in chunks])
    weights = prior.fitted(estimates)
    scores = score_estimates(estimates, Calibration(UNCALIBRATED.rho, UNCALIBRATED.drift, weights, "speed"))
    scored_s = time.perf_counter() - began
    estimated_s = sum(one.seconds for one in chunks) / PROCESSES
    count = len(scores.score)
    own_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    return figures | {
        "wallets": count,
        "estimated_s": estimated_s,
        "scored_s": scored_s,
        "million_wallets_s": (estimated_s + scored_s) * MILLION / count,
        "memory_mib": own_mib + PROCESSES * max(one.memory_mib for one in chunks),
        "strata_difference_points": _difference(estimates),
    }


def _difference(estimates: Estimates) -> float:
    """Largest difference of any score between the prior on strata and the prior on every wallet."""
    some = Estimates(*(getattr(estimates, name)[:COMPARED_MAX] for name in ("sharpe", "error", "days")))
    on_strata, exact = (
        score_estimates(some, Calibration(UNCALIBRATED.rho, UNCALIBRATED.drift, prior.fitted(some, exact_max=most), "speed")).score
        for most in (0, COMPARED_MAX)
    )
    return float(np.nanmax(abs(on_strata - exact)))


def main(argv: list[str]) -> int:
    """0 when every limit was held, 1 otherwise."""
    parser = argparse.ArgumentParser(
        prog="xorj bench trust-speed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--wallets", type=int, default=100_000, help="wallets scored in chunks; the figure for a million is scaled from them"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(argv)
    if chosen.wallets < CHUNK:
        parser.error(f"--wallets: at least {CHUNK:,}")
    figures = measure(chosen.wallets)
    held = all(figures[name] <= most for name, most in LIMITS.items())
    if chosen.json:
        print(json.dumps(figures | {"ok": held}))
        return 0 if held else 1
    for name, value in figures.items():
        limit = f"  (at most {LIMITS[name]:,})" if name in LIMITS else ""
        print(f"{name:28}{value:>16,.4f}{limit}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
