"""What the edge shows and what it lets a user do with his bot, over rows as the other processes leave them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from solders.keypair import Keypair
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.gateway_world import BOT, MAINNET_GENESIS, GatewayWorld, place
from tests.fakes.shown_rows import BONK, LEADER, OTHER_LEADER, plant_bot, plant_copy, plant_ranking, plant_token, plant_user

from xorj.adapters.engines.system import System
from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres import tables
from xorj.client.api import XorjClient
from xorj.client.problem import Problem
from xorj.observability.health import State
from xorj.prices.price import Price
from xorj.primitives.amounts import Usd
from xorj.primitives.ids import USDC, Mint, Slot
from xorj.reporting.account import UserSettings

pytestmark = pytest.mark.database
ANA, BEN = (Keypair.from_seed(bytes([seed]) * 32) for seed in (1, 2))
VAULT, BENS_VAULT = "4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKia", "9vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKib"


@pytest.fixture
async def world(engine: AsyncEngine) -> GatewayWorld:
    """Ana: a settled copy, one reverted, one in flight, one planned, one skipped. Ben has a vault and nothing else."""
    world = GatewayWorld(engine)
    world.prices.known = {Mint(BONK): Price(Mint(BONK), Usd(Decimal(2)), 5, Slot(100), "test")}
    async with engine.begin() as connection:
        await plant_user(connection, "ana", str(ANA.pubkey()), vault=VAULT, bot=str(BOT))
        await plant_user(connection, "ben", str(BEN.pubkey()), vault=BENS_VAULT, bot=None)
        for number, state in enumerate(("settled", "reverted", "in_flight", "new")):
            await plant_copy(connection, "ana", VAULT, number, state=state, seen_commitment="confirmed" if state == "in_flight" else None)
        await plant_copy(connection, "ana", VAULT, 4, outcome="skipped")
    await plant_ranking(engine, "old", as_of_slot=70)
    await plant_ranking(engine, "newest", as_of_slot=80)
    await plant_ranking(engine, "unfinished", as_of_slot=90, status="running")
    await plant_token(engine)
    return world


class TestOverview:
    async def test_shows_everything_on_a_local_chain(self, world: GatewayWorld, engine: AsyncEngine) -> None:
        await plant_bot(engine, beats=datetime.now(UTC))
        async with world.browser() as browser:
            shown = (await browser.get("/api/overview")).json()
        assert shown["mode"] == {
            "environment": "local",
            "chain_genesis": world.place.genesis,
            "worthless": True,
            "slot": 100,
            "block_time": 1_767_000_000,
        }
        assert (shown["bot"]["state"], shown["bot"]["open_intents"]) == ("active", 2)
        assert (shown["scoring"]["run_id"], shown["scoring"]["as_of_slot"]) == ("newest", 80)
        assert [(each["rank"], each["wallet"]) for each in shown["leaders"]] == [(1, LEADER), (2, OTHER_LEADER)]
        assert [each["followed"] for each in shown["leaders"]] == [True, False]
        assert shown["totals"] == {
            "settled": 1, "reverted": 1, "dead": 0, "unsettled": 2, "copied": 4, "resized": 0, "skipped": 1, "refused": 0,
        }  # fmt: skip

    async def test_shows_a_vault_by_its_ledger_and_what_it_is_worth(self, world: GatewayWorld) -> None:
        async with world.browser() as browser:
            vault = next(each for each in (await browser.get("/api/overview")).json()["vaults"] if each["address"] == VAULT)
        assert [(each["symbol"], each["amount_raw"], each["value_usd"]) for each in vault["balances"]] == [
            ("USDC", "380000000", 380.0),
            ("BONK", "10000000", 200.0),
        ]
        assert (vault["value_usd"], vault["total_deposited_raw"]) == (580.0, "500000000")

    async def test_shows_each_trade_beside_the_leaders_and_where_it_stands(self, world: GatewayWorld) -> None:
        async with world.browser() as browser:
            trades = (await browser.get("/api/overview")).json()["trades"]
        assert [(each["status"], each["reason"]) for each in trades] == [
            ("planned", None),
            ("confirmed", None),
            ("reverted", "SlippageExceeded"),
            ("settled", None),
        ]
        settled = trades[-1]
        assert (settled["slot"], settled["delay_slots"], settled["signature"]) == (103, 3, "ours ana 0")
        assert settled["input"] == {"mint": USDC, "symbol": "USDC", "decimals": 6, "amount_raw": "100000000"}
        assert settled["output"] == {"mint": BONK, "symbol": "BONK", "decimals": 5, "amount_raw": "10000000"}
        assert settled["leader_trade"]["input"]["amount_raw"] == "900000000"
        assert trades[0]["output"]["amount_raw"] is None

    async def test_a_mint_that_nobody_named_is_shown_by_its_address(self, world: GatewayWorld, engine: AsyncEngine) -> None:
        async with engine.begin() as connection:
            await connection.execute(update(tables.token_metadata).values(mint="other"))
        async with world.browser() as browser:
            trade = (await browser.get("/api/overview")).json()["trades"][-1]
        assert (trade["output"]["symbol"], trade["output"]["decimals"]) == ("DezX…B263", 5)

    async def test_on_a_chain_with_worth_each_sees_his_own(self, world: GatewayWorld, engine: AsyncEngine) -> None:
        world = GatewayWorld(engine, at=place(environment="mainnet", genesis=MAINNET_GENESIS))
        async with world.browser() as browser:
            nobody = (await browser.get("/api/overview")).json()
            ana = (await browser.get("/api/overview", headers={"authorization": f"Bearer {await world.token(ANA)}"})).json()
            ben = (await browser.get("/api/overview", headers={"authorization": f"Bearer {await world.token(BEN)}"})).json()
        assert (nobody["vaults"], nobody["trades"], nobody["decisions"], nobody["totals"]["settled"]) == ([], [], [], 0)
        assert not any(each["followed"] for each in nobody["leaders"] + ben["leaders"])
        assert [each["address"] for each in ana["vaults"]] == [VAULT]
        assert (len(ana["trades"]), len(ana["decisions"])) == (4, 5)
        assert ([each["address"] for each in ben["vaults"]], ben["trades"], ben["decisions"]) == ([BENS_VAULT], [], [])

    @pytest.mark.parametrize(
        ("age_s", "gate_open", "draining", "state", "reason"),
        [
            (0, True, False, "active", None),
            (0, True, True, "paused", "settling what is open, planning nothing new"),
            (0, False, False, "paused", "comparing chain and ledger"),
            (60, True, False, "paused", "the trade-bot does not answer"),
        ],
    )
    async def test_says_why_nothing_is_copied(
        self, engine: AsyncEngine, age_s: int, gate_open: bool, draining: bool, state: str, reason: str | None
    ) -> None:
        await plant_bot(engine, beats=datetime.now(UTC) - timedelta(seconds=age_s), gate_open=gate_open, draining=draining)
        async with GatewayWorld(engine).browser() as browser:
            bot = (await browser.get("/api/overview")).json()["bot"]
        assert (bot["state"], bot["reason"]) == (state, reason)

    async def test_an_empty_system_is_shown_as_empty(self, engine: AsyncEngine) -> None:
        async with GatewayWorld(engine).browser() as browser:
            shown = (await browser.get("/api/overview")).json()
        assert (shown["scoring"], shown["leaders"], shown["vaults"], shown["trades"], shown["bot"]["state"]) == (None, [], [], [], "paused")


class TestEnabling:
    @pytest.fixture
    def ana(self, world: GatewayWorld) -> XorjClient:
        return world.wallet(ANA)

    async def test_opens_one_order_and_changes_it(self, ana: XorjClient, engine: AsyncEngine) -> None:
        async with ana:
            assert await ana.enable_bot() == "copying up to 5 leaders"
            first = await ana.bot_configuration()
            await ana.enable_bot(leaders_max=3, allocation_bps=1_000)
            second = await ana.bot_configuration()
        assert (first.enabled, first.vault, first.leaders_max, first.allocation_bps) == (True, VAULT, 5, 2_000)
        assert (second.leaders_max, second.allocation_bps) == (3, 1_000)
        async with engine.connect() as connection:
            rows = (await connection.execute(select(tables.bot_subscriptions.c.state, tables.bot_subscriptions.c.user_id))).all()
        assert [tuple(row) for row in rows] == [("active", "ana")]

    async def test_ending_it_ends_follows_and_what_nobody_has_begun(self, ana: XorjClient, engine: AsyncEngine) -> None:
        async with ana:
            await ana.enable_bot()
            assert await ana.disable_bot("enough") == "copying has ended"
            assert await ana.disable_bot("enough") == "copying was not on"
            assert not (await ana.bot_configuration()).enabled
        async with engine.connect() as connection:
            follows = (await connection.execute(select(tables.follows.c.valid_to_slot, tables.follows.c.end_reason))).all()
            states = set((await connection.execute(select(tables.intents.c.state))).scalars())
            order = (await connection.execute(select(tables.bot_subscriptions.c.state, tables.bot_subscriptions.c.reason))).all()
        assert [tuple(row) for row in follows] == [(100, "enough")]
        assert states == {"settled", "reverted", "in_flight", "cancelled"}
        assert [tuple(row) for row in order] == [("ended", "enough")]

    async def test_after_ending_it_can_begin_again(self, ana: XorjClient) -> None:
        async with ana:
            await ana.enable_bot(leaders_max=2)
            await ana.disable_bot("a pause")
            await ana.enable_bot()
            assert (await ana.bot_configuration()).leaders_max == 2

    @pytest.mark.parametrize(
        ("changes", "kind"),
        [
            ({"bot_authority": None}, "bot-not-granted"),
            ({"bot_authority": LEADER}, "bot-not-granted"),
            ({"is_paused": True}, "vault-not-active"),
            ({"is_active": False}, "vault-not-active"),
            ({"is_closed": True}, "no-vault"),
        ],
    )
    async def test_needs_a_vault_that_grants_this_bot(
        self, ana: XorjClient, engine: AsyncEngine, changes: dict[str, object], kind: str
    ) -> None:
        async with engine.begin() as connection:
            await connection.execute(update(tables.vaults).where(tables.vaults.c.address == VAULT).values(changes))
        async with ana:
            with pytest.raises(Problem) as refused:
                await ana.enable_bot()
        assert (refused.value.status, refused.value.kind) == (409, kind)

    async def test_needs_a_bot(self, world: GatewayWorld, engine: AsyncEngine) -> None:
        async with GatewayWorld(engine, at=place(bot=None)).wallet(ANA) as ana:
            with pytest.raises(Problem) as refused:
                await ana.enable_bot()
        assert refused.value.kind == "no-bot"

    async def test_configuring_needs_an_order(self, world: GatewayWorld) -> None:
        headers = {"authorization": f"Bearer {await world.token(ANA)}"}
        async with world.browser(headers=headers) as browser:
            before = await browser.put("/api/bot/configuration", json={"leaders_max": 2})
            await browser.post("/api/bot/enable")
            after = await browser.put("/api/bot/configuration", json={"leaders_max": 2, "allocation_bps": 500})
        assert (before.status_code, before.json()["type"]) == (409, "urn:xorj:problem:not-enabled")
        assert (after.json()["leaders_max"], after.json()["allocation_bps"]) == (2, 500)


class TestStatus:
    async def test_is_the_specifications_with_what_holds_the_bot_back(self, world: GatewayWorld, engine: AsyncEngine) -> None:
        await plant_bot(engine, beats=datetime.now(UTC))
        async with world.wallet(ANA) as ana:
            before = await ana.bot_status()
            await ana.enable_bot()
            enabled = await ana.bot_status()
            async with engine.begin() as connection:
                await connection.execute(update(tables.bot_controls).values(gate_open=False))
            held = await ana.bot_status()
            await world.parts.kill_switch.stop("drill", actor="test")
            stopped = await ana.bot_status()
        assert (before.status, before.reason) == ("stopped", "the bot is not enabled")
        assert (enabled.status, enabled.health_score, enabled.reason) == ("active", 100.0, None)
        assert (held.status, held.health_score, held.circuit_breakers.reconciliation_gate) == ("paused", 75.0, "open")
        assert (stopped.status, stopped.reason, stopped.circuit_breakers.kill_switch) == ("stopped", "drill", "open")

    async def test_performance_counts_deposits_withdrawals_and_worth(self, world: GatewayWorld) -> None:
        async with world.wallet(ANA) as ana:
            found = await ana.performance()
        assert (found.deposited_usd, found.withdrawn_usd, found.value_usd, found.pnl_usd) == (500, 20, 580, 100)
        assert found.return_percent == pytest.approx(20.0)
        assert (found.trades_settled, found.trades_reverted, found.trades_open, found.delay_slots_median) == (1, 1, 2, 3.0)
        assert (found.decisions_copied, found.decisions_not_copied) == (4, 1)

    async def test_performance_is_open_while_something_has_no_price(self, world: GatewayWorld) -> None:
        world.prices.known = {}
        async with world.wallet(ANA) as ana:
            found = await ana.performance()
        assert (found.value_usd, found.pnl_usd, found.return_percent) == (None, None, None)


class TestPages:
    async def test_trades_come_page_by_page_newest_first(self, world: GatewayWorld) -> None:
        seen, cursor = [], None
        async with world.wallet(ANA) as ana:
            while True:
                page = await ana.trades(limit=2, cursor=cursor)
                assert len(page.trades) <= 2
                seen += [trade.id for trade in page.trades]
                if (cursor := page.next_cursor) is None:
                    break
        assert seen == [f"intent ana {number}" for number in (3, 2, 1, 0)]

    async def test_decisions_and_movements_too(self, world: GatewayWorld) -> None:
        async with world.wallet(ANA) as ana:
            decisions = await ana.decisions(limit=3)
            rest = await ana.decisions(limit=3, cursor=decisions.next_cursor)
            movements = await ana.movements(limit=3)
            older = await ana.movements(limit=3, cursor=movements.next_cursor)
        assert [each.outcome for each in decisions.decisions + rest.decisions] == ["skipped"] + ["copied"] * 4
        assert (decisions.next_cursor is None, rest.next_cursor) == (False, None)
        assert [(each.cause, each.delta_raw) for each in movements.transactions + older.transactions] == [
            ("withdrawal", -20_000_000),
            ("trade", 10_000_000),
            ("trade", -100_000_000),
            ("deposit", 500_000_000),
        ]

    async def test_another_users_are_never_shown(self, world: GatewayWorld) -> None:
        async with world.wallet(BEN) as ben:
            assert (await ben.trades()).trades == []
            assert (await ben.decisions()).decisions == []
            assert {each.vault for each in (await ben.movements()).transactions} == {BENS_VAULT}
            assert [each.address for each in await ben.vaults()] == [BENS_VAULT]

    async def test_a_cursor_of_another_user_shows_ones_own(self, world: GatewayWorld) -> None:
        async with world.wallet(ANA) as ana, world.wallet(BEN) as ben:
            cursor = (await ana.trades(limit=1)).next_cursor
            assert (await ben.trades(cursor=cursor)).trades == []


class TestSettings:
    async def test_begin_with_the_specifications_defaults_and_are_replaced_whole(self, world: GatewayWorld) -> None:
        chosen = UserSettings("CONSERVATIVE", Usd(Decimal("12.5")), 0.5)
        async with world.wallet(ANA) as ana, world.wallet(BEN) as ben:
            assert await ana.settings() == UserSettings("BALANCED", None, 1.0)
            assert await ana.save_settings(chosen) == chosen
            assert await ana.settings() == chosen
            assert await ben.settings() == UserSettings("BALANCED", None, 1.0)

    async def test_the_status_of_a_user_names_his_vault(self, world: GatewayWorld) -> None:
        async with world.wallet(ANA) as ana, world.wallet(Keypair()) as newcomer:
            mine, theirs = await ana.user(), await newcomer.user()
        assert (mine.vault, mine.bot_granted, mine.bot_enabled) == (VAULT, True, False)
        assert (theirs.vault, theirs.vault_is_active, theirs.bot_granted) == (None, False, False)

    async def test_a_vault_that_was_seen_before_its_owner_becomes_his(self, world: GatewayWorld, engine: AsyncEngine) -> None:
        cat = Keypair()
        async with engine.begin() as connection:
            changed = {"owner": str(cat.pubkey()), "user_id": None}
            await connection.execute(update(tables.vaults).where(tables.vaults.c.address == BENS_VAULT).values(changed))
        async with world.wallet(cat) as owner:
            assert (await owner.user()).vault == BENS_VAULT


class TestSystem:
    async def test_a_database_that_is_current_is_healthy(self, world: GatewayWorld) -> None:
        async with world.browser() as browser:
            answer = await browser.get("/api/database/health")
        assert (answer.status_code, answer.json()["status"], answer.json()["schema_current"]) == (200, "healthy", True)

    async def test_a_database_of_another_schema_is_not(self, world: GatewayWorld, engine: AsyncEngine) -> None:
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
        async with world.browser() as browser:
            health, status = await browser.get("/api/database/health"), await browser.get("/api/system/status")
        assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
        assert (status.status_code, status.json()["status"]) == (503, "unhealthy")

    async def test_a_database_that_nobody_migrated_is_not(self, empty_database_url: str) -> None:
        empty = postgres.create(empty_database_url, application="tests", connections_min=1, connections_max=2)
        found = await System(empty, []).database_check()
        await empty.dispose()
        assert (found.state, "at revision None" in found.detail) == (State.FAILED, True)

    async def test_the_status_names_every_part(self, world: GatewayWorld) -> None:
        async with world.browser() as browser:
            found = (await browser.get("/api/system/status")).json()
        assert (found["status"], found["slot"], set(found["services"])) == ("healthy", 100, {"database", "chain"})
        assert found["worthless"] is True

    async def test_rankings_are_for_anybody(self, world: GatewayWorld) -> None:
        async with world.browser() as browser:
            found = (await browser.get("/api/rankings?limit=1")).json()
        assert (found["run"]["run_id"], [each["wallet_address"] for each in found["traders"]]) == ("newest", [LEADER])
        assert found["traders"][0]["xorj_trust_score"] == 37.01
