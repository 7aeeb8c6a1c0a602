"""What the swap workflows and their readers need from the outside. Adapters: adapters/lake, and solana_rpc for xorj.chain.ports."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from xorj.primitives.ids import Address, Slot, Wallet
from xorj.swaps.record import Cursor, Record
from xorj.swaps.swap import Swap


class SwapLake(Protocol):
    """The writing side: the history of every ingested wallet of one chain. Every method raises Unavailable when the lake cannot be used."""

    async def cursors(self) -> Mapping[Wallet, Cursor]:
        """How far each known wallet is complete."""

    async def venue_cursor(self, venue: Address) -> Slot | None:
        """The slot up to which every swapper of the venue has been ingested, None when it was never read."""

    async def commit(self, records: Sequence[Record], venues: Mapping[Address, Slot]) -> int:
        """Adds records and moves cursors in one commit; returns how many were new. A wallet's records must come whole slots at a time
        and oldest first; those not after its cursor are dropped, so that repeating a commit changes nothing."""


class SwapReader(Protocol):
    """The reading side alone, for whoever computes from history."""

    async def swaps(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[Swap]:
        """Every swap at or before `as_of`, sorted by wallet and order key."""

    async def newest_slot(self) -> Slot | None:
        """The slot of the newest record, None while there is none."""
