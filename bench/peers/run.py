"""One approach, once: read the legs, compute every wallet's figures, write them, and print seconds and peak memory as JSON.

Started by bench/performance.py as a process of its own, so that memory is its own. Nothing but the work itself is timed: modules are loaded
and machine code is there before.
"""

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

FIGURES = ("realised", "roi", "win_rate", "drawdown", "sharpe", "sortino")
Approach = Callable[[], dict[str, np.ndarray]]


def approach(name: str, folder: Path, every: int, last_day: int) -> Approach:
    """What is to be timed, with everything loaded."""
    if name == "ours":
        from bench.peers import ours

        ours.warm()
        return lambda: ours.compute(folder)
    if name == "duckdb":
        from bench.peers import duckdb_sql

        return lambda: duckdb_sql.compute(folder, every, last_day)
    if name == "polars":
        from bench.peers import polars_expressions

        return lambda: polars_expressions.compute(folder, every, last_day)
    from bench.peers import pandas_libraries

    getattr(pandas_libraries, name)()
    return lambda: pandas_libraries.compute(folder, every, last_day, name)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("folder", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--last-day", type=int, required=True)
    parser.add_argument("--repeat", type=int, default=1)
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    work = approach(chosen.name, chosen.folder, chosen.every, chosen.last_day)
    seconds, figures = [], dict[str, np.ndarray]()
    for _ in range(chosen.repeat):
        started, used = time.perf_counter(), time.process_time()
        figures = work()
        seconds.append((time.perf_counter() - started, time.process_time() - used))
    np.savez(chosen.result, **figures)
    best, cpu = min(one[0] for one in seconds), min(one[1] for one in seconds)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": best, "cpu_seconds": cpu, "peak_mib": peak_mib, "wallets": len(figures["wallet"])}))


if __name__ == "__main__":
    main()
