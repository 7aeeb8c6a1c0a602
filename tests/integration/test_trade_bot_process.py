"""The trade-bot as a process, beside a signer process, on a real local chain and a real PostgreSQL: one leader, one follower."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from solders.pubkey import Pubkey
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.copy_chain import ANA, BEN, BONK, USDC, VAULT, WIF, CopyChain, Wallet, opens_vault
from tests.fakes.copy_rows import PostgresRows
from tests.fakes.localnet_process import ROOT, free_port

from xorj.adapters.postgres import tables
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.demo.tokens import USDC_MINT
from xorj.portfolio.ledger import Matches
from xorj.portfolio.reconcile_ledger import Books, ledger_matches_chain
from xorj.primitives import ids
from xorj.services.signer import create_key
from xorj.settings import TRADE_BOT_PORT, SignerSettings
from xorj.vault import instructions

pytestmark = [pytest.mark.database, pytest.mark.slow]

TOKEN = "for-this-test-alone-0123456789"
SEEN_WITHIN_S = 2.0
POLL_S = 0.02


@dataclass
class Bot:
    """A running trade-bot and what is around it."""

    chain: CopyChain
    rows: PostgresRows
    engine: AsyncEngine
    environment: dict[str, str]
    port: int
    ana: Wallet
    ben: Wallet

    @contextmanager
    def runs(self, service: str) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen([sys.executable, "-m", "xorj", "run", service], cwd=ROOT, env=self.environment)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait(timeout=20)

    async def until(self, what: str, query: Any, *, within_s: float = 120.0) -> Any:
        """The first row of a query."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while True:
            async with self.engine.connect() as connection:
                row = (await connection.execute(query)).first()
            if row is not None:
                return row
            assert loop.time() < deadline, f"not within {within_s} s: {what}"
            await asyncio.sleep(POLL_S)

    async def answers(self, condition: Callable[[Any], bool], what: str, *, within_s: float = 120.0) -> Any:
        """The first status of which the condition holds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while True:
            with suppress(httpx2.TransportError):
                if condition(status := self.asks("GET", "/internal/status")):
                    return status
            assert loop.time() < deadline, f"not within {within_s} s: {what}"
            await asyncio.sleep(POLL_S)

    def asks(self, method: str, path: str, **body: Any) -> Any:
        headers = {"authorization": f"Bearer {TOKEN}"}
        answer = httpx2.request(method, f"http://127.0.0.1:{self.port}{path}", headers=headers, json=body or None)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
async def bot(tmp_path: Path, engine: AsyncEngine, database_url: str) -> AsyncIterator[Bot]:
    async with _bot(tmp_path, engine, database_url) as made:
        yield made


@asynccontextmanager
async def _bot(folder: Path, engine: AsyncEngine, database_url: str) -> AsyncIterator[Bot]:
    with CopyChain(folder / "chain") as chain:
        port = free_port()
        environment = os.environ | {
            "PYTHONPATH": str(ROOT / "src"),
            "XORJ_DATA_DIR": str(folder),
            "XORJ_RPC_URLS": chain.rpc_url,
            "XORJ_RPC_WEBSOCKET_URL": chain.websocket_url,
            "XORJ_JUPITER_URL": chain.jupiter_url,
            "XORJ_DATABASE_URL": database_url,
            "XORJ_DATABASE_CONNECTIONS_MIN": "1",
            "XORJ_SERVICE_TOKEN": TOKEN,
            "XORJ_PORT_OFFSET": str(port - TRADE_BOT_PORT),
        }
        key = create_key(SignerSettings(data_dir=folder))
        rows = PostgresRows(engine)
        made = Bot(chain, rows, engine, environment, port, Wallet(chain, ANA), Wallet(chain, BEN))
        with made.runs("signer"):
            made.ben.call("requestAirdrop", key, 10**10)
            await rows.user(ids.Wallet(str(BEN.pubkey())))
            await rows.ranking([ids.Wallet(str(ANA.pubkey()))])
            environment["BOT"] = key
            yield made


async def is_trading(bot: Bot) -> None:
    """Ben's vault is open, the bot follows Ana for it."""
    bot.ben.sends(*opens_vault(Pubkey.from_string(bot.environment["BOT"])))
    granted = select(tables.vaults).where(tables.vaults.c.bot_authority == bot.environment["BOT"])
    await bot.until("the vault's row", granted)
    await bot.rows.order(ids.Address(str(VAULT)), allocation_bps=10_000)
    await bot.until("a follow", select(tables.follows).where(tables.follows.c.leader == str(ANA.pubkey())))


def settled(side: str, count: int = 1) -> Any:
    return select(tables.fills).where(tables.fills.c.side == side).offset(count - 1)


async def ledger_equals_chain(bot: Bot) -> None:
    async with SolanaNode(bot.chain.rpc_url) as node:
        stores = bot.rows.stores
        books = Books(stores.ledger, stores.vaults, node, node)
        (vault,) = await stores.vaults.known()
        found = await ledger_matches_chain(vault, books)
    assert isinstance(found, Matches), found


async def test_a_leaders_buy_and_sale_are_copied_and_settled(bot: Bot) -> None:
    with bot.runs("trade-bot"):
        await is_trading(bot)
        bot.ana.swaps(USDC_MINT, BONK, 1_000 * USDC)
        entry = await bot.until("the entry's fill", settled("buy"))
        # 1,000 of his 10,000 USDC and 200 SOL at 100 USD, of Ben's 500 USDC
        assert 16 * USDC < int(entry.input_raw) < 17 * USDC
        assert bot.ben.holds(BONK, VAULT) == int(entry.output_raw)

        bot.ana.swaps(BONK, USDC_MINT, bot.ana.holds(BONK))
        out = await bot.until("the exit's fill", settled("sell"))
        assert int(out.input_raw) == int(entry.output_raw)
        assert bot.ben.holds(BONK, VAULT) == 0
        await ledger_equals_chain(bot)


async def test_an_owners_revocation_by_another_client_ends_copying_within_two_seconds(bot: Bot) -> None:
    with bot.runs("trade-bot"):
        await is_trading(bot)
        bot.ben.sends(instructions.revoke_bot_authority(BEN.pubkey()))
        revoked = select(tables.vaults).where(tables.vaults.c.bot_authority.is_(None))
        await bot.until("the vault's row", revoked, within_s=SEEN_WITHIN_S)
        ended = select(tables.bot_subscriptions).where(tables.bot_subscriptions.c.state == "ended")
        order = await bot.until("the order's end", ended, within_s=SEEN_WITHIN_S)
        assert order.reason == "bot authority revoked"
        await bot.until("the follow's end", select(tables.follows).where(tables.follows.c.end_reason == "bot authority revoked"))


async def test_what_a_leader_did_while_the_bot_was_down_is_decided_and_his_exit_still_made(bot: Bot) -> None:
    with bot.runs("trade-bot") as process:
        await is_trading(bot)
        bot.ana.swaps(USDC_MINT, BONK, 1_000 * USDC)
        await bot.until("the entry's fill", settled("buy"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
    bot.ana.swaps(USDC_MINT, WIF, 500 * USDC)
    bot.ana.swaps(BONK, USDC_MINT, bot.ana.holds(BONK))
    slot = bot.ana.call("getSlot")
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 120
    while bot.ana.call("getSlot") < slot + 80:
        assert loop.time() < deadline
        await asyncio.sleep(POLL_S)
    with bot.runs("trade-bot"):
        await bot.until("the exit's fill", settled("sell"))
        stale = select(tables.decisions).where(tables.decisions.c.rule == "stale leader trade")
        assert (await bot.until("the decision about the late entry", stale)).outcome == "skipped"
        missed = select(tables.intents).where(tables.intents.c.cause_kind == "missed_exit")
        assert (await bot.until("the missed exit", missed)).state == "settled"
        await ledger_equals_chain(bot)


async def test_draining_plans_nothing_new_until_it_is_over_and_outlives_a_restart(bot: Bot) -> None:
    with bot.runs("trade-bot") as process:
        await is_trading(bot)
        assert bot.asks("POST", "/internal/drain", drain=True)["draining"]
        bot.ana.swaps(USDC_MINT, BONK, 1_000 * USDC)
        await bot.until("the leader trade", select(tables.leader_trades))
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=20)
    with bot.runs("trade-bot"):
        status = await bot.answers(lambda found: found["gate_open"], "the gate open")
        assert (status["state"], status["open_intents"]) == ("draining", {})
        assert not bot.asks("POST", "/internal/drain", drain=False)["draining"]
        await bot.until("a decision", select(tables.decisions))


async def test_two_legs_close_one_and_open_the_other(bot: Bot) -> None:
    with bot.runs("trade-bot"):
        await is_trading(bot)
        bot.ana.swaps(USDC_MINT, BONK, 1_000 * USDC)
        await bot.until("the entry's fill", settled("buy"))
        bot.ana.swaps(BONK, WIF, bot.ana.holds(BONK))
        await bot.until("the close", settled("sell"))
        opened = await bot.until("the opening", settled("buy").where(tables.fills.c.output_mint == str(WIF)))
        assert bot.ben.holds(WIF, VAULT) == int(opened.output_raw)
        await ledger_equals_chain(bot)


async def test_the_kill_switch_refuses_what_is_seen_while_it_is_on_and_pauses_the_vault_on_chain(bot: Bot) -> None:
    with bot.runs("trade-bot"):
        await is_trading(bot)
        async with bot.engine.begin() as connection:
            await connection.execute(insert(tables.kill_switch).values(id=1, stopped=True, reason="drill", actor="test"))
        bot.ana.swaps(USDC_MINT, BONK, 1_000 * USDC)
        decision = await bot.until("the decision", select(tables.decisions))
        assert (decision.outcome, decision.rule, decision.numbers["reason"]) == ("refused", "kill switch", "drill")
        async with bot.engine.connect() as connection:
            assert (await connection.execute(text("select count(*) from intents"))).scalar_one() == 0
        paused = await bot.until("the pause", select(tables.brakes).where(tables.brakes.c.state == "final_ok"))
        assert (paused.kind, paused.vault, paused.reason, paused.stop) == ("pause", str(VAULT), "drill", 1)
        await bot.until("the vault's row", select(tables.vaults).where(tables.vaults.c.is_paused))
        ended = await bot.until("the end of copying", select(tables.bot_subscriptions).where(tables.bot_subscriptions.c.state == "ended"))
        assert ended.reason == "vault paused"
