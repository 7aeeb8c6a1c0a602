"""How the parts of the system are. Implements reporting's SystemProbe; built by services.gateway and services.web."""

import asyncio
import time
from collections.abc import Mapping, Sequence

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.engines.client import Engine
from xorj.adapters.postgres.migrate import head
from xorj.adapters.postgres.transactions import transaction
from xorj.observability.health import OK, Check, Health, failed, report
from xorj.primitives.errors import Unavailable
from xorj.reporting.ports import DatabaseHealth

CONNECTIONS = "SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()), current_setting('max_connections')::int"


class System:
    """`further` are checks of this process beside the database and the engines."""

    def __init__(self, database: AsyncEngine, engines: Sequence[Engine], further: Mapping[str, Check] | None = None) -> None:
        self._database, self._engines, self._further = database, engines, dict(further or {})
        self._revision_needed = head()

    async def database(self) -> DatabaseHealth:
        started = time.perf_counter()
        async with transaction(self._database) as connection:
            await connection.execute(text("SELECT 1"))
            latency_ms = (time.perf_counter() - started) * 1000
            revision = await connection.run_sync(_revision)
            used, most = (await connection.execute(text(CONNECTIONS))).one()
        return DatabaseHealth(latency_ms, revision, self._revision_needed, used, most)

    async def database_check(self) -> Health:
        """For /readyz: answers, and has the schema that this code needs."""
        try:
            found = await self.database()
        except Unavailable as error:
            return failed(error.cause)
        if found.revision != found.revision_needed:
            return failed(f"at revision {found.revision}, needs {found.revision_needed}")
        return OK

    async def services(self) -> dict[str, Health]:
        database, *engines = await asyncio.gather(self.database_check(), *(engine.health() for engine in self._engines))
        found = {"database": database} | dict(zip((engine.name for engine in self._engines), engines, strict=True))
        return found | (await report("system", list(self._further.values()))).checks


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
