"""Connections to PostgreSQL: pool, timeouts, TLS, and which chain a database belongs to. Every process makes its engine here, once."""

from collections.abc import Mapping

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import event, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import await_only

from xorj.adapters.postgres.tables import chain_identity
from xorj.primitives.errors import InvalidInput, RefusedForSafety, Unavailable

POOL_CONNECTIONS_MIN = 5
POOL_CONNECTIONS_MAX = 50
IDLE_SECONDS_MAX = 30
CONNECT_TIMEOUT_SECONDS = 10
STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 10_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000
WAITING_CALLERS_MAX = 1_000

# What a caller sees when the server cannot be asked: no connection in time, or one that broke.
CONNECTION_ERRORS = (OperationalError, InterfaceError)

TLS_MODES = ("require", "verify-ca", "verify-full")


def create(
    url: str,
    *,
    application: str,
    tls_required: bool = False,
    connections_min: int = POOL_CONNECTIONS_MIN,
    connections_max: int = POOL_CONNECTIONS_MAX,
) -> AsyncEngine:
    """An engine over one pool, which opens with the first query. `application` is the name that pg_stat_activity shows.

    A caller waits at most CONNECT_TIMEOUT_SECONDS for a connection. Use it in one event loop and `await engine.dispose()` at the end.
    Raises InvalidInput for a url that is not PostgreSQL's, RefusedForSafety when TLS is required and the url would do without.
    """
    pool: AsyncConnectionPool[psycopg.AsyncConnection[tuple[object, ...]]] = AsyncConnectionPool(
        conninfo(url, application=application, tls_required=tls_required),
        min_size=connections_min,
        max_size=connections_max,
        max_idle=IDLE_SECONDS_MAX,
        max_waiting=WAITING_CALLERS_MAX,
        timeout=CONNECT_TIMEOUT_SECONDS,
        open=False,
        close_returns=True,
        check=None,
        name=application,
    )

    async def connect() -> psycopg.AsyncConnection[tuple[object, ...]]:
        await pool.open()
        return await pool.getconn()

    # The pool is psycopg's own: it keeps a minimum open and closes what idles, neither of which SQLAlchemy's pools do.
    engine = create_async_engine("postgresql+psycopg://", async_creator=connect, poolclass=NullPool, use_native_hstore=False)
    event.listen(engine.sync_engine, "engine_disposed", lambda _engine: await_only(pool.close()))
    return engine


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
