"""What the database says happened, read with the demo's own queries and nothing of the bot's code. Used by run; judged by verdict."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.primitives.ids import Address, Mint, Signature, Wallet

TOP = 10
UNSETTLED = ("new", "reserved", "in_flight", "quarantined")


@dataclass(frozen=True, slots=True)
class Books:
    """The rows of one moment.

    `model` is that of the newest ranking; `attempts` maps a signature to its intent; `ledger` has raw balances by vault and mint.
    """

    model: str = ""
    leaders_ranked: int = 0
    top: tuple[Wallet, ...] = ()
    followers: int = 0
    leader_trades_seen: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    intents: Counter[str] = field(default_factory=Counter)
    settled_exits: int = 0
    settled: frozenset[str] = frozenset()
    attempts: dict[Signature, str] = field(default_factory=dict)
    vaults: tuple[Address, ...] = ()
    ledger: dict[tuple[Address, Mint], int] = field(default_factory=dict)
    copy_delay_s_p50: float | None = None

    @property
    def unsettled(self) -> int:
        """Intents whose fate is not known for certain."""
        return sum(self.intents[state] for state in UNSETTLED)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the copies are."""

    settled: int = 0
    settled_exits: int = 0
    unsettled: int = 0

    def since(self, before: "Progress") -> "Progress":
        return Progress(self.settled - before.settled, self.settled_exits - before.settled_exits, self.unsettled)


_MODEL = """
    select model from scoring_runs where completed_at is not null and failure is null order by completed_at desc limit 1
"""
_RANKED = """
    select wallet_address from trader_scores
    join (select id, model from scoring_runs where completed_at is not null and failure is null order by completed_at desc limit 1) newest
      on run_id = newest.id and trader_scores.model = newest.model
    where is_eligible and rank is not null order by rank
"""
_PROGRESS = """
    select count(*) filter (where state = 'settled'), count(*) filter (where state = 'settled' and side = 'sell'),
           count(*) filter (where state in ('new', 'reserved', 'in_flight', 'quarantined'))
    from intents
"""
_DELAY = """
    select percentile_cont(0.5) within group (order by fills.block_time - leader_trades.block_time)
    from fills join intents on intents.id = fills.intent_id join decisions on decisions.id = intents.decision_id
    join leader_trades on leader_trades.id = decisions.leader_trade_id
"""
_FOLLOWERS = "select count(distinct vault) from bot_subscriptions where state = 'active'"
_LEDGER = "select vault, mint, sum(delta_raw) from ledger group by vault, mint"
_ATTEMPTS = "select signature, intent_id from attempts where signature is not null"


async def read_books(engine: AsyncEngine) -> Books:
    """All figures from one snapshot of the database."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")

        async def rows(query: str) -> list[Any]:
            return list(await connection.execute(text(query)))

        models, ranked = await rows(_MODEL), await rows(_RANKED)
        intents = await rows("select id, state, side from intents")
        delay = (await rows(_DELAY))[0][0]
        return Books(
            model=models[0][0] if models else "",
            leaders_ranked=len(ranked),
            top=tuple(Wallet(wallet) for (wallet,) in ranked[:TOP]),
            followers=(await rows(_FOLLOWERS))[0][0],
            leader_trades_seen=(await rows("select count(*) from leader_trades"))[0][0],
            decisions=Counter(dict(await rows("select outcome, count(*) from decisions group by 1"))),
            intents=Counter(state for _, state, _ in intents),
            settled_exits=sum(state == "settled" and side == "sell" for _, state, side in intents),
            settled=frozenset(intent for intent, state, _ in intents if state == "settled"),
            attempts={Signature(signature): intent for signature, intent in await rows(_ATTEMPTS)},
            vaults=tuple(Address(vault) for (vault,) in await rows("select address from vaults order by address")),
            ledger={(Address(vault), Mint(mint)): int(raw) for vault, mint, raw in await rows(_LEDGER)},
            copy_delay_s_p50=None if delay is None else float(delay),
        )


async def read_progress(engine: AsyncEngine) -> Progress:
    async with engine.connect() as connection:
        return Progress(*(await connection.execute(text(_PROGRESS))).one())


async def read_attempt(engine: AsyncEngine, intent_id: str) -> Any:
    """State, signature and seen commitment of an intent's newest attempt, None before there is one."""
    query = text("select state, signature, seen_commitment from attempts where intent_id = :intent order by number desc limit 1")
    async with engine.connect() as connection:
        return (await connection.execute(query, {"intent": intent_id})).one_or_none()
