"""The outbox: one suite on memory and on PostgreSQL, whose clock is moved by moving what its rows say."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import pytest
from sqlalchemy import func, insert, update
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.memory_outbox import MemoryOutbox

from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres.outbox import PostgresOutbox
from xorj.adapters.postgres.tables import outbox
from xorj.notifications.message import Again, GivenUp
from xorj.notifications.ports import Outbox


class World(Outbox, Protocol):
    """An outbox that can be written to and whose time passes at the test's word."""

    async def write(self, topic: str, key: str) -> None: ...

    async def passes(self, seconds: float) -> None: ...


@dataclass
class StoredOutbox(PostgresOutbox):
    engine: AsyncEngine
    written: int = 0

    def __post_init__(self) -> None:
        super().__init__(self.engine)

    async def write(self, topic: str, key: str) -> None:
        self.written += 1
        async with self.engine.begin() as connection:
            await connection.execute(insert(outbox).values(topic=topic, key=key, payload={"n": self.written}))

    async def passes(self, seconds: float) -> None:
        names = ("created_at", "sent_at", "next_try_at", "given_up_at")
        earlier = {name: outbox.c[name] - timedelta(seconds=seconds) for name in names}
        async with self.engine.begin() as connection:
            await connection.execute(update(outbox).values(earlier))


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.database)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        yield MemoryOutbox()
        return
    engine = postgres.create(request.getfixturevalue("database_url"), application="tests", connections_min=1, connections_max=5)
    yield StoredOutbox(engine)
    await engine.dispose()


async def keys(world: World) -> list[str]:
    return [message.key for message in await world.due()]


async def test_messages_are_due_in_the_order_of_their_making_until_they_are_marked(world: World) -> None:
    for key in "abc":
        await world.write("topic", key)
    assert [message.key for message in await world.due(limit=2)] == ["a", "b"]
    first, second, _ = await world.due()
    assert (first.topic, first.payload, first.tries) == ("topic", {"n": 1}, 0)
    await world.mark_sent(second)
    await world.mark_sent(second)
    assert await keys(world) == ["a", "c"]


async def test_what_has_to_wait_holds_up_those_behind_it(world: World) -> None:
    for key in "ab":
        await world.write("topic", key)
    first, _ = await world.due()
    await world.mark_failed(first, "HTTP 503", Again(60))
    assert await keys(world) == []
    await world.passes(61)
    again, _ = await world.due()
    assert (again.key, again.tries) == ("a", 1)
    assert again.identity.startswith("msg_")


async def test_what_was_given_up_holds_up_nobody(world: World) -> None:
    for key in "ab":
        await world.write("topic", key)
    first, _ = await world.due()
    await world.mark_failed(first, "HTTP 400", GivenUp())
    assert await keys(world) == ["b"]
    await world.mark_sent(first)
    assert (await world.backlog()).count == 1, "what was given up stays given up"


async def test_the_backlog_is_what_is_open_and_how_old(world: World) -> None:
    assert (await world.backlog()).count == 0
    await world.write("topic", "a")
    await world.passes(100)
    await world.write("topic", "b")
    found = await world.backlog()
    assert (found.count, round(found.oldest_s / 100)) == (2, 1)
    for message in await world.due():
        await world.mark_sent(message)
    assert await world.backlog() == type(found)(0, 0.0)


async def test_only_old_and_delivered_messages_are_pruned(world: World) -> None:
    for key in "abc":
        await world.write("topic", key)
    first, second, _ = await world.due()
    await world.mark_sent(first)
    await world.passes(100)
    await world.mark_sent(second)
    assert await world.prune(older_than_s=50) == 1
    assert await world.prune(older_than_s=50) == 0
    assert await keys(world) == ["c"]


@pytest.mark.database
async def test_the_identity_is_the_same_at_every_reading(engine: AsyncEngine) -> None:
    store = StoredOutbox(engine)
    await store.write("topic", "a")
    await store.write("topic", "a")
    first, second = await store.due()
    assert [message.identity for message in await store.due()] == [first.identity, second.identity]
    assert first.identity != second.identity
    async with engine.begin() as connection:
        await connection.execute(update(outbox).values(tries=3, next_try_at=func.now()))
    assert (await store.due())[0].identity == first.identity
