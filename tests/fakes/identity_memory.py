"""Challenges, sessions and users in memory, and a clock that a test sets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from xorj.identity.challenge import Challenge
from xorj.identity.session import Session
from xorj.primitives.errors import RefusedForSafety
from xorj.primitives.ids import UserId, Wallet


class SetClock:
    """Implements WallClock."""

    def __init__(self, now: datetime | None = None) -> None:
        self._now = now or datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def passes(self, time: timedelta) -> None:
        self._now += time


class MemoryChallenges:
    def __init__(self) -> None:
        self._unused: dict[str, Challenge] = {}

    async def add(self, challenge: Challenge) -> None:
        self._unused[challenge.nonce] = challenge

    async def use(self, challenge: Challenge, now: datetime) -> bool:
        if self._unused.get(challenge.nonce) != challenge or now >= challenge.expires_at:
            return False
        del self._unused[challenge.nonce]
        return True


class MemorySessions:
    def __init__(self) -> None:
        self._open: dict[bytes, Session] = {}

    async def open(self, session: Session) -> None:
        self._open[session.sid_hash] = replace(session)

    async def find(self, sid_hash: bytes, now: datetime) -> Session | None:
        found = self._open.get(sid_hash)
        return found if found and now < found.expires_at else None

    async def rotate(self, sid_hash: bytes, successor: Session, now: datetime) -> bool:
        if await self.find(sid_hash, now) is None:
            return False
        del self._open[sid_hash]
        await self.open(successor)
        return True

    async def end(self, sid_hash: bytes) -> None:
        self._open.pop(sid_hash, None)


class MemoryUsers:
    def __init__(self, closed: frozenset[Wallet] = frozenset()) -> None:
        self._ids: dict[Wallet, UserId] = {}
        self._closed = closed

    async def of_wallet(self, wallet: Wallet) -> UserId:
        if wallet in self._closed:
            raise RefusedForSafety("closed")
        return self._ids.setdefault(wallet, UserId(f"user {len(self._ids) + 1}"))
