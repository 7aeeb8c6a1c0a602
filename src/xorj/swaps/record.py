"""One (transaction, wallet) pair as the lake keeps it: what was read, and what it was. Made by ingestion, written by the lake.

Every transaction of a wallet leaves a record, whatever it was: so the newest record of a wallet is the cursor of its ingestion, and
history and cursor cannot disagree.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from xorj.chain.transactions import ChainTransaction
from xorj.primitives.ids import Signature, Slot, Wallet
from xorj.swaps.movement import Movement, movements
from xorj.swaps.pool_hops import SwapFacts, facts_of
from xorj.swaps.swap import OrderKey, Outcome


@dataclass(frozen=True, slots=True)
class Cursor:
    """A wallet is complete up to and including `slot`; `signature` is its newest transaction there."""

    slot: Slot
    signature: Signature


@dataclass(frozen=True, slots=True)
class Record:
    """The outcome of one transaction for one wallet.

    `transaction_index` counts the wallet's transactions inside the slot where the source does not tell their place in the block.
    `movements` are every change of the wallet's balances, and `facts` stand beside the outcome's swaps one to one; both are None where
    the source tells neither, as a recording of swaps.
    """

    wallet: Wallet
    signature: Signature
    slot: Slot
    transaction_index: int
    block_time: int | None
    outcome: Outcome
    movements: tuple[Movement, ...] | None = None
    facts: tuple[SwapFacts, ...] | None = None

    def __post_init__(self) -> None:
        if self.facts is not None and len(self.facts) != (len(self.outcome) if isinstance(self.outcome, tuple) else 0):
            raise ValueError("a record's facts stand beside its swaps one to one")


@dataclass(frozen=True, slots=True)
class WalletMovement:
    """One movement and where it happened. `order`'s last number counts the wallet's movements inside the transaction."""

    wallet: Wallet
    signature: Signature
    order: OrderKey
    block_time: int | None
    movement: Movement


def read_record(transaction: ChainTransaction, wallet: Wallet, outcome: Outcome) -> Record:
    """The record of a transaction that a node told whole."""
    facts = tuple(facts_of(transaction, swap) for swap in outcome) if isinstance(outcome, tuple) else ()
    return Record(
        wallet=wallet,
        signature=transaction.signature,
        slot=transaction.slot,
        transaction_index=transaction.transaction_index or 0,
        block_time=transaction.block_time,
        outcome=outcome,
        movements=movements(transaction, wallet, outcome),
        facts=facts,
    )


def movements_of(record: Record) -> list[WalletMovement]:
    """The record's movements in their order, each with its place."""
    return [
        WalletMovement(
            record.wallet, record.signature, OrderKey(record.slot, record.transaction_index, number), record.block_time, movement
        )
        for number, movement in enumerate(record.movements or ())
    ]


def by_order(records: Iterable[Record]) -> list[Record]:
    """Oldest first, whatever order they came in."""
    return sorted(records, key=lambda record: (record.slot, record.transaction_index, record.signature, record.wallet))
