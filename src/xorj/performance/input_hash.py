"""What a score was computed from, as hashes that grow with a wallet's history. Used by compute_performance and the live books."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from xorj.primitives.ids import Wallet
from xorj.swaps.swap import Swap


def hash_by_wallet(swaps: Iterable[Swap]) -> dict[Wallet, str]:
    """SHA-256 over every fact of a wallet's swaps that a score depends on, in its order: the same swaps give the same score to the bit."""
    digests: dict[Wallet, Any] = {}
    for swap in swaps:
        digests.setdefault(swap.wallet, sha256()).update(line(swap))
    return {wallet: digest.hexdigest() for wallet, digest in digests.items()}


def hash_of_all(by_wallet: Mapping[Wallet, str]) -> str:
    """SHA-256 over all wallets' hashes, by wallet."""
    return sha256("".join(f"{wallet} {by_wallet[wallet]}\n" for wallet in sorted(by_wallet)).encode()).hexdigest()


def line(swap: Swap) -> bytes:
    """One swap as it is hashed."""
    order = f"{swap.order.slot}.{swap.order.transaction_index}.{swap.order.instruction_index}"
    legs = " ".join(f"{leg.mint} {leg.raw} {leg.decimals}" for leg in (swap.input, swap.output))
    facts = f"{swap.wallet} {swap.signature} {order} {swap.block_time} {legs} {swap.network_fee_lamports} {swap.tip_lamports}\n"
    return facts.encode()
