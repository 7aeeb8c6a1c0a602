"""Chain and rows held against each other, on a simulated chain with one provider and with several."""

from dataclasses import replace

import pytest
from tests.fakes.simulated_chain import FEE_LAMPORTS
from tests.fakes.simulated_desk import World
from tests.unit.test_execute_intents import sends, settles

from xorj.execution.attempt import AttemptState
from xorj.execution.intent import IntentState
from xorj.execution.sweep_chain import sweep
from xorj.primitives.errors import BrokenInvariant, Unavailable
from xorj.primitives.ids import Slot

WORTH = "a chain of worth"


async def test_the_sweep_finds_an_effect_that_no_row_explains() -> None:
    world = World()
    lease, _ = await sends(world)
    world.chain.passes(12)
    await settles(world, lease)
    assert await sweep(world.desk(), lease) == 1
    assert await sweep(world.desk(), lease) == 0, "it goes on where it was"
    del world.memory.attempts[next(iter(world.memory.attempts))]
    world.memory.cursors.clear()
    with pytest.raises(BrokenInvariant, match="no row"):
        await sweep(world.desk(), lease)
    assert "no row" in str(world.memory.stopped)


async def test_the_sweep_finds_the_dead_alive() -> None:
    world = World()
    lease, _ = await sends(world)
    world.chain.passes(12)
    (attempt,) = world.memory.attempts.values()
    world.memory.attempts[attempt.id] = replace(attempt, state=AttemptState.DEAD)
    with pytest.raises(BrokenInvariant, match="proven dead"):
        await sweep(world.desk(), lease)
    assert world.memory.stopped is not None


async def test_what_landed_and_failed_after_its_death_costs_its_fee_once_and_has_no_effect() -> None:
    world = World()
    world.chain.fate = world.bounds.deadline_slots + 30
    lease, intent = await sends(world)
    world.chain.passes(world.bounds.deadline_slots + 15)
    await settles(world, lease)
    (dead,) = world.memory.attempts.values()
    assert dead.state is AttemptState.DEAD
    world.chain.passes(30)
    assert [one.error is None for one in world.chain.landed] == [False]
    for _ in range(2):
        await sweep(world.desk(), lease)
    ((slot, cost),) = world.memory.costs.values()
    assert (slot, cost.fee_lamports, cost.rent_lamports) == (world.chain.landed[0].slot, FEE_LAMPORTS, 0)
    assert world.memory.attempts[dead.id].state is AttemptState.DEAD
    assert world.intent(intent).state is IntentState.RESERVED, "its intent goes on"
    assert world.memory.stopped is None


async def test_what_one_provider_of_three_shows_is_found() -> None:
    world = World(genesis=WORTH, names=("one", "two", "three"))
    lease, _ = await sends(world)
    world.chain.passes(12)
    await settles(world, lease)
    for node in world.nodes[:2]:
        node.chain = replace(world.chain, landed=[])
    del world.memory.attempts[next(iter(world.memory.attempts))]
    with pytest.raises(BrokenInvariant, match="no row"):
        await sweep(world.desk(), lease)


async def test_a_provider_that_denies_what_landed_is_named_once() -> None:
    world = World(genesis=WORTH, names=("one", "two"))
    lease, _ = await sends(world)
    world.chain.passes(12)
    await settles(world, lease)
    lease, _ = await sends(world)
    world.chain.passes(12)
    await settles(world, lease)
    first, second = world.chain.landed
    await sweep(world.desk(), lease)
    assert told(world) == []
    world.memory.cursors.clear()
    world.nodes[1].chain = replace(world.chain, landed=[second])
    await sweep(world.desk(), lease)
    assert told(world) == [], "where a provider's history begins is no denial"
    world.memory.cursors.clear()
    earlier = replace(first, slot=Slot(first.slot - 1))
    world.nodes[1].chain = replace(world.chain, landed=[earlier, second])
    for _ in range(2):
        await sweep(world.desk(), lease)
    assert told(world) == [first.signature]


async def test_a_provider_that_calls_a_success_a_failure_is_named() -> None:
    world = World(genesis=WORTH, names=("one", "two"))
    lease, _ = await sends(world)
    world.chain.passes(12)
    await settles(world, lease)
    (effect,) = world.chain.landed
    world.nodes[1].chain = replace(world.chain, landed=[replace(effect, error="failed")])
    await sweep(world.desk(), lease)
    assert told(world) == [effect.signature]
    assert world.memory.stopped is None, "one provider's word against finality by two stops nobody"


async def test_a_provider_that_is_away_is_swept_later_from_where_it_was() -> None:
    world = World(genesis=WORTH, names=("one", "two"))
    lease, _ = await sends(world)
    world.chain.passes(12)
    await settles(world, lease)
    world.nodes[1].down = True
    assert await sweep(world.desk(), lease) == 1
    world.nodes[1].down = False
    assert await sweep(world.desk(), lease) == 1
    for node in world.nodes:
        node.down = True
    with pytest.raises(Unavailable):
        await sweep(world.desk(), lease)


def told(world: World) -> list[str]:
    return [key for topic, key in world.memory.outbox if topic == "provider_disagrees"]
