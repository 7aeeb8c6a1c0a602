"""Valued swaps of many wallets to their performance, in floats. Used by compute_performance; pnl.py is its exact, slow reference.

Each priced swap has up to two legs: the sale of its input and the purchase of its output at the same value, USDC being cash. A holding is
marked at each UTC day's end by the one price table of the valuation; one that was never executed at size stands at its cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from xorj.performance import fifo_kernel
from xorj.performance.metrics import Floats, Performance, daily_returns, max_drawdown, sharpe, sortino, volatility
from xorj.primitives.amounts import LAMPORTS_PER_SOL
from xorj.primitives.ids import USDC, Mint, Wallet
from xorj.swaps.quote_rank import Direction, direction
from xorj.swaps.valuation import Execution, Valuation, ValuedSwap

DAY_S = 86_400
# below this the interpreter has finished before the compiler has begun
COMPILE_LEGS_MIN = 400_000

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_RESULTS = 6


@dataclass(frozen=True, slots=True)
class _Legs:
    """Sorted by (wallet, token, order). `swap` is each leg's swap, `out` what match_lots found."""

    swap: Ints
    wallet: Ints
    token: Ints
    out: Floats


def performance_of(valuation: Valuation, as_of_block_time: int) -> list[Performance]:
    """Every wallet's performance, by wallet. No swap of the valuation may be later than `as_of_block_time`."""
    swaps = valuation.swaps
    if not swaps:
        return []
    tokens: dict[Mint, int] = {}
    legs = _matched_legs(swaps, tokens)
    by_swap = [_sums(legs.swap, row, len(swaps)) for row in legs.out[:4]]
    shortfalls = _shortfalls(swaps)
    book = _Book(swaps, legs, by_swap, shortfalls, _Marks(list(tokens), valuation.executions), as_of_block_time)
    bounds = _bounds(swaps)
    leg_bounds = np.searchsorted(legs.wallet, np.arange(len(bounds) + 1))
    return [book.wallet(first, last, int(leg_bounds[at]), int(leg_bounds[at + 1])) for at, (first, last) in enumerate(bounds)]


class _Marks:
    """Prices of a base unit by token number, as of a time; NaN before the first execution."""

    def __init__(self, tokens: Sequence[Mint], executions: dict[Mint, list[Execution]]) -> None:
        found = [executions.get(mint, []) for mint in tokens]
        self._times = [np.array([one.block_time for one in rows], dtype=np.int64) for rows in found]
        self._prices = [np.array([np.nan, *(float(one.price_usd) for one in rows)]) for rows in found]

    def at(self, token: int, times: Ints) -> Floats:
        prices: Floats = self._prices[token][np.searchsorted(self._times[token], times, side="right")]
        return prices


@dataclass(frozen=True, slots=True)
class _Book:
    swaps: Sequence[ValuedSwap]
    legs: _Legs
    by_swap: Sequence[Floats]
    shortfalls: Floats
    marks: _Marks
    as_of: int

    def wallet(self, first: int, last: int, first_leg: int, last_leg: int) -> Performance:
        """The performance of the wallet whose swaps are first..last and whose legs are first_leg..last_leg."""
        swaps = self.swaps[first:last]
        matched, cost, unmatched, closed = (row[first:last] for row in self.by_swap)
        realised, fees = matched - cost, np.array([_fee_usd(one) for one in swaps])
        day_of = np.array([one.swap.block_time for one in swaps], dtype=np.int64) // DAY_S
        days = int(self.as_of // DAY_S - day_of[0] + 1)
        ends = np.minimum((day_of[0] + np.arange(1, days + 1)) * DAY_S - 1, self.as_of)
        contributions = self.shortfalls[first:last] + unmatched
        daily = [_sums(day_of - day_of[0], row, days) for row in (realised, fees, contributions)]
        unrealised = self._unrealised(ends, first_leg, last_leg)
        pnl = np.cumsum(daily[0] - daily[1]) + unrealised
        returns = daily_returns(pnl, daily[2])
        closing = _closing(swaps, closed)
        gains, losses = float(realised[realised > 0].sum()), float(-realised[realised < 0].sum())
        capital = float(contributions.sum())
        return Performance(
            wallet=Wallet(swaps[0].swap.wallet),
            trades=len(swaps),
            unpriced_trades=sum(one.value_usd is None for one in swaps),
            closing_trades=int(closing.sum()),
            volume_usd=sum(float(one.value_usd or 0) for one in swaps),
            realised_pnl_usd=float(realised.sum()),
            unrealised_pnl_usd=float(unrealised[-1]),
            fees_usd=float(fees.sum()),
            fees_known=all(one.sol_price_usd is not None and one.swap.network_fee_lamports is not None for one in swaps),
            net_pnl_usd=float(pnl[-1]),
            unmatched_sold_usd=float(unmatched.sum()),
            capital_usd=capital,
            roi=float(pnl[-1]) / capital if capital > 0 else None,
            win_rate=float((realised[closing] > 0).sum() / closing.sum()) if closing.any() else None,
            max_drawdown=max_drawdown(returns),
            sharpe=sharpe(returns),
            sortino=sortino(returns),
            volatility=volatility(returns),
            profit_factor=gains / losses if losses > 0 else None,
            days=days,
            first_trade=swaps[0].swap.block_time,
            last_trade=swaps[-1].swap.block_time,
            daily_returns=tuple(returns.tolist()),
        )

    def _unrealised(self, ends: Ints, first_leg: int, last_leg: int) -> Floats:
        """Value of what is held above its cost at each day's end."""
        total = np.zeros(len(ends))
        token = self.legs.token[first_leg:last_leg]
        for start in np.flatnonzero(np.diff(token, prepend=-1)):
            stop = start + int(np.searchsorted(token[start:], token[start], side="right"))
            rows = slice(first_leg + int(start), first_leg + stop)
            times = np.array([self.swaps[at].swap.block_time for at in self.legs.swap[rows]], dtype=np.int64)
            after = np.searchsorted(times, ends, side="right")
            held, held_cost = (np.concatenate(([0.0], self.legs.out[row][rows]))[after] for row in (4, 5))
            price = self.marks.at(int(token[start]), ends)
            total += np.where(np.isnan(price), 0.0, held * np.nan_to_num(price) - held_cost)
        return total


def _matched_legs(swaps: Sequence[ValuedSwap], tokens: dict[Mint, int]) -> _Legs:
    rows = [
        (number, tokens.setdefault(Mint(amount.mint), len(tokens)), float(sign * amount.raw), float(one.value_usd))
        for number, one in enumerate(swaps)
        if one.value_usd is not None
        for sign, amount in ((-1, one.swap.input), (1, one.swap.output))
        if amount.mint != USDC and amount.raw
    ]
    swap = np.array([row[0] for row in rows], dtype=np.int64)
    token = np.array([row[1] for row in rows], dtype=np.int64)
    wallet_of_swap = np.cumsum(_starts(swaps)) - 1
    wallet = wallet_of_swap[swap] if rows else swap
    order = np.lexsort((swap, token, wallet))
    swap, token, wallet = swap[order], token[order], wallet[order]
    starts = (np.diff(token, prepend=-1) != 0) | (np.diff(wallet, prepend=-1) != 0)
    quantity, value = np.array([row[2] for row in rows])[order], np.array([row[3] for row in rows])[order]
    return _Legs(swap, wallet, token, _match(starts, quantity, value))


def _match(starts: Bools, quantity: Floats, value: Floats) -> Floats:
    """Runs match_lots over lists, or compiled over arrays where there is much to do."""
    count = len(starts)
    if count >= COMPILE_LEGS_MIN:
        out = np.zeros((_RESULTS, count))
        fifo_kernel.compiled()(starts, quantity, value, np.zeros(count), np.zeros(count), out)
        return out
    rows = [[0.0] * count for _ in range(_RESULTS)]
    fifo_kernel.match_lots(starts.tolist(), quantity.tolist(), value.tolist(), [0.0] * count, [0.0] * count, rows)
    return np.array(rows)


def _shortfalls(swaps: Sequence[ValuedSwap]) -> Floats:
    """By swap: what of a payment in USDC the wallet's swap-derived cash, beginning at 0, did not cover."""
    found, cash = np.zeros(len(swaps)), 0.0
    for at, (starts, one) in enumerate(zip(_starts(swaps).tolist(), swaps, strict=True)):
        cash = _cash_flow(one) + (0.0 if starts else cash)
        if cash < 0:
            found[at], cash = -cash, 0.0
    return found


def _sums(groups: Ints, values: Floats, count: int) -> Floats:
    sums: Floats = np.bincount(groups, weights=values, minlength=count).astype(np.float64)
    return sums


def _starts(swaps: Sequence[ValuedSwap]) -> Bools:
    """Whether each swap is its wallet's first."""
    wallets = [one.swap.wallet for one in swaps]
    return np.array([at == 0 or wallets[at - 1] != wallet for at, wallet in enumerate(wallets)])


def _bounds(swaps: Sequence[ValuedSwap]) -> list[tuple[int, int]]:
    bounds, first = [], 0
    for _, group in groupby(swaps, key=lambda one: one.swap.wallet):
        last = first + sum(1 for _ in group)
        bounds.append((first, last))
        first = last
    return bounds


def _cash_flow(one: ValuedSwap) -> float:
    if one.value_usd is None:
        return 0.0
    if one.swap.input.mint == USDC:
        return -float(one.value_usd)
    return float(one.value_usd) if one.swap.output.mint == USDC else 0.0


def _fee_usd(one: ValuedSwap) -> float:
    lamports = (one.swap.network_fee_lamports or 0) + one.swap.tip_lamports
    return lamports / LAMPORTS_PER_SOL * float(one.sol_price_usd or 0)


def _closing(swaps: Sequence[ValuedSwap], closed: Floats) -> Bools:
    """Swaps that close or switch a position and closed some known quantity."""
    closes = [direction(one.swap.input.mint, one.swap.output.mint) in (Direction.CLOSE, Direction.SWITCH) for one in swaps]
    return np.array(closes, dtype=np.bool_) & (closed > 0)
