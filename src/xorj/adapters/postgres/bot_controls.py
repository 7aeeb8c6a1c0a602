"""The one row of what the trade-bot is told and says of itself: draining, gate, heartbeat. Used by the trade-bot and the demo."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.postgres.tables import bot_controls, intents
from xorj.adapters.postgres.transactions import reading, transaction
from xorj.primitives.ids import Slot


@dataclass(frozen=True, slots=True)
class Controls:
    """As stored; `heartbeat_at` None: no trade-bot has run on this database yet."""

    draining: bool
    gate_open: bool
    heartbeat_slot: Slot | None
    heartbeat_at: datetime | None


class PostgresBotControls:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine, self._reading = engine, reading(engine)

    async def read(self) -> Controls:
        async with transaction(self._reading) as connection:
            row = (await connection.execute(select(bot_controls))).one_or_none()
        if row is None:
            return Controls(draining=False, gate_open=False, heartbeat_slot=None, heartbeat_at=None)
        slot = None if row.heartbeat_slot is None else Slot(row.heartbeat_slot)
        return Controls(row.draining, row.gate_open, slot, row.heartbeat_at)

    async def is_beating(self, age_seconds_max: int) -> bool:
        """Whether a trade-bot has written its heartbeat lately, by the database's clock."""
        lately = bot_controls.c.heartbeat_at > func.clock_timestamp() - timedelta(seconds=age_seconds_max)
        async with transaction(self._reading) as connection:
            return (await connection.execute(select(bot_controls.c.id).where(lately))).first() is not None

    async def drain(self, draining: bool) -> None:
        """Kept until it is told otherwise, also over a restart."""
        await self._write(draining=draining)

    async def beat(self, slot: Slot, *, gate_open: bool) -> None:
        await self._write(gate_open=gate_open, heartbeat_slot=slot, heartbeat_at=func.clock_timestamp())

    async def intents_by_state(self) -> dict[str, int]:
        """How many intents are in each state that is no end."""
        ended = ("settled", "reverted", "abandoned", "cancelled")
        query = select(intents.c.state, func.count().label("number")).where(intents.c.state.not_in(ended)).group_by(intents.c.state)
        async with transaction(self._reading) as connection:
            return {row.state: row.number for row in await connection.execute(query)}

    async def _write(self, **values: object) -> None:
        first = {"id": 1, "draining": False, "gate_open": False, **values}
        statement = insert(bot_controls).values(first)
        statement = statement.on_conflict_do_update(index_elements=["id"], set_={**values, "updated_at": func.now()})
        async with transaction(self._engine) as connection:
            await connection.execute(statement)
