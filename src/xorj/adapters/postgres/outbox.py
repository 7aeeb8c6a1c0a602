"""The outbox in PostgreSQL. Implements notifications' Outbox; rows are written by the stores, in the transaction of their cause."""

from datetime import timedelta

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.postgres.tables import outbox
from xorj.adapters.postgres.transactions import transaction
from xorj.notifications.message import Again, GivenUp, Message
from xorj.notifications.ports import MESSAGES_PER_BATCH_MAX, PRUNED_PER_PASS_MAX, Backlog

DETAIL_CHARACTERS_MAX = 500
_OPEN = and_(outbox.c.sent_at.is_(None), outbox.c.given_up_at.is_(None))


class PostgresOutbox:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def due(self, *, limit: int = MESSAGES_PER_BATCH_MAX) -> list[Message]:
        waits = func.coalesce(outbox.c.next_try_at > func.now(), False).label("waits")
        query = select(outbox, waits).where(_OPEN).order_by(outbox.c.id).limit(limit)
        found: list[Message] = []
        async with transaction(self._engine) as connection:
            for row in await connection.execute(query):
                if row.waits:
                    break
                found.append(Message(row.id, row.topic, row.key, row.payload, row.created_at, row.tries))
        return found

    async def mark_sent(self, message: Message) -> None:
        async with transaction(self._engine) as connection:
            await connection.execute(update(outbox).where(outbox.c.id == message.id, _OPEN).values(sent_at=func.now()))

    async def mark_failed(self, message: Message, detail: str, following: Again | GivenUp) -> None:
        values: dict[str, object] = {"tries": message.tries + 1, "last_error": detail[:DETAIL_CHARACTERS_MAX]}
        if isinstance(following, Again):
            values["next_try_at"] = func.now() + timedelta(seconds=following.after_s)
        else:
            values["given_up_at"] = func.now()
        async with transaction(self._engine) as connection:
            await connection.execute(update(outbox).where(outbox.c.id == message.id, _OPEN).values(values))

    async def backlog(self) -> Backlog:
        age = func.coalesce(func.extract("epoch", func.now() - func.min(outbox.c.created_at)), 0)
        async with transaction(self._engine) as connection:
            count, oldest_s = (await connection.execute(select(func.count(), age).where(_OPEN))).one()
        return Backlog(count, float(oldest_s))

    async def prune(self, *, older_than_s: float, limit: int = PRUNED_PER_PASS_MAX) -> int:
        old = select(outbox.c.id).where(outbox.c.sent_at < func.now() - timedelta(seconds=older_than_s)).order_by(outbox.c.id).limit(limit)
        async with transaction(self._engine) as connection:
            gone = await connection.execute(delete(outbox).where(outbox.c.id.in_(old)).returning(outbox.c.id))
            return len(gone.all())
