"""Follower, vault, order, ranking, fill: the rows that a test of copying starts from, the same on memory and on PostgreSQL."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from solders.keypair import Keypair
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes import copying_memory as fake
from tests.fakes.copying_memory import FillRow, Memory, SubscriptionRow
from tests.fakes.live_copies_memory import MemoryLiveCopies

from xorj.adapters.postgres import tables
from xorj.adapters.postgres.copying import PostgresDecisions, PostgresFollows, PostgresLeaderTrades, select_follows
from xorj.adapters.postgres.kill_switch import PostgresKillSwitch
from xorj.adapters.postgres.ledger import PostgresLedger, PostgresPortfolios
from xorj.adapters.postgres.live_copies import BAND_DEVIATIONS, PostgresLiveCopies
from xorj.adapters.postgres.missed_exits import PostgresMissedExits
from xorj.adapters.postgres.subscriptions import PostgresSubscriptions
from xorj.adapters.postgres.vaults import PostgresVaults
from xorj.copying.decision import Side
from xorj.copying.ports import (
    DecisionStore,
    FollowStore,
    KillSwitch,
    LeaderTradeStore,
    LiveCopyStore,
    MissedExitStore,
    PortfolioReader,
    StandingReader,
    SubscriptionStore,
)
from xorj.copying.standing import Expectation
from xorj.copying.subscription import Ranked
from xorj.portfolio.observed_vault import ObservedVault, address_of
from xorj.portfolio.ports import LedgerStore, VaultStore
from xorj.primitives.ids import LOCAL_GENESIS, USDC, Address, Mint, Slot, UserId, Wallet

MODEL = "v2"
SCORE_MIN = 50.0


def wallet(name: str) -> Wallet:
    """The same wallet for the same name."""
    return Wallet(str(Keypair.from_seed(hashlib.sha256(name.encode()).digest()).pubkey()))


def signature(name: str) -> str:
    """A text like a signature, the same for the same name."""
    return hashlib.sha256(name.encode()).hexdigest()


BOT = wallet("bot")


def observed(owner: Wallet, **changes: object) -> ObservedVault:
    """A vault that copying can go into."""
    made = ObservedVault(
        address=address_of(owner),
        owner=owner,
        base_mint=USDC,
        total_deposited_raw=500_000_000,
        bot_authority=BOT,
        bot_epoch=10,
        bot_expires_at=4_000_000_000,
        is_active=True,
        is_paused=False,
        is_closed=False,
        slot=Slot(100),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a table of keyword arguments


@dataclass(frozen=True)
class Seen:
    """What a test looks at, whatever it is kept in."""

    intents: dict[str, tuple[str, str | None]]
    open_follows: dict[tuple[Address, Wallet], str]
    ended_follows: dict[tuple[Address, Wallet], str]
    subscriptions: dict[str, tuple[str, str | None]]


@dataclass(frozen=True)
class Stores:
    follows: FollowStore
    trades: LeaderTradeStore
    decisions: DecisionStore
    portfolios: PortfolioReader
    subscriptions: SubscriptionStore
    vaults: VaultStore
    ledger: LedgerStore
    switch: KillSwitch
    exits: MissedExitStore
    standings: StandingReader
    live_copies: LiveCopyStore


class Rows(Protocol):
    """Makes rows that others write in earnest, and reads back."""

    stores: Stores

    async def user(self, owner: Wallet) -> UserId: ...
    async def order(self, vault: Address, *, leaders_max: int = 5, allocation_bps: int = 2_000) -> str: ...
    async def ranking(self, wallets: Sequence[Wallet]) -> None: ...
    async def promises(self, leader: Wallet, expected: Expectation, *, others: Sequence[Wallet] = ()) -> None: ...
    async def fill(self, intent_id: str, row: FillRow) -> None: ...
    async def set_state(self, intent_id: str, state: str) -> None: ...
    async def seen(self) -> Seen: ...


class MemoryRows:
    def __init__(self, memory: Memory | None = None) -> None:
        self.memory = memory or Memory()
        portfolios = fake.MemoryPortfolios(self.memory)
        self.live_copies = MemoryLiveCopies(self.memory)
        self.stores = Stores(
            fake.MemoryFollows(self.memory),
            fake.MemoryLeaderTrades(self.memory),
            fake.MemoryDecisions(self.memory),
            portfolios,
            fake.MemorySubscriptions(self.memory),
            fake.MemoryVaults(self.memory),
            fake.MemoryLedger(self.memory),
            fake.MemoryKillSwitch(self.memory),
            fake.MemoryMissedExits(self.memory),
            self.live_copies,
            self.live_copies,
        )

    def __str__(self) -> str:
        return "memory"

    async def user(self, owner: Wallet) -> UserId:
        return self.memory.users.setdefault(owner, UserId(f"user of {owner}"))

    async def order(self, vault: Address, *, leaders_max: int = 5, allocation_bps: int = 2_000) -> str:
        owner = self.memory.vaults[vault].owner
        made = SubscriptionRow(f"order {len(self.memory.subscriptions)}", self.memory.users[owner], vault, leaders_max, allocation_bps)
        self.memory.subscriptions[made.id] = made
        return made.id

    async def ranking(self, wallets: Sequence[Wallet], *, scores: Mapping[Wallet, float] | None = None) -> None:
        """Ranked in this order, at SCORE_MIN where `scores` does not say otherwise."""
        known = scores or {}
        self.memory.ranking = [Ranked(rank, each) for rank, each in enumerate(wallets, 1) if known.get(each, SCORE_MIN) >= SCORE_MIN]

    async def promises(self, leader: Wallet, expected: Expectation, *, others: Sequence[Wallet] = ()) -> None:
        """What the newest ranking's score of a leader says, and his owner's other wallets."""
        self.live_copies.promised[leader], self.live_copies.others[leader] = expected, tuple(others)

    async def fill(self, intent_id: str, row: FillRow) -> None:
        self.memory.fills.append(row)
        self.memory.intents[intent_id].state = "settled"

    async def set_state(self, intent_id: str, state: str) -> None:
        self.memory.intents[intent_id].state = state

    async def seen(self) -> Seen:
        follows = self.memory.follows.values()
        return Seen(
            {row.id: (row.state, row.reason) for row in self.memory.intents.values()},
            {(each.vault, each.leader): each.mode.value for each in follows if each.valid_to_slot is None},
            {(each.vault, each.leader): self.memory.end_reasons[each.id] for each in follows if each.valid_to_slot is not None},
            {row.id: (row.state, row.reason) for row in self.memory.subscriptions.values()},
        )


class PostgresRows:
    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._count = 0
        portfolios = PostgresPortfolios(engine)
        live_copies = PostgresLiveCopies(engine, LOCAL_GENESIS)
        self.stores = Stores(
            PostgresFollows(engine),
            PostgresLeaderTrades(engine, LOCAL_GENESIS),
            PostgresDecisions(engine, LOCAL_GENESIS),
            portfolios,
            PostgresSubscriptions(engine, LOCAL_GENESIS, model=MODEL, score_min=SCORE_MIN),
            PostgresVaults(engine, LOCAL_GENESIS),
            PostgresLedger(engine, LOCAL_GENESIS),
            PostgresKillSwitch(engine),
            PostgresMissedExits(engine, LOCAL_GENESIS),
            live_copies,
            live_copies,
        )

    def __str__(self) -> str:
        return "postgres"

    def _next(self, kind: str) -> str:
        self._count += 1
        return f"{kind} {self._count}"

    async def _run(self, statement: object) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(statement)  # type: ignore[call-overload]  # any statement

    async def user(self, owner: Wallet) -> UserId:
        await self._run(insert(tables.users).values(id=f"user of {owner}", wallet_address=owner))
        return UserId(f"user of {owner}")

    async def order(self, vault: Address, *, leaders_max: int = 5, allocation_bps: int = 2_000) -> str:
        made = self._next("order")
        owner = select(tables.vaults.c.user_id).where(tables.vaults.c.address == vault).scalar_subquery()
        row = {"id": made, "user_id": owner, "vault": vault, "leaders_max": leaders_max, "allocation_bps": allocation_bps}
        await self._run(insert(tables.bot_subscriptions).values(state="active", **row))
        return made

    async def ranking(self, wallets: Sequence[Wallet], *, scores: Mapping[Wallet, float] | None = None) -> None:
        """Ranked in this order, at SCORE_MIN where `scores` does not say otherwise."""
        run = self._next("run")
        common = {"genesis_hash": LOCAL_GENESIS, "model": MODEL}
        finished = {"id": run, "status": "completed", "as_of_slot": self._count, "completed_at": text("now()")}
        await self._run(insert(tables.scoring_runs).values(**finished, **common))
        for rank, each in enumerate(wallets, 1):
            value = (scores or {}).get(each, SCORE_MIN)
            score = {"id": f"{run} {rank}", "run_id": run, "wallet_address": each, "xorj_trust_score": value, "score": value}
            shown = {"classic_score": 1.0, "evidence_days": 90}
            await self._run(insert(tables.trader_scores).values(**score, **shown, **common, rank=rank, is_eligible=True))

    async def promises(self, leader: Wallet, expected: Expectation, *, others: Sequence[Wallet] = ()) -> None:
        half = expected.theta_deviation * BAND_DEVIATIONS / 2
        said = {
            "posterior_mean": expected.theta,
            "band_low": expected.theta - half,
            "band_high": expected.theta + half,
            "daily_deviation": expected.daily_deviation,
            "links": {"others": list(others)},
        }
        receipt = {"as_of_block_time": expected.as_of_day * 86_400, "copy": said}
        scores = tables.trader_scores
        await self._run(update(scores).where(scores.c.wallet_address == leader).values(copy_score=expected.score, receipt=receipt))

    async def fill(self, intent_id: str, row: FillRow) -> None:
        attempt = self._next("attempt")
        common = {"genesis_hash": LOCAL_GENESIS, "intent_id": intent_id}
        made = {
            "id": attempt,
            "number": 1,
            "state": "final_ok",
            "message": b"",
            "minimum_out_raw": 1,
            "blockhash": "",
            "last_valid_block_height": 1,
            "built_slot": 1,
            "deadline_slot": 1,
            "nonce": 1,
            "bot_epoch": 1,
            "lease_epoch": 1,
            "signature": signature(attempt),
            "input_decimals": 6,
        }
        await self._run(insert(tables.attempts).values(**made, **common))
        await self._run(
            insert(tables.fills).values(attempt_id=attempt, signature=signature(attempt), fee_lamports=0, **vars(row), **common)
        )
        await self.set_state(intent_id, "settled")

    async def set_state(self, intent_id: str, state: str) -> None:
        await self._run(update(tables.intents).where(tables.intents.c.id == intent_id).values(state=state))

    async def seen(self) -> Seen:
        async with self.engine.connect() as connection:
            intents = (await connection.execute(select(tables.intents))).all()
            follows = (await connection.execute(select_follows())).all()
            orders = (await connection.execute(select(tables.bot_subscriptions))).all()
        return Seen(
            {row.id: (row.state, row.reason) for row in intents},
            {(row.vault, row.leader): row.mode for row in follows if row.valid_to_slot is None},
            {(row.vault, row.leader): row.end_reason for row in follows if row.valid_to_slot is not None},
            {row.id: (row.state, row.reason) for row in orders},
        )


def bought(
    vault: Address, leader: Wallet, mint: Mint, units_raw: int, base_raw: int, *, slot: int = 200, block_time: int = 1_000
) -> FillRow:
    return FillRow(vault, leader, Side.BUY, Slot(slot), block_time, USDC, base_raw, mint, units_raw)


def sold(vault: Address, leader: Wallet, mint: Mint, units_raw: int, base_raw: int, *, slot: int = 300, block_time: int = 2_000) -> FillRow:
    return FillRow(vault, leader, Side.SELL, Slot(slot), block_time, mint, units_raw, USDC, base_raw)
