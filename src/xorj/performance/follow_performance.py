"""Books that follow a lake: made from it once, moved on by what is committed, made anew when history comes late, compared with it at night.

Run by the quant engine around its ingestion.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from xorj.performance.book_bytes import packed, unpacked
from xorj.performance.compute_performance import PerformanceReport, compute_performance
from xorj.performance.kernel import performance_of
from xorj.performance.live_books import LiveBooks
from xorj.performance.metrics import Performance
from xorj.performance.ports import BookKeeper
from xorj.primitives.ids import Address, Slot, Wallet
from xorj.swaps.coverage import Balances, Hole, Learned
from xorj.swaps.pool_hops import SwapFacts
from xorj.swaps.ports import FROM_THE_FIRST, CommitReader, MovementReader, SwapLake, SwapReader
from xorj.swaps.record import Cursor, Record, WalletMovement
from xorj.swaps.swap import Swap
from xorj.swaps.valuation import value_swaps


class HistoryAtVersion(SwapReader, MovementReader, Protocol):
    """A lake as it was at a version."""


class ReadableLake(SwapLake, SwapReader, MovementReader, CommitReader, Protocol):
    """A lake from both its sides."""

    async def records(self, wallet: Wallet) -> list[Record]:
        """Everything that is kept of a wallet, oldest first. Raises Unavailable."""

    async def at_version(self, version: int) -> HistoryAtVersion:
        """The lake as it was at that version. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class StillLake:
    """A lake as of one version, with what its books reported then: for a long computation, during which others may commit."""

    _pinned: HistoryAtVersion
    _version: int
    _report: PerformanceReport | None

    async def version(self) -> int:
        return self._version

    async def newest_slot(self) -> Slot | None:
        return await self._pinned.newest_slot()

    async def swaps(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[Swap]:
        return await self._pinned.swaps(as_of=as_of, wallet=wallet)

    async def movements(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[WalletMovement]:
        return await self._pinned.movements(as_of=as_of, wallet=wallet)

    async def swap_facts(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[tuple[Swap, SwapFacts]]:
        return await self._pinned.swap_facts(as_of=as_of, wallet=wallet)

    async def open_holes(self) -> Mapping[Wallet, tuple[Hole, ...]]:
        return await self._pinned.open_holes()

    async def report(self, *, as_of: Slot | None = None) -> PerformanceReport | None:
        """The books' report; of an older slot, at the cost of a full computation. Raises Unavailable."""
        if as_of is None or self._report is None or as_of >= self._report.slot:
            return self._report
        return await compute_performance(self._pinned, as_of=as_of)


class FollowedLake:
    """A lake whose reports come from books that take in what was committed since they were asked last, by whomever. Late history makes
    them anew. Where there is a keeper they begin with its snapshot.
    """

    def __init__(self, lake: ReadableLake, keeper: BookKeeper | None = None, *, compile_loops: bool = False) -> None:
        self._lake, self._keeper, self._compile = lake, keeper, compile_loops
        self._books: LiveBooks | None = None
        self._kept_version: int | None = None
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

    async def records(self, wallet: Wallet) -> list[Record]:
        return await self._lake.records(wallet)

    async def version(self) -> int:
        return await self._lake.version()

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
        read_from: Mapping[Wallet, Slot | None] | None = None,
    ) -> int:
        return await self._lake.commit(records, venues, learned, late, read_from)

    async def left(self, wallets: Collection[Wallet]) -> Mapping[Wallet, Balances]:
        return await self._lake.left(wallets)

    async def still(self) -> StillLake:
        """The lake and its books as of now. Raises Unavailable."""
        async with self._one_at_a_time:
            books = await self._followed()
            pinned = await self._lake.at_version(books.version)
            newest = await pinned.newest_slot()
            return StillLake(pinned, books.version, None if newest is None else books.report(newest))

    async def report(self, *, as_of: Slot | None = None) -> PerformanceReport | None:
        """What compute_performance would say, at the cost of what is new; of an older slot, at the whole cost. Raises Unavailable."""
        async with self._one_at_a_time:
            newest = await self._lake.newest_slot()
            if newest is None:
                return None
            if as_of is not None and as_of < newest:
                return await compute_performance(self._lake, as_of=as_of)
            return (await self._followed()).report(newest)

    async def fresh(self, *, marked_max: int) -> PerformanceReport | None:
        """The newest report, in which at most `marked_max` wallets without new trades are marked anew. Raises Unavailable."""
        async with self._one_at_a_time:
            newest = await self._lake.newest_slot()
            return None if newest is None else (await self._followed()).fresh(newest, marked_max=marked_max)

    async def keep(self) -> bool:
        """Saves a snapshot of the books, unless the last one is of the same; whether it did. Raises Unavailable."""
        if self._keeper is None:
            return False
        async with self._one_at_a_time:
            books = await self._followed()
            if books.version == self._kept_version:
                return False
            snapshot, lake = books.snapshot(), await self._lake.identity()
        await self._keeper.save(await asyncio.to_thread(packed, snapshot, lake))
        self._kept_version = snapshot.version
        return True

    async def differing(self) -> tuple[Wallet, ...]:
        """Wallets whose books or figures are not to the bit those of a full rebuild from the lake; all books are then made anew, and no
        snapshot of the wrong ones is used again. What is committed meanwhile does not wait. Raises Unavailable."""
        async with self._one_at_a_time:
            newest = await self._lake.newest_slot()
            if newest is None:
                return ()
            books = await self._followed()
            followed, held, version = books.report(newest), {wallet: books.book(wallet) for wallet in books.wallets}, books.version
        wrong = await self._apart(followed, held, version)
        if wrong:
            async with self._one_at_a_time:
                self._books = None
                await self._followed(from_snapshot=False)
            await self.keep()
        return wrong

    async def _apart(
        self, followed: PerformanceReport | None, held: Mapping[Wallet, tuple[object, ...]], version: int
    ) -> tuple[Wallet, ...]:
        """The wallets of which the lake's own swaps up to `version` say something else, by a replay of them or by the kernel."""
        rebuilt, swaps = LiveBooks(self._compile), await self._lake.swaps_of_commits(FROM_THE_FIRST, version)
        await asyncio.to_thread(rebuilt.take, swaps)
        ours = {one.wallet: one for one in followed.wallets} if followed else {}
        theirs = await asyncio.to_thread(_computed, swaps)
        wallets = ours.keys() | theirs.keys()
        return tuple(sorted(one for one in wallets if ours.get(one) != theirs.get(one) or held.get(one) != rebuilt.book(one)))

    async def _followed(self, *, from_snapshot: bool = True) -> LiveBooks:
        """The books as of the lake's newest version, by whomever it was made."""
        books, self._books = self._books, None
        if books is None and from_snapshot:
            books = await self._restored()
        if books is None or not await self._moved_on(books):
            books = await self._rebuilt()
        self._books = books
        return books

    async def _rebuilt(self) -> LiveBooks:
        books, version = LiveBooks(self._compile), await self._lake.version()
        swaps = await self._lake.swaps_of_commits(FROM_THE_FIRST, version)
        await asyncio.to_thread(books.take, swaps)
        books.version, self._kept_version = version, None
        return books

    async def _restored(self) -> LiveBooks | None:
        """The books of the snapshot; None without one of this lake."""
        content = None if self._keeper is None else await self._keeper.load()
        snapshot = None if content is None else await asyncio.to_thread(unpacked, content, await self._lake.identity())
        if snapshot is None or snapshot.version > await self._lake.version():
            return None
        self._kept_version = snapshot.version
        return LiveBooks.restored(snapshot, compile_loops=self._compile)

    async def _moved_on(self, books: LiveBooks) -> bool:
        """Takes in whatever was committed since, by anybody; False, and the books are of no use, where that came late."""
        version = await self._lake.version()
        if version == books.version:
            return True
        if not books.take(await self._lake.swaps_of_commits(books.version, version)):
            return False
        books.version = version
        return True


def _computed(swaps: list[Swap]) -> dict[Wallet, Performance]:
    """The batch's figures."""
    if not swaps:
        return {}
    return {one.wallet: one for one in performance_of(value_swaps(swaps), max(swap.block_time for swap in swaps))}
