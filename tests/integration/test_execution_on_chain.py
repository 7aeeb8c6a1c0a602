"""Execution against the real local chain, the real vault program and a real PostgreSQL: settled trades, and a bot killed everywhere."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.eventually import becoming
from tests.fakes.executing_bot import LEASE_S, desk_for, nothing_differs
from tests.fakes.intent_rows import plant_intent, plant_vault
from tests.fakes.localnet_process import ROOT
from tests.fakes.simulated_chain import trade_of
from tests.fakes.trading_chain import BONK, BOT, OWNER, USDC_RAW, VAULT, TradingChain

from xorj.adapters.postgres.leases import PostgresLeases
from xorj.adapters.postgres.tables import attempts, evidence, execution_jobs, fills, intents, ledger, trades
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.chain.transactions import Commitment, SendHint
from xorj.execution.desk import Desk
from xorj.execution.execute_under_lease import Gate, Wakes, execute_under_lease
from xorj.execution.ports import TRADE_MOMENTS, Moment
from xorj.primitives.ids import USDC, Address, Mint, Wallet
from xorj.vault.errors import VaultError

pytestmark = pytest.mark.database

WITHIN_S = 30.0
BUY_RAW = 10 * USDC_RAW
# A poll four times a second never meets "processed" here; the simulated chain tests that moment.
MOMENTS = [moment for moment in TRADE_MOMENTS if moment is not Moment.SEEN]


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[TradingChain]:
    """One for each database: what the bot has signed on a chain and no row knows is a reason to stop."""
    with TradingChain(tmp_path / "chain") as running:
        yield running


@pytest.fixture
async def vault(engine: AsyncEngine) -> str:
    await plant_vault(engine, vault=str(VAULT), owner=str(OWNER.pubkey()), base_mint=USDC, bot=str(BOT.pubkey()))
    return str(VAULT)


Change = Callable[[Desk], Desk]


@asynccontextmanager
async def acting(engine: AsyncEngine, chain: TradingChain, folder: Path, change: Change = lambda desk: desk) -> AsyncIterator[Wakes]:
    """A bot at work in this process, until the block ends."""
    wakes = Wakes()
    async with desk_for(engine, chain.rpc_url, chain.jupiter_url, folder) as desk:
        leases = PostgresLeases(engine, seconds=LEASE_S)
        task = asyncio.create_task(execute_under_lease(change(desk), leases, "bot in the test", nothing_differs, Gate(), wakes))
        try:
            yield wakes
        finally:
            task.cancel()
            (ended,) = await asyncio.gather(task, return_exceptions=True)
            assert isinstance(ended, asyncio.CancelledError), repr(ended)


async def state_of(engine: AsyncEngine, intent: str) -> tuple[str, str | None]:
    async with engine.begin() as connection:
        row = (await connection.execute(select(intents.c.state, intents.c.reason).where(intents.c.id == intent))).one()
        return row.state, row.reason


async def becomes(engine: AsyncEngine, intent: str, wanted: str) -> None:
    """Polls, because the bot is another task or process."""
    seen: tuple[str, str | None] | None = None
    try:
        async with asyncio.timeout(WITHIN_S):
            while True:
                seen = await state_of(engine, intent)
                if seen[0] == wanted:
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{intent} is {seen}, not {wanted}") from None


async def buy(engine: AsyncEngine, vault: str, amount_raw: int = BUY_RAW) -> str:
    return await plant_intent(engine, vault=vault, side="buy", input_mint=USDC, output_mint=str(BONK), amount_in_raw=amount_raw)


async def held(chain: TradingChain) -> dict[Mint, int]:
    async with SolanaNode(chain.rpc_url) as node:
        _, balances = await node.token_balances(Wallet(str(VAULT)), commitment=Commitment.PROCESSED)
    return balances


async def changes(engine: AsyncEngine) -> dict[str, int]:
    async with engine.begin() as connection:
        rows = await connection.execute(select(ledger.c.mint, func.sum(ledger.c.delta_raw)).group_by(ledger.c.mint))
        return {mint: int(total) for mint, total in rows}


async def count_of(engine: AsyncEngine, table: object) -> int:
    async with engine.begin() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())  # type: ignore[arg-type]


async def test_a_buy_and_a_sale_settle_and_are_booked_as_the_chain_shows_them(
    engine: AsyncEngine, vault: str, chain: TradingChain, tmp_path: Path
) -> None:
    before = await held(chain)
    async with acting(engine, chain, tmp_path) as wakes:
        bought = await buy(engine, vault)
        wakes.intents.set()
        await becomes(engine, bought, "settled")
        got = (await changes(engine))[str(BONK)]
        sold = await plant_intent(engine, vault=vault, side="sell", input_mint=str(BONK), output_mint=USDC, amount_in_raw=got)
        wakes.intents.set()
        await becomes(engine, sold, "settled")
    after = await held(chain)
    assert {mint: after.get(Mint(mint), 0) - before.get(Mint(mint), 0) for mint in (USDC, str(BONK))} == await changes(engine)
    assert (await changes(engine))[str(BONK)] == 0
    async with engine.begin() as connection:
        rows = (await connection.execute(select(trades).order_by(trades.c.created_at))).all()
        jobs = [row.status for row in await connection.execute(select(execution_jobs))]
        fees = [row.fee_lamports for row in await connection.execute(select(attempts))]
    assert [row.status for row in rows] == ["completed", "completed"]
    assert rows[0].amount == 10
    assert rows[0].transaction_signature is not None
    assert jobs == ["settled", "settled"]
    assert all(fee >= 5_000 for fee in fees)
    assert await count_of(engine, evidence) >= 2


class SlowWire:
    """Implements TransactionSender: the first transaction arrives one slot after its deadline, every other one at once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._first: bytes | None = None

    async def send(self, transaction: bytes) -> SendHint:
        deadline = trade_of(transaction).guard.deadline_slot
        self._first = self._first or transaction
        if transaction == self._first:
            await becoming(lambda: self._is_past(deadline), f"slot {deadline + 1}")
        return await self._desk.primary.sender.send(transaction)

    async def _is_past(self, slot: int) -> bool:
        return (await self._desk.primary.statuses.epoch_info(commitment=Commitment.PROCESSED)).slot > slot


class LossyWire:
    """Implements TransactionSender: the first transaction never arrives, every other one at once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._first: bytes | None = None

    async def send(self, transaction: bytes) -> SendHint:
        self._first = self._first or transaction
        if transaction == self._first:
            return SendHint(accepted=True, detail="lost on the way")
        return await self._desk.primary.sender.send(transaction)


def through(wire: type[SlowWire | LossyWire]) -> Change:
    """Every transaction takes that way to the node."""
    return lambda desk: replace(desk, bounds=replace(desk.bounds, deadline_slots=8), providers=(replace(desk.primary, sender=wire(desk)),))


async def test_a_trade_that_landed_after_its_deadline_is_tried_anew_and_has_one_effect(
    engine: AsyncEngine, vault: str, chain: TradingChain, tmp_path: Path
) -> None:
    before, float_before = await held(chain), await lamports(chain)
    async with acting(engine, chain, tmp_path, through(SlowWire)) as wakes:
        intent = await buy(engine, vault)
        wakes.intents.set()
        await becomes(engine, intent, "settled")
    async with engine.begin() as connection:
        rows = (await connection.execute(select(attempts).order_by(attempts.c.number))).all()
    assert [row.state for row in rows] == ["final_err", "final_ok"]
    assert f'"Custom":{VaultError["DeadlinePassed"].value}' in rows[0].error
    assert rows[0].nonce == rows[1].nonce
    assert before[USDC] - (await held(chain))[USDC] == BUY_RAW
    assert (await changes(engine))[USDC] == -BUY_RAW
    assert float_before - await lamports(chain) == sum(row.fee_lamports + row.rent_lamports for row in rows), "every lamport is booked"


async def test_a_lost_trade_that_turns_up_after_its_death_costs_its_fee_and_has_no_effect(
    engine: AsyncEngine, vault: str, chain: TradingChain, tmp_path: Path
) -> None:
    before, float_before = await held(chain), await lamports(chain)
    async with acting(engine, chain, tmp_path, through(LossyWire)) as wakes:
        intent = await buy(engine, vault)
        wakes.intents.set()
        dead = await becoming(lambda: attempt_where(engine, attempts.c.state == "dead"), "the lost one is proven dead")
        # Its blockhash still counts: whoever has the bytes can have them executed. The vault refuses.
        async with SolanaNode(chain.rpc_url) as node:
            await node.send(bytes(dead.transaction))
        late = await becoming(
            lambda: attempt_where(engine, attempts.c.landed_slot.is_not(None), attempts.c.number == 1), "its fee is booked"
        )
        await becomes(engine, intent, "settled")
    assert (late.id, late.state, late.fee_lamports >= 5_000) == (dead.id, "dead", True)
    assert before[USDC] - (await held(chain))[USDC] == BUY_RAW
    async with engine.begin() as connection:
        rows = (await connection.execute(select(attempts))).all()
    assert float_before - await lamports(chain) == sum(row.fee_lamports + row.rent_lamports for row in rows), "every lamport is booked"


async def attempt_where(engine: AsyncEngine, *wanted: ColumnElement[bool]) -> Any:
    """The row, or None as long as there is none."""
    async with engine.begin() as connection:
        return (await connection.execute(select(attempts).where(*wanted))).one_or_none()


async def lamports(chain: TradingChain) -> int:
    async with SolanaNode(chain.rpc_url) as node:
        return await node.lamports(Address(str(BOT.pubkey())), commitment=Commitment.FINALIZED)


@pytest.mark.slow
async def test_a_bot_killed_at_every_moment_leaves_one_effect_each_and_a_true_ledger(
    engine: AsyncEngine, database_url: str, vault: str, chain: TradingChain, tmp_path: Path
) -> None:
    """SIGKILL to a real process, ten times, each followed by a fresh start that finds everything out from database and chain."""
    before = await held(chain)
    for number, moment in enumerate(MOMENTS, start=1):
        intent = await buy(engine, vault)
        async with bot_process(database_url, chain, tmp_path, moment.value) as first, asyncio.timeout(WITHIN_S):
            assert await first.wait() == -signal.SIGKILL, f"the bot never came to {moment}"
        async with bot_process(database_url, chain, tmp_path, "never"):
            await becomes(engine, intent, "settled")
        after = await held(chain)
        assert before[USDC] - after[USDC] == number * BUY_RAW, f"exactly one effect after {moment}"
        assert (await changes(engine))[USDC] == -number * BUY_RAW, f"one booking after {moment}"
    assert await count_of(engine, fills) == len(MOMENTS)


@asynccontextmanager
async def bot_process(database_url: str, chain: TradingChain, folder: Path, moment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Ended by SIGKILL when the block ends, where it has not ended itself."""
    command = [sys.executable, "-m", "tests.fakes.executing_bot", database_url, chain.rpc_url, chain.jupiter_url, str(folder), moment]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
