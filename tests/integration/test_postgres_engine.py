"""Connections: pool limits and waits, timeouts, TLS in production, one chain a database, and what a failure says."""

import asyncio

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.eventually import eventually

from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres.transactions import transaction
from xorj.primitives.errors import InvalidInput, RefusedForSafety, Unavailable

NETWORK = "postgresql://xorj:secret@db.example:5432/xorj"


class TestTls:
    def test_production_demands_it_of_a_url_that_says_nothing(self) -> None:
        assert conninfo_to_dict(postgres.conninfo(NETWORK, application="t", tls_required=True))["sslmode"] == "require"

    @pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
    def test_production_keeps_a_mode_that_encrypts(self, mode: str) -> None:
        info = postgres.conninfo(f"{NETWORK}?sslmode={mode}", application="t", tls_required=True)
        assert conninfo_to_dict(info)["sslmode"] == mode

    @pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
    def test_production_refuses_a_mode_that_may_not_encrypt(self, mode: str) -> None:
        with pytest.raises(RefusedForSafety, match=mode):
            postgres.conninfo(f"{NETWORK}?sslmode={mode}", application="t", tls_required=True)

    def test_a_socket_on_this_machine_needs_none(self) -> None:
        info = postgres.conninfo("postgresql:///xorj?host=/run/xorj", application="t", tls_required=True)
        assert conninfo_to_dict(info)["sslmode"] == "disable"


@pytest.mark.parametrize("url", ["", "mysql://x", "postgresql://xorj:secret@db:port/x?nonsense=1", "/var/lib"])
def test_a_url_that_is_not_postgresql_s_is_named_without_its_password(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        postgres.conninfo(url, application="t")
    assert caught.value.field == "DATABASE_URL"
    assert "secret" not in str(caught.value)


@pytest.mark.database
class TestOnAServer:
    async def test_settings_of_a_connection(self, engine: AsyncEngine) -> None:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "TimeZone", "application_name")
        async with engine.connect() as connection:
            values = [(await connection.execute(text(f"SHOW {name}"))).scalar_one() for name in names]
        assert values == ["30s", "10s", "1min", "UTC", "xorj tests"]

    async def test_a_statement_that_runs_too_long_is_ended(self, engine: AsyncEngine) -> None:
        async with engine.connect() as connection:
            await connection.execute(text("SET statement_timeout = '20ms'"))
            with pytest.raises(DBAPIError, match="statement timeout"):
                await connection.execute(text("SELECT pg_sleep(5)"))

    async def test_no_more_connections_than_allowed_and_the_rest_wait(self, database_url: str) -> None:
        engine = postgres.create(database_url, application="busy", connections_min=1, connections_max=3)

        async def count() -> int:
            async with engine.connect() as connection:
                await connection.execute(text("SELECT pg_sleep(0.02)"))
                query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'xorj busy'"
                return int((await connection.execute(text(query))).scalar_one())

        seen = await asyncio.gather(*(count() for _ in range(20)))
        await engine.dispose()
        assert max(seen) == 3

    async def test_disposing_closes_every_connection(self, database_url: str) -> None:
        engine = postgres.create(database_url, application="leaving", connections_min=2, connections_max=3)
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        await engine.dispose()
        with psycopg.connect(database_url) as connection:
            deadline = asyncio.get_running_loop().time() + 5
            while (
                left := connection.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'xorj leaving'").fetchone()
            ) != (0,):
                assert asyncio.get_running_loop().time() < deadline, left

    async def test_connections_that_broke_are_replaced(self, engine: AsyncEngine, database_url: str) -> None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        with psycopg.connect(database_url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'xorj tests'")
        failures = 0
        while True:
            try:
                async with engine.connect() as connection:
                    assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
                break
            except DBAPIError:
                failures += 1
        assert failures <= 10

    async def test_what_a_burst_has_opened_is_closed_when_it_idles_but_for_the_minimum(self, database_url: str) -> None:
        engine = postgres.create(database_url, application="burst", connections_min=2, connections_max=8, idle_seconds_max=1)

        async def work() -> None:
            async with engine.connect() as connection:
                await connection.execute(text("SELECT pg_sleep(0.05)"))

        def opened() -> int:
            with psycopg.connect(database_url) as connection:
                found = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'xorj burst'").fetchone()
            return found[0] if found else 0

        await asyncio.gather(*(work() for _ in range(8)))
        assert opened() == 8
        eventually(lambda: opened() == 2, "the surplus is closed")
        await asyncio.gather(*(work() for _ in range(20)))
        await engine.dispose()

    async def test_a_server_that_is_not_there_is_unavailable(self, tmp_path: object) -> None:
        engine = postgres.create(f"postgresql://x@/x?host={tmp_path}", application="t", connections_min=1, connections_max=1)
        with pytest.raises(Unavailable, match="PostgreSQL is unavailable"):
            async with transaction(engine):
                pass
        await engine.dispose()


@pytest.mark.database
class TestTheChainOfADatabase:
    async def test_the_first_to_come_decides(self, engine: AsyncEngine) -> None:
        await postgres.require_chain(engine, "one")
        await postgres.require_chain(engine, "one")
        with pytest.raises(RefusedForSafety, match="one"):
            await postgres.require_chain(engine, "two")

    async def test_of_many_at_once_one_decides(self, engine: AsyncEngine) -> None:
        outcomes = await asyncio.gather(*(postgres.require_chain(engine, f"chain {n % 2}") for n in range(8)), return_exceptions=True)
        assert sum(outcome is None for outcome in outcomes) == 4
        assert all(outcome is None or isinstance(outcome, RefusedForSafety) for outcome in outcomes)
