"""The kill switch: one row. No row is Running, because a new database has stopped nobody; an unreadable row is Stopped.

Implements copying's KillSwitch and execution's StopSwitch; `./xorj emergency-stop`, the API and the reconciler write it.
"""

import asyncio

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.tables import kill_switch, outbox
from xorj.adapters.postgres.transactions import reading, transaction
from xorj.copying.situation import Running, Stopped, Switch
from xorj.primitives.errors import Unavailable

READ_SECONDS_MAX = 1.0
REASON_CHARACTERS_MAX = 500
TOPIC = "kill_switch_changed"


class PostgresKillSwitch:
    def __init__(self, engine: AsyncEngine, *, read_seconds_max: float = READ_SECONDS_MAX) -> None:
        self._engine, self._reading, self._read_seconds_max = engine, reading(engine), read_seconds_max

    async def state(self) -> Switch:
        """Never raises: what cannot be read in time is Stopped."""
        try:
            async with asyncio.timeout(self._read_seconds_max), transaction(self._reading) as connection:
                query = select(kill_switch.c.stopped, kill_switch.c.reason).where(kill_switch.c.id == 1)
                row = (await connection.execute(query)).one_or_none()
        except TimeoutError:
            return Stopped(f"the kill switch could not be read within {self._read_seconds_max:g} s")
        except Unavailable as error:
            return Stopped(f"the kill switch cannot be read: {error.cause}")
        return Stopped(row.reason) if row is not None and row.stopped else Running()

    async def stop(self, reason: str, *, actor: str) -> None:
        """Stopping twice is stopping once: the first reason stays. Raises Unavailable."""
        async with transaction(self._engine) as connection:
            await _write(connection, stopped=True, reason=reason, actor=actor)

    async def release(self, reason: str, *, actor: str) -> None:
        """Lets trades start again; a person's decision. Raises Unavailable."""
        async with transaction(self._engine) as connection:
            await _write(connection, stopped=False, reason=reason, actor=actor)


async def _write(connection: AsyncConnection, *, stopped: bool, reason: str, actor: str) -> None:
    values = {"id": 1, "stopped": stopped, "reason": reason[:REASON_CHARACTERS_MAX], "actor": actor}
    statement = insert(kill_switch).values(values)
    moved = {"changed_at": func.now(), "version": kill_switch.c.version + 1}
    changed = {name: statement.excluded[name] for name in ("stopped", "reason", "actor")} | moved
    written = statement.on_conflict_do_update(index_elements=["id"], set_=changed, where=kill_switch.c.stopped != stopped)
    if (await connection.execute(written.returning(kill_switch.c.id))).scalar_one_or_none() is not None:
        await connection.execute(insert(outbox).values(topic=TOPIC, key="kill_switch", payload=values))
