"""Generated swap history for the benches, bucket by bucket: heavy-tailed activity, fifty tokens a wallet, prices that walk.

Every swap is against USDC. A wallet buys what a trader buys, sells a part or all of what it has, and now and then more than that.
Seeded: the same arguments give the same files.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numba import njit

from xorj.adapters.lake.leg_files import LegFiles
from xorj.performance import columns as c
from xorj.performance.ports import PriceTable
from xorj.primitives.clock import DAY_S

FIRST_DAY, DAYS = 20_000, 180
TOKENS, TOKENS_PER_WALLET = 2_000, 50
SWAPS_PER_BUCKET = 4_000_000
BUCKETS_MAX = 256
# of the distribution of swaps a wallet: its logarithm's deviation, and how many times the mean is the most
SPREAD, MOST = 1.6, 400
OVERSOLD, SOLD_OUT, FEE_USD = 0.02, 0.5, (0.0012, 0.0053, 0.031, 0.22)


def make(folder: Path, swaps: int, wallets: int, processes: int = 1) -> None:
    """Writes the legs of `swaps` swaps by `wallets` wallets, unless the folder holds them already."""
    done = folder / f"made-{swaps}-{wallets}"
    if done.exists():
        return
    buckets = bucket_count(swaps)
    files = LegFiles(folder)
    prices = walk(np.random.default_rng(1))
    marks = c.Marks(np.full(TOKENS, FIRST_DAY), np.arange(TOKENS) * DAYS, prices.ravel())
    files.write_price_table(PriceTable(marks, (FIRST_DAY + DAYS) * DAY_S - 1))
    base = wallets // buckets + 1
    tasks = [(folder, bucket, base * bucket, part(swaps, buckets, bucket), part(wallets, buckets, bucket)) for bucket in range(buckets)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for at, _ in enumerate(pool.map(make_bucket, tasks), start=1):
            if sys.stderr.isatty():
                print(f"\rgenerated {at} of {buckets} buckets", end="\n" if at == buckets else "", file=sys.stderr)
    done.touch()


def bucket_count(swaps: int) -> int:
    """A power of two, so that a bucket is worked on at once in little memory."""
    return min(BUCKETS_MAX, 2 ** (max(0, swaps - 1) // SWAPS_PER_BUCKET).bit_length())


def part(total: int, buckets: int, bucket: int) -> int:
    return total // buckets + (bucket < total % buckets)


def walk(random: np.random.Generator) -> np.ndarray:
    """Prices of a base unit by token and day."""
    steps = random.normal(0, 0.08, (TOKENS, DAYS))
    return np.exp(random.normal(0, 2, (TOKENS, 1)) + np.cumsum(steps, axis=1)) / 1e6


def make_bucket(task: tuple[Path, int, int, int, int]) -> None:
    folder, bucket, first_wallet, swaps, wallets = task
    random = np.random.default_rng([2, bucket])
    counts = activity(random, swaps, wallets)
    prices = walk(np.random.default_rng(1))
    legs = [np.empty(swaps, dtype=kind) for kind in (np.uint32, np.uint32, np.uint32, np.uint32, float, float, float, np.uint8)]
    trade(bucket + 1, counts, prices, np.array(FEE_USD), *legs)
    legs[0] += np.uint32(first_wallet)
    LegFiles(folder).write_bucket(bucket, c.Legs(*legs))


def activity(random: np.random.Generator, swaps: int, wallets: int) -> np.ndarray:
    """Swaps by wallet, at least one each, log-normal, `swaps` in all."""
    weight = np.minimum(random.lognormal(0, SPREAD, wallets), MOST)
    counts = 1 + np.floor(weight / weight.sum() * (swaps - wallets)).astype(np.int64)
    counts[np.argsort(-counts)[: swaps - counts.sum()]] += 1
    return counts


@njit(cache=True)
def trade(seed, counts, prices, fees, wallet, token, swap, time, quantity, value, fee, flags):  # type: ignore[no-untyped-def] # compiled: its types are those of the arrays
    """Fills the columns, sorted by (wallet, token, swap)."""
    np.random.seed(seed)
    row = 0
    most = counts.max()
    own_token, own_quantity, own_value = np.empty(most, np.int64), np.empty(most), np.empty(most)
    times = np.empty(most, np.int64)
    for number in range(len(counts)):
        count = counts[number]
        held = np.zeros(TOKENS_PER_WALLET)
        tokens = np.sort(np.random.choice(TOKENS, TOKENS_PER_WALLET, False))
        begins = np.random.random() ** 2 * DAYS * 0.9
        for at in range(count):
            times[at] = FIRST_DAY * DAY_S + int((begins + np.random.random() * (DAYS - begins)) * DAY_S)
        times[:count].sort()
        for at in range(count):
            own = int(np.random.random() ** 2 * TOKENS_PER_WALLET)
            own_token[at] = own
            price = prices[tokens[own], times[at] // DAY_S - FIRST_DAY] * np.exp(np.random.normal(0, 0.02))
            if held[own] > 0 and np.random.random() < 0.55:
                share = 1.0 if np.random.random() < SOLD_OUT else np.random.random()
                if np.random.random() < OVERSOLD:
                    share = 1.0 + np.random.random()
                sold = max(1.0, np.floor(held[own] * share))
                own_quantity[at], own_value[at] = -sold, np.round(sold * price, 6)
                held[own] = max(0.0, held[own] - sold)
            else:
                usd = np.round(np.exp(np.random.normal(4, 1.5)), 6)
                bought = max(1.0, np.floor(usd / price))
                own_quantity[at], own_value[at] = bought, usd
                held[own] += bought
        order = np.argsort(own_token[:count], kind="mergesort")
        for at in range(count):
            of = order[at]
            wallet[row], token[row], swap[row], time[row] = number, tokens[own_token[of]], of, times[of]
            quantity[row], value[row] = own_quantity[of], own_value[of]
            fee[row] = fees[np.random.randint(0, len(fees))]
            flags[row] = c.FIRST | c.CASH | (c.PAID if own_quantity[of] > 0 else c.CLOSES)
            row += 1
