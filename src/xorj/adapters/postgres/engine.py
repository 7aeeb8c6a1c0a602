"""Connections to PostgreSQL: pool, timeouts, TLS, and which chain a database belongs to. Every process makes its engine here, once."""

import time
from collections.abc import Mapping
from weakref import WeakSet

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Engine, event, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from xorj.adapters.postgres.tables import chain_identity
from xorj.primitives.errors import InvalidInput, RefusedForSafety, Unavailable

POOL_CONNECTIONS_MIN = 5
POOL_CONNECTIONS_MAX = 50
IDLE_SECONDS_MAX = 30
CONNECT_TIMEOUT_SECONDS = 10
STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 10_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000
# A surplus connection that has idled nearly as long as the server allows is not handed out any more.
SAFE_IDLE_SHARE = 0.8

# What a caller sees when the server cannot be asked: no connection in time, or one that broke.
CONNECTION_ERRORS = (OperationalError, InterfaceError, NoConnectionInTime)

TLS_MODES = ("require", "verify-ca", "verify-full")


def create(
    url: str,
    *,
    application: str,
    tls_required: bool = False,
    connections_min: int = POOL_CONNECTIONS_MIN,
    connections_max: int = POOL_CONNECTIONS_MAX,
    idle_seconds_max: int = IDLE_SECONDS_MAX,
) -> AsyncEngine:
    """An engine over one pool, which connects with the first query. `application` is the name that pg_stat_activity shows.

    A caller waits at most CONNECT_TIMEOUT_SECONDS for a connection. `connections_min` stay open; what is above them is closed by the
    server after `idle_seconds_max` without use. Use it in one event loop and `await engine.dispose()` at the end.
    Raises InvalidInput for a url that is not PostgreSQL's, RefusedForSafety when TLS is required and the url would do without.
    """
    info = conninfo(url, application=application, tls_required=tls_required)
    engine = create_async_engine(
        "postgresql+psycopg://",
        async_creator=lambda: psycopg.AsyncConnection.connect(info),
        pool_size=connections_max,
        max_overflow=0,
        pool_timeout=CONNECT_TIMEOUT_SECONDS,
        # The one used last is used next, so that the surplus of a burst really idles.
        pool_use_lifo=True,
        use_native_hstore=False,
    )
    _close_surplus_when_idle(engine.sync_engine, connections_min, idle_seconds_max)
    return engine


def _close_surplus_when_idle(engine: Engine, connections_min: int, idle_seconds_max: int) -> None:
    """Lets the server end connections above the minimum, and never hands out one that it may have ended."""
    kept: WeakSet[ConnectionPoolEntry] = WeakSet()

    @event.listens_for(engine, "connect")
    def connected(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        if len(kept) < connections_min:
            kept.add(record)
        if record not in kept:
            cursor = connection.cursor()
            cursor.execute(f"SET idle_session_timeout = '{idle_seconds_max}s'")
            cursor.close()
            connection.commit()

    @event.listens_for(engine, "checkin")
    def returned(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def taken(_connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        idle_since = record.info.pop("idle_since", None)
        if record not in kept and idle_since is not None and time.monotonic() - idle_since > idle_seconds_max * SAFE_IDLE_SHARE:
            raise DisconnectionError("the server may have ended this idle connection")


def conninfo(url: str, *, application: str, tls_required: bool = False) -> str:
    """The libpq connection string for `url`, with our timeouts. Raises as `create` does."""
    if not url.startswith(("postgresql://", "postgres://")):
        raise InvalidInput("DATABASE_URL", given=url.split(":", 1)[0] + "://…", rule="postgresql://user@host:port/database")
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise InvalidInput("DATABASE_URL", given="(not shown)", rule=f"a libpq connection URL: {error}") from None
    if tls_required:
        given["sslmode"] = _tls_mode(given)
    ours = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS}"
    ours += f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS} -c TimeZone=UTC"
    given["options"] = f"{ours} {given.get('options') or ''}".strip()
    given.setdefault("connect_timeout", str(CONNECT_TIMEOUT_SECONDS))
    given.setdefault("application_name", f"xorj {application}")
    return make_conninfo("", **given)


async def require_chain(engine: AsyncEngine, genesis: str) -> None:
    """Makes the database that of the chain `genesis` on first use. Raises RefusedForSafety when it is another chain's."""
    async with engine.begin() as connection:
        await connection.execute(insert(chain_identity).values(id=1, genesis_hash=genesis).on_conflict_do_nothing())
        found = (await connection.execute(select(chain_identity.c.genesis_hash))).scalar_one()
    if found != genesis:
        raise RefusedForSafety(
            f"this database belongs to the chain with genesis {found}, the node is on {genesis}; use the database of that chain"
        )


def unavailable(error: Exception) -> Unavailable:
    """What to raise for a driver error that asking again later may cure; the message never holds parameters."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return Unavailable("PostgreSQL", f"{type(cause).__name__}: {str(cause).splitlines()[0] if str(cause) else ''}")


def _tls_mode(given: Mapping[str, object]) -> str:
    """The url's own mode when it encrypts, `require` when it says nothing; a socket on this machine needs none."""
    mode, host = str(given.get("sslmode") or ""), str(given.get("host") or "")
    if host.startswith("/"):
        return mode or "disable"
    if not mode:
        return TLS_MODES[0]
    if mode not in TLS_MODES:
        raise RefusedForSafety(f"sslmode={mode} does not encrypt for certain; production needs one of {', '.join(TLS_MODES)}")
    return mode
