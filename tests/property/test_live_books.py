"""Books that follow a lake are, at every moment, what a full computation makes of it: figures, hashes and all, to the bit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.made_swaps import record, swap, wallet
from tests.fakes.swap_lake import MemoryLake
from tests.property.test_performance_kernel import histories

from xorj.performance.compute_performance import compute_performance
from xorj.performance.follow_performance import FollowedLake
from xorj.performance.live_books import LiveBooks
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Slot
from xorj.swaps.coverage import Learned
from xorj.swaps.record import Record
from xorj.swaps.swap import Swap


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
    ) -> int:
        await super().commit(records, venues, learned, late)
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
    memory.records = records_of(forged)
    assert await lake.differing() == (wallet("ana"),)
    assert await lake.differing() == ()
    assert await lake.report() == await compute_performance(memory)


def test_compiled_books_are_the_interpreted_ones() -> None:
    swaps = [swap(who, "50 USDC", "1 SOL", slot=at, day=at / 5) for at, who in enumerate(["ana", "ben"] * 20, start=1)]
    books = [LiveBooks(compile_loops=compiled) for compiled in (False, True)]
    assert all(one.take(swaps) for one in books)
    assert books[0].report(Slot(99)) == books[1].report(Slot(99))
