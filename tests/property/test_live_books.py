"""Books that follow a lake are, at every moment, what a full computation makes of it: figures, hashes and all, to the bit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.made_swaps import record, swap, wallet
from tests.fakes.swap_lake import MemoryLake
from tests.property.test_performance_kernel import histories

from xorj.performance import live_books
from xorj.performance.book_bytes import SOURCES, packed, unpacked
from xorj.performance.compute_performance import compute_performance
from xorj.performance.follow_performance import FollowedLake
from xorj.performance.live_books import LiveBooks
from xorj.performance.loops import LOT_UNIT_COST
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Slot, Wallet
from xorj.swaps.coverage import Learned
from xorj.swaps.record import Record
from xorj.swaps.swap import Swap
from xorj.swaps.valuation import chain_order


def records_of(swaps: list[Swap]) -> list[Record]:
    return [Record(one.wallet, one.signature, one.order.slot, one.order.transaction_index, one.block_time, (one,)) for one in swaps]


@given(histories(), st.integers(1, 6))
@settings(max_examples=40, deadline=None)
async def test_at_every_commit_the_report_is_that_of_a_full_computation(swaps: list[Swap], a_commit: int) -> None:
    memory = MemoryLake()
    lake, records = FollowedLake(memory), records_of(swaps)
    assert await lake.report() is None
    for first in range(0, len(records), a_commit):
        await lake.commit(records[first : first + a_commit], {})
        assert await lake.report() == await compute_performance(memory)
    assert await lake.differing() == ()


async def test_history_that_comes_late_makes_the_books_anew() -> None:
    memory = MemoryLake()
    lake = FollowedLake(memory)
    await lake.commit(records_of([swap("ana", "100 USDC", "1 SOL", slot=10), swap("ana", "1 SOL", "9 BONK", slot=20, day=1)]), {})
    before = await lake.report()
    # found today, but it set the price of SOL between the two
    await lake.commit(records_of([swap("ben", "300 USDC", "1 SOL", slot=15, day=0.5)]), {})
    after = await lake.report()
    assert after == await compute_performance(memory)
    assert before is not None
    assert after is not None
    assert [one.realised_pnl_usd for one in (*before.wallets, *after.wallets) if one.wallet == wallet("ana")] == [0, 200]
    assert await lake.differing() == ()


async def test_a_report_of_an_older_slot_is_computed_from_the_lake() -> None:
    memory = MemoryLake()
    lake = FollowedLake(memory)
    await lake.commit(records_of([swap("ana", "100 USDC", "1 SOL", slot=10), swap("ana", "1 SOL", "150 USDC", slot=20, day=1)]), {})
    assert await lake.report(as_of=Slot(10)) == await compute_performance(memory, as_of=Slot(10))
    assert await compute_performance(lake) == await compute_performance(memory)


class FailingLake(MemoryLake):
    """Commits, and then says that it could not."""

    async def commit(
        self,
        records: Sequence[Record],
        venues: Mapping[Address, Slot],
        learned: Sequence[Learned] = (),
        late: Sequence[Record] = (),
        read_from: Mapping[Wallet, Slot | None] | None = None,
    ) -> int:
        await super().commit(records, venues, learned, late, read_from)
        raise Unavailable("lake", "the answer was lost")


async def test_after_a_commit_of_unknown_end_the_books_are_those_of_the_lake() -> None:
    memory = FailingLake()
    lake = FollowedLake(memory)
    for one in (swap("ana", "100 USDC", "1 SOL", slot=10), swap("ana", "1 SOL", "150 USDC", slot=20, day=1)):
        with pytest.raises(Unavailable):
            await lake.commit(records_of([one]), {})
        assert await lake.report() == await compute_performance(memory)


async def test_a_commit_that_is_repeated_changes_nothing() -> None:
    memory = MemoryLake()
    lake = FollowedLake(memory)
    records = records_of([swap("ana", "100 USDC", "1 SOL", slot=10), swap("ana", "1 SOL", "150 USDC", slot=20, day=1)])
    await lake.commit(records[:1], {})
    assert await lake.report() is not None
    assert (await lake.commit(records, {}), await lake.commit(records, {})) == (1, 0)
    assert await lake.report() == await compute_performance(memory)


async def test_records_that_are_no_swaps_move_only_the_slot() -> None:
    memory = MemoryLake()
    lake = FollowedLake(memory)
    await lake.commit(records_of([swap("ana", "100 USDC", "1 SOL", slot=10)]), {})
    await lake.report()
    await lake.commit([record("ana", slot=30)], {})
    assert await lake.report() == await compute_performance(memory)


async def test_books_that_went_wrong_are_found_and_made_anew() -> None:
    memory = MemoryLake()
    lake = FollowedLake(memory)
    history = [swap("ana", "100 USDC", "1 SOL", slot=10), swap("ana", "1 SOL", "150 USDC", slot=20, day=1)]
    await lake.commit(records_of(history), {})
    assert await lake.report() is not None
    # what the lake holds is no longer what the books saw
    forged = [replace(history[0], input=replace(history[0].input, raw=90_000_000)), history[1]]
    memory.kept = records_of(forged)
    assert await lake.differing() == (wallet("ana"),)
    assert await lake.differing() == ()
    assert await lake.report() == await compute_performance(memory)


async def test_a_lake_that_stands_still_tells_nothing_of_what_is_committed_meanwhile() -> None:
    memory = MemoryLake()
    lake = FollowedLake(memory)
    await lake.commit(records_of([swap("ana", "100 USDC", "1 SOL", slot=10)]), {})
    still, then = await lake.still(), await lake.report()
    await lake.commit(records_of([swap("ana", "1 SOL", "150 USDC", slot=20, day=1)]), {})
    assert (await still.version(), await still.newest_slot(), await still.report()) == (1, 10, then)
    assert await still.swaps() == await lake.swaps(as_of=Slot(10))
    assert await still.report(as_of=Slot(9)) is None
    assert await lake.report() != then


class Shelf:
    """Implements BookKeeper in memory; `content` is what a process that dies leaves."""

    def __init__(self) -> None:
        self.content: bytes | None = None

    async def load(self) -> bytes | None:
        return self.content

    async def save(self, content: bytes) -> None:
        self.content = content


def whole(books: LiveBooks) -> list[tuple[object, ...]]:
    return [books.book(one) for one in books.wallets]


@given(histories(), st.integers(0, 60), st.booleans())
@settings(max_examples=40, deadline=None)
def test_books_that_were_put_away_and_taken_up_go_on_to_the_bit(swaps: list[Swap], after: int, compiled: bool) -> None:
    ordered = sorted(swaps, key=chain_order)
    straight, before = LiveBooks(), LiveBooks(compile_loops=compiled)
    assert straight.take(ordered)
    assert before.take(ordered[:after])
    snapshot = unpacked(packed(before.snapshot(), "a lake"), "a lake")
    assert snapshot is not None
    again = LiveBooks.restored(snapshot, compile_loops=compiled)
    assert whole(again) == whole(before)
    assert again.take(ordered[after:])
    assert whole(again) == whole(straight)
    assert again.report(Slot(99)) == straight.report(Slot(99))
    assert all(
        np.array_equal(ours, theirs) for ours, theirs in zip(*(one.snapshot().stream.values() for one in (again, straight)), strict=True)
    )


@given(st.binary(max_size=200), st.integers(0, 10_000))
def test_bytes_that_are_no_snapshot_are_none(noise: bytes, at: int) -> None:
    books = LiveBooks()
    books.take([swap("ana", "100 USDC", "1 SOL", slot=10)])
    content = packed(books.snapshot(), "a lake")
    changed = bytearray(content)
    changed[at % len(content)] ^= 1
    assert all(unpacked(one, "a lake") is None for one in (noise, content[:-1], bytes(changed)))


async def test_a_follower_that_starts_again_takes_in_what_came_meanwhile() -> None:
    memory, shelf = MemoryLake(), Shelf()
    first = FollowedLake(memory, shelf)
    await first.commit(records_of([swap("ana", "100 USDC", "1 SOL", slot=10)]), {})
    await first.report()
    assert await first.keep()
    assert not await first.keep()
    # committed by a process that died before it put its books away, and by another that has none
    await first.commit(records_of([swap("ana", "1 SOL", "150 USDC", slot=20, day=1)]), {})
    await memory.commit(records_of([swap("ben", "50 USDC", "1 SOL", slot=30, day=1)]), {})
    second = FollowedLake(memory, shelf)
    assert await second.report() == await first.report() == await compute_performance(memory)
    assert await second.differing() == ()


async def test_a_snapshot_from_before_late_history_is_not_used() -> None:
    memory, shelf = MemoryLake(), Shelf()
    first = FollowedLake(memory, shelf)
    await first.commit(records_of([swap("ana", "100 USDC", "1 SOL", slot=10), swap("ana", "1 SOL", "9 BONK", slot=20, day=1)]), {})
    await first.report()
    await first.keep()
    await memory.commit(records_of([swap("ben", "300 USDC", "1 SOL", slot=15, day=0.5)]), {})
    assert await FollowedLake(memory, shelf).report() == await compute_performance(memory)


async def test_a_snapshot_of_another_lake_is_not_used() -> None:
    shelf, lakes = Shelf(), (MemoryLake(), MemoryLake())
    for memory, sold in zip(lakes, ("150 USDC", "50 USDC"), strict=True):
        await memory.commit(records_of([swap("ana", "100 USDC", "1 SOL", slot=10), swap("ana", "1 SOL", sold, slot=20, day=1)]), {})
    first = FollowedLake(lakes[0], shelf)
    await first.report()
    await first.keep()
    found = await FollowedLake(lakes[1], shelf).report()
    assert found == await compute_performance(lakes[1])
    assert found is not None
    assert [one.realised_pnl_usd for one in found.wallets] == [-50]


def test_a_snapshot_is_of_the_code_that_defines_its_numbers() -> None:
    defining = {getattr(one, "__module__", None) or getattr(one, "__name__", "") for one in vars(live_books).values()}
    ours = {name for name in defining if name.startswith("xorj.performance")} | {"xorj.performance.columns"}
    # what is measured from the numbers, and not put away
    measured = {"xorj.performance.compute_performance", "xorj.performance.metrics"}
    assert ours - measured <= {module.__name__ for module in SOURCES}


async def test_a_lot_that_went_wrong_is_found_before_it_is_sold_and_never_taken_up_again() -> None:
    memory, shelf = MemoryLake(), Shelf()
    lake = FollowedLake(memory, shelf)
    history = [
        swap("ana", "100 USDC", "1 SOL", slot=10),
        swap("ben", "70 USDC", "1 WIF", slot=15),
        swap("ana", "100 USDC", "1 SOL", slot=20),
    ]
    await lake.commit(records_of(history), {})
    await lake.report()
    await lake.keep()
    snapshot = unpacked(shelf.content or b"", await memory.identity())
    assert snapshot is not None
    lots = snapshot.stream["lots"].copy()
    lots[0, LOT_UNIT_COST] *= 1 + 2**-52
    shelf.content = packed(replace(snapshot, stream={**snapshot.stream, "lots": lots}), await memory.identity())
    wrong = FollowedLake(memory, shelf)
    # no figure shows it yet
    assert await wrong.report() == await compute_performance(memory)
    assert await wrong.differing() == (wallet("ana"),)
    assert await wrong.differing() == ()
    assert await FollowedLake(memory, shelf).differing() == ()


@given(histories(), st.integers(1, 6), st.integers(0, 2))
@settings(max_examples=40, deadline=None)
async def test_who_traded_is_fresh_at_once_and_everybody_after_a_while(swaps: list[Swap], a_commit: int, marked_max: int) -> None:
    memory = MemoryLake()
    lake, records = FollowedLake(memory), records_of(swaps)
    for first in range(0, len(records), a_commit):
        part = records[first : first + a_commit]
        await lake.commit(part, {})
        fresh, exact = await lake.fresh(marked_max=marked_max), await compute_performance(memory)
        assert fresh is not None
        assert exact is not None
        assert (fresh.input_hash, fresh.slot, len(fresh.wallets)) == (exact.input_hash, exact.slot, len(exact.wallets))
        traded = {record.wallet for record in part}
        now = {one.wallet: one for one in exact.wallets}
        assert all(one == now[one.wallet] for one in fresh.wallets if one.wallet in traded)
    fresh = await lake.fresh(marked_max=len(swaps))
    assert fresh == await compute_performance(memory)


def test_compiled_books_are_the_interpreted_ones() -> None:
    swaps = [swap(who, "50 USDC", "1 SOL", slot=at, day=at / 5) for at, who in enumerate(["ana", "ben"] * 20, start=1)]
    books = [LiveBooks(compile_loops=compiled) for compiled in (False, True)]
    assert all(one.take(swaps) for one in books)
    assert books[0].report(Slot(99)) == books[1].report(Slot(99))
