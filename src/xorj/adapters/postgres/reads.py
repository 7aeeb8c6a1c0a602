"""Statements that pages ask again and again: put together and compiled once, run on the driver itself, several in one round trip.

SQLAlchemy's part of running a small statement costs three times what the driver and the server do; its pool and its statements stay.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Select, make_url
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import Pool
from sqlalchemy.sql.expression import CompoundSelect

from xorj.adapters.postgres.engine import CONNECT_TIMEOUT_SECONDS, CONNECTION_ERRORS, unavailable
from xorj.primitives.errors import Unavailable

DIALECT = make_url("postgresql+psycopg://").get_dialect()()
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
END = "COMMIT"
BROKEN = (psycopg.OperationalError, psycopg.InterfaceError)
# More at once only wait for the same few cores, and each on a connection that has not prepared its statements yet.
READS_AT_ONCE_MAX = 8
_TURNS: WeakKeyDictionary[Pool, asyncio.Semaphore] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement with what is asked of it."""

    sql: str
    values: dict[str, Any]


class Read:
    """`statement` with named parameters for all that differs between callers."""

    def __init__(self, statement: Select[Any] | CompoundSelect[Any]) -> None:
        compiled = statement.compile(dialect=DIALECT)
        self._asked = {name for name, value in compiled.binds.items() if value.required}
        expanded = compiled.construct_expanded_state(dict.fromkeys(self._asked))
        self._sql, self._values = expanded.statement, dict(expanded.parameters)

    def of(self, **values: Any) -> Asked:
        """Raises TypeError where a parameter is missing, which the server would take for NULL, or is not the statement's."""
        if values.keys() != self._asked:
            raise TypeError(f"asked for {sorted(self._asked)}, given {sorted(values)}")
        return Asked(self._sql, self._values | values)


class Reader:
    """One connection for one answer. Rows have their columns as attributes."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    async def rows(self, asked: Asked) -> list[Any]:
        return await (await self._execute(asked)).fetchall()

    async def all(self, *asked: Asked) -> list[list[Any]]:
        """The rows of each in one round trip, each as of when it is run."""
        async with self._connection.pipeline():
            cursors = [await self._execute(one) for one in asked]
            return [await cursor.fetchall() for cursor in cursors]

    async def at_one_moment(self, *asked: Asked) -> list[list[Any]]:
        """As all, of one snapshot."""
        async with self._connection.pipeline():
            await self._connection.execute(BEGIN)
            cursors = [await self._execute(one) for one in asked]
            await self._connection.execute(END)
            return [await cursor.fetchall() for cursor in cursors]

    async def _execute(self, asked: Asked) -> psycopg.AsyncCursor[Any]:
        return await self._connection.cursor(row_factory=namedtuple_row).execute(asked.sql.encode(), asked.values)


@asynccontextmanager
async def reader(engine: AsyncEngine) -> AsyncIterator[Reader]:
    """A connection of the pool; `engine` as transactions.reading makes it. Raises Unavailable for what asking again later may cure."""
    try:
        async with _turn(engine), engine.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert isinstance(raw, psycopg.AsyncConnection)
            try:
                yield Reader(raw)
            except BROKEN as error:
                # The pool sees only what goes through SQLAlchemy, and would hand out a connection that is broken.
                await connection.invalidate()
                raise unavailable(error) from error
    except CONNECTION_ERRORS as error:
        raise unavailable(error) from error


@asynccontextmanager
async def _turn(engine: AsyncEngine) -> AsyncIterator[None]:
    """One of READS_AT_ONCE_MAX turns. Raises Unavailable for whoever waited as long as he would for a connection."""
    turns = _TURNS.setdefault(engine.sync_engine.pool, asyncio.Semaphore(READS_AT_ONCE_MAX))
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
            await turns.acquire()
    except TimeoutError:
        raise Unavailable("PostgreSQL", f"{READS_AT_ONCE_MAX} reads took longer than {CONNECT_TIMEOUT_SECONDS} s") from None
    try:
        yield
    finally:
        turns.release()


def one(rows: Sequence[Any]) -> Any:
    """The only row of an answer that always has one."""
    (row,) = rows
    return row
