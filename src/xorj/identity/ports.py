"""What knowing callers needs of the outside. Adapters: adapters/postgres, adapters/redis. Every method raises Unavailable."""

from datetime import datetime
from typing import Any, Protocol

from xorj.identity.challenge import Challenge
from xorj.identity.idempotency import Begun
from xorj.identity.rate_limit import Allowance, RateLimit
from xorj.identity.session import Session
from xorj.primitives.ids import UserId, Wallet


class ChallengeStore(Protocol):
    """Always PostgreSQL: a used nonce must stay used, whatever a cache forgets."""

    async def add(self, challenge: Challenge) -> None: ...

    async def use(self, challenge: Challenge, now: datetime) -> bool:
        """Marks the nonce as used. True for exactly one caller, and only when this very text was asked of this wallet."""


class SessionStore(Protocol):
    async def open(self, session: Session) -> None: ...

    async def find(self, sid_hash: bytes, now: datetime) -> Session | None:
        """The session, unless it was never opened, has ended or has expired."""

    async def rotate(self, sid_hash: bytes, successor: Session, now: datetime) -> bool:
        """Ends one session and opens the other as one step. False, and nothing opened, when the first was not open."""

    async def end(self, sid_hash: bytes) -> None:
        """Repeating it changes nothing."""


class UserStore(Protocol):
    async def of_wallet(self, wallet: Wallet) -> UserId:
        """The wallet's user, made on first sight. Raises RefusedForSafety for a user who was closed."""


class RateLimiter(Protocol):
    async def hit(self, limit: RateLimit, key: str) -> Allowance:
        """Counts one request of `key`, the refused ones too."""


class IdempotencyStore(Protocol):
    async def begin(self, user: str, key: str, request_hash: str) -> Begun:
        """Fresh for exactly one caller. What was begun and never finished is fresh again after a while."""

    async def finish(self, user: str, key: str, status_code: int, body: Any) -> None: ...

    async def forget(self, user: str, key: str) -> None:
        """After a failure that changed nothing: the key may be used again."""
