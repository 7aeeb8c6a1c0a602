"""Migrating: the code's tables, the frozen history and schema.sql say the same; many at once have one winner; newer is refused."""

import multiprocessing
from importlib.resources import files

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool
from tests.fakes.catalog import catalog

from xorj.adapters.postgres import migrate
from xorj.adapters.postgres.tables import metadata
from xorj.primitives.errors import RefusedForSafety

pytestmark = pytest.mark.database


def test_migrating_gives_the_tables_that_the_code_declares(template_url: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(template_url), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_gives_schema_sql(template_url: str, empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(files("xorj.adapters.postgres").joinpath("schema.sql").read_bytes())
    assert catalog(template_url) == catalog(empty_database_url)


def test_upgrading_at_once_from_three_processes_has_one_winner(empty_database_url: str) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert pool.map(migrate.upgrade, [empty_database_url] * 3, chunksize=1) == [migrate.head()] * 3
    assert migrate.current(empty_database_url) == migrate.head()


def test_upgrading_again_changes_nothing(database_url: str) -> None:
    before = catalog(database_url)
    assert migrate.upgrade(database_url) == migrate.head()
    assert catalog(database_url) == before


def test_an_empty_database_has_no_revision(empty_database_url: str) -> None:
    assert migrate.current(empty_database_url) is None


def test_a_database_of_a_newer_version_is_refused(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from the future'")
    with pytest.raises(RefusedForSafety, match="newer version"):
        migrate.upgrade(database_url)


async def test_who_trades_needs_exactly_the_schema_of_its_version(engine: AsyncEngine) -> None:
    await migrate.require_head(engine)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'an older one'"))
    with pytest.raises(RefusedForSafety, match="revision an older one"):
        await migrate.require_head(engine)


def test_only_the_language_that_every_server_has_is_used(template_url: str) -> None:
    with psycopg.connect(template_url) as connection:
        assert connection.execute("SELECT extname FROM pg_extension").fetchall() == [("plpgsql",)]
