"""What one user sees of himself: bot, settings, vault, movements, performance. Read by adapters/postgres/account."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from xorj.primitives.amounts import Usd
from xorj.primitives.ids import Address, Mint, Signature, Slot, UserId, Wallet
from xorj.reporting.overview import BotState, TrustEvidence
from xorj.reporting.values import Dollars, RawAmount

PAGE_ITEMS_MAX = 100
PAGE_ITEMS_DEFAULT = 50
LEADERS_MAX_LIMIT = 20
LEADERS_MAX_DEFAULT = 5
ALLOCATION_BPS_DEFAULT = 2_000

RiskProfile = Literal["CONSERVATIVE", "BALANCED", "AGGRESSIVE"]


@dataclass(frozen=True, slots=True)
class CopyOrder:
    """How many leaders are copied at once, and the share of the vault's equity that each of them may steer."""

    leaders_max: int
    allocation_bps: int


@dataclass(frozen=True, slots=True)
class BotConfiguration:
    """How the bot copies for this user; the limits of the vault's own policy stand above it."""

    enabled: bool
    vault: Address | None
    leaders_max: int
    allocation_bps: int
    risk_profile: RiskProfile
    max_trade_amount_usd: Dollars | None
    slippage_tolerance_percent: float


@dataclass(frozen=True, slots=True)
class PerformanceMetrics:
    """What copying has done for this user. PnL is worth now plus withdrawals less deposits, network fees being the bot's.

    `value_usd`, `pnl_usd` and `return_percent` are null where something held has no price or nothing was deposited.
    """

    deposited_usd: Dollars
    withdrawn_usd: Dollars
    value_usd: Dollars | None
    pnl_usd: Dollars | None
    return_percent: float | None
    trades_settled: int
    trades_reverted: int
    trades_dead: int
    trades_open: int
    decisions_copied: int
    decisions_not_copied: int
    delay_slots_median: float | None
    last_trade_at: datetime | None

    def valued(self, value: Usd | None) -> "PerformanceMetrics":
        """The same with what the vaults are worth now: PnL = value + withdrawn - deposited, return = PnL / deposited."""
        if value is None or self.deposited_usd <= 0:
            return replace(self, value_usd=value)
        pnl = Usd(value + self.withdrawn_usd - self.deposited_usd)
        return replace(self, value_usd=value, pnl_usd=pnl, return_percent=float(100 * pnl / self.deposited_usd))


@dataclass(frozen=True, slots=True)
class CircuitBreakerStatus:
    """What stands between a decision and a trade. Any `open` breaker keeps new trades from being made."""

    kill_switch: Literal["closed", "open"]
    reconciliation_gate: Literal["closed", "open"]
    heartbeat: Literal["closed", "open"]
    vault: Literal["closed", "open"]


@dataclass(frozen=True, slots=True)
class BotStatus:
    """`health_score` is the share of closed breakers, 0 to 100."""

    user_id: UserId
    status: BotState
    health_score: float
    configuration: BotConfiguration
    performance: PerformanceMetrics
    circuit_breakers: CircuitBreakerStatus
    last_execution: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class UserSettings:
    """The user's own preferences, rows of user_settings."""

    risk_profile: RiskProfile
    max_trade_amount_usd: Dollars | None
    slippage_tolerance_percent: float


@dataclass(frozen=True, slots=True)
class UserStatus:
    user_id: UserId
    wallet_address: Wallet
    created_at: datetime
    vault: Address | None
    vault_is_active: bool
    bot_granted: bool
    bot_enabled: bool


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of a vault's balance and the transaction that made it; negative went out."""

    id: int
    vault: Address
    cause: str
    mint: Mint
    symbol: str
    decimals: int
    delta_raw: RawAmount
    signature: Signature
    slot: Slot
    block_time: int | None
    intent_id: str | None


@dataclass(frozen=True, slots=True)
class RankedTrader:
    """One row of a ranking, with both what the specification shows and the exact score."""

    wallet_address: Wallet
    xorj_trust_score: float
    rank: int
    score: float
    model: str
    is_eligible: bool
    win_rate: float | None
    total_return: float | None
    max_drawdown: float | None
    trade_count: int | None
    evidence: TrustEvidence


@dataclass(frozen=True, slots=True)
class TraderPerformance:
    """Percentages, as the specification's columns have them."""

    win_rate: float | None
    total_return: float | None
    max_drawdown: float | None
    trade_count: int | None


@dataclass(frozen=True, slots=True)
class TraderRanking:
    """A ranked wallet in the specification's shape."""

    wallet_address: Wallet
    xorj_trust_score: float
    rank: int
    performance_metrics: TraderPerformance


def specified(trader: RankedTrader) -> TraderRanking:
    performance = TraderPerformance(trader.win_rate, trader.total_return, trader.max_drawdown, trader.trade_count)
    return TraderRanking(trader.wallet_address, trader.xorj_trust_score, trader.rank, performance)
