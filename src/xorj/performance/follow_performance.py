"""Books that follow a lake: made from it once, moved on by each commit, made anew when history comes late, compared with it at night.

Run by the quant engine around its ingestion.
"""

from collections.abc import Mapping, Sequence

from xorj.performance.compute_performance import PerformanceReport, compute_performance
from xorj.performance.live_books import LiveBooks
from xorj.primitives.ids import Address, Slot, Wallet
from xorj.swaps.ports import SwapLake, SwapReader
from xorj.swaps.record import Cursor, Record


class FollowedLake:
    """A SwapLake whose commits also move the books on. Until the first report, and after late history, the books follow nothing."""

    def __init__(self, lake: SwapLake, reader: SwapReader, *, compile_loops: bool = False) -> None:
        self._lake, self._reader, self._compile = lake, reader, compile_loops
        self._books: LiveBooks | None = None

    async def cursors(self) -> Mapping[Wallet, Cursor]:
        return await self._lake.cursors()

    async def venue_cursor(self, venue: Address) -> Slot | None:
        return await self._lake.venue_cursor(venue)

    async def commit(self, records: Sequence[Record], venues: Mapping[Address, Slot]) -> int:
        """The lake's commit, then the books'; whatever the commit refused is in neither."""
        added = await self._lake.commit(records, venues)
        swaps = [swap for record in records if isinstance(record.outcome, tuple) for swap in record.outcome]
        if self._books is not None and not self._books.take(swaps):
            self._books = None
        return added

    async def report(self) -> PerformanceReport | None:
        """What compute_performance would say, at the cost of what is new. Raises Unavailable."""
        slot = await self._reader.newest_slot()
        if slot is None:
            return None
        if self._books is None:
            books = LiveBooks(self._compile)
            books.take(await self._reader.swaps(as_of=slot))
            self._books = books
        return self._books.report(slot)

    async def differing(self) -> tuple[Wallet, ...]:
        """Wallets whose books are not to the bit what a full computation makes of the lake; they are then made anew. Raises Unavailable."""
        followed = await self.report()
        rebuilt = None if followed is None else await compute_performance(self._reader, as_of=followed.slot)
        ours = {one.wallet: one for one in followed.wallets} if followed else {}
        theirs = {one.wallet: one for one in rebuilt.wallets} if rebuilt else {}
        wrong = tuple(sorted(wallet for wallet in ours.keys() | theirs.keys() if ours.get(wallet) != theirs.get(wallet)))
        if wrong:
            self._books = None
        return wrong
