"""Positions that nobody is getting out of, and the intents that do. Implements copying's MissedExitStore; built by the trade-bot."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.copying import follow_of, insert_intents, select_follows
from xorj.adapters.postgres.ledger import UNENDED, holdings_of
from xorj.adapters.postgres.tables import follows, intents, leader_trades, outbox
from xorj.adapters.postgres.transactions import transaction
from xorj.copying.cause import CauseKind
from xorj.copying.decision import Side
from xorj.copying.ports import IdlePosition, PlannedCopy
from xorj.primitives.ids import Address, Mint, Slot, Wallet

MISSED_EXIT_PLANNED = "missed_exit_planned"

Place = tuple[Address, Wallet, Mint]


class PostgresMissedExits:
    """Implements MissedExitStore."""

    def __init__(self, engine: AsyncEngine, genesis: str) -> None:
        self._engine, self._genesis = engine, genesis

    async def idle_positions(self) -> list[IdlePosition]:
        undecided = exists().where(leader_trades.c.leader == follows.c.leader, ~leader_trades.c.is_decided)
        async with transaction(self._engine) as connection:
            rows = await connection.execute(select_follows().where(follows.c.valid_to_slot.is_(None), ~undecided))
            opened = [follow_of(row) for row in rows]
            holdings = await holdings_of(connection, list({follow.vault for follow in opened}))
            busy, tried = await _busy(connection), await _tried(connection)
            found = []
            for follow in opened:
                for position in holdings[follow.vault].open_positions():
                    place = (follow.vault, follow.leader, position.mint)
                    if position.leader != follow.leader or place in busy:
                        continue
                    if await _has_closed(connection, follow.leader, position.mint):
                        found.append(IdlePosition(follow, position, *tried.get(place, (0, None))))
        return found

    async def record(self, copies: Sequence[PlannedCopy]) -> None:
        async with transaction(self._engine) as connection:
            for copy in copies:
                await insert_intents(connection, copy, None, self._genesis)
                payload = {"vault": copy.follow.vault, "leader": copy.follow.leader, "rule": copy.decision.rule}
                await connection.execute(insert(outbox).values(topic=MISSED_EXIT_PLANNED, key=copy.cause.id, payload=payload))


async def _busy(connection: AsyncConnection) -> set[Place]:
    """What an open intent buys or sells."""
    rows = await connection.execute(select(intents).where(intents.c.state.in_(UNENDED), intents.c.leader.is_not(None)))
    return {(row.vault, row.leader, row.output_mint if row.side == Side.BUY else row.input_mint) for row in rows}


async def _has_closed(connection: AsyncConnection, leader: Wallet, mint: Mint) -> bool:
    """Whether the last that we have seen of him in this mint was a sale."""
    given, got = leader_trades.c.input_mint == mint, leader_trades.c.output_mint == mint
    last = select(given).where(leader_trades.c.leader == leader, given | got)
    last = last.order_by(leader_trades.c.slot.desc(), leader_trades.c.swap_index.desc())
    return bool((await connection.execute(last.limit(1))).scalar_one_or_none())


async def _tried(connection: AsyncConnection) -> dict[Place, tuple[int, Slot]]:
    """How often, and when last, a missed exit was planned that no decision asked for."""
    of_ours: ColumnElement[bool] = (intents.c.cause_kind == CauseKind.MISSED_EXIT) & intents.c.decision_id.is_(None)
    columns = (intents.c.vault, intents.c.leader, intents.c.input_mint)
    query = select(*columns, func.count(), func.max(intents.c.created_slot)).where(of_ours).group_by(*columns)
    return {(vault, leader, mint): (count, Slot(slot)) for vault, leader, mint, count, slot in await connection.execute(query)}
