"""Challenges, sessions and users in PostgreSQL. Built by services.gateway and services.web."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ARRAY, LargeBinary, any_, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.reads import Read, reader
from xorj.adapters.postgres.tables import challenges, sessions, users, vaults
from xorj.adapters.postgres.together import Together
from xorj.adapters.postgres.transactions import reading, transaction
from xorj.identity.challenge import Challenge
from xorj.identity.permissions import Permission
from xorj.identity.session import Session
from xorj.primitives.errors import RefusedForSafety
from xorj.primitives.ids import UserId, Wallet

# Every new row takes some dead ones away with it, so that neither table needs a caretaker.
EXPIRED_ROWS_REMOVED_MAX = 20
# Made once: it is run for every call of the API.
_OPEN = Read(
    select(sessions).where(sessions.c.sid_hash == any_(bindparam("sid_hashes", type_=ARRAY(LargeBinary))), sessions.c.revoked_at.is_(None))
)


class PostgresChallenges:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, challenge: Challenge) -> None:
        async with transaction(self._engine) as connection:
            dead = select(challenges.c.nonce).where(challenges.c.expires_at < challenge.issued_at).limit(EXPIRED_ROWS_REMOVED_MAX)
            await connection.execute(delete(challenges).where(challenges.c.nonce.in_(dead.with_for_update(skip_locked=True))))
            await connection.execute(
                insert(challenges).values(
                    nonce=challenge.nonce, wallet=challenge.wallet, message=challenge.text, expires_at=challenge.expires_at
                )
            )

    async def use(self, challenge: Challenge, now: datetime) -> bool:
        asked = challenges.c
        same = (asked.nonce == challenge.nonce, asked.wallet == challenge.wallet, asked.message == challenge.text)
        unused = (*same, asked.used_at.is_(None), asked.expires_at > now)
        async with transaction(self._engine) as connection:
            done = await connection.execute(update(challenges).where(*unused).values(used_at=now).returning(asked.nonce))
            return done.first() is not None


class PostgresSessions:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # Looked up on every call of the API: three round trips become one, and many calls one statement.
        self._reading = reading(engine)
        self._found = Together(self._find_all)

    async def open(self, session: Session) -> None:
        async with transaction(self._engine) as connection:
            await _open(connection, session)

    async def find(self, sid_hash: bytes, now: datetime) -> Session | None:
        # read apart from the others asked together, whom a row that cannot be read must not concern
        row = await self._found.answer(sid_hash)
        found = None if row is None else _session(row)
        return found if found is not None and found.expires_at > now else None

    async def _find_all(self, sid_hashes: Sequence[bytes]) -> list[Any]:
        async with reader(self._reading) as connection:
            rows = await connection.rows(_OPEN.of(sid_hashes=list(set(sid_hashes))))
        found = {row.sid_hash: row for row in rows}
        return [found.get(sid_hash) for sid_hash in sid_hashes]

    async def rotate(self, sid_hash: bytes, successor: Session, now: datetime) -> bool:
        open_still = (sessions.c.sid_hash == sid_hash, sessions.c.revoked_at.is_(None), sessions.c.expires_at > now)
        async with transaction(self._engine) as connection:
            ended = await connection.execute(update(sessions).where(*open_still).values(revoked_at=now).returning(sessions.c.user_id))
            if ended.first() is None:
                return False
            await _open(connection, successor)
            return True

    async def end(self, sid_hash: bytes) -> None:
        async with transaction(self._engine) as connection:
            await connection.execute(
                update(sessions).where(sessions.c.sid_hash == sid_hash, sessions.c.revoked_at.is_(None)).values(revoked_at=func.now())
            )


class PostgresUsers:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of_wallet(self, wallet: Wallet) -> UserId:
        new = upsert(users).values(id=uuid4().hex, wallet_address=wallet).on_conflict_do_nothing()
        async with transaction(self._engine) as connection:
            await connection.execute(new)
            row = (await connection.execute(select(users.c.id, users.c.closed_at).where(users.c.wallet_address == wallet))).one()
            # A vault may have been seen on the chain before its owner ever came here.
            mine = update(vaults).where(vaults.c.owner == wallet, vaults.c.user_id.is_(None))
            await connection.execute(mine.values(user_id=row.id))
        if row.closed_at is not None:
            raise RefusedForSafety(f"the user of wallet {wallet} was closed")
        return UserId(row.id)


async def _open(connection: AsyncConnection, session: Session) -> None:
    dead = select(sessions.c.sid_hash).where(sessions.c.expires_at < func.now()).limit(EXPIRED_ROWS_REMOVED_MAX)
    await connection.execute(delete(sessions).where(sessions.c.sid_hash.in_(dead.with_for_update(skip_locked=True))))
    await connection.execute(
        insert(sessions).values(
            sid_hash=session.sid_hash,
            user_id=session.user_id,
            wallet=session.wallet,
            permissions=sorted(session.permissions),
            expires_at=session.expires_at,
        )
    )


def _session(row: Any) -> Session:
    permissions = frozenset(Permission(name) for name in row.permissions)
    return Session(row.sid_hash, UserId(row.user_id), Wallet(row.wallet), permissions, row.expires_at)
