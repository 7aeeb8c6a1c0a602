"""One (transaction, wallet) pair as the lake keeps it: what was read, and what it was. Made by ingestion, written by the lake.

Every transaction of a wallet leaves a record, whatever it was: so the newest record of a wallet is the cursor of its ingestion, and
history and cursor cannot disagree.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from xorj.primitives.ids import Signature, Slot, Wallet
from xorj.swaps.swap import Outcome


@dataclass(frozen=True, slots=True)
class Cursor:
    """A wallet is complete up to and including `slot`; `signature` is its newest transaction there."""

    slot: Slot
    signature: Signature


@dataclass(frozen=True, slots=True)
class Record:
    """The outcome of one transaction for one wallet.

    `transaction_index` counts the wallet's transactions inside the slot where the source does not tell their place in the block.
    """

    wallet: Wallet
    signature: Signature
    slot: Slot
    transaction_index: int
    block_time: int | None
    outcome: Outcome


def by_order(records: Iterable[Record]) -> list[Record]:
    """Oldest first, whatever order they came in."""
    return sorted(records, key=lambda record: (record.slot, record.transaction_index, record.signature, record.wallet))
