"""A bank that lives: slots pass with the wall clock, senders wait for the disk together, subscribers hear of every block.

The composition in services/localnet.py runs it; the demo's live market executes through it or straight on its bank.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from xorj.chain.transactions import Commitment
from xorj.localnet.bank import Bank, Executed, Rejected
from xorj.localnet.blocks import Block
from xorj.localnet.message import DecodedTransaction

SNAPSHOT_INTERVAL_S = 60.0
STANDSTILL_S = 3.0


class Listener(Protocol):
    """Who wants to hear what happens on the chain."""

    def transaction_processed(self, ordinal: int) -> None: ...

    def block_reached(self, block: Block, commitment: Commitment) -> None: ...

    def slot_began(self, slot: int, parent: int, root: int) -> None: ...


def wall_seconds() -> int:
    """The usual clock of the chain's blocks."""
    return int(time.time())


class LiveChain:
    """`block_seconds` gives each new block its time; the demo's replay puts in a clock that runs fast."""

    def __init__(self, bank: Bank, *, slot_ms: int, block_seconds: Callable[[], int] = wall_seconds) -> None:
        self.bank = bank
        self.block_seconds = block_seconds
        self.listeners: list[Listener] = []
        self._slot_s = slot_ms / 1000
        self._syncing: asyncio.Future[None] | None = None
        self._heard_ordinal = len(bank.history)
        self._heard = {commitment: bank.blocks.height_at(commitment) for commitment in (Commitment.CONFIRMED, Commitment.FINALIZED)}
        self._heard_slot = bank.slot
        self._advanced_at = time.monotonic()

    def is_moving(self) -> bool:
        """Whether a block began lately."""
        return time.monotonic() - self._advanced_at < max(STANDSTILL_S, 5 * self._slot_s)

    async def run(self) -> None:
        """Opens a block every slot until cancelled; writes a snapshot now and then."""
        loop = asyncio.get_running_loop()
        due, snapshot_due = loop.time() + self._slot_s, loop.time() + SNAPSHOT_INTERVAL_S
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            self.advance()
            due = max(due + self._slot_s, loop.time())
            if loop.time() >= snapshot_due:
                self.bank.snapshot()
                snapshot_due = loop.time() + SNAPSHOT_INTERVAL_S

    def advance(self) -> None:
        """Closes the block, opens the next, tells the listeners."""
        self.bank.advance(1, self.block_seconds())
        self._advanced_at = time.monotonic()
        self.tell()

    async def execute(self, transaction: DecodedTransaction) -> Executed | Rejected:
        """Executes in the present block; returns when the outcome is on the disk."""
        outcome = self.bank.execute(transaction.transaction)
        self.tell()
        if isinstance(outcome, Executed):
            await self.durable()
        return outcome

    async def durable(self) -> None:
        """Waits until everything executed so far is on the disk; all who wait meanwhile share one sync."""
        target = self.bank.journal_end
        while self.bank.journal_synced < target:
            if self._syncing is None or self._syncing.done():
                self._syncing = asyncio.get_running_loop().run_in_executor(None, self.bank.commit_in_thread)
            await asyncio.shield(self._syncing)

    def tell(self) -> None:
        """Tells the listeners everything that happened on the bank since the last call, whoever did it."""
        newest, self._heard_ordinal = self._heard_ordinal, len(self.bank.history)
        if not self.listeners:
            self._skip()
            return
        for listener in list(self.listeners):
            for ordinal in range(newest, self._heard_ordinal):
                listener.transaction_processed(ordinal)
        for commitment, heard in self._heard.items():
            self._heard[commitment] = self.bank.blocks.height_at(commitment)
            self._tell_blocks(range(heard + 1, self._heard[commitment] + 1), commitment)
        if self.bank.slot != self._heard_slot:
            self._heard_slot = self.bank.slot
            parent, root = self.bank.blocks.slot_at(Commitment.CONFIRMED), self.bank.blocks.slot_at(Commitment.FINALIZED)
            for listener in list(self.listeners):
                listener.slot_began(self.bank.slot, parent, root)

    def _tell_blocks(self, heights: range, commitment: Commitment) -> None:
        for height in heights:
            block = self.bank.blocks.by_height(height)
            for listener in list(self.listeners):
                listener.block_reached(block, commitment)

    def _skip(self) -> None:
        self._heard_slot = self.bank.slot
        for commitment in self._heard:
            self._heard[commitment] = self.bank.blocks.height_at(commitment)
