"""Performance of many wallets, from Parquet to figures: ours against pandas with quantstats or empyrical, Polars and DuckDB, in one run.

Everybody reads the same files on one core and computes the same: FIFO, contributions, daily marks, daily returns and their statistics. The
pandas peers may take a sample of the wallets; their time is then extrapolated by wallets, reading apart, and said to be. `--engines`
compares the process pool with Ray, `--stream` the stream with the batch.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PEERS = ("quantstats", "empyrical", "polars", "duckdb")
# how many times slower than ours a peer must be, one core, end to end
RATIO_MIN = {"quantstats": 200, "empyrical": 80, "polars": 20, "duckdb": 20}
FIGURES = ("realised", "roi", "win_rate", "drawdown", "sharpe", "sortino")
DIFFERENCE_MAX = 1e-9
# a trade may gain so little that cumulative curves in floats give it the other sign, and so may count as a win for one side alone
WIN_RATE_WALLETS_SHARE_MAX = 1e-4
BOUND_MOST, MEMORY_SHARE_MAX, SHARE_FROM_SWAPS = 10, 0.1, 50_000_000
SAMPLED = ("quantstats", "empyrical")
FEWER = 4
SECONDS_MAX = 3_600
SWAPS_OF_BILLION, SECONDS_OF_BILLION, MEMORY_MIB_MAX = 1_000_000_000, 40, 2_048


@dataclass(frozen=True)
class Run:
    """What one approach needed for all wallets; `sampled` when it was measured on some and extrapolated.

    Ratios are of processor seconds: everybody has one thread and files in memory, and other work on the machine disturbs these least.
    """

    seconds: float
    wall_seconds: float
    peak_mib: float
    sampled: int | None = None


def main(argv: list[str]) -> int:
    """0 when every ratio was reached and all agree, 1 otherwise."""
    chosen = options(argv)
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory(prefix="xorj-bench-") as temporary:
        folder = chosen.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        figures = measure(chosen, folder)
    if chosen.json:
        print(json.dumps(figures))
    else:
        show(figures)
    return int(not figures["ok"])


def options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="xorj bench performance", description=__doc__)
    parser.add_argument("--swaps", type=int, default=5_000_000)
    parser.add_argument("--wallets", type=int, help="0.4 %% of the swaps when not given")
    parser.add_argument("--sample", type=int, default=200, help="wallets that the pandas peers compute")
    parser.add_argument("--repeat", type=int, default=3, help="runs of ours, of which the best counts; peers have one")
    parser.add_argument("--peers", default=",".join(PEERS), help="which peers, separated by commas; empty for none")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="processes of the whole-set run and of generation")
    parser.add_argument("--folder", type=Path, help="where generated history is kept for the next run; a temporary folder when not given")
    parser.add_argument("--stream", action="store_true", help="the stream against the batch")
    parser.add_argument("--engines", action="store_true", help="the process pool against Ray")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(argv)
    chosen.wallets = chosen.wallets or max(1, chosen.swaps // 250)
    chosen.peers = [name for name in chosen.peers.split(",") if name]
    unknown = set(chosen.peers) - set(PEERS)
    if unknown or chosen.swaps < chosen.wallets:
        parser.error(f"unknown peers {sorted(unknown)}" if unknown else "at least one swap a wallet")
    return chosen


def measure(chosen: argparse.Namespace, folder: Path) -> dict[str, Any]:
    from bench.peers import made_legs

    made_legs.make(folder, chosen.swaps, chosen.wallets, chosen.processes)
    figures: dict[str, Any] = {"swaps": chosen.swaps, "wallets": chosen.wallets, "load_before": os.getloadavg()[0]}
    if chosen.stream:
        from bench.peers import streaming

        figures |= streaming.measure(folder)
    elif chosen.engines:
        from bench.peers import engines

        figures |= engines.measure(folder, chosen.processes)
    elif chosen.peers:
        figures |= against_peers(chosen, folder)
    else:
        figures |= whole_set(chosen, folder)
    return figures | {"load_after": os.getloadavg()[0]}


def against_peers(chosen: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Every approach on one core, one after another, and how far their results are apart."""
    from bench.peers import environment

    here, there = Path(sys.executable), environment.python() if set(chosen.peers) - {"duckdb"} else Path(sys.executable)
    ours = run_one(here, "ours", folder, chosen, repeat=chosen.repeat)
    runs: dict[str, Run] = {"ours": ours}
    differences: dict[str, float] = {}
    for name in chosen.peers:
        runs[name] = run_one(here if name == "duckdb" else there, name, folder, chosen)
        differences[name] = difference(folder / "ours.npz", folder / f"{name}.npz")
    bound = bounds(folder)
    ratios = {name: runs[name].seconds / ours.seconds for name in chosen.peers}
    share = ours.peak_mib / runs["duckdb"].peak_mib if "duckdb" in runs else None
    gates = {f"{name} at least {RATIO_MIN[name]}x": ratios[name] >= RATIO_MIN[name] for name in chosen.peers}
    gates |= {f"{name} agrees to {DIFFERENCE_MAX:g}": differences[name] <= DIFFERENCE_MAX for name in chosen.peers}
    gates[f"kernel at most {BOUND_MOST}x the bound"] = bound["kernel_over_bound"] <= BOUND_MOST
    if share is not None and chosen.swaps >= SHARE_FROM_SWAPS:
        gates[f"memory at most {MEMORY_SHARE_MAX:g} of DuckDB's"] = share <= MEMORY_SHARE_MAX
    return {
        "approaches": {name: asdict(one) | {"swaps_per_s": chosen.swaps / one.seconds} for name, one in runs.items()},
        "ratios": ratios,
        "differences": differences,
        "memory_share_of_duckdb": share,
        **bound,
        "gates": gates,
        "ok": all(gates.values()),
    }


def run_one(python: Path, name: str, folder: Path, chosen: argparse.Namespace, repeat: int = 1) -> Run:
    """One approach in a process of its own. A sampled one runs twice, so that what does not grow with the wallets is not extrapolated."""
    if name not in SAMPLED or chosen.sample >= chosen.wallets:
        one = started(python, name, folder, every=1, repeat=repeat)
        return Run(one["cpu_seconds"], one["seconds"], one["peak_mib"])
    few = started(python, name, folder, every=FEWER * (chosen.wallets // chosen.sample))
    many = started(python, name, folder, every=chosen.wallets // chosen.sample)
    by_wallet = max(0.0, many["cpu_seconds"] - few["cpu_seconds"]) / (many["wallets"] - few["wallets"])
    missing = by_wallet * (chosen.wallets - many["wallets"])
    return Run(many["cpu_seconds"] + missing, many["seconds"] + missing, many["peak_mib"], sampled=int(many["wallets"]))


def started(python: Path, name: str, folder: Path, *, every: int, repeat: int = 1) -> dict[str, float]:
    from bench.peers.made_legs import DAYS, FIRST_DAY

    command = [str(python), "-m", "bench.peers.run", name, str(folder), str(folder / f"{name}.npz")]
    command += ["--every", str(every), "--repeat", str(repeat), "--last-day", str(FIRST_DAY + DAYS - 1)]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX, check=False, cwd=ROOT)
    if done.returncode != 0:
        raise RuntimeError(f"{name} failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def difference(ours: Path, theirs: Path) -> float:
    """The largest relative difference of any figure of any wallet that both computed; infinite where only one says that it is undefined."""
    mine, other = np.load(ours), np.load(theirs)
    same = np.isin(mine["wallet"], other["wallet"])
    worst = 0.0
    for name in FIGURES:
        here, there = mine[name][same], other[name]
        if not np.array_equal(np.isfinite(here), np.isfinite(there)):
            return float("inf")
        defined = np.isfinite(here)
        apart = np.abs(here - there)[defined] / np.maximum(np.abs(here[defined]), 1e-2)
        if name == "win_rate" and np.mean(apart > DIFFERENCE_MAX) <= WIN_RATE_WALLETS_SHARE_MAX:
            apart = apart[apart <= DIFFERENCE_MAX]
        worst = max(worst, float(apart.max(initial=0.0)))
    return worst


def bounds(folder: Path) -> dict[str, float]:
    """The kernel with daily marks against reading every byte, scattering by day and the statistics, in processor time of one core."""
    from bench.peers import ours

    return ours.kernel_and_bound(folder)


def whole_set(chosen: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All buckets on a process pool, ranked: seconds, and the memory of all processes together."""
    from bench.peers import engines

    found = engines.ranked_on_pool(folder, chosen.processes)
    seconds_max = SECONDS_OF_BILLION * chosen.swaps / SWAPS_OF_BILLION
    gates = {
        f"at most {seconds_max:.1f} s, which is {SECONDS_OF_BILLION} s a billion": found["seconds"] <= seconds_max,
        f"at most {MEMORY_MIB_MAX} MiB in all processes": found["peak_mib"] <= MEMORY_MIB_MAX,
    }
    return found | {"seconds_for_a_billion": found["seconds"] * SWAPS_OF_BILLION / chosen.swaps, "gates": gates, "ok": all(gates.values())}


def show(figures: dict[str, Any]) -> None:
    print(f"{figures['swaps']:,} swaps, {figures['wallets']:,} wallets; load {figures['load_before']:.1f} to {figures['load_after']:.1f}")
    for name, one in figures.get("approaches", {}).items():
        ratio = figures["ratios"].get(name)
        told = f"{one['seconds']:>10.3f} s processor{one['wall_seconds']:>10.3f} s"
        told += f"{one['swaps_per_s'] / 1e6:>9.2f} M swaps/s{one['peak_mib']:>9,.0f} MiB"
        told += "" if ratio is None else f"{ratio:>8.0f}x  differs by {figures['differences'][name]:.0e} at most"
        told += f", extrapolated from {one['sampled']} wallets" if one["sampled"] else ""
        print(f"{name:<11}{told}")
    others = {name: value for name, value in figures.items() if name not in ("approaches", "ratios", "differences", "gates")}
    for name, value in others.items():
        print(f"{name:<28}{value:.4g}" if isinstance(value, float) else f"{name:<28}{value}")
    for rule, held in figures["gates"].items():
        print(f"{'ok    ' if held else 'FAILED'}  {rule}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
