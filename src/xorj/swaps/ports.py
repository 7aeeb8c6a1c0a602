"""What the swap workflows and their readers need from the outside. Adapters: adapters/lake, and solana_rpc for xorj.chain.ports."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from xorj.primitives.ids import Address, Slot, Wallet
from xorj.swaps.coverage import Balances, Hole, Learned
from xorj.swaps.pool_hops import SwapFacts
from xorj.swaps.record import Cursor, Record, WalletMovement
from xorj.swaps.swap import Swap


class SwapLake(Protocol):
    """The writing side: the history of every ingested wallet of one chain. Every method raises Unavailable when the lake cannot be used."""

    async def cursors(self) -> Mapping[Wallet, Cursor]:
        """How far each known wallet is complete."""

    async def venue_cursor(self, venue: Address) -> Slot | None:
        """The slot up to which every swapper of the venue has been ingested, None when it was never read."""

    async def commit(
        self,
        records: Sequence[Record],
        venues: Mapping[Address, Slot],
        learned: Sequence[Learned] = (),
        late: Sequence[Record] = (),
        read_from: Mapping[Wallet, Slot | None] | None = None,
    ) -> int:
        """Adds records, moves cursors and keeps what was learned in one commit; returns how many records were new. A wallet's records
        must come whole slots at a time and oldest first; those not after its cursor are dropped, so that repeating a commit changes
        nothing. `late` are of slots that its cursor has passed, and dropped where they are known already. What was learned of a wallet
        is kept in the order it came, and once. Where the cursors of `read_from` do not stand at its slots any more somebody else has
        committed: what was learned from there is refused as Unavailable, with all of the commit."""

    async def left(self, wallets: Collection[Wallet]) -> Mapping[Wallet, Balances]:
        """What each wallet's accounts were left with, of those of which it was ever told: coverage.left_by of all that was learned."""


class SwapReader(Protocol):
    """The reading side alone, for whoever computes from history."""

    async def swaps(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[Swap]:
        """Every swap at or before `as_of`, sorted by wallet and order key."""

    async def newest_slot(self) -> Slot | None:
        """The slot of the newest record, None while there is none."""

    async def open_holes(self) -> Mapping[Wallet, tuple[Hole, ...]]:
        """The wallets in whose history something is unexplained, with what: coverage.open_holes of all that was learned of each."""


# before every commit, and before rows that carry no number because they are older than those
FROM_THE_FIRST = -1


class CommitReader(Protocol):
    """What came when: for whoever follows a lake. All raise Unavailable when the lake cannot be used."""

    async def version(self) -> int:
        """The number of the newest commit, 0 of an empty lake."""

    async def identity(self) -> str:
        """What no other lake has, nor this one when it is made anew; empty while there is none."""

    async def swaps_of_commits(self, after: int, until: int) -> list[Swap]:
        """The swaps that came with the commits after version `after`, FROM_THE_FIRST for all, up to version `until`, sorted by wallet and
        order key."""


class CoverageReader(Protocol):
    """What is kept of one wallet, for whoever tells what is known of it."""

    async def records(self, wallet: Wallet) -> list[Record]:
        """Everything that is kept of it, oldest first."""

    async def learned(self, wallet: Wallet) -> list[Learned]:
        """What each commit told of it, in their order."""


class MovementReader(Protocol):
    """What else the history tells, beside swaps. Both raise Unavailable when the lake cannot be used.

    A wallet that was imported from a recording of swaps has neither; so have transactions that were ingested before the lake kept them.
    """

    async def movements(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[WalletMovement]:
        """Every balance change at or before `as_of`, swaps and costs included, sorted by wallet and order key."""

    async def swap_facts(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[tuple[Swap, SwapFacts]]:
        """Every swap at or before `as_of` with what is known beside it, sorted by wallet and order key."""
