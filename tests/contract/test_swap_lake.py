"""What every swap lake does, the one in memory and the Delta table alike; then what only the one on the disk can get wrong."""

import asyncio
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from deltalake import DeltaTable
from tests.fakes.made_swaps import UNREADABLE, VENUE, amount, mint, record, signature, swap, swapped, told, wallet
from tests.fakes.swap_lake import MemoryLake

from xorj.adapters.lake import compaction
from xorj.adapters.lake.delta_lake import DeltaLake
from xorj.primitives.errors import InvalidInput, RefusedForSafety, Unavailable
from xorj.primitives.ids import LOCAL_GENESIS, Address, Slot
from xorj.swaps.coverage import Hole, Learned, Left, SlotRange
from xorj.swaps.movement import MovementKind
from xorj.swaps.ports import FROM_THE_FIRST
from xorj.swaps.record import Cursor, movements_of

Lake = MemoryLake | DeltaLake
LAKES: dict[str, Callable[[Path], Lake]] = {
    "memory": lambda _: MemoryLake(),
    "delta": lambda folder: DeltaLake(folder / "lake", LOCAL_GENESIS),
}


@pytest.fixture(params=LAKES.values(), ids=LAKES.keys())
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    made: Lake = request.param(tmp_path)
    return made


def cut_off_the_end_of_the_data(folder: Path) -> None:
    (data,) = folder.glob("*.parquet")
    data.write_bytes(data.read_bytes()[:-40])


def spoil_the_log(folder: Path) -> None:
    log = min((folder / "_delta_log").glob("*.json"))
    log.write_bytes(b'{"add": {"path": 5')


def lose_a_file(folder: Path) -> None:
    next(folder.glob("*.parquet")).unlink()


async def test_an_empty_lake_knows_nobody(lake: Lake) -> None:
    assert await lake.cursors() == {}
    assert await lake.venue_cursor(VENUE) is None
    assert await lake.swaps() == []
    assert await lake.newest_slot() is None


async def test_records_come_back_as_swaps_in_order_and_move_the_cursors(lake: Lake) -> None:
    records = [
        swapped("ben", "100 USDC", "1 SOL", slot=7),
        swapped("ana", "18446744073709.551615 USDC", "1 SOL", slot=5),
        swapped("ana", "1 SOL", "90 USDC", slot=3, index=2),
        swapped("ana", "2 SOL", "80 USDC", slot=3, index=1),
        record("ana", slot=9),
        record("cem", UNREADABLE, slot=4),
    ]
    assert await lake.commit(records, {VENUE: Slot(9)}) == 6
    read = await lake.swaps()
    assert {one.signature for one in read} == {one.signature for one in records[:4]}
    of_ana = [one for one in read if one.wallet == wallet("ana")]
    assert [(one.order.slot, one.order.transaction_index) for one in of_ana] == [(3, 1), (3, 2), (5, 0)]
    assert of_ana == await lake.swaps(wallet=wallet("ana"))
    expected = records[1].outcome
    assert isinstance(expected, tuple)
    assert of_ana[2] == expected[0]
    assert await lake.cursors() == {
        wallet("ana"): Cursor(Slot(9), signature(9_000)),
        wallet("ben"): Cursor(Slot(7), signature(7_000)),
        wallet("cem"): Cursor(Slot(4), signature(4_000)),
    }
    assert (await lake.venue_cursor(VENUE), await lake.newest_slot()) == (9, 9)


async def test_what_is_committed_again_changes_nothing(lake: Lake) -> None:
    records = [swapped("ana", "1 SOL", "90 USDC", slot=slot) for slot in (1, 2, 3)]
    assert await lake.commit(records[:2], {VENUE: Slot(2)}) == 2
    assert await lake.commit(records, {VENUE: Slot(3)}) == 1
    assert await lake.commit(records, {VENUE: Slot(3)}) == 0
    assert await lake.commit(records, {VENUE: Slot(1)}) == 0
    assert len(await lake.swaps()) == 3
    assert await lake.venue_cursor(VENUE) == 3


async def test_a_read_as_of_a_slot_never_sees_what_came_later(lake: Lake) -> None:
    await lake.commit([swapped("ana", "1 SOL", "90 USDC", slot=slot) for slot in (1, 5, 9)], {})
    assert [one.order.slot for one in await lake.swaps(as_of=Slot(5))] == [1, 5]


async def test_several_swaps_of_one_transaction_keep_their_order(lake: Lake) -> None:
    several = tuple(swap("ana", f"{at + 1} SOL", "90 USDC", slot=1, instruction=at) for at in range(3))
    assert await lake.commit([record("ana", several, slot=1)], {}) == 1
    assert await lake.swaps() == list(several)


async def test_every_balance_change_comes_back_with_its_place_and_whom_it_was_with(lake: Lake) -> None:
    records = [told("ben", slot=7), told("ana", slot=5, index=1), told("ana", slot=3, index=2), record("cem", slot=6)]
    await lake.commit(records, {})
    read = await lake.movements()
    assert read == sorted((one for each in records for one in movements_of(each)), key=lambda one: (one.wallet, one.order))
    assert await lake.movements(wallet=wallet("ben")) == movements_of(records[0])
    assert {one.order.slot for one in await lake.movements(as_of=Slot(5))} == {3, 5}
    sent = [one.movement for one in read if one.movement.kind is MovementKind.TRANSFER]
    assert [(one.raw, one.counterparty) for one in sent] == [(-70, wallet("somebody"))] * 3


async def test_with_each_swap_stands_who_paid_its_pool_and_the_reserves_that_could_be_seen(lake: Lake) -> None:
    through, around, recorded = told("ana", slot=5, through=VENUE), told("ana", slot=9), swapped("ben", "1 SOL", "9 USDC", slot=6)
    await lake.commit([through, around, recorded], {})
    expected = [(one.outcome[0], one.facts[0]) for one in (through, around) if isinstance(one.outcome, tuple) and one.facts]
    assert await lake.swap_facts() == expected
    assert await lake.swap_facts(as_of=Slot(8)) == expected[:1]
    assert await lake.swap_facts(wallet=wallet("ben")) == []


async def test_fees_that_the_venue_took_are_kept(lake: Lake) -> None:
    charged = replace(swap("ana", "9 USDC", "1 SOL", slot=2), venue_fees=(amount("0.01 USDC"), amount("0.02 SOL")))
    await lake.commit([record("ana", (charged,), slot=2)], {})
    assert await lake.swaps() == [charged]


async def test_what_was_learned_of_a_wallet_is_kept_in_order_and_once(lake: Lake) -> None:
    ana, hole = wallet("ana"), Hole(Address(wallet("ana")), None, Slot(4), Slot(6), 7, 2**64 - 1)
    first, second = Learned(ana, SlotRange(Slot(1), Slot(5)), ("one",)), Learned(ana, SlotRange(Slot(6), Slot(9)), ("one", "two"), (hole,))
    assert await lake.learned(ana) == []
    assert await lake.commit([record("ana", slot=5)], {}, [first]) == 1
    assert await lake.commit([record("ana", slot=9)], {}, [first, second, second]) == 1
    assert await lake.commit([], {}, [second]) == 0
    assert await lake.learned(ana) == [first, second]
    assert await lake.newest_slot() == 9
    assert await lake.open_holes() == {ana: (hole,)}


async def test_later_knowledge_closes_a_hole(lake: Lake) -> None:
    ana, ben = wallet("ana"), wallet("ben")
    hole = Hole(Address(ana), mint("BONK"), Slot(4), Slot(6), 7, 8)
    holed = [Learned(who, SlotRange(Slot(1), Slot(9)), ("one",), (hole,)) for who in (ana, ben)]
    await lake.commit([record("ana", slot=9)], {}, holed)
    await lake.commit([], {}, [Learned(ana, SlotRange(Slot(3), Slot(7)), ("one", "two"))])
    assert await lake.open_holes() == {ben: (hole,)}


async def test_what_accounts_were_left_with_is_the_newest_that_was_told_of_each(lake: Lake) -> None:
    ana, ben = wallet("ana"), wallet("ben")
    own, held, other = Address(ana), Address(wallet("an account")), Address(wallet("another"))

    def left(slot: int, raw: int, of: str | None = None) -> Left:
        return Left(None if of is None else mint(of), signature(slot), Slot(slot), raw)

    first = Learned(ana, SlotRange(Slot(1), Slot(5)), ("one",), (), {own: left(5, 2**64 - 1), held: left(3, 7, "BONK")})
    later = Learned(ana, SlotRange(Slot(6), Slot(9)), ("one",), (), {own: left(9, 3)})
    older = Learned(ana, SlotRange(Slot(0), Slot(1)), ("one",), (), {held: left(1, 9, "BONK"), other: left(1, 0, "SOL")})
    assert await lake.left([ana]) == {}
    for slot, learned in ((5, first), (9, later)):
        await lake.commit([record("ana", slot=slot), record("ben", slot=slot)], {}, [learned, Learned(ben, learned.slots, ("one",))])
    await lake.commit([], {}, [older])
    assert await lake.left([ana, ben]) == {ana: {own: left(9, 3), held: left(3, 7, "BONK"), other: left(1, 0, "SOL")}}
    assert await lake.left([]) == {}


async def test_what_was_read_from_where_a_cursor_stands_no_more_is_refused_whole(lake: Lake) -> None:
    ana, ben, cem = wallet("ana"), wallet("ben"), wallet("cem")
    await lake.commit([record("ana", slot=5)], {}, read_from={ana: None})
    for stale in ({ana: None}, {ana: Slot(4)}, {ana: Slot(5), ben: Slot(1)}):
        with pytest.raises(Unavailable):
            await lake.commit([record("ana", slot=9), record("cem", slot=9)], {VENUE: Slot(9)}, read_from=stale)
    assert (set(await lake.cursors()), await lake.venue_cursor(VENUE), await lake.version()) == ({ana}, None, 1)
    assert await lake.commit([record("ana", slot=9), record("cem", slot=9)], {}, read_from={ana: Slot(5), cem: None}) == 2


async def test_what_comes_late_is_added_once_and_moves_no_cursor(lake: Lake) -> None:
    await lake.commit([record("ana", slot=5), record("ana", slot=9)], {})
    late = [record("ana", slot=7), record("ana", slot=9), record("ben", slot=7)]
    assert await lake.commit([record("ana", slot=12)], {}, late=late) == 2
    assert await lake.commit([], {}, late=late) == 0
    assert {who: one.slot for who, one in (await lake.cursors()).items()} == {wallet("ana"): 12}
    assert await lake.commit([], {}, late=[record("ana", slot=12, index=1)]) == 1
    assert (await lake.cursors())[wallet("ana")].slot == 12


async def test_what_came_with_which_commit_is_known_late_history_too(lake: Lake) -> None:
    assert (await lake.version(), await lake.swaps_of_commits(FROM_THE_FIRST, 0)) == (0, [])
    await lake.commit([swapped("ana", "1 SOL", "9 USDC", slot=5), swapped("ben", "1 SOL", "9 USDC", slot=9)], {})
    first = await lake.version()
    await lake.commit(
        [record("ana", slot=6), swapped("ana", "2 SOL", "18 USDC", slot=7)], {}, late=[swapped("ben", "3 SOL", "27 USDC", slot=8)]
    )
    second = await lake.version()
    await lake.commit([swapped("ana", "4 SOL", "36 USDC", slot=10)], {})
    assert first < second < await lake.version()
    assert sorted(one.order.slot for one in await lake.swaps_of_commits(first, second)) == [7, 8]
    assert sorted(one.order.slot for one in await lake.swaps_of_commits(FROM_THE_FIRST, second)) == [5, 7, 8, 9]
    assert await lake.swaps_of_commits(FROM_THE_FIRST, await lake.version()) == await lake.swaps()


async def test_what_comes_late_twice_in_one_commit_is_added_once(lake: Lake) -> None:
    await lake.commit([told("ana", slot=9)], {})
    assert await lake.commit([], {}, late=[told("ana", slot=3), told("ana", slot=3)]) == 1
    assert [one.order.slot for one in await lake.swaps()] == [3, 9]


async def test_a_venue_alone_can_move(lake: Lake) -> None:
    assert await lake.commit([], {VENUE: Slot(4)}) == 0
    assert await lake.venue_cursor(VENUE) == 4
    assert await lake.cursors() == {}


async def test_another_process_reads_what_was_committed(tmp_path: Path) -> None:
    records = [swapped("ana", "1 SOL", "90 USDC", slot=1), record("ben", slot=2)]
    await DeltaLake(tmp_path, LOCAL_GENESIS).commit(records, {VENUE: Slot(2)})
    reopened = DeltaLake(tmp_path, LOCAL_GENESIS)
    assert len(await reopened.swaps()) == 1
    assert await reopened.cursors() == {record.wallet: Cursor(record.slot, record.signature) for record in records}
    assert await reopened.venue_cursor(VENUE) == 2


async def test_a_lake_that_is_made_anew_is_another_one(tmp_path: Path) -> None:
    lakes = [DeltaLake(tmp_path / name, LOCAL_GENESIS) for name in ("first", "second")]
    assert [await lake.identity() for lake in lakes] == ["", ""]
    for lake in lakes:
        await lake.commit([record("ana", slot=1)], {})
    first, second = [await lake.identity() for lake in lakes]
    assert "" != first != second != ""
    assert await DeltaLake(tmp_path / "first", LOCAL_GENESIS).identity() == first


async def test_a_lake_of_another_chain_is_refused(tmp_path: Path) -> None:
    await DeltaLake(tmp_path, LOCAL_GENESIS).commit([record("ana", slot=1)], {})
    with pytest.raises(RefusedForSafety, match="is of the chain"):
        await DeltaLake(tmp_path, "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d").cursors()


async def test_a_corrupt_file_is_refused_with_its_cause(tmp_path: Path) -> None:
    await DeltaLake(tmp_path, LOCAL_GENESIS).commit([swapped("ana", "1 SOL", "90 USDC", slot=1)], {})
    cut_off_the_end_of_the_data(tmp_path)
    with pytest.raises(Unavailable, match=r"(?i)parquet"):
        await DeltaLake(tmp_path, LOCAL_GENESIS).swaps()


async def test_a_corrupt_log_is_refused_with_its_cause(tmp_path: Path) -> None:
    await DeltaLake(tmp_path, LOCAL_GENESIS).commit([swapped("ana", "1 SOL", "90 USDC", slot=1)], {})
    spoil_the_log(tmp_path)
    with pytest.raises(Unavailable, match="lake"):
        await DeltaLake(tmp_path, LOCAL_GENESIS).cursors()


async def test_a_full_disk_is_refused_with_its_cause_and_what_was_there_stays_readable(tmp_path: Path) -> None:
    lake = DeltaLake(tmp_path, LOCAL_GENESIS)
    await lake.commit([swapped("ana", "1 SOL", "90 USDC", slot=1)], {VENUE: Slot(1)})
    more = [swapped("ana", "1 SOL", "90 USDC", slot=slot) for slot in range(2, 500)]
    with no_file_may_grow_beyond(100), pytest.raises(Unavailable, match="lake"):
        await lake.commit(more, {VENUE: Slot(500)})
    assert len(await lake.swaps()) == 1
    assert await lake.venue_cursor(VENUE) == 1
    assert await lake.commit(more, {VENUE: Slot(500)}) == len(more)
    assert len(await DeltaLake(tmp_path, LOCAL_GENESIS).swaps()) == len(more) + 1


@contextmanager
def no_file_may_grow_beyond(limit_bytes: int) -> Iterator[None]:
    """As on a full disk, every write beyond fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    in_the_way = tmp_path / "lake"
    in_the_way.touch()
    lake = DeltaLake(in_the_way, LOCAL_GENESIS)
    with pytest.raises(Unavailable, match="lake"):
        await lake.commit([record("ana", slot=1)], {})


async def test_a_missing_file_is_refused_and_never_read_as_a_shorter_history(tmp_path: Path) -> None:
    lake = DeltaLake(tmp_path, LOCAL_GENESIS)
    await lake.commit([swapped("ana", "1 SOL", "90 USDC", slot=1)], {})
    await lake.commit([swapped("ana", "1 SOL", "90 USDC", slot=2)], {})
    lose_a_file(tmp_path)
    with pytest.raises(Unavailable):
        await lake.swaps()


async def test_many_small_commits_are_merged_and_nothing_is_lost(tmp_path: Path) -> None:
    lake, commits = DeltaLake(tmp_path, LOCAL_GENESIS), compaction.COMMITS_PER_COMPACTION + 3
    for slot in range(commits):
        await lake.commit([swapped("ana", "1 SOL", "90 USDC", slot=slot + 1)], {VENUE: Slot(slot + 1)})
    assert len(DeltaTable(tmp_path).file_uris()) <= 5
    reopened = DeltaLake(tmp_path, LOCAL_GENESIS)
    assert [one.order.slot for one in await reopened.swaps()] == list(range(1, commits + 1))
    assert await reopened.venue_cursor(VENUE) == commits


async def test_a_writer_sees_what_another_has_committed_meanwhile(tmp_path: Path) -> None:
    first, second = DeltaLake(tmp_path, LOCAL_GENESIS), DeltaLake(tmp_path, LOCAL_GENESIS)
    records = [swapped("ana", "1 SOL", "90 USDC", slot=slot) for slot in (1, 2)]
    assert await first.commit(records[:1], {}) == 1
    assert await second.commit(records, {}) == 1
    assert await first.commit(records, {}) == 0
    assert len(await first.swaps()) == 2


async def test_of_two_writers_at_once_one_is_refused_and_history_stays_whole(tmp_path: Path) -> None:
    first, second = DeltaLake(tmp_path, LOCAL_GENESIS), DeltaLake(tmp_path, LOCAL_GENESIS)
    await first.commit([swapped("ana", "1 SOL", "90 USDC", slot=1)], {})
    await second.cursors()
    records = [swapped("ana", "1 SOL", "90 USDC", slot=slot) for slot in (1, 2)]
    outcomes = await asyncio.gather(first.commit(records, {}), second.commit(records, {}), return_exceptions=True)
    assert all(outcome in (0, 1) or isinstance(outcome, Unavailable) for outcome in outcomes)
    assert outcomes.count(1) == 1
    slots = [one.order.slot for one in await DeltaLake(tmp_path, LOCAL_GENESIS).swaps()]
    assert slots == [1, 2]


async def test_of_two_writers_who_begin_a_lake_at_once_one_is_refused_and_no_row_is_there_twice(tmp_path: Path) -> None:
    for number in range(5):
        folder = tmp_path / str(number)
        records = [swapped("ana", "1 SOL", "90 USDC", slot=slot) for slot in (1, 2)]
        outcomes = await asyncio.gather(*(DeltaLake(folder, LOCAL_GENESIS).commit(records, {}) for _ in range(3)), return_exceptions=True)
        assert all(outcome in (0, 2) or isinstance(outcome, Unavailable) for outcome in outcomes), outcomes
        assert outcomes.count(2) == 1
        assert len(await DeltaLake(folder, LOCAL_GENESIS).swaps()) == 2


async def test_the_lake_gives_back_every_record_of_a_wallet_as_it_was_committed(tmp_path: Path) -> None:
    several = tuple(swap("ana", f"{at + 1} SOL", "90 USDC", slot=3, instruction=at) for at in range(3))
    of_ana = [record("ana", slot=1), record("ana", UNREADABLE, slot=2), record("ana", several, slot=3), told("ana", slot=4, through=VENUE)]
    lake = DeltaLake(tmp_path, LOCAL_GENESIS)
    assert await lake.records(wallet("ana")) == []
    await lake.commit([*of_ana, swapped("ben", "1 SOL", "90 USDC", slot=2)], {})
    assert await lake.records(wallet("ana")) == of_ana


async def test_a_version_is_read_for_ever_as_it_was(tmp_path: Path) -> None:
    lake = DeltaLake(tmp_path, LOCAL_GENESIS)
    assert await lake.version() == 0
    for slot in range(1, compaction.COMMITS_PER_COMPACTION + 3):
        await lake.commit([told("ana", slot=slot, through=VENUE)], {VENUE: Slot(slot)})
    assert await lake.version() == compaction.COMMITS_PER_COMPACTION + 2
    then = await lake.at_version(5)
    assert await then.version() == 5
    assert [one.order.slot for one in await then.swaps()] == [1, 2, 3, 4, 5]
    assert {one.order.slot for one in await then.movements()} == {one.order.slot for one, _ in await then.swap_facts()} == {1, 2, 3, 4, 5}
    assert [one.slot for one in await then.records(wallet("ana"))] == [1, 2, 3, 4, 5]
    assert await then.newest_slot() == 5
    assert await (await lake.at_version(0)).swaps() == []


async def test_a_version_that_the_lake_has_not_had_is_refused(tmp_path: Path) -> None:
    lake = DeltaLake(tmp_path, LOCAL_GENESIS)
    await lake.commit([record("ana", slot=1)], {})
    with pytest.raises(InvalidInput, match="0 to 1"):
        await lake.at_version(2)
