"""Brings a database to the newest schema. Run by `xorj up`, by services' start and by the tests' database template."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool

from xorj.adapters.postgres.engine import conninfo
from xorj.primitives.errors import RefusedForSafety

# One upgrade at a time in a database: the others wait here and then find nothing left to do.
UPGRADE_LOCK = 0x584F524A
UPGRADE_TIMEOUT_SECONDS = 300


def upgrade(url: str, *, tls_required: bool = False) -> str:
    """Runs what is missing and returns the revision that the database is at afterwards.

    Raises RefusedForSafety for a database that a newer version of XORJ has migrated.
    """
    with _engine(url, tls_required=tls_required).connect() as connection:
        connection.execute(text(f"SET statement_timeout = '{UPGRADE_TIMEOUT_SECONDS}s'; SET lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": UPGRADE_LOCK})
        connection.commit()
        _refuse_newer(_revision(connection))
        command.upgrade(_config(connection), "head")
        connection.commit()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": UPGRADE_LOCK})
        connection.commit()
    return head()


def current(url: str, *, tls_required: bool = False) -> str | None:
    """The revision that the database is at; None when it is empty."""
    with _engine(url, tls_required=tls_required).connect() as connection:
        return _revision(connection)


def head() -> str:
    """The revision that this version of the code needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise RuntimeError("the package holds no migrations")
    return revision


async def require_head(engine: AsyncEngine) -> None:
    """Raises RefusedForSafety unless the database has exactly the schema that this version of the code was written for."""
    async with engine.connect() as connection:
        found = await connection.run_sync(lambda one: MigrationContext.configure(one).get_current_revision())
    if found != head():
        raise RefusedForSafety(f"the database is at revision {found or 'none'}, this version needs {head()}; run ./xorj run migrate")


def _refuse_newer(revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise RefusedForSafety(f"the database is at revision {revision}, which this version does not know; use the newer version of XORJ")


def _revision(connection: Connection) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    connection.commit()
    return revision


def _engine(url: str, *, tls_required: bool) -> Engine:
    info = conninfo(url, application="migrate", tls_required=tls_required)
    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(info), poolclass=NullPool, use_native_hstore=False)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
