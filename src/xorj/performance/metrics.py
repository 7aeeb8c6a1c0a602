"""What a wallet's swaps amounted to; docs/performance-definitions.md says it in words. Read by trust, reporting and the CLI."""

import math
from dataclasses import dataclass
from typing import Any

from xorj.performance import columns as c
from xorj.primitives.ids import Wallet

ANNUAL = math.sqrt(c.DAYS_PER_YEAR)


@dataclass(frozen=True, slots=True)
class Performance:
    """One wallet, as of one moment. Ratios are fractions, None where undefined; `first_trade` and `last_trade` are unix seconds.

    Ratios named so are annual by the square root of 365 (`calmar` by compounding), those named `_daily` are of single days.
    """

    wallet: Wallet
    trades: int
    unpriced_trades: int
    closing_trades: int
    volume_usd: float
    realised_pnl_usd: float
    unrealised_pnl_usd: float
    fees_usd: float
    fees_known: bool
    net_pnl_usd: float
    unmatched_sold_usd: float
    capital_usd: float
    roi: float | None
    win_rate: float | None
    max_drawdown: float
    sharpe: float | None
    sharpe_daily: float | None
    sortino: float | None
    sortino_daily: float | None
    calmar: float | None
    calmar_daily: float | None
    volatility: float | None
    volatility_daily: float | None
    profit_factor: float | None
    holding_time_s: float | None
    concentration: float | None
    days: int
    first_trade: int
    last_trade: int
    daily_returns: tuple[float, ...]
    daily_equity_usd: tuple[float, ...]


def performance_from(wallet: Wallet, totals: Any, statistics: Any, returns: tuple[float, ...], equity: tuple[float, ...]) -> Performance:
    """One wallet's figures from its rows of totals and statistics, columns as in columns.py."""
    capital, net = float(totals[c.CAPITAL]), float(statistics[c.NET_PNL])
    deviation, downside, drawdown = (float(statistics[at]) for at in (c.DEVIATION, c.DOWNSIDE, c.DRAWDOWN))
    mean, growth_daily, growth_annual = (float(statistics[at]) for at in (c.MEAN, c.GROWTH_DAILY, c.GROWTH_ANNUAL))
    days = int(statistics[c.DAYS])
    sharpe, sortino = _ratio(mean, deviation), _ratio(mean, downside)
    return Performance(
        wallet=wallet,
        trades=int(totals[c.TRADES]),
        unpriced_trades=int(totals[c.UNPRICED]),
        closing_trades=int(totals[c.CLOSING]),
        volume_usd=float(totals[c.VOLUME]),
        realised_pnl_usd=float(totals[c.REALISED]),
        unrealised_pnl_usd=float(statistics[c.UNREALISED]),
        fees_usd=float(totals[c.FEES]),
        fees_known=bool(totals[c.FEES_UNKNOWN] == 0),
        net_pnl_usd=net,
        unmatched_sold_usd=float(totals[c.UNMATCHED]),
        capital_usd=capital,
        roi=_ratio(net, capital),
        win_rate=_ratio(float(totals[c.WINS]), float(totals[c.CLOSING])),
        max_drawdown=drawdown,
        sharpe=_times(sharpe, ANNUAL),
        sharpe_daily=sharpe,
        sortino=_times(sortino, ANNUAL),
        sortino_daily=sortino,
        calmar=_ratio(growth_annual, drawdown) if days > 1 else None,
        calmar_daily=_ratio(growth_daily, drawdown) if days > 1 else None,
        volatility=_times(_defined(deviation), ANNUAL),
        volatility_daily=_defined(deviation),
        profit_factor=_ratio(float(totals[c.GAINS]), float(totals[c.LOSSES])),
        holding_time_s=_ratio(float(totals[c.CLOSED_AGE]), float(totals[c.CLOSED_COST])),
        concentration=_defined(float(statistics[c.CONCENTRATION])),
        days=days,
        first_trade=int(totals[c.FIRST_TRADE]),
        last_trade=int(totals[c.LAST_TRADE]),
        daily_returns=returns,
        daily_equity_usd=equity,
    )


def _ratio(above: float, below: float) -> float | None:
    """None where there is nothing to divide by, or either is undefined."""
    return _defined(above / below) if below > 0 else None


def _defined(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
