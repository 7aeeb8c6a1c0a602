"""Who reads the read models. Adapters: adapters/postgres. Every method raises Unavailable; every list is limited by a named page size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from xorj.observability.health import Health
from xorj.primitives.ids import Address, Slot, UserId
from xorj.reporting.account import (
    BotConfiguration,
    CopyOrder,
    Movement,
    PerformanceMetrics,
    RankedTrader,
    TraderRanking,
    UserSettings,
    UserStatus,
)
from xorj.reporting.overview import Bot, Decision, Mode, Overview, ScoringRun, Trade, Vault
from xorj.reporting.stops import StopReport


@dataclass(frozen=True, slots=True)
class Everyone:
    """Reads all vaults: on a local chain, whose funds are worthless, and for an operator."""


@dataclass(frozen=True, slots=True)
class Nobody:
    """Reads what concerns no user: bot state and ranking."""


Audience = Everyone | Nobody | UserId


@dataclass(frozen=True, slots=True)
class TradePage:
    """Newest first. `next_cursor` asks for the page after this one; null on the last."""

    trades: list[Trade]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class DecisionPage:
    decisions: list[Decision]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class MovementPage:
    transactions: list[Movement]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Ranking:
    run: ScoringRun | None
    traders: list[RankedTrader]


@dataclass(frozen=True, slots=True)
class DatabaseHealth:
    """`revision` is where the database is, `revision_needed` where this version of the code needs it."""

    latency_ms: float
    revision: str | None
    revision_needed: str
    connections: int
    connections_max: int


class RankingEngine(Protocol):
    """The quant-engine on 8001. Adapter: adapters/engines."""

    async def rankings(self, *, limit: int) -> list[TraderRanking]:
        """Best first. Raises Unavailable, at once while the engine's breaker is open."""


class SystemProbe(Protocol):
    """How the parts of the system are, asked now. Adapter: adapters/engines with adapters/postgres."""

    async def database(self) -> DatabaseHealth:
        """Raises Unavailable."""

    async def services(self) -> dict[str, Health]:
        """`database` and every process that this one can reach, each within two seconds."""


class OverviewReader(Protocol):
    async def overview(self, audience: Audience, mode: Mode) -> Overview:
        """Everything on the page at one moment, without values."""

    async def bot(self) -> Bot: ...


class StopReader(Protocol):
    async def report(self, audience: Audience) -> StopReport:
        """What was done since the kill switch was last moved, in the vaults that this audience may see."""


class RankingReader(Protocol):
    async def ranking(self, *, limit: int) -> Ranking:
        """The newest finished run, ranked wallets only, best first."""


class AccountReader(Protocol):
    async def trades(self, user: UserId, *, limit: int, cursor: str | None) -> TradePage:
        """Raises InvalidInput for a cursor that is not one of ours."""

    async def decisions(self, user: UserId, *, limit: int, cursor: str | None) -> DecisionPage:
        """Raises InvalidInput for a cursor that is not one of ours."""

    async def movements(self, user: UserId, *, limit: int, cursor: str | None) -> MovementPage:
        """Raises InvalidInput for a cursor that is not one of ours."""

    async def performance(self, user: UserId) -> PerformanceMetrics:
        """Without value, PnL and return, which need prices."""

    async def vaults(self, user: UserId) -> Sequence[Vault]: ...

    async def status(self, user: UserId) -> UserStatus: ...


class Settings(Protocol):
    """A user's own preferences."""

    async def read(self, user: UserId) -> UserSettings: ...

    async def save(self, user: UserId, settings: UserSettings) -> None: ...


class CopyOrders(Protocol):
    """A user's standing order to copy whoever leads the ranking. The trade-bot opens and closes follows from it."""

    async def configuration(self, user: UserId) -> BotConfiguration:
        """As it stands, or as it would begin."""

    async def enable(self, user: UserId, vault: Address, order: CopyOrder) -> None:
        """Opens an order, or changes the open one."""

    async def change(self, user: UserId, order: CopyOrder) -> bool:
        """Changes the open order and its follows. False when there is none."""

    async def disable(self, user: UserId, reason: str, slot: Slot) -> bool:
        """Ends order and follows and cancels what nobody has begun. False when there was none."""
