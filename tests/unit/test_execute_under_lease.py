"""A whole executing process on a simulated chain: it waits for the lease, settles the old before the new, and stops when it must."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from tests.fakes.simulated_desk import World

from xorj.execution.execute_intents import execute_intent
from xorj.execution.execute_under_lease import Gate, Wakes, execute_under_lease
from xorj.execution.intent import IntentState
from xorj.execution.lease import Lease
from xorj.execution.ports import LedgerAudit
from xorj.primitives.errors import BrokenInvariant, RefusedForSafety, Unavailable
from xorj.primitives.ids import Address

WITHIN_S = 10.0
SLOT_S = 0.01


async def agrees() -> dict[Address, str]:
    return {}


class Process:
    """One replica."""

    def __init__(self, world: World, name: str, audit: LedgerAudit = agrees) -> None:
        self.gate, self.wakes = Gate(), Wakes()
        self.task = asyncio.create_task(execute_under_lease(world.desk(), world.leases, name, audit, self.gate, self.wakes))

    async def ends(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@asynccontextmanager
async def running(world: World, name: str = "bot", audit: LedgerAudit = agrees) -> AsyncIterator[Process]:
    """With slots passing meanwhile."""

    async def slots() -> None:
        while True:
            await asyncio.sleep(SLOT_S)  # the chain's own pace
            world.chain.passes(1)

    passing = asyncio.create_task(slots())
    process = Process(world, name, audit)
    try:
        yield process
    finally:
        await process.ends()
        passing.cancel()
        await asyncio.gather(passing, return_exceptions=True)


async def until(condition: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(WITHIN_S):
            while True:
                if condition():
                    return
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"not in time: {what}") from None


async def test_an_intent_is_settled_and_the_gate_is_open_meanwhile() -> None:
    world = World()
    async with running(world) as process:
        await until(lambda: process.gate.is_open, "the gate")
        intent = world.plans()
        process.wakes.intents.set()
        await until(lambda: world.intent(intent).state is IntentState.SETTLED, "settled")
    assert not process.gate.is_open
    assert world.memory.is_free, "the lease was given back"


async def test_the_old_is_settled_before_the_gate_opens() -> None:
    world = World()
    lease = await world.leases.take("before")
    assert isinstance(lease, Lease)
    intent = world.plans()
    await execute_intent(world.desk(), lease, intent)
    await world.leases.release(lease)
    async with running(world) as process:
        await until(lambda: process.gate.is_open, "the gate")
        assert world.intent(intent).state is IntentState.SETTLED


async def test_a_second_replica_waits_for_the_first() -> None:
    world = World()
    async with running(world, "one") as first:
        await until(lambda: first.gate.is_open, "the first's gate")
        second = Process(world, "two")
        await asyncio.sleep(0.3)  # long enough for several tries
        assert not second.gate.is_open
        await first.ends()
        await until(lambda: second.gate.is_open, "the second's gate")
        await second.ends()


async def test_whoever_is_deposed_stops_and_comes_back_by_the_lease_alone() -> None:
    world = World()
    async with running(world) as process:
        await until(lambda: process.gate.is_open, "the gate")
        world.memory.epoch += 1
        world.memory.holder = "another"
        await until(lambda: not process.gate.is_open, "the gate closes")
        world.leases.lapse()
        await until(lambda: process.gate.is_open, "the gate again")
        assert process.gate.lease is not None
        assert process.gate.lease.epoch == world.memory.epoch


async def test_a_vault_whose_ledger_differs_is_not_traded() -> None:
    world = World()
    intent = world.plans()

    async def differs() -> dict[Address, str]:
        return {intent.vault: "one unit is missing"}

    async with running(world, audit=differs) as process:
        await until(lambda: process.gate.is_open, "the gate")
        process.wakes.intents.set()
        await asyncio.sleep(0.2)  # time in which it would have been traded
        assert world.intent(intent).state is IntentState.NEW
        assert process.gate.halted == {intent.vault: "one unit is missing"}


@pytest.mark.parametrize("error", [BrokenInvariant("a wrong world"), RefusedForSafety("not here")])
async def test_what_no_retry_may_paper_over_ends_the_process(error: Exception) -> None:
    async def audit() -> dict[Address, str]:
        raise error

    async with running(World(), audit=audit) as process:
        await until(process.task.done, "the end")
        with pytest.raises(type(error)):
            await process.task


async def test_an_outage_is_waited_out() -> None:
    world = World()
    world.nodes[0].down = True
    intent = world.plans()
    async with running(world) as process:
        await asyncio.sleep(0.2)  # some failing tries
        assert not process.gate.is_open
        world.nodes[0].down = False
        await until(lambda: process.gate.is_open, "the gate")
        world.nodes[0].down = True
        process.wakes.intents.set()
        await asyncio.sleep(0.2)  # some failing tries
        world.nodes[0].down = False
        await until(lambda: world.intent(intent).state is IntentState.SETTLED, "settled")


async def test_a_database_that_cannot_renew_ends_the_acting_in_time() -> None:
    world = World()

    class Silent:
        async def take(self, holder: str) -> object:
            return await world.leases.take(holder)

        async def renew(self, lease: Lease) -> bool:
            raise Unavailable("PostgreSQL", "away")

        async def release(self, lease: Lease) -> None:
            raise Unavailable("PostgreSQL", "away")

    gate = Gate()
    task = asyncio.create_task(execute_under_lease(world.desk(), Silent(), "bot", agrees, gate, Wakes()))  # type: ignore[arg-type]  # scripted
    await until(lambda: gate.is_open, "the gate")
    await until(lambda: not gate.is_open, "the gate closes at half the lease's life")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
