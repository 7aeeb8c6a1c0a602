"""How the parts of the system are. Implements reporting's SystemProbe; built by services.gateway and services.web."""

import asyncio
import time
from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.engines.client import Engine
from xorj.adapters.postgres.migrate import head
from xorj.adapters.postgres.transactions import transaction
from xorj.observability.health import OK, Check, Health, failed, report
from xorj.primitives.errors import Unavailable
from xorj.reporting.ports import DatabaseHealth

STATE = """
    SELECT (SELECT version_num FROM alembic_version), current_setting('max_connections')::int,
           (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())
"""


class System:
    """`further` are checks of this process beside the database and the engines."""

    def __init__(self, database: AsyncEngine, engines: Sequence[Engine], further: Mapping[str, Check] | None = None) -> None:
        self._database = database.execution_options(isolation_level="AUTOCOMMIT")
        self._engines, self._further = engines, dict(further or {})
        self._revision_needed = head()

    async def database(self) -> DatabaseHealth:
        started = time.perf_counter()
        try:
            async with transaction(self._database) as connection:
                revision, most, used = (await connection.execute(text(STATE))).one()
        except ProgrammingError:
            # There is no such table: nobody has migrated this database.
            return DatabaseHealth((time.perf_counter() - started) * 1000, None, self._revision_needed, 0, 0)
        return DatabaseHealth((time.perf_counter() - started) * 1000, revision, self._revision_needed, used, most)

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
