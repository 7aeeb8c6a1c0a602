"""Keys that callers gave to their writes, with the first answer. Implements identity's IdempotencyStore."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.postgres.tables import idempotency_keys
from xorj.adapters.postgres.transactions import transaction
from xorj.identity.idempotency import Begun, Fresh, OtherRequest, Replayed, Underway

KEY_LIFE = timedelta(days=1)
# A request of ours ends long before this; what was begun and never finished belonged to a process that died.
UNFINISHED_LIFE = timedelta(minutes=2)
OLD_ROWS_REMOVED_MAX = 20


class PostgresIdempotency:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def begin(self, user: str, key: str, request_hash: str) -> Begun:
        table = idempotency_keys.c
        async with transaction(self._engine) as connection:
            await connection.execute(delete(idempotency_keys).where(table.user_id == user, table.key == key, _is_over()))
            old = select(table.user_id, table.key).where(table.created_at < func.now() - KEY_LIFE).limit(OLD_ROWS_REMOVED_MAX)
            for row in (await connection.execute(old.with_for_update(skip_locked=True))).all():
                await connection.execute(delete(idempotency_keys).where(table.user_id == row.user_id, table.key == row.key))
            new = insert(idempotency_keys).values(user_id=user, key=key, request_hash=request_hash).on_conflict_do_nothing()
            if (await connection.execute(new.returning(table.key))).first() is not None:
                return Fresh()
            there = select(idempotency_keys).where(table.user_id == user, table.key == key)
            found = (await connection.execute(there)).first()
        if found is None:
            return Underway()
        if found.request_hash != request_hash:
            return OtherRequest()
        return Underway() if found.status_code is None else Replayed(found.status_code, found.response)

    async def finish(self, user: str, key: str, status_code: int, body: Any) -> None:
        table = idempotency_keys.c
        async with transaction(self._engine) as connection:
            done = update(idempotency_keys).where(table.user_id == user, table.key == key)
            await connection.execute(done.values(status_code=status_code, response=body))

    async def forget(self, user: str, key: str) -> None:
        table = idempotency_keys.c
        async with transaction(self._engine) as connection:
            await connection.execute(delete(idempotency_keys).where(table.user_id == user, table.key == key, table.status_code.is_(None)))


def _is_over() -> Any:
    table = idempotency_keys.c
    abandoned = table.status_code.is_(None) & (table.created_at < func.now() - UNFINISHED_LIFE)
    return abandoned | (table.created_at < func.now() - KEY_LIFE)
