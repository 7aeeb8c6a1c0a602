"""What to offer for a place in a block: a percentile of what others paid lately, never above our cap."""

from collections.abc import Sequence

MICRO_PER_LAMPORT = 1_000_000


def priority_fee_lamports(recent_micro_lamports: Sequence[int], compute_units: int, *, percentile: int, lamports_max: int) -> int:
    """`percentile` of the non-zero recent prices times `compute_units`, in whole lamports rounded up, clamped to `lamports_max`.

    `recent_micro_lamports` are prices for one compute unit. A node or router that names a monstrous price moves us to the cap at most.
    """
    paid = sorted(price for price in recent_micro_lamports if price > 0)
    if not paid:
        return 0
    price = paid[min(len(paid) - 1, len(paid) * percentile // 100)]
    return min(-(-price * compute_units // MICRO_PER_LAMPORT), lamports_max)
