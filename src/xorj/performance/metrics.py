"""What a wallet's swaps amounted to, and the statistics of its daily returns. Made by kernel.py; read by trust, reporting, the CLI.

capital = all contributions; roi = net PnL / capital; return of a day = change of net PnL / (equity at the start of the day + that day's
contributions), at least -1; drawdown on the index that links the daily returns; sharpe = mean / sample deviation * sqrt(365).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xorj.primitives.ids import Wallet

Floats = NDArray[np.float64]
DAYS_PER_YEAR = 365


@dataclass(frozen=True, slots=True)
class Performance:
    """One wallet, as of one moment. Ratios are fractions, None where undefined; `first_trade` and `last_trade` are unix seconds."""

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
    sortino: float | None
    volatility: float | None
    profit_factor: float | None
    days: int
    first_trade: int
    last_trade: int
    daily_returns: tuple[float, ...]


def daily_returns(pnl_usd: Floats, contributions_usd: Floats) -> Floats:
    """Returns by day from cumulative net PnL at each day's end and each day's contributions."""
    before = np.concatenate(([0.0], pnl_usd[:-1]))
    base = np.cumsum(contributions_usd) + before
    gained = pnl_usd - before
    safe = np.where(base > 0, base, 1.0)
    return np.maximum(np.where(base > 0, gained / safe, 0.0), -1.0)


def max_drawdown(returns: Floats) -> float:
    """The deepest fall of the linked index from its highest value so far, 0 to 1; the index begins at 1 before the first day."""
    index = np.concatenate(([1.0], np.cumprod(1 + returns)))
    return float(np.max(1 - index / np.maximum.accumulate(index)))


def sharpe(returns: Floats) -> float | None:
    """Annual; None for fewer than two days or no variation."""
    deviation = _deviation(returns)
    return None if deviation is None else float(returns.mean()) / deviation * math.sqrt(DAYS_PER_YEAR)


def sortino(returns: Floats) -> float | None:
    """Annual, over the root mean square of losing days; None for fewer than two days or without a losing one."""
    losses = np.minimum(returns, 0.0)
    downside = math.sqrt(float((losses**2).mean())) if len(returns) > 1 else 0.0
    return None if downside == 0 else float(returns.mean()) / downside * math.sqrt(DAYS_PER_YEAR)


def volatility(returns: Floats) -> float | None:
    """Annual; None for fewer than two days."""
    return None if len(returns) < 2 else float(returns.std(ddof=1)) * math.sqrt(DAYS_PER_YEAR)


def _deviation(returns: Floats) -> float | None:
    if len(returns) < 2 or float(returns.max()) == float(returns.min()):
        return None
    return float(returns.std(ddof=1))
