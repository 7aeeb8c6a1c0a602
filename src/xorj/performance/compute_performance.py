"""Step 4 and 5 of "swap to score": each wallet's swaps as of one slot, valued, and what they amounted to. Called by trust and the CLI."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from xorj.performance.kernel import performance_of
from xorj.performance.metrics import Performance
from xorj.primitives.ids import Slot, Wallet
from xorj.swaps.ports import SwapReader
from xorj.swaps.swap import Swap
from xorj.swaps.valuation import value_swaps


@dataclass(frozen=True, slots=True)
class PerformanceReport:
    """Every wallet's performance as of `slot`, with the hashes of the swaps it was computed from: all of them, and each wallet's own."""

    slot: Slot
    block_time: int
    input_hash: str
    wallet_hashes: Mapping[Wallet, str]
    wallets: tuple[Performance, ...]


async def compute_performance(reader: SwapReader, *, as_of: Slot | None = None) -> PerformanceReport | None:
    """Performance as of a slot, the newest ingested one when None. None while there is nothing to compute from. Raises Unavailable."""
    slot = as_of if as_of is not None else await reader.newest_slot()
    if slot is None:
        return None
    swaps = await reader.swaps(as_of=slot)
    if not swaps:
        return None
    block_time = max(swap.block_time for swap in swaps)
    wallets = performance_of(value_swaps(swaps), block_time)
    return PerformanceReport(slot, block_time, input_hash(swaps), _hash_by_wallet(swaps), tuple(wallets))


def input_hash(swaps: Sequence[Swap]) -> str:
    """SHA-256 over every fact of the swaps that a score depends on, in wallet and order: the same swaps give the same score to the bit."""
    digest = sha256()
    for swap in swaps:
        digest.update(_line(swap).encode())
    return digest.hexdigest()


def _hash_by_wallet(swaps: Sequence[Swap]) -> dict[Wallet, str]:
    """input_hash of each wallet's own swaps."""
    by_wallet: dict[Wallet, list[Swap]] = {}
    for swap in swaps:
        by_wallet.setdefault(swap.wallet, []).append(swap)
    return {wallet: input_hash(own) for wallet, own in by_wallet.items()}


def _line(swap: Swap) -> str:
    order = f"{swap.order.slot}.{swap.order.transaction_index}.{swap.order.instruction_index}"
    legs = " ".join(f"{leg.mint} {leg.raw} {leg.decimals}" for leg in (swap.input, swap.output))
    return f"{swap.wallet} {swap.signature} {order} {swap.block_time} {legs} {swap.network_fee_lamports} {swap.tip_lamports}\n"
