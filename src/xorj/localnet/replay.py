"""Running a chain's stored transactions again on a fresh one: the proof that its history was executed, not written. Used by tests."""

from dataclasses import replace as changed

from xorj.localnet.bank import Bank, Executed
from xorj.localnet.blocks import Block
from xorj.localnet.records import StoredTransaction
from xorj.primitives.errors import BrokenInvariant


def replay(source: Bank) -> Bank:
    """A fresh in-memory bank that has executed the bytes of every transaction of `source`, each at its own slot and time.

    Raises BrokenInvariant at the first transaction whose effects differ from what `source` recorded.
    """
    first = source.blocks.by_slot(source.blocks.first_slot)
    if first is None:
        raise BrokenInvariant("a chain without its first block")
    # the node's marks are among the stored transactions, so the fresh bank makes none of its own
    genesis = changed(source.genesis, slot=first.slot, unix_seconds=first.unix_seconds, node_marks=False)
    fresh = Bank.open(None, genesis)
    for height in range(first.height + 1, source.blocks.height + 1):
        block = source.blocks.by_height(height)
        if block.slot != fresh.slot:
            fresh.advance(block.slot - fresh.slot, block.unix_seconds)
        _execute_block(source, fresh, block)
    return fresh


def _execute_block(source: Bank, fresh: Bank, block: Block) -> None:
    for ordinal in range(block.first, block.last):
        stored = source.history.read(ordinal)
        outcome = fresh.execute(stored.raw)
        if not isinstance(outcome, Executed) or not _same(outcome.stored, stored):
            raise BrokenInvariant("a stored transaction has other effects on a fresh chain", slot=stored.slot, index=stored.index)


def _same(one: StoredTransaction, other: StoredTransaction) -> bool:
    return one.encode() == other.encode()
