"""The trade-bot's background tasks: they wake, they go on after a node or a database was away, and they end when they are told to."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from tests.fakes.chain_history import ChainHistory
from tests.fakes.copy_world import ANA, BEN_VAULT, BONK, CopyWorld
from tests.fakes.simulated_chain import BOT

from xorj.copying.follow_leaders_live import Bells, follow_leaders
from xorj.copying.plan_under_gate import plan_under_gate
from xorj.portfolio.follow_vaults_live import VaultWatch, follow_vaults_live, woken
from xorj.primitives.clock import ChainClock, ChainTime
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Signature, Wallet
from xorj.vault.interface import PROGRAM

WITHIN_S = 5.0
STEP_S = 0.005


@asynccontextmanager
async def running(life: Awaitable[None]) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.ensure_future(life)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not condition():  # noqa: ASYNC110 - what is waited for is another task's doing, and rings no bell
            await asyncio.sleep(STEP_S)


class Telling:
    """Notifications as a test rings them. Implements chain.ports.Mentions."""

    def __init__(self) -> None:
        self.bells: dict[Address, asyncio.Queue[Signature | None]] = {}

    def ring(self, address: Address, signature: Signature | None = None) -> None:
        self.bells.setdefault(address, asyncio.Queue()).put_nowait(signature)

    async def __call__(self, address: Address) -> AsyncGenerator[Signature | None]:
        while True:
            yield await self.bells.setdefault(address, asyncio.Queue()).get()


class AskedClock:
    """The node's clock, and how often it was asked."""

    def __init__(self, clock: ChainClock) -> None:
        self._clock, self.asked = clock, 0

    async def now(self) -> ChainTime:
        self.asked += 1
        return await self._clock.now()


class Gate:
    def __init__(self, *, is_open: bool) -> None:
        self.is_open, self.asked, self.is_away = is_open, 0, False

    async def may_plan(self) -> bool:
        self.asked += 1
        if self.is_away:
            raise Unavailable("PostgreSQL", "away")
        return self.is_open


async def test_the_planner_plans_when_it_is_woken_and_tells_that_there_are_intents() -> None:
    world, gate, wake, planned = await CopyWorld.following(), Gate(is_open=True), asyncio.Event(), asyncio.Event()
    async with running(plan_under_gate(world.planning, gate.may_plan, wake, planned)):
        world.buys(BONK, 100)
        await world.sees()
        wake.set()
        async with asyncio.timeout(WITHIN_S):
            await planned.wait()
    assert len(world.rows.memory.intents) == 1


async def test_a_closed_gate_plans_nothing_and_an_open_one_plans_what_waited() -> None:
    world, gate, wake, planned = await CopyWorld.following(), Gate(is_open=False), asyncio.Event(), asyncio.Event()
    world.buys(BONK, 100)
    await world.sees()
    async with running(plan_under_gate(world.planning, gate.may_plan, wake, planned)):
        await until(lambda: gate.asked > 0)
        assert world.rows.memory.decisions == {}
        gate.is_away = True
        asked = gate.asked
        wake.set()
        await until(lambda: gate.asked > asked)
        gate.is_away, gate.is_open = False, True
        wake.set()
        async with asyncio.timeout(WITHIN_S):
            await planned.wait()


async def test_a_notification_makes_the_watcher_look_and_a_leader_nobody_follows_is_left() -> None:
    world, telling = await CopyWorld.following(), Telling()
    bells, watched = Bells(asyncio.Event(), asyncio.Event()), set[Wallet]()
    async with running(follow_leaders(world.watch, world.rows.stores.follows, telling, bells, watched)):
        await until(lambda: watched == {ANA})
        world.buys(BONK, 100)
        telling.ring(Address(ANA))
        async with asyncio.timeout(WITHIN_S):
            await bells.trades.wait()
        assert len(world.rows.memory.trades) == 1
        world.rows.memory.follows.clear()
        bells.follows.set()
        await until(lambda: watched == set())


async def test_the_watcher_looks_again_when_history_lags_behind_the_notification() -> None:
    world, telling = await CopyWorld.following(), Telling()
    bells, watched = Bells(asyncio.Event(), asyncio.Event()), set[Wallet]()
    async with running(follow_leaders(world.watch, world.rows.stores.follows, telling, bells, watched)):
        await until(lambda: watched == {ANA})
        pages = world.chain.history.pages_asked
        telling.ring(Address(ANA))
        await until(lambda: world.chain.history.pages_asked > pages + 2)
        world.buys(BONK, 100)
        await until(lambda: bells.trades.is_set())


async def test_a_node_that_is_away_ends_no_watcher() -> None:
    world, telling = await CopyWorld.following(), Telling()
    bells, watched = Bells(asyncio.Event(), asyncio.Event()), set[Wallet]()
    world.chain.history.dies_after_transactions = 0
    async with running(follow_leaders(world.watch, world.rows.stores.follows, telling, bells, watched)) as task:
        world.buys(BONK, 100)
        await until(lambda: watched == {ANA})
        telling.ring(Address(ANA))
        await until(lambda: len(world.chain.history.transactions_asked) > 0)
        world.chain.history.dies_after_transactions = None
        telling.ring(Address(ANA))
        await until(lambda: bells.trades.is_set())
        assert not task.done()


async def test_a_transaction_of_the_vault_program_makes_the_vault_follower_look() -> None:
    world, telling, changed = await CopyWorld.following(), Telling(), asyncio.Event()
    node = world.trading.nodes[0]
    clock = AskedClock(node)
    watch = VaultWatch(world.rows.stores.vaults, world.chain, ChainHistory(), clock, Wallet(str(BOT.pubkey())))
    async with running(follow_vaults_live(watch, telling, changed)) as task:
        node.down = True
        asked = clock.asked
        telling.ring(Address(PROGRAM))
        await until(lambda: clock.asked > asked)
        node.down, world.trading.chain.paused = False, True
        telling.ring(Address(PROGRAM), Signature("unknown to this node"))
        async with asyncio.timeout(WITHIN_S):
            await changed.wait()
        assert not task.done()
    (vault,) = await world.rows.stores.vaults.known()
    assert (vault.address, vault.is_paused) == (BEN_VAULT, True)


async def test_waiting_ends_by_event_or_by_time() -> None:
    event = asyncio.Event()
    await woken(event, STEP_S)
    event.set()
    async with asyncio.timeout(WITHIN_S):
        await woken(event, 60)
