"""COMMIT was sent and no answer came: each step of execution finds out what became of it and has been done exactly once.

Crash points 2, 6, 10, 19 and 22 of the design, by a proxy that cuts the connection before or after the server has the COMMIT.
"""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.cutting_proxy import Cut, CuttingProxy, cutting_proxy
from tests.fakes.intent_rows import plant_intent, plant_vault
from tests.fakes.simulated_chain import BONK, BOT, OWNER, VAULT

from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres import tables
from xorj.adapters.postgres.execution import PostgresAttempts, PostgresIntents
from xorj.adapters.postgres.leases import PostgresLeases
from xorj.adapters.postgres.settlements import PostgresSettlements
from xorj.chain.transactions import Blockhash
from xorj.execution.attempt import Attempt, Draft
from xorj.execution.fill import BalanceChange, Cost, Failure, Fill
from xorj.execution.intent import Intent, IntentState
from xorj.execution.lease import Lease
from xorj.execution.settlement import Contradiction
from xorj.primitives.ids import LOCAL_GENESIS, USDC, Signature, Slot

pytestmark = pytest.mark.database

AMOUNT = 10_000_000
SIGNATURE = Signature("signature")
DRAFT = Draft(b"message", "hash", 900, 1_000, 6, Blockhash("1" * 32, 250, Slot(100)), Slot(140))
FILL = Fill(SIGNATURE, Slot(120), None, AMOUNT, 950, 5_000, 0, (BalanceChange(USDC, -AMOUNT), BalanceChange(BONK, 950)))


@dataclass
class Bot:
    """The stores behind the proxy, and one intent on its way."""

    proxy: CuttingProxy
    engine: AsyncEngine
    lease: Lease
    intent_id: str

    @property
    def intents(self) -> PostgresIntents:
        return PostgresIntents(self.engine)

    @property
    def attempts(self) -> PostgresAttempts:
        return PostgresAttempts(self.engine, LOCAL_GENESIS)

    @property
    def settlements(self) -> PostgresSettlements:
        return PostgresSettlements(self.engine, LOCAL_GENESIS)

    async def intent(self) -> Intent:
        found = await self.intents.find(self.intent_id)
        assert found is not None
        return found

    async def attempt(self) -> Attempt:
        ((attempt, _),) = await self.attempts.open_attempts()
        return attempt


@pytest.fixture
async def bot(database_url: str) -> AsyncIterator[Bot]:
    with tempfile.TemporaryDirectory(prefix="xorj-cut-") as folder:
        async with cutting_proxy(database_url, Path(folder)) as (proxy, url):
            engine = postgres.create(url, application="tests", connections_min=1, connections_max=4)
            await plant_vault(engine, vault=str(VAULT), owner=str(OWNER.pubkey()), base_mint=USDC, bot=str(BOT.pubkey()))
            intent = await plant_intent(engine, vault=str(VAULT), side="buy", input_mint=USDC, output_mint=BONK, amount_in_raw=AMOUNT)
            lease = await PostgresLeases(engine, seconds=60).take("bot")
            assert isinstance(lease, Lease)
            yield Bot(proxy, engine, lease, intent)
            await engine.dispose()


async def reserves(bot: Bot) -> Awaitable[object]:
    return bot.intents.reserve(bot.lease, await bot.intent(), nonce_min=0, bot_epoch=7, held_raw=AMOUNT, slot=Slot(100))


async def builds(bot: Bot) -> Awaitable[object]:
    return bot.attempts.build(bot.lease, await bot.intent(), DRAFT)


async def signs(bot: Bot) -> Awaitable[object]:
    return bot.attempts.record_signature(bot.lease, await bot.attempt(), SIGNATURE, b"whole")


async def settles(bot: Bot) -> Awaitable[object]:
    return bot.settlements.settle(bot.lease, await bot.attempt(), await bot.intent(), FILL, [])


async def reverts(bot: Bot) -> Awaitable[object]:
    failure = Failure(Slot(1), "error", Cost(5_000, 0))
    return bot.settlements.revert(bot.lease, await bot.attempt(), await bot.intent(), failure, [], ends=True)


async def buries(bot: Bot) -> Awaitable[object]:
    return bot.settlements.bury(bot.lease, await bot.attempt(), await bot.intent(), "proof", [], ends=True)


async def doubts(bot: Bot) -> Awaitable[object]:
    return bot.settlements.doubt(bot.lease, await bot.attempt(), await bot.intent(), Contradiction("two truths"), [])


async def cancels(bot: Bot) -> Awaitable[object]:
    return bot.intents.end(bot.lease, await bot.intent(), IntentState.CANCELLED, "no route")


# Reads what it needs and hands back the write that remains.
Step = Callable[[Bot], Awaitable[Awaitable[object]]]
# What comes before, the step, the intent's state and version after it, how often it was told.
STEPS: dict[str, tuple[list[Step], Step, IntentState, int, int]] = {
    "reserve": ([], reserves, IntentState.RESERVED, 1, 0),
    "cancel": ([], cancels, IntentState.CANCELLED, 1, 1),
    "build": ([reserves], builds, IntentState.IN_FLIGHT, 2, 0),
    "sign": ([reserves, builds], signs, IntentState.IN_FLIGHT, 2, 0),
    "settle": ([reserves, builds, signs], settles, IntentState.SETTLED, 3, 1),
    "revert": ([reserves, builds, signs], reverts, IntentState.REVERTED, 3, 1),
    "bury": ([reserves, builds, signs], buries, IntentState.ABANDONED, 3, 1),
    "doubt": ([reserves, builds, signs], doubts, IntentState.QUARANTINED, 3, 1),
}


@pytest.mark.parametrize("cut", ["before", "after"])
@pytest.mark.parametrize(("earlier", "step", "state", "version", "told"), STEPS.values(), ids=STEPS)
async def test_a_step_whose_commit_was_cut_is_done_once(
    bot: Bot, cut: Cut, earlier: list[Step], step: Step, state: IntentState, version: int, told: int
) -> None:
    for one in earlier:
        await (await one(bot))
    write = await step(bot)
    bot.proxy.arm(cut)
    await write
    found = await bot.intent()
    assert (found.state, found.version) == (state, version)
    assert bot.proxy.cuts == 1
    async with bot.engine.begin() as connection:
        counts = [
            (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (tables.outbox, tables.fills, tables.attempts)
        ]
    assert counts[0] == told
    assert counts[1] == (state is IntentState.SETTLED)
    assert counts[2] <= 1
