"""Sessions in Redis, ended by their own expiry. Built by services.gateway and services.web where REDIS_URL is set."""

from datetime import UTC, datetime

import orjson
from redis.asyncio import Redis

from xorj.adapters.redis.connection import KEY_PREFIX, answering
from xorj.identity.permissions import Permission
from xorj.identity.session import Session
from xorj.primitives.ids import UserId, Wallet

# One step on the server, so that of two callers with one session exactly one goes on.
ROTATE = """
if redis.call('DEL', KEYS[1]) == 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'PXAT', ARGV[2])
return 1
"""


class RedisSessions:
    def __init__(self, client: Redis) -> None:
        self._client = client
        self._rotate = client.register_script(ROTATE)

    async def open(self, session: Session) -> None:
        async with answering():
            await self._client.set(_key(session.sid_hash), _stored(session), pxat=_unix_ms(session.expires_at))

    async def find(self, sid_hash: bytes, now: datetime) -> Session | None:
        async with answering():
            stored = await self._client.get(_key(sid_hash))
        found = _session(sid_hash, stored) if stored else None
        return found if found and now < found.expires_at else None

    async def rotate(self, sid_hash: bytes, successor: Session, now: datetime) -> bool:
        if await self.find(sid_hash, now) is None:
            return False
        async with answering():
            done = await self._rotate(
                keys=[_key(sid_hash), _key(successor.sid_hash)], args=[_stored(successor), _unix_ms(successor.expires_at)]
            )
        return bool(done)

    async def end(self, sid_hash: bytes) -> None:
        async with answering():
            await self._client.delete(_key(sid_hash))


def _key(sid_hash: bytes) -> str:
    return f"{KEY_PREFIX}session:{sid_hash.hex()}"


def _unix_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _stored(session: Session) -> bytes:
    return orjson.dumps(
        {
            "user_id": session.user_id,
            "wallet": session.wallet,
            "permissions": sorted(session.permissions),
            "expires_at": _unix_ms(session.expires_at),
        }
    )


def _session(sid_hash: bytes, stored: bytes | str) -> Session:
    read = orjson.loads(stored)
    permissions = frozenset(Permission(name) for name in read["permissions"])
    expires = datetime.fromtimestamp(read["expires_at"] / 1000, UTC)
    return Session(sid_hash, UserId(read["user_id"]), Wallet(read["wallet"]), permissions, expires)
