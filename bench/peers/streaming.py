"""The stream against the batch: cost a swap, one update from Python, equality to the bit. Used by bench/performance.py."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from bench.peers import ours

from xorj.adapters.lake.leg_files import LegFiles
from xorj.performance import columns as c
from xorj.performance.kernel import figures_of
from xorj.performance.live_books import LiveBooks
from xorj.performance.stream import Stream
from xorj.primitives.amounts import TokenAmount
from xorj.primitives.ids import USDC, Mint, Signature, Slot, Wallet
from xorj.swaps.swap import OrderKey, Swap

STREAM_OVER_BATCH_MAX = 15
UPDATE_P99_US_MAX = 20
PIECE, SINGLE_UPDATES, WALLETS_COMPARED, OBJECTS, RUNS = 100_000, 100_000, 500, 20_000, 3


def measure(folder: Path) -> dict[str, Any]:
    """Processor time of one core; the first bucket's swaps in the order of time, the last SINGLE_UPDATES of them one by one."""
    files = LegFiles(folder)
    legs, prices = files.legs(files.buckets()[0]), files.price_table()
    legs = legs._replace(wallet=legs.wallet - legs.wallet.min())
    ours.warm()
    batch, figures = min((timed_batch(legs, prices.marks, prices.as_of) for _ in range(RUNS)), key=lambda found: found[0])
    order = np.lexsort((legs.swap, legs.wallet, legs.time))
    came = c.Legs(*(column[order] for column in legs))
    singles = min(SINGLE_UPDATES, len(came.wallet) // 2)
    bulk, stream = min((timed_bulk(came, len(came.wallet) - singles) for _ in range(RUNS)), key=lambda found: found[0])
    updates = timed_updates(stream, came, singles)
    equal = all(equals(stream, wallet, figures.totals[row]) for row, wallet in enumerate(figures.wallets.tolist()))
    equal &= marked_alike(stream, legs, prices.marks, prices.as_of)
    p50, p99 = (float(np.percentile(updates, q)) for q in (50, 99))
    gates = {
        "stream equals batch to the bit": equal,
        f"stream at most {STREAM_OVER_BATCH_MAX}x the batch a swap": bulk / batch <= STREAM_OVER_BATCH_MAX,
        f"one update from Python p99 at most {UPDATE_P99_US_MAX} us": p99 <= UPDATE_P99_US_MAX,
    }
    told = {
        "batch_ns_per_swap": batch,
        "stream_ns_per_swap": bulk,
        "stream_over_batch": bulk / batch,
        "update_p50_us": p50,
        "update_p99_us": p99,
        "state_bytes_per_swap": state_bytes(stream) / len(came.wallet),
        "state_bytes_per_wallet": state_bytes(stream) / len(figures.wallets),
        "file_bytes_per_swap": sum(path.stat().st_size for path in folder.glob("bucket-*.parquet")) / all_legs(files),
        "valued_swap_us": valued_swap_us(came),
    }
    return told | {"gates": gates, "ok": all(gates.values())}


def timed_batch(legs: c.Legs, marks: c.Marks, as_of: int) -> tuple[float, Any]:
    """Nanoseconds a swap, and the figures."""
    started = time.process_time()
    figures = figures_of(legs, marks, as_of, compile_legs_min=0)
    return (time.process_time() - started) * 1e9 / len(legs.wallet), figures


def timed_bulk(came: c.Legs, count: int) -> tuple[float, Stream]:
    """Nanoseconds a swap of the first `count`, growth of the pools included, and the stream."""
    stream = Stream(compile_loops=True)
    stream.apply(c.Legs(*(column[:0] for column in came)))
    started = time.process_time()
    for first in range(0, count, PIECE):
        stream.apply(c.Legs(*(column[first : min(first + PIECE, count)] for column in came)))
    return (time.process_time() - started) * 1e9 / count, stream


def timed_updates(stream: Stream, came: c.Legs, count: int) -> list[float]:
    """Microseconds of each of the last `count` swaps, one call each."""
    total, found = len(came.wallet), []
    last = c.Legs(*(column[total - count :].tolist() for column in came))
    for at in range(count):
        legs = [(last.token[at], last.quantity[at])]
        started = time.perf_counter_ns()
        stream.apply_swap(last.wallet[at], last.time[at], last.value[at], last.fee[at], last.flags[at], legs)
        found.append((time.perf_counter_ns() - started) / 1e3)
    return found


def equals(stream: Stream, wallet: int, totals: np.ndarray) -> bool:
    return np.array_equal(stream.totals(wallet), totals)


def marked_alike(stream: Stream, legs: c.Legs, marks: c.Marks, as_of: int) -> bool:
    """Whether statistics are equal too, of the first wallets."""
    some = legs.wallet < WALLETS_COMPARED
    figures = figures_of(c.Legs(*(column[some] for column in legs)), marks, as_of, compile_legs_min=0)
    for row, wallet in enumerate(figures.wallets.tolist()):
        positions = [position for _, position in sorted(stream.positions(wallet))]
        if not np.array_equal(stream.measure(wallet, positions, marks, as_of).statistics, figures.statistics[row], equal_nan=True):
            return False
    return True


def state_bytes(stream: Stream) -> int:
    """Of all arrays, the room that is not used yet included."""
    return sum(array.nbytes for array in stream.snapshot().values())


def all_legs(files: LegFiles) -> int:
    return sum(len(files.legs(bucket).wallet) for bucket in files.buckets())


def valued_swap_us(came: c.Legs) -> float:
    """Microseconds from a swap as the decoder gives it to books that include it: valuation in fractions, legs, stream."""
    first = c.Legs(*(column[:OBJECTS].tolist() for column in came))
    swaps = [made_swap(at, *leg) for at, leg in enumerate(zip(*first, strict=True))]
    books = LiveBooks(compile_loops=True)
    started = time.process_time()
    books.take(swaps)
    return (time.process_time() - started) * 1e6 / len(swaps)


def made_swap(at: int, wallet: int, token: int, _: int, when: int, quantity: float, value: float, __: float, flags: int) -> Swap:
    usdc, asset = TokenAmount(USDC, round(value * 1e6) or 1, 6), TokenAmount(Mint(f"token {token}"), int(abs(quantity)), 6)
    sides = (usdc, asset) if flags & c.PAID else (asset, usdc)
    return Swap(Wallet(f"wallet {wallet}"), Signature(str(at)), OrderKey(Slot(at), 0, 0), when, *sides, 5_000, 0, ())
