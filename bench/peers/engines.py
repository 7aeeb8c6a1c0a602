"""The same tasks on the process pool and on Ray: same results, the cost of the engine, a killed worker. Used by bench/performance.py."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from bench.peers import environment

from xorj.adapters.lake.leg_files import LegFiles
from xorj.adapters.workers.process_pool import ProcessPool
from xorj.performance import columns as c
from xorj.performance.compute_buckets import Computed, compute_buckets
from xorj.performance.ports import Workers

RAY_OVER_POOL_MAX = 1.3
TASKS_PER_PROCESS = 2
# a task's results are in memory at once, twice while they are sent
BUCKETS_PER_TASK_MAX = 8
SAMPLE_S = 0.2
MIB = 1024 * 1024


def ranked_on_pool(folder: Path, processes: int) -> dict[str, Any]:
    """Every bucket on the pool, then all wallets by ROI: seconds, and the most that all processes held at once.

    Of the figures only what ranks is kept: whoever wants the others stores them as they come.
    """
    files = LegFiles(folder)
    with measured_memory() as memory:
        started, used = time.perf_counter(), processor_seconds()
        with ProcessPool(processes) as pool:
            found = compute_buckets(files, pool, per_task=per_task(len(files.buckets()), processes))
            returns = np.concatenate([return_on_capital(one) for one in found])
        wallets = len(np.argsort(-returns, kind="stable"))
        seconds = time.perf_counter() - started
    # what a machine without other work would take, but for what only one process does
    alone = (processor_seconds() - used) / processes
    return {"seconds": seconds, "processor_seconds_each": alone, "peak_mib": max(memory), "processes": processes, "ranked_wallets": wallets}


def processor_seconds() -> float:
    """Of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def return_on_capital(one: Computed) -> np.ndarray:
    """Of each wallet, below everything where there is no capital."""
    capital, net = one.figures.totals[:, c.CAPITAL], one.figures.statistics[:, c.NET_PNL]
    return np.divide(net, capital, out=np.full(len(net), -np.inf), where=capital > 0)


def per_task(buckets: int, processes: int) -> int:
    return min(BUCKETS_PER_TASK_MAX, max(1, buckets // (processes * TASKS_PER_PROCESS)))


@contextmanager
def measured_memory() -> Iterator[list[float]]:
    """Samples what this process and all its children hold, pages that they share counted in each of them: more than there is, never less.

    To count those once is to walk all their tables, which takes a fifth of a core and holds up whoever is walked.
    """
    seen, stop = [0.0], threading.Event()

    def watch() -> None:
        while not stop.wait(SAMPLE_S):
            seen.append(sum(memory_of(one) for one in (psutil.Process(), *psutil.Process().children(recursive=True))) / MIB)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def memory_of(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def timed(files: LegFiles, workers: Workers, size: int) -> tuple[float, str]:
    """Seconds, workers being there and warm, and a digest over every bit of the results."""
    list(compute_buckets(files, workers, per_task=size))
    started = time.perf_counter()
    found = list(compute_buckets(files, workers, per_task=size))
    return time.perf_counter() - started, digest(found)


def digest(found: Sequence[Computed]) -> str:
    state = sha256()
    for one in found:
        for array in (one.figures.wallets, one.figures.totals, one.figures.statistics):
            state.update(array.tobytes())
    return state.hexdigest()


def measure(folder: Path, processes: int) -> dict[str, Any]:
    """Pool here, Ray in the peers' environment, each started afresh, its second pass timed."""
    command = [str(environment.python()), "-m", "bench.peers.on_ray", str(folder), str(processes)]
    paths = os.pathsep.join((str(environment.ROOT), str(environment.ROOT / "src")))
    pool_command = [sys.executable, "-m", "bench.peers.on_pool", str(folder), str(processes)]
    found = []
    for one in (pool_command, command):
        done = subprocess.run(
            one, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=False, cwd=environment.ROOT
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr[-2_000:])
        found.append(json.loads(done.stdout.splitlines()[-1]))
    pool, ray = found
    ratio = ray["seconds"] / pool["seconds"]
    gates = {
        "Ray gives the pool's results to the bit": ray["digest"] == pool["digest"],
        f"Ray at most {RAY_OVER_POOL_MAX}x the pool": ratio <= RAY_OVER_POOL_MAX,
        "Ray runs a killed worker's task again": ray["killed_worker_retried"],
    }
    told = {"pool_seconds": pool["seconds"], "ray_seconds": ray["seconds"], "ray_over_pool": ratio, "seconds_per_task": pool["per_task"]}
    return told | {"gates": gates, "ok": all(gates.values())}
