"""Confirmed swaps stand beside the lake until they are final, and are gone when a fork undoes them."""

import pytest
from tests.fakes.carried_over import carried_over
from tests.fakes.chain_history import ChainHistory
from tests.fakes.made_swaps import VENUE, wallet
from tests.fakes.made_transactions import Made, swap_transaction
from tests.fakes.swap_lake import MemoryLake

from xorj.chain.transactions import ChainTransaction
from xorj.primitives.errors import Unavailable
from xorj.swaps.follow_confirmed import follow_confirmed
from xorj.swaps.ingest_swaps import Sources, ingest_swaps
from xorj.swaps.overlay import SEEN_MAX, Moved, Overlay

ANA, BEN, CEM = wallet("ana"), wallet("ben"), wallet("cem")
SOURCES = Sources((VENUE,), watched=frozenset({CEM}))
MADE = carried_over(
    [
        *(swap_transaction(who, "1 SOL", "9 USDC", slot=slot) for slot, who in enumerate(["ana", "ben", "ana", "ben", "ana"], start=1)),
        Made(payer="cem", slot=2, index=1).gains_lamports("somebody", 5).done(),
        Made(payer="cem", slot=4, index=1).gains_lamports("somebody", 5).done(),
    ]
)


class World:
    """A chain that is final up to a slot, its lake and its overlay."""

    def __init__(self, final_slot: int, seen_max: int = SEEN_MAX) -> None:
        self.chain, self.lake, self.overlay = ChainHistory(MADE), MemoryLake(), Overlay(seen_max=seen_max)
        self.chain.final_slot = final_slot

    async def passes(self) -> Moved:
        await ingest_swaps(SOURCES, self.chain, self.lake)
        return await follow_confirmed(SOURCES, self.chain, self.lake, self.overlay)

    def kept(self) -> list[int]:
        return sorted(record.slot for record in self.lake.kept)

    def shown(self) -> list[int]:
        return [record.slot for record in self.overlay.records()]


async def test_what_is_confirmed_stands_beside_the_lake_and_never_in_it() -> None:
    world = World(final_slot=2)
    assert await world.passes() == Moved(came=4)
    assert (world.kept(), world.shown()) == ([1, 2, 2], [3, 4, 4, 5])
    assert [record.slot for record in world.overlay.records(BEN)] == [4]
    assert await follow_confirmed(SOURCES, world.chain, world.lake, world.overlay) == Moved()


async def test_what_becomes_final_is_read_as_final_and_leaves_the_overlay() -> None:
    world = World(final_slot=2)
    await world.passes()
    world.chain.final_slot = 4
    moved = await world.passes()
    assert (moved.came, moved.passed, moved.undone) == (0, 3, 0)
    assert (world.kept(), world.shown()) == ([1, 2, 2, 3, 4, 4], [5])


async def test_a_wallet_that_is_watched_no_more_is_shown_no_more_and_was_not_undone() -> None:
    world = World(final_slot=2)
    await world.passes()
    assert [record.slot for record in world.overlay.records(CEM)] == [4]
    assert await follow_confirmed(Sources((VENUE,)), world.chain, world.lake, world.overlay) == Moved()
    assert (world.overlay.records(CEM), world.shown()) == ([], [3, 4, 5])


async def test_what_the_lake_has_goes_though_the_history_cannot_be_believed_now() -> None:
    world = World(final_slot=2)
    await world.passes()
    world.chain.final_slot = 4
    await ingest_swaps(SOURCES, world.chain, world.lake)

    # cem's history does not list his cursor there
    moved = await follow_confirmed(SOURCES, ChainHistory(MADE[:1]), world.lake, world.overlay)
    assert (moved.passed, world.overlay.records(CEM)) == (3, [])


async def test_no_more_is_kept_than_the_maximum_and_what_becomes_final_next_goes_first() -> None:
    world = World(final_slot=2, seen_max=2)
    assert await world.passes() == Moved(came=2)
    assert world.shown() == [3, 4]
    world.chain.final_slot = 4
    await world.passes()
    assert world.shown() == [5]


async def test_what_a_fork_undoes_is_gone_and_what_came_instead_is_there() -> None:
    world = World(final_slot=2)
    await world.passes()
    undone = MADE[2:5]
    for one in undone:
        del world.chain.transactions_by_signature[one.signature]
    instead: ChainTransaction = swap_transaction("ana", "1 SOL", "9 USDC", slot=6)
    world.chain.add(instead)
    moved = await follow_confirmed(SOURCES, world.chain, world.lake, world.overlay)
    assert (moved.came, moved.undone) == (1, len([one for one in undone if one.slot > 2]))
    assert instead.signature in {record.signature for record in world.overlay.records(ANA)}
    assert not {one.signature for one in undone} & {record.signature for record in world.overlay.records()}
    assert world.kept() == [1, 2, 2]


async def test_one_that_is_listed_and_not_given_yet_comes_with_the_next_look() -> None:
    world = World(final_slot=2)
    late = next(one for one in MADE if one.slot == 5)
    world.chain.withheld = {late.signature}
    await world.passes()
    assert 5 not in world.shown()
    world.chain.withheld = set()
    await follow_confirmed(SOURCES, world.chain, world.lake, world.overlay)
    assert 5 in world.shown()


async def test_before_the_first_pass_there_is_nothing_to_stand_beside() -> None:
    world = World(final_slot=2)
    assert await follow_confirmed(SOURCES, world.chain, world.lake, world.overlay) == Moved()


async def test_a_history_that_cannot_be_read_leaves_what_was_seen() -> None:
    world = World(final_slot=2)
    await world.passes()
    world.chain.dies_after_transactions = 0
    world.chain.add(swap_transaction("ana", "1 SOL", "9 USDC", slot=7))
    with pytest.raises(Unavailable):
        await follow_confirmed(SOURCES, world.chain, world.lake, world.overlay)
    assert world.shown() == [3, 4, 4, 5]
