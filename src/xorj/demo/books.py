"""What the database says happened, read with the demo's own queries and nothing of the bot's code. Used by run; judged by verdict."""

from collections import Counter
from dataclasses import dataclass, field

import psycopg

from xorj.primitives.ids import Address, Mint, Signature, Wallet

TOP = 10


@dataclass(frozen=True, slots=True)
class Books:
    """The rows of one moment. `attempts` maps a signature to its intent; `ledger` has raw balances by vault and mint."""

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

    @property
    def unsettled(self) -> int:
        """Intents whose fate is not known for certain."""
        return sum(self.intents[state] for state in ("new", "reserved", "in_flight", "quarantined"))


_RANKED = """
    select wallet_address from trader_scores
    join (select id, model from scoring_runs where completed_at is not null and failure is null order by completed_at desc limit 1) newest
      on run_id = newest.id and trader_scores.model = newest.model
    where is_eligible and rank is not null order by rank
"""
_FOLLOWERS = "select count(distinct vault) from bot_subscriptions where state = 'active'"
_LEDGER = "select vault, mint, sum(delta_raw) from ledger group by vault, mint"


async def read_books(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> Books:
    """All figures from one snapshot of the database."""
    async with connection.transaction(), connection.cursor() as cursor:
        await cursor.execute("set transaction isolation level repeatable read, read only")

        async def rows(query: str) -> list[tuple[object, ...]]:
            return await (await cursor.execute(query)).fetchall()

        ranked = await rows(_RANKED)
        intents = await rows("select id, state, side from intents")
        return Books(
            leaders_ranked=len(ranked),
            top=tuple(Wallet(str(wallet)) for (wallet,) in ranked[:TOP]),
            followers=_number((await rows(_FOLLOWERS))[0][0]),
            leader_trades_seen=_number((await rows("select count(*) from leader_trades"))[0][0]),
            decisions=Counter(
                {str(outcome): _number(count) for outcome, count in await rows("select outcome, count(*) from decisions group by 1")}
            ),
            intents=Counter(str(state) for _, state, _ in intents),
            settled_exits=sum(state == "settled" and side == "sell" for _, state, side in intents),
            settled=frozenset(str(intent) for intent, state, _ in intents if state == "settled"),
            attempts={
                Signature(str(signature)): str(intent)
                for signature, intent in await rows("select signature, intent_id from attempts where signature is not null")
            },
            vaults=tuple(Address(str(vault)) for (vault,) in await rows("select address from vaults order by address")),
            ledger={(Address(str(vault)), Mint(str(mint))): _number(raw) for vault, mint, raw in await rows(_LEDGER)},
        )


def _number(value: object) -> int:
    return int(str(value))
