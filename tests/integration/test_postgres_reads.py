"""Statements that are compiled once: their parameters, their snapshot, and what becomes of a connection that breaks."""

import asyncio

import pytest
from sqlalchemy import Integer, Text, bindparam, literal, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres.reads import READS_AT_ONCE_MAX, Read, reader
from xorj.adapters.postgres.tables import kill_switch
from xorj.adapters.postgres.transactions import reading
from xorj.primitives.errors import Unavailable

pytestmark = pytest.mark.database
DOUBLED = Read(select((bindparam("number", type_=Integer) * 2).label("doubled"), literal("x").label("letter")))
SWITCHES = Read(select(kill_switch.c.reason).where(kill_switch.c.reason.in_(("a", "b"))))


async def test_values_go_in_by_name_and_come_out_by_name(engine: AsyncEngine) -> None:
    async with reader(reading(engine)) as connection:
        (row,) = await connection.rows(DOUBLED.of(number=21))
        first, second = await connection.all(DOUBLED.of(number=1), DOUBLED.of(number=2))
    assert (row.doubled, row.letter) == (42, "x")
    assert (first[0].doubled, second[0].doubled) == (2, 4)


@pytest.mark.parametrize("values", [{}, {"numbr": 1}, {"number": 1, "more": 2}])
def test_a_forgotten_parameter_is_not_null(values: dict[str, int]) -> None:
    with pytest.raises(TypeError, match="number"):
        DOUBLED.of(**values)


async def test_one_moment_is_one_moment(engine: AsyncEngine) -> None:
    wait = Read(select(text("pg_sleep(0.05)")))
    insert = text("INSERT INTO kill_switch (id, stopped, reason, actor) VALUES (1, true, 'a', 'test')")

    async def write() -> None:
        async with engine.begin() as connection:
            await connection.execute(insert)

    async with reader(reading(engine)) as connection:
        asking = asyncio.create_task(connection.at_one_moment(SWITCHES.of(), wait.of(), SWITCHES.of()))
        await write()
        before, _, after = await asking
        assert before == after
        assert [row.reason for row in await connection.rows(SWITCHES.of())] == ["a"]


async def asks_after_being_cut_off(engine: AsyncEngine, other: AsyncEngine) -> None:
    async with reader(reading(engine)) as connection:
        (row,) = await connection.rows(Read(select(text("pg_backend_pid() AS pid"))).of())
        async with other.begin() as killer:
            await killer.execute(text(f"SELECT pg_terminate_backend({row.pid})"))
        await connection.rows(DOUBLED.of(number=1))


async def test_a_connection_that_broke_is_unavailable_once_and_never_handed_out_again(database_url: str) -> None:
    engine = postgres.create(database_url, application="test", connections_min=1, connections_max=1)
    other = postgres.create(database_url, application="other", connections_min=1, connections_max=1)
    try:
        with pytest.raises(Unavailable):
            await asks_after_being_cut_off(engine, other)
        async with reader(reading(engine)) as connection:
            assert [row.doubled for row in await connection.rows(DOUBLED.of(number=1))] == [2]
    finally:
        await engine.dispose()
        await other.dispose()


async def test_a_text_is_a_text_whatever_it_says(engine: AsyncEngine) -> None:
    said = Read(select(bindparam("said", type_=Text).label("said")))
    async with reader(reading(engine)) as connection:
        for words in ("'; DROP TABLE users; --", "%s %(x)s", "ü\n"):
            assert [row.said for row in await connection.rows(said.of(said=words))] == [words]


async def test_many_readers_take_turns_and_all_are_answered(engine: AsyncEngine) -> None:
    reading_now: set[int] = set()
    most = 0

    async def reads(number: int) -> int:
        nonlocal most
        async with reader(reading(engine)) as connection:
            reading_now.add(number)
            most = max(most, len(reading_now))
            (row,) = await connection.rows(DOUBLED.of(number=number))
            reading_now.discard(number)
        return int(row.doubled)

    assert await asyncio.gather(*(reads(number) for number in range(40))) == [2 * number for number in range(40)]
    assert most <= READS_AT_ONCE_MAX
