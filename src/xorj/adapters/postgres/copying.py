"""Follows, leader trades and decisions in PostgreSQL. Implements the ports of copying; built by the trade-bot."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, and_, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.projections import job_of_intent
from xorj.adapters.postgres.tables import decisions, follows, intents, leader_cursors, leader_trades, outbox, user_settings, vaults
from xorj.adapters.postgres.transactions import reading, transaction
from xorj.copying.cause import decision_id, intent_id
from xorj.copying.decision import RULE_VERSION, Leg
from xorj.copying.follow import SLIPPAGE_BPS_DEFAULT, TRADE_MIN_BASE_RAW_DEFAULT, Caps, Follow, FollowMode
from xorj.copying.leader_trade import LeaderTrade
from xorj.copying.ports import UNDECIDED_TRADES_PER_ROUND_MAX, PlannedCopy
from xorj.primitives.amounts import TokenAmount, Usd
from xorj.primitives.ids import Address, Mint, Signature, Slot, UserId, Wallet
from xorj.swaps.quote_rank import Direction

BASE_DECIMALS = 6
SLIPPAGE_BPS_MAX = 500
DECISION_MADE = "decision_made"

FOLLOW_COLUMNS = (*follows.c, vaults.c.owner, user_settings.c.max_trade_amount, user_settings.c.slippage_tolerance)


def select_follows() -> Select[Any]:
    """Follows beside the owner of their vault and what their user has set."""
    joined = follows.join(vaults, vaults.c.address == follows.c.vault)
    return select(*FOLLOW_COLUMNS).select_from(joined.outerjoin(user_settings, user_settings.c.user_id == follows.c.user_id))


class PostgresFollows:
    """Implements FollowStore."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._reading = reading(engine)

    async def undecided(self, trade: LeaderTrade) -> list[Follow]:
        """Of several follows of one vault at that slot, the newest counts."""
        query = (
            select_follows()
            .where(follows.c.leader == trade.leader, _valid_at(trade.slot), ~_is_decided(trade.id))
            .ext(distinct_on(follows.c.vault))
            .order_by(follows.c.vault, follows.c.valid_from_slot.desc())
        )
        async with transaction(self._reading) as connection:
            return [follow_of(row) for row in await connection.execute(query)]

    async def leaders(self) -> list[Wallet]:
        query = select(follows.c.leader).where(follows.c.valid_to_slot.is_(None)).distinct().order_by(follows.c.leader)
        async with transaction(self._reading) as connection:
            return [Wallet(leader) for leader in (await connection.execute(query)).scalars()]


class PostgresLeaderTrades:
    """Implements LeaderTradeStore."""

    def __init__(self, engine: AsyncEngine, genesis: str) -> None:
        self._engine, self._reading, self._genesis = engine, reading(engine), genesis

    async def cursor(self, leader: Wallet) -> Slot | None:
        async with transaction(self._reading) as connection:
            query = select(leader_cursors.c.slot).where(leader_cursors.c.leader == leader)
            slot = (await connection.execute(query)).scalar_one_or_none()
            return None if slot is None else Slot(slot)

    async def record(self, leader: Wallet, trades: Sequence[LeaderTrade], *, read_to: Slot) -> None:
        async with transaction(self._engine) as connection:
            if trades:
                rows = [{"genesis_hash": self._genesis, **_trade_row(trade)} for trade in trades]
                await connection.execute(insert(leader_trades).values(rows).on_conflict_do_nothing())
            await move_cursor(connection, leader, read_to, self._genesis)

    async def undecided(self, limit: int = UNDECIDED_TRADES_PER_ROUND_MAX) -> list[LeaderTrade]:
        query = (
            select(leader_trades)
            .where(~leader_trades.c.is_decided)
            .order_by(leader_trades.c.slot, leader_trades.c.signature, leader_trades.c.swap_index)
            .limit(limit)
        )
        async with transaction(self._reading) as connection:
            return [_trade_of(row) for row in await connection.execute(query)]


class PostgresDecisions:
    """Implements DecisionStore."""

    def __init__(self, engine: AsyncEngine, genesis: str) -> None:
        self._engine, self._genesis = engine, genesis

    async def record(self, trade: LeaderTrade, copies: Sequence[PlannedCopy], *, is_decided: bool) -> None:
        async with transaction(self._engine) as connection:
            for copy in copies:
                if await self._decided(connection, trade, copy):
                    await insert_intents(connection, copy, decision_id(trade.id, copy.follow.vault), self._genesis)
            if is_decided:
                await connection.execute(update(leader_trades).where(leader_trades.c.id == trade.id).values(is_decided=True))

    async def _decided(self, connection: AsyncConnection, trade: LeaderTrade, copy: PlannedCopy) -> bool:
        """Whether this decision is new; one that is there already stands, with its intents."""
        follow, decision = copy.follow, copy.decision
        row = {
            "id": decision_id(trade.id, follow.vault),
            "genesis_hash": self._genesis,
            "leader_trade_id": trade.id,
            "follow_id": follow.id,
            "user_id": follow.user_id,
            "vault": follow.vault,
            "outcome": decision.outcome,
            "rule": decision.rule,
            "rule_version": RULE_VERSION,
            "numbers": dict(decision.numbers),
            "slot": copy.slot,
        }
        statement = insert(decisions).values(row).on_conflict_do_nothing().returning(decisions.c.id)
        if (await connection.execute(statement)).scalar_one_or_none() is None:
            return False
        payload = {"decision_id": row["id"], "vault": follow.vault, "outcome": decision.outcome, "rule": decision.rule}
        await connection.execute(insert(outbox).values(topic=DECISION_MADE, key=row["id"], payload=payload))
        return True


async def insert_intents(connection: AsyncConnection, copy: PlannedCopy, decision: str | None, genesis: str) -> None:
    """The legs of a copy as intents in state new, each with its projection. An intent of the same cause and leg stands."""
    for leg in copy.decision.legs:
        row = {"genesis_hash": genesis, "decision_id": decision, **_intent_row(copy, leg)}
        statement = insert(intents).values(row).on_conflict_do_nothing().returning(intents.c.id)
        made = (await connection.execute(statement)).scalar_one_or_none()
        if made is not None:
            await job_of_intent(connection, made)


async def move_cursor(connection: AsyncConnection, leader: Wallet, slot: Slot, genesis: str) -> None:
    """Never back."""
    statement = insert(leader_cursors).values(leader=leader, genesis_hash=genesis, slot=slot)
    later = func.greatest(leader_cursors.c.slot, statement.excluded.slot)
    await connection.execute(statement.on_conflict_do_update(index_elements=["leader"], set_={"slot": later, "updated_at": func.now()}))


def follow_of(row: Row[Any]) -> Follow:
    """A row of `select_follows`."""
    slippage = row.slippage_tolerance
    return Follow(
        id=row.id,
        user_id=UserId(row.user_id),
        owner=Wallet(row.owner),
        vault=Address(row.vault),
        leader=Wallet(row.leader),
        allocation_bps=row.allocation_bps,
        mode=FollowMode(row.mode),
        valid_from_slot=Slot(row.valid_from_slot),
        valid_to_slot=None if row.valid_to_slot is None else Slot(row.valid_to_slot),
        caps=caps_of(row.caps, row.max_trade_amount),
        allowed_mints=_mints(row.allowed_mints),
        blocked_mints=_mints(row.blocked_mints),
        slippage_bps=SLIPPAGE_BPS_DEFAULT if slippage is None else min(int(slippage * 100), SLIPPAGE_BPS_MAX),
    )


def caps_of(stored: dict[str, Any], trade_max_base: Decimal | None = None) -> Caps:
    """The caps of a follow, narrowed by the user's largest trade, which SPEC keeps in whole units of the base mint."""
    given = [_raw(stored.get("trade_max_raw")), None if trade_max_base is None else int(trade_max_base.scaleb(BASE_DECIMALS))]
    return Caps(
        trade_max_raw=min((each for each in given if each is not None), default=None),
        day_max_raw=_raw(stored.get("day_max_raw")),
        exposure_max_raw=_raw(stored.get("exposure_max_raw")),
        trade_min_raw=_raw(stored.get("trade_min_raw")) or TRADE_MIN_BASE_RAW_DEFAULT,
    )


def _valid_at(slot: Slot) -> Any:
    return and_(follows.c.valid_from_slot <= slot, or_(follows.c.valid_to_slot.is_(None), follows.c.valid_to_slot > slot))


def _is_decided(trade_id: str) -> Any:
    return exists().where(decisions.c.leader_trade_id == trade_id, decisions.c.vault == follows.c.vault)


def _mints(stored: Iterable[str]) -> frozenset[Mint]:
    return frozenset(Mint(each) for each in stored)


def _raw(stored: str | None) -> int | None:
    return None if stored is None else int(stored)


def _intent_row(copy: PlannedCopy, leg: Leg) -> dict[str, Any]:
    follow, cause = copy.follow, copy.cause
    return {
        "id": intent_id(follow.vault, cause, leg.index),
        "user_id": follow.user_id,
        "vault": follow.vault,
        "cause_kind": cause.kind,
        "cause_id": cause.id,
        "leg": leg.index,
        "rule_version": RULE_VERSION,
        "leader": follow.leader,
        "side": leg.side,
        "input_mint": leg.input.mint,
        "output_mint": leg.output_mint,
        "amount_in_raw": leg.input.raw,
        "slippage_bps": follow.slippage_bps,
        "state": "new",
        "created_slot": copy.slot,
        "expires_slot": copy.slot + leg.life_slots,
    }


def _trade_row(trade: LeaderTrade) -> dict[str, Any]:
    return {
        "id": trade.id,
        "leader": trade.leader,
        "signature": trade.signature,
        "swap_index": trade.swap_index,
        "slot": trade.slot,
        "block_time": trade.block_time,
        "direction": trade.direction,
        "input_mint": trade.input.mint,
        "input_raw": trade.input.raw,
        "input_decimals": trade.input.decimals,
        "output_mint": trade.output.mint,
        "output_raw": trade.output.raw,
        "output_decimals": trade.output.decimals,
        "value_usd": trade.value_usd,
        "equity_usd": trade.equity_usd,
        "input_balance_before_raw": trade.input_balance_before_raw,
        "seen_slot": trade.seen_slot,
    }


def _trade_of(row: Row[Any]) -> LeaderTrade:
    return LeaderTrade(
        leader=Wallet(row.leader),
        signature=Signature(row.signature),
        swap_index=row.swap_index,
        slot=Slot(row.slot),
        block_time=row.block_time,
        direction=Direction(row.direction),
        input=TokenAmount(row.input_mint, int(row.input_raw), row.input_decimals),
        output=TokenAmount(row.output_mint, int(row.output_raw), row.output_decimals),
        value_usd=None if row.value_usd is None else Usd(row.value_usd),
        equity_usd=None if row.equity_usd is None else Usd(row.equity_usd),
        input_balance_before_raw=None if row.input_balance_before_raw is None else int(row.input_balance_before_raw),
        seen_slot=Slot(row.seen_slot),
    )
