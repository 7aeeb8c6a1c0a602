"""What the edge needs of the outside beside the read models. Adapters: adapters/rate_limits, adapters/postgres, adapters/engines."""

from dataclasses import dataclass
from typing import Any, Protocol

from xorj.chain.ports import AccountReader, BlockhashSource, StatusReader, TransactionSender, TransactionSimulator
from xorj.copying.situation import Switch
from xorj.observability.health import Health
from xorj.reporting.account import RankedTrader


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`requests` in each window of `seconds`; `name` keeps counts of different limits apart."""

    name: str
    requests: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one request leaves of its limit. `reset_seconds` until the window begins anew."""

    allowed: bool
    limit: RateLimit
    remaining: int
    reset_seconds: int


class RateLimiter(Protocol):
    async def hit(self, limit: RateLimit, key: str) -> Allowance:
        """Counts one request of `key`. Raises Unavailable when it could not be counted."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """Nobody has used this key: do it, then `finish`."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """It was done before, with this answer."""

    status_code: int
    body: Any


@dataclass(frozen=True, slots=True)
class Underway:
    """Somebody is doing it now."""


@dataclass(frozen=True, slots=True)
class OtherRequest:
    """The key was used for another request."""


class IdempotencyStore(Protocol):
    async def begin(self, user: str, key: str, request_hash: str) -> Fresh | Replayed | Underway | OtherRequest: ...

    async def finish(self, user: str, key: str, status_code: int, body: Any) -> None: ...

    async def forget(self, user: str, key: str) -> None:
        """After a failure that changed nothing: the key may be used again."""


class KillSwitchControl(Protocol):
    async def state(self) -> Switch: ...

    async def stop(self, reason: str, *, actor: str) -> None: ...

    async def release(self, reason: str, *, actor: str) -> None: ...


class Node(AccountReader, BlockhashSource, StatusReader, TransactionSender, TransactionSimulator, Protocol):
    """The chain, as far as an owner's own transactions need it."""


@dataclass(frozen=True, slots=True)
class EngineRanking:
    """`run_id` and `as_of_slot` of the run that the engine holds."""

    run_id: str
    as_of_slot: int
    traders: list[RankedTrader]


class RankingEngine(Protocol):
    async def rankings(self, *, limit: int) -> EngineRanking:
        """Raises Unavailable at once while the engine's breaker is open."""


@dataclass(frozen=True, slots=True)
class DatabaseHealth:
    latency_ms: float
    revision: str | None
    revision_needed: str
    connections: int
    connections_max: int


class SystemProbe(Protocol):
    async def database(self) -> DatabaseHealth:
        """Raises Unavailable."""

    async def services(self) -> dict[str, Health]:
        """Every process that this one can reach, asked now, each within two seconds."""
