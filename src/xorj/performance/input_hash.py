"""What a score was computed from, as hashes that grow with a wallet's history. Used by compute_performance and the live books."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from xorj.primitives.ids import Wallet
from xorj.swaps.swap import Swap

BEGINNING = b""


def hash_by_wallet(swaps: Iterable[Swap]) -> dict[Wallet, str]:
    """A hash over every fact of a wallet's swaps that a score depends on, in its order: the same swaps give the same score to the bit."""
    digests: dict[Wallet, bytes] = {}
    for swap in swaps:
        digests[swap.wallet] = following(digests.get(swap.wallet, BEGINNING), swap)
    return {wallet: digest.hex() for wallet, digest in digests.items()}


def following(digest: bytes, swap: Swap) -> bytes:
    """The hash of a history with one more swap: SHA-256 over the hash of what came before and the swap's facts."""
    return sha256(digest + line(swap)).digest()


def hash_of_all(by_wallet: Mapping[Wallet, str]) -> str:
    """SHA-256 over all wallets' hashes, by wallet."""
    return sha256("".join(f"{wallet} {by_wallet[wallet]}\n" for wallet in sorted(by_wallet)).encode()).hexdigest()


def line(swap: Swap) -> bytes:
    """One swap as it is hashed."""
    order = f"{swap.order.slot}.{swap.order.transaction_index}.{swap.order.instruction_index}"
    legs = " ".join(f"{leg.mint} {leg.raw} {leg.decimals}" for leg in (swap.input, swap.output))
    facts = f"{swap.wallet} {swap.signature} {order} {swap.block_time} {legs} {swap.network_fee_lamports} {swap.tip_lamports}\n"
    return facts.encode()
