"""A lake's swaps to legs by bucket and one price table: what bulk computing reads. Run by the CLI with `--engine`."""

from collections.abc import Iterable
from itertools import groupby

from xorj.performance.legs import legs_of, marks_of, tokens_of
from xorj.performance.ports import LegWriter, PriceTable
from xorj.primitives.ids import Slot
from xorj.swaps.ports import SwapReader
from xorj.swaps.valuation import Valuation, ValuedSwap, value_swaps


async def compute_legs(reader: SwapReader, writer: LegWriter, *, as_of: Slot | None = None) -> int:
    """Replaces the legs by those of every swap as of a slot, the newest when None. Returns how many there were. Raises Unavailable."""
    writer.clear()
    swaps = await reader.swaps(as_of=as_of)
    if not swaps:
        return 0
    valuation, time = value_swaps(swaps), max(swap.block_time for swap in swaps)
    tokens = tokens_of(valuation.swaps)
    for bucket, own in _by_bucket(valuation.swaps, writer):
        table = legs_of(Valuation(own, {}), tokens=tokens)
        writer.write_bucket(bucket, table.legs, table.wallets)
    writer.write_price_table(PriceTable(marks_of(tokens, valuation.executions, time), time))
    return len(swaps)


def _by_bucket(swaps: Iterable[ValuedSwap], writer: LegWriter) -> Iterable[tuple[int, tuple[ValuedSwap, ...]]]:
    """The swaps of each bucket, by wallet and order as they were."""
    buckets = {wallet: writer.bucket_of(wallet) for wallet in {one.swap.wallet for one in swaps}}
    ordered = sorted(swaps, key=lambda one: buckets[one.swap.wallet])
    return [(bucket, tuple(own)) for bucket, own in groupby(ordered, key=lambda one: buckets[one.swap.wallet])]
