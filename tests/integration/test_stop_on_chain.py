"""A stop against the real chain, vault program and database: the bot process killed at every step of it, and raced by its own trade."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import Message
from solders.transaction import Transaction
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.eventually import becoming
from tests.fakes.trading_chain import OWNER, USDC_RAW, VAULT, TradingChain
from tests.integration.test_execution_on_chain import WITHIN_S, acting, becomes, bot_process, buy, changes, held, state_of, vault

from xorj.adapters.postgres.kill_switch import PostgresKillSwitch
from xorj.adapters.postgres.tables import attempts, brakes
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.chain.transactions import Commitment
from xorj.execution.ports import Moment
from xorj.primitives.ids import USDC, Address, Signature
from xorj.vault.accounts import NonceState, VaultPolicy, decode_policy, policy_address
from xorj.vault.errors import VaultError
from xorj.vault.instructions import resume_vault

__all__ = ["vault"]

pytestmark = pytest.mark.database


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[TradingChain]:
    """Slots so slow that bots can die and come back before a trade's deadline."""
    with TradingChain(tmp_path / "chain", slot_ms=200) as running:
        yield running


async def policy(node: SolanaNode) -> VaultPolicy:
    (found,) = await node.accounts([Address(str(policy_address(VAULT)))], commitment=Commitment.PROCESSED)
    assert found is not None
    return decode_policy(found.data)


async def error_of(node: SolanaNode, transaction: bytes, signature: str) -> str | None:
    """Sent by hand; what the chain says when it has landed."""
    await node.send(transaction)

    async def landed() -> list[str | None]:
        _, (found,) = await node.statuses([Signature(signature)])
        return [] if found is None else [found.error]

    return (await becoming(landed, "it has landed"))[0]


async def owner_does(node: SolanaNode, instruction: Instruction) -> None:
    blockhash = Hash.from_string((await node.latest_blockhash()).blockhash)
    signed = Transaction([OWNER], Message([instruction], OWNER.pubkey()), blockhash)
    assert await error_of(node, bytes(signed), str(signed.signatures[0])) is None


async def made(engine: AsyncEngine) -> list[tuple[str, str]]:
    async with engine.begin() as connection:
        return [(row.kind, row.state) for row in await connection.execute(select(brakes).order_by(brakes.c.created_at, brakes.c.kind))]


@pytest.mark.slow
async def test_a_stop_survives_kills_and_cancels_the_trade_for_certain(
    engine: AsyncEngine, database_url: str, vault: str, chain: TradingChain, tmp_path: Path
) -> None:
    """A trade is signed and not sent. Then the switch is set, and the process dies twice: before anything is paused on chain (crash point
    24), and when the pause is sent and the nonce is not burned (25)."""
    intent, before = await buy(engine, vault), await held(chain)
    await dies(database_url, chain, tmp_path, Moment.SIGNED)
    await PostgresKillSwitch(engine).stop("a person", actor="person")
    await dies(database_url, chain, tmp_path, Moment.BRAKING)
    assert await made(engine) == []
    await dies(database_url, chain, tmp_path, Moment.BRAKE_SENT)
    assert await made(engine) == [("pause", "signed")]
    async with bot_process(database_url, chain, tmp_path, "never"), SolanaNode(chain.rpc_url) as node:
        await becomes(engine, intent, "abandoned")
        assert await made(engine) == [("pause", "final_ok"), ("burn", "final_ok")]
        async with engine.begin() as connection:
            trade = (await connection.execute(select(attempts))).one()
        assert (trade.state, trade.landed_slot) == ("dead", None)
        assert "was burned at finalized slot" in str((await state_of(engine, intent))[1])
        found = await policy(node)
        assert (found.paused, found.nonce_state(trade.nonce)) == (True, NonceState.USED)
        # Its owner resumes at once, and somebody who has the bytes sends them: they can still land, and do nothing.
        await owner_does(node, resume_vault(OWNER.pubkey()))
        error = await error_of(node, bytes(trade.transaction), trade.signature)
        assert f'"Custom":{VaultError["NonceUsed"].value}' in str(error)
        assert await held(chain) == before
        # Its late fee is booked: the sweep knows it, and both brakes.
        await becoming(lambda: fee_of(engine), "the late fee is booked")


async def dies(database_url: str, chain: TradingChain, folder: Path, moment: Moment) -> None:
    async with bot_process(database_url, chain, folder, moment.value) as process, asyncio.timeout(WITHIN_S):
        assert await process.wait() == -signal.SIGKILL, f"the bot never came to {moment}"


async def fee_of(engine: AsyncEngine) -> int | None:
    async with engine.begin() as connection:
        return (await connection.execute(select(attempts.c.fee_lamports))).scalar_one()


async def test_a_trade_raced_by_its_own_stop_is_settled_or_cancelled_and_never_both(
    engine: AsyncEngine, vault: str, chain: TradingChain, tmp_path: Path
) -> None:
    before = await held(chain)
    async with acting(engine, chain, tmp_path) as wakes:
        intent = await buy(engine, vault)
        wakes.intents.set()
        await becoming(lambda: sent(engine), "the trade is signed")
        await PostgresKillSwitch(engine).stop("a person", actor="person")
        ended = await becoming(lambda: end_of(engine, intent), "the trade has an end")
        await becoming(lambda: pause_is_final(engine), "the vault is paused")
    spent = before[USDC] - (await held(chain))[USDC]
    burns = [state for kind, state in await made(engine) if kind == "burn"]
    if ended == "settled":
        assert spent == 10 * USDC_RAW == -(await changes(engine))[USDC]
        assert "final_ok" not in burns
    else:
        assert ended in ("abandoned", "reverted")
        assert spent == 0
        assert await changes(engine) == {}


async def sent(engine: AsyncEngine) -> bool:
    async with engine.begin() as connection:
        return (await connection.execute(select(attempts.c.signature))).scalar() is not None


async def end_of(engine: AsyncEngine, intent: str) -> str | None:
    state, _ = await state_of(engine, intent)
    return state if state in ("settled", "abandoned", "reverted") else None


async def pause_is_final(engine: AsyncEngine) -> bool:
    return ("pause", "final_ok") in await made(engine)
