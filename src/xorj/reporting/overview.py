"""Everything on the dashboard, as GET /api/overview gives it: read by adapters/postgres, valued here, shown by gateway and web."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from xorj.prices.price import Price
from xorj.primitives.amounts import Usd
from xorj.primitives.ids import LOCAL_GENESIS, USDC, Address, Mint, Signature, Slot, Wallet
from xorj.reporting.values import Dollars, RawAmount

LEADERS_MAX = 50
VAULTS_MAX = 20
# The vault program takes no other base mint.
BASE_DECIMALS = 6
# What fits a screen or two; GET /api/bot/trades and /api/bot/decisions have all of one's own, page by page.
TRADES_MAX = 20
DECISIONS_MAX = 20
# The trade-bot writes its heartbeat every few seconds; after this long without one it is not working.
HEARTBEAT_AGE_SECONDS_MAX = 30

BotState = Literal["active", "paused", "stopped"]


@dataclass(frozen=True, slots=True)
class Mode:
    """Which chain this is, and where it stands; slot and block_time are null while no node answers."""

    environment: str
    chain_genesis: str
    worthless: bool
    slot: Slot | None
    block_time: int | None


@dataclass(frozen=True, slots=True)
class Bot:
    """Whether anybody's trades are copied now, and if not, why. `since` is when the kill switch was last moved."""

    state: BotState
    reason: str | None
    since: datetime | None
    kill_switch_stopped: bool
    open_intents: int
    heartbeat_at: datetime | None
    gate_open: bool
    draining: bool


@dataclass(frozen=True, slots=True)
class ScoringRun:
    run_id: str
    model: str
    as_of_slot: Slot | None
    status: str
    traders_analyzed: int
    traders_ranked: int
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class TrustEvidence:
    """What stands behind a wallet's score; null where there is no trust score. Band in theta, daily utility-Sharpe, held with 80 %.

    `edge_percent` is the chance that there is any skill, `capacity_usd` the order at which what is expected halves, `calibration` names the
    prior; `reasons` are the largest three, and `past` is what was observed of scores like this, null until windows have closed.
    """

    classic_score: float
    trust_score: float | None
    edge_percent: float | None
    band_low: float | None
    band_high: float | None
    evidence_days: int
    capacity_usd: float | None
    copy_cost_percent: float | None
    expected_drawdown_percent: float | None
    calibration: str | None
    reasons: list[str]
    past: str | None


@dataclass(frozen=True, slots=True)
class Leader:
    """One ranked wallet. Percentages, as in the specification's columns; `followed` by a vault that the reader may see."""

    rank: int
    wallet: Wallet
    score: float
    model: str
    eligible: bool
    trade_count: int | None
    win_rate_percent: float | None
    total_return_percent: float | None
    max_drawdown_percent: float | None
    followed: bool
    evidence: TrustEvidence


@dataclass(frozen=True, slots=True)
class Amount:
    """`amount_raw` base units of a token; null while it is not known yet."""

    mint: Mint
    symbol: str
    decimals: int
    amount_raw: RawAmount | None


@dataclass(frozen=True, slots=True)
class Balance:
    mint: Mint
    symbol: str
    decimals: int
    amount_raw: RawAmount
    value_usd: Dollars | None


@dataclass(frozen=True, slots=True)
class Vault:
    """One vault as its last read event left it, with what our ledger says it holds and what its owner put in less what he took out.

    `value_usd` counts the balances that have a price; `pnl_usd` is that less `net_deposited_raw`, null unless everything has one.
    """

    address: Address
    owner: Wallet
    is_active: bool
    paused: bool
    bot_authority: Address | None
    bot_expires_at: int | None
    base_mint: Mint
    total_deposited_raw: RawAmount
    net_deposited_raw: RawAmount
    value_usd: Dollars | None
    pnl_usd: Dollars | None
    as_of_slot: Slot
    balances: list[Balance]


@dataclass(frozen=True, slots=True)
class LeaderTrade:
    leader: Wallet
    signature: Signature
    slot: Slot
    input: Amount
    output: Amount


@dataclass(frozen=True, slots=True)
class Trade:
    """One wished-for vault trade, beside the leader's trade that it copies. `delay_slots` is from his slot to ours.

    `cause` is what it exists for: leader_trade, or without one a stop, a missed_exit or an exit_all.
    """

    id: str
    status: str
    cause: str
    direction: str
    input: Amount
    output: Amount | None
    signature: Signature | None
    slot: Slot | None
    delay_slots: int | None
    leader_trade: LeaderTrade | None
    reason: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for one follower about one leader trade, which gave `input` for `output`, with the rule and its numbers."""

    id: str
    outcome: str
    rule: str
    numbers: dict[str, Any]
    leader: Wallet
    leader_signature: Signature
    input: Amount
    output: Amount
    slot: Slot
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of intents by what became of them, and of decisions by outcome. `unsettled` is neither settled, reverted nor dead."""

    settled: int = 0
    reverted: int = 0
    dead: int = 0
    unsettled: int = 0
    copied: int = 0
    resized: int = 0
    skipped: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    mode: Mode
    bot: Bot
    scoring: ScoringRun | None
    leaders: list[Leader]
    vaults: list[Vault]
    trades: list[Trade]
    decisions: list[Decision]
    totals: Totals


def mode(environment: str, genesis: str, slot: Slot | None, block_time: int | None) -> Mode:
    return Mode(environment, genesis, genesis == LOCAL_GENESIS, slot, block_time)


def mints_of(overview: Overview) -> list[Mint]:
    """Every mint that a shown vault holds, for asking their prices."""
    return list(dict.fromkeys(balance.mint for vault in overview.vaults for balance in vault.balances))


def valued(overview: Overview, prices: Mapping[Mint, Price]) -> Overview:
    """The same overview with the worth of what the vaults hold, where a price is known. USDC without a price counts as a dollar."""
    return replace(overview, vaults=[_valued(vault, prices) for vault in overview.vaults])


def _valued(vault: Vault, prices: Mapping[Mint, Price]) -> Vault:
    balances = [replace(balance, value_usd=_worth(balance, prices)) for balance in vault.balances]
    known = [balance.value_usd for balance in balances if balance.value_usd is not None]
    value = Usd(sum(known, start=Decimal(0)))
    put_in = _worth(Balance(vault.base_mint, "", BASE_DECIMALS, vault.net_deposited_raw, None), prices)
    pnl = Usd(value - put_in) if len(known) == len(balances) and put_in is not None else None
    return replace(vault, balances=balances, value_usd=value if known or not balances else None, pnl_usd=pnl)


def _worth(balance: Balance, prices: Mapping[Mint, Price]) -> Usd | None:
    if (price := prices.get(balance.mint)) is not None:
        return price.value(balance.amount_raw)
    if balance.mint == USDC:
        return Price(USDC, Usd(Decimal(1)), balance.decimals, None, "base").value(balance.amount_raw)
    return None


def worth(vaults: Sequence[Vault], prices: Mapping[Mint, Price]) -> Usd | None:
    """What these vaults hold together; None where something in them has no price."""
    values = [_worth(balance, prices) for vault in vaults for balance in vault.balances]
    return None if any(value is None for value in values) else Usd(sum((value for value in values if value is not None), start=Decimal(0)))


def valued_vaults(vaults: Sequence[Vault], prices: Mapping[Mint, Price]) -> list[Vault]:
    """The same vaults with the worth of what they hold, where a price is known."""
    return [_valued(vault, prices) for vault in vaults]
