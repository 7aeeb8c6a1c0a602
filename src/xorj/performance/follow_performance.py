"""Books that follow a lake: made from it once, moved on by each commit, made anew when history comes late, compared with it at night.

Run by the quant engine around its ingestion.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from xorj.performance.compute_performance import PerformanceReport, compute_performance
from xorj.performance.live_books import LiveBooks
from xorj.primitives.ids import Address, Slot, Wallet
from xorj.swaps.coverage import Hole, Learned
from xorj.swaps.pool_hops import SwapFacts
from xorj.swaps.ports import MovementReader, SwapLake, SwapReader
from xorj.swaps.record import Cursor, Record, WalletMovement
from xorj.swaps.swap import Swap


class ReadableLake(SwapLake, SwapReader, MovementReader, Protocol):
    """A lake from both its sides."""


class FollowedLake:
    """A lake whose commits also move the books on, and whose reports come from them. Late history leaves no books until the next report."""

    def __init__(self, lake: ReadableLake, *, compile_loops: bool = False) -> None:
        self._lake, self._compile = lake, compile_loops
        self._books: LiveBooks | None = None
        # between the lake's commit and the books' nobody may ask
        self._one_at_a_time = asyncio.Lock()

    async def cursors(self) -> Mapping[Wallet, Cursor]:
        return await self._lake.cursors()

    async def venue_cursor(self, venue: Address) -> Slot | None:
        return await self._lake.venue_cursor(venue)

    async def swaps(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[Swap]:
        return await self._lake.swaps(as_of=as_of, wallet=wallet)

    async def movements(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[WalletMovement]:
        return await self._lake.movements(as_of=as_of, wallet=wallet)

    async def swap_facts(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[tuple[Swap, SwapFacts]]:
        return await self._lake.swap_facts(as_of=as_of, wallet=wallet)

    async def newest_slot(self) -> Slot | None:
        return await self._lake.newest_slot()

    async def open_holes(self) -> Mapping[Wallet, tuple[Hole, ...]]:
        return await self._lake.open_holes()

    async def commit(
        self,
        records: Sequence[Record],
        venues: Mapping[Address, Slot],
        learned: Sequence[Learned] = (),
        late: Sequence[Record] = (),
    ) -> int:
        """The lake's commit, then the books'. Of a commit that failed nobody knows how far it came, and what comes late changes what
        followed: the books are made anew."""
        async with self._one_at_a_time:
            books, self._books = self._books, None
            added = await self._lake.commit(records, venues, learned, late)
            swaps = [swap for record in records if isinstance(record.outcome, tuple) for swap in record.outcome]
            is_in_order = not any(isinstance(record.outcome, tuple) for record in late)
            if books is not None and is_in_order and books.take(swaps):
                self._books = books
            return added

    async def report(self, *, as_of: Slot | None = None) -> PerformanceReport | None:
        """What compute_performance would say, at the cost of what is new; of an older slot, at the whole cost. Raises Unavailable."""
        async with self._one_at_a_time:
            newest = await self._lake.newest_slot()
            if newest is None:
                return None
            if as_of is not None and as_of < newest:
                return await compute_performance(self._lake, as_of=as_of)
            return (await self._followed(newest)).report(newest)

    async def differing(self) -> tuple[Wallet, ...]:
        """Wallets whose books are not to the bit what a full computation makes of the lake; they are then made anew. Raises Unavailable."""
        async with self._one_at_a_time:
            newest = await self._lake.newest_slot()
            followed = None if newest is None else (await self._followed(newest)).report(newest)
            rebuilt = None if followed is None else await compute_performance(self._lake, as_of=followed.slot)
            ours = {one.wallet: one for one in followed.wallets} if followed else {}
            theirs = {one.wallet: one for one in rebuilt.wallets} if rebuilt else {}
            wrong = tuple(sorted(wallet for wallet in ours.keys() | theirs.keys() if ours.get(wallet) != theirs.get(wallet)))
            if wrong:
                self._books = None
            return wrong

    async def _followed(self, newest: Slot) -> LiveBooks:
        if self._books is None:
            books = LiveBooks(self._compile)
            books.take(await self._lake.swaps(as_of=newest))
            self._books = books
        return self._books
