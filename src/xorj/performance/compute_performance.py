"""Step 4 and 5 of "swap to score": each wallet's swaps as of one slot, valued, and what they amounted to. Called by trust and the CLI."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from xorj.performance.input_hash import hash_by_wallet, hash_of_all
from xorj.performance.kernel import performance_of
from xorj.performance.metrics import Performance
from xorj.primitives.ids import Slot, Wallet
from xorj.swaps.ports import SwapReader
from xorj.swaps.swap import Swap
from xorj.swaps.valuation import Valuation, value_swaps


@dataclass(frozen=True, slots=True)
class PerformanceReport:
    """Every wallet's performance as of `slot`, with the hashes of the swaps it was computed from: all of them, and each wallet's own."""

    slot: Slot
    block_time: int
    input_hash: str
    wallet_hashes: Mapping[Wallet, str]
    wallets: tuple[Performance, ...]


@runtime_checkable
class KeepsBooks(Protocol):
    """A reader whose books are kept up to date; follow_performance.py has one."""

    async def report(self, *, as_of: Slot | None = None) -> PerformanceReport | None:
        """What a full computation would say as of a slot, the newest one when None. Raises Unavailable."""


async def compute_performance(reader: SwapReader, *, as_of: Slot | None = None) -> PerformanceReport | None:
    """Performance as of a slot, the newest ingested one when None. None while there is nothing to compute from. Raises Unavailable."""
    if isinstance(reader, KeepsBooks):
        return await reader.report(as_of=as_of)
    slot = as_of if as_of is not None else await reader.newest_slot()
    if slot is None:
        return None
    swaps = await reader.swaps(as_of=slot)
    if not swaps:
        return None
    return report_of(slot, swaps, value_swaps(swaps))


def report_of(slot: Slot, swaps: Sequence[Swap], valuation: Valuation) -> PerformanceReport:
    """Of all swaps at or before a slot, sorted by wallet and order key, and what they were worth. Raises ValueError without any."""
    block_time = max(swap.block_time for swap in swaps)
    hashes = hash_by_wallet(swaps)
    return PerformanceReport(slot, block_time, hash_of_all(hashes), hashes, tuple(performance_of(valuation, block_time)))
