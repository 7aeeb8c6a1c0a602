"""The whole job in pandas with a deque for the lots, and the statistics by a library: quantstats or empyrical-reloaded."""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Statistics = Callable[[pd.Series], tuple[float, float, float]]


def compute(folder: Path, every: int, last_day: int, library: str) -> dict[str, np.ndarray]:
    """Every `every`-th wallet's figures."""
    frame = pd.concat(pd.read_parquet(path) for path in sorted(folder.glob("bucket-*.parquet")))
    frame = frame[frame["wallet"] % every == 0]
    prices = price_frame(folder)
    measure = quantstats() if library == "quantstats" else empyrical()
    rows = [wallet_figures(int(wallet), own, prices, last_day, measure) for wallet, own in frame.groupby("wallet", sort=True)]
    return {name: np.array([row[name] for row in rows], dtype=float) for name in rows[0]}


def price_frame(folder: Path) -> pd.DataFrame:
    """Prices by day and token."""
    marks = pd.read_parquet(folder / "marks.parquet")
    first = int(marks["first_day"].iloc[0])
    return pd.DataFrame(np.stack(marks["prices"].to_numpy()).T, index=range(first, first + int(marks["count"].iloc[0])))


def quantstats() -> Statistics:
    import quantstats.stats as qs

    return lambda returns: (
        qs.sharpe(returns, periods=365),
        qs.sortino(returns, periods=365),
        -qs.max_drawdown(returns),
    )


def empyrical() -> Statistics:
    import empyrical as ep

    return lambda returns: (
        ep.sharpe_ratio(returns, annualization=365),
        ep.sortino_ratio(returns, annualization=365),
        -ep.max_drawdown(returns),
    )


def wallet_figures(wallet: int, legs: pd.DataFrame, prices: pd.DataFrame, last_day: int, measure: Statistics) -> dict[str, float]:
    legs = legs.sort_values("swap").assign(day=legs["time"] // 86_400)
    booked = pd.DataFrame(matched(legs), columns=["gain", "contributed", "closed", "held", "held_cost"], index=legs.index)
    frame = pd.concat([legs, booked], axis=1)
    days = pd.RangeIndex(int(frame["day"].iloc[0]), last_day + 1)
    by_day = frame.assign(pnl=frame["gain"] - frame["fee"]).groupby("day")[["pnl", "contributed"]].sum().reindex(days, fill_value=0.0)
    ends = frame.groupby(["day", "token"])[["held", "held_cost"]].last().unstack("token").reindex(days).ffill().fillna(0.0)
    value = (ends["held"] * prices.loc[days, ends["held"].columns]).sum(axis=1)
    pnl = by_day["pnl"].cumsum() + value - ends["held_cost"].sum(axis=1)
    before, capital = pnl.shift(fill_value=0.0), by_day["contributed"].cumsum()
    base = capital + before
    returns = ((pnl - before) / base).where(base > 0, 0.0).clip(lower=-1.0)
    returns.index = pd.to_datetime(days * 86_400, unit="s")
    sharpe, sortino, drawdown = measure(returns)
    closing = frame[(frame["flags"] & 8 > 0) & frame["closed"]]
    return {
        "wallet": wallet,
        "realised": frame["gain"].sum(),
        "roi": pnl.iloc[-1] / capital.iloc[-1] if capital.iloc[-1] > 0 else np.nan,
        "win_rate": (closing["gain"] > 0).mean() if len(closing) else np.nan,
        "drawdown": drawdown,
        "sharpe": sharpe,
        "sortino": sortino,
    }


def matched(legs: pd.DataFrame) -> list[tuple[float, float, bool, float, float]]:
    """Gain, contribution, whether anything was closed, what is held after and its cost: one row a leg, in the wallet's order."""
    lots: dict[int, deque[list[float]]] = {}
    held: dict[int, list[float]] = {}
    cash, rows = 0.0, []
    for token, quantity, value in zip(legs["token"].tolist(), legs["quantity"].tolist(), legs["value"].tolist(), strict=True):
        queue, holding = lots.setdefault(token, deque()), held.setdefault(token, [0.0, 0.0])
        if quantity > 0:
            queue.append([quantity, value / quantity])
            holding[0] += quantity
            holding[1] += value
            cash -= value
            rows.append((0.0, max(0.0, -cash), False, *holding))
            cash = max(0.0, cash)
        else:
            rows.append(sale(queue, holding, -quantity, value))
            cash += value
    return rows


def sale(queue: deque[list[float]], holding: list[float], quantity: float, value: float) -> Any:
    left, cost = quantity, 0.0
    while left > 0 and queue:
        lot = queue[0]
        taken = min(left, lot[0])
        cost += taken * lot[1]
        left -= taken
        if taken < lot[0]:
            lot[0] -= taken
        else:
            queue.popleft()
    share = (quantity - left) / quantity
    holding[0], holding[1] = (holding[0] - quantity + left, holding[1] - cost) if queue else (0.0, 0.0)
    return value * share - cost, value * (1 - share), left < quantity, *holding
