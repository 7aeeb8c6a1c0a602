"""A wallet's swaps made once more, as one of our followers would have made them: later, at the market's price, with all costs. Pure.

The copier starts with `order_usd / trade_share_max`, puts the leader's share of his own equity into each entry up to `trade_share_max`, and
sells with him in his proportion. Every price is the market's, where the last execution of anybody left it, as of `delay_s` after the
leader's swap. Called by score_copies.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from xorj.market.impact import Impact
from xorj.primitives.clock import DAY_S
from xorj.primitives.ids import USDC, Mint, Wallet
from xorj.swaps.quote_rank import Direction, direction
from xorj.swaps.swap import OrderKey
from xorj.swaps.valuation import ValuedSwap

USD_PER_USDC_UNIT = 1e-6
# nobody has traded it for so long: whoever holds it cannot count on selling it
UNTRADED_S_MAX = 7 * DAY_S
# what is left of a position below it is the leader's rounding, not a holding
UNITS_LEFT_MIN = 1e-9
DELAY_S_ASSUMED = 2.0
POOL_FEE_ASSUMED = 0.003
NETWORK_COST_USD_ASSUMED = 0.002

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Terms:
    """How a follower trades. `order_usd` is the median copy order, `delay_s` the 90th percentile of our own delay, shares are 0 to 1.

    `cost_scale` is realised cost over replayed cost of our own fills, as many as `fills_measured`; where that is 0, delay and scale are
    assumptions. `refused` tokens are not copied.
    """

    order_usd: float = 50.0
    trade_share_max: float = 0.1
    delay_s: float = DELAY_S_ASSUMED
    pool_fee: float = POOL_FEE_ASSUMED
    platform_fee: float = 0.0
    network_cost_usd: float = NETWORK_COST_USD_ASSUMED
    cost_scale: float = 1.0
    refused: frozenset[Mint] = frozenset()
    fills_measured: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Where each execution of a token left its price: unix seconds, never falling, and USD for a base unit.

    `depths_usd` is the worth of the pool's quote side then, as it was recorded; NaN where it was not.
    """

    times: NDArray[np.int64]
    prices: Floats
    depths_usd: Floats | None = None


class Prices:
    """What a base unit of each token is worth in USD at any moment: where the last execution until then left it."""

    def __init__(self, paths: Mapping[Mint, Path]) -> None:
        self._paths = paths

    def at(self, mint: Mint, time: float) -> float | None:
        """None before the token's first execution, 0 when nobody has traded it for UNTRADED_S_MAX."""
        if mint == USDC:
            return USD_PER_USDC_UNIT
        path, at = self._place(mint, time)
        if path is None:
            return None
        return float(path.prices[at]) if time - float(path.times[at]) <= UNTRADED_S_MAX else 0.0

    def depth_usd(self, mint: Mint, time: float) -> float | None:
        """How deep the token's pool was after its last execution, None where its reserves were not recorded."""
        path, at = self._place(mint, time)
        depth = math.nan if path is None or path.depths_usd is None else float(path.depths_usd[at])
        return depth if depth > 0 else None

    def _place(self, mint: Mint, time: float) -> tuple[Path | None, int]:
        """The token's path and its last execution until then; no path before the first."""
        path = self._paths.get(mint)
        at = -1 if path is None else int(np.searchsorted(path.times, time, side="right")) - 1
        return (path, at) if at >= 0 else (None, -1)


@dataclass(frozen=True, slots=True)
class Market:
    """What all replays of a cohort share."""

    prices: Prices
    impacts: Mapping[Mint, Impact]
    as_of: int

    def moved_share(self, mint: Mint, value_usd: float, time: float) -> float:
        """What of its worth a trade loses by moving the price: x * y = k on the recorded reserves, else on the fitted depth."""
        depth = self.prices.depth_usd(mint, time)
        if depth is not None:
            return value_usd / (depth + value_usd)
        impact = self.impacts.get(mint)
        return impact.cost_share(value_usd) if impact is not None else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class CopyRecord:
    """What copying a wallet would have brought: float64 daily net returns from UTC day `first_day` on, and how it came about.

    `not_copied` counts entries by reason; `linked_share` of the wallet's volume was with its owner; `cost_share` is the mean share of a
    trade's worth that its costs took, None without trades.
    """

    wallet: Wallet
    first_day: int
    daily_returns: Floats
    round_trips: int
    entries: int
    not_copied: Mapping[str, int]
    linked_share: float
    cost_share: float | None


@dataclass(frozen=True, slots=True)
class Apart:
    """What a wallet's links say of its swaps: why an entry is not copied, and which swaps are volume with itself."""

    entries: Mapping[OrderKey, str] = field(default_factory=dict)
    linked: frozenset[OrderKey] = frozenset()


NOTHING_APART = Apart()


def as_one_each(swaps: Sequence[ValuedSwap]) -> list[ValuedSwap]:
    """One wallet's swaps with those of one transaction between the same two tokens put together: they were one trade in parts."""
    whole: list[ValuedSwap] = []
    places: dict[tuple[str, str, str], int] = {}
    for one in swaps:
        place = one.swap.signature, one.swap.input.mint, one.swap.output.mint
        at = places.setdefault(place, len(whole))
        if at == len(whole):
            whole.append(one)
        else:
            whole[at] = _together(whole[at], one)
    return whole


def _together(one: ValuedSwap, other: ValuedSwap) -> ValuedSwap:
    gave, got = one.swap.input, one.swap.output
    swap = replace(
        one.swap,
        input=replace(gave, raw=gave.raw + other.swap.input.raw),
        output=replace(got, raw=got.raw + other.swap.output.raw),
    )
    value = None if one.value_usd is None or other.value_usd is None else one.value_usd + other.value_usd
    return replace(one, swap=swap, value_usd=value)


@dataclass(frozen=True, slots=True)
class Trades:
    """One wallet's swaps as trades, in order, and the order keys of those that it undid in their own slot: looked for once."""

    made: tuple[ValuedSwap, ...]
    undone: frozenset[OrderKey]


def trades_of(swaps: Sequence[ValuedSwap]) -> Trades:
    """Of one wallet's swaps in order."""
    made = tuple(as_one_each(swaps))
    return Trades(made, undone_in_slot(made))


def replay(trades: Trades, market: Market, terms: Terms, apart: Apart = NOTHING_APART) -> CopyRecord:
    """One wallet's trades, none of them after market.as_of. Raises ValueError without any."""
    if not trades.made:
        raise ValueError("a replay needs swaps")
    swaps, undone = trades.made, trades.undone
    first_day = swaps[0].swap.block_time // DAY_S
    copier = _Copier(market, terms, cash_usd=terms.order_usd / terms.trade_share_max)
    leader = _Leader(market.prices)
    ends: list[float] = []
    for one in swaps:
        while first_day + len(ends) < one.swap.block_time // DAY_S:
            ends.append(copier.equity_usd((first_day + len(ends) + 1) * DAY_S))
        _follow(one, leader, copier, apart.entries, is_undone=one.swap.order in undone)
    while first_day + len(ends) < market.as_of // DAY_S:
        ends.append(copier.equity_usd((first_day + len(ends) + 1) * DAY_S))
    ends.append(copier.equity_usd(market.as_of))
    equity = np.array([terms.order_usd / terms.trade_share_max, *ends])
    returns = np.where(equity[:-1] > 0, equity[1:] / np.where(equity[:-1] > 0, equity[:-1], 1) - 1, 0.0)
    volume = sum(float(one.value_usd or 0) for one in swaps)
    linked = sum(float(one.value_usd or 0) for one in swaps if one.swap.order in undone or one.swap.order in apart.linked)
    costs = copier.costs_usd / copier.traded_usd if copier.traded_usd else None
    return CopyRecord(
        swaps[0].swap.wallet,
        first_day,
        returns,
        copier.round_trips,
        copier.entries,
        dict(copier.not_copied),
        linked / volume if volume else 0.0,
        costs,
    )


def _follow(one: ValuedSwap, leader: "_Leader", copier: "_Copier", apart: Mapping[OrderKey, str], *, is_undone: bool) -> None:
    swap, value = one.swap, float(one.value_usd or 0)
    gave, got = Mint(swap.input.mint), Mint(swap.output.mint)
    what = direction(gave, got)
    share_sold, share_put = leader.makes(one, value)
    if is_undone:
        copier.not_copied["undone in its own slot"] += what in (Direction.OPEN, Direction.SWITCH)
        return
    time = swap.block_time + copier.terms.delay_s
    if what in (Direction.CLOSE, Direction.SWITCH):
        copier.sells(gave, share_sold, time)
    if what not in (Direction.OPEN, Direction.SWITCH):
        return
    if swap.order in apart:
        copier.not_copied[apart[swap.order]] += 1
    else:
        copier.buys(got, share_put if value else None, time)


class _Leader:
    """What the wallet holds of what its swaps brought; all that it gave beyond that was brought in from outside."""

    def __init__(self, prices: Prices) -> None:
        self._prices, self._units = prices, dict[Mint, float]()

    def makes(self, one: ValuedSwap, value_usd: float) -> tuple[float, float]:
        """Takes the swap in. Returns the share of the holding that was sold, and the share of the equity before that was put in."""
        swap = one.swap
        gave, got = Mint(swap.input.mint), Mint(swap.output.mint)
        held = self._units.get(gave, 0.0)
        brought = max(swap.input.raw - held, 0.0) / swap.input.raw * value_usd
        equity = self._equity_usd(swap.block_time) + brought
        self._units[gave] = max(held - swap.input.raw, 0.0)
        self._units[got] = self._units.get(got, 0.0) + swap.output.raw
        sold = min(swap.input.raw / held, 1.0) if held > 0 else 1.0
        return sold, min(value_usd / equity, 1.0) if equity > 0 else 1.0

    def _equity_usd(self, time: float) -> float:
        return sum(units * (self._prices.at(mint, time) or 0.0) for mint, units in self._units.items() if units)


@dataclass(slots=True)
class _Copier:
    market: Market
    terms: Terms
    cash_usd: float
    units: dict[Mint, float] = field(default_factory=dict)
    bought: set[Mint] = field(default_factory=set)
    round_trips: int = 0
    entries: int = 0
    not_copied: Counter[str] = field(default_factory=Counter)
    costs_usd: float = 0.0
    traded_usd: float = 0.0

    def equity_usd(self, time: float) -> float:
        """Cash, and what selling everything now would bring."""
        return self.cash_usd + sum(self._proceeds_usd(mint, units, time) for mint, units in self.units.items())

    def buys(self, mint: Mint, share: float | None, time: float) -> None:
        price = self.market.prices.at(mint, time)
        if share is None or not price:
            self.not_copied["no price"] += 1
            return
        if mint in self.terms.refused:
            self.not_copied["token refused"] += 1
            return
        order = min(min(share, self.terms.trade_share_max) * self.equity_usd(time), self.cash_usd)
        spent = order - self.terms.network_cost_usd * self.terms.cost_scale
        if spent <= 0:
            self.not_copied["no cash left"] += 1
            return
        lost = self._lost_share(mint, spent, time)
        self.units[mint] = self.units.get(mint, 0.0) + spent * (1 - lost) / price
        self.cash_usd -= order
        self._count(order, order - spent * (1 - lost))
        self.entries += 1
        self.bought.add(mint)

    def sells(self, mint: Mint, share: float, time: float) -> None:
        held = self.units.get(mint, 0.0)
        if held <= 0:
            return
        units = held * share
        brought = self._proceeds_usd(mint, units, time)
        worth = units * (self.market.prices.at(mint, time) or 0.0)
        self.cash_usd += brought
        self.units[mint] = held - units
        if self.units[mint] <= held * UNITS_LEFT_MIN:
            del self.units[mint]
        self._count(worth, worth - brought)
        # selling in parts makes no more of them than selling at once
        self.round_trips += mint in self.bought
        self.bought.discard(mint)

    def _proceeds_usd(self, mint: Mint, units: float, time: float) -> float:
        """0 for what nobody buys, and for what is worth less than the transaction."""
        worth = units * (self.market.prices.at(mint, time) or 0.0)
        return max(worth * (1 - self._lost_share(mint, worth, time)) - self.terms.network_cost_usd * self.terms.cost_scale, 0.0)

    def _lost_share(self, mint: Mint, value_usd: float, time: float) -> float:
        moved = self.market.moved_share(mint, value_usd, time)
        return min((self.terms.pool_fee + self.terms.platform_fee + moved) * self.terms.cost_scale, 1.0)

    def _count(self, worth_usd: float, cost_usd: float) -> None:
        self.traded_usd += worth_usd
        self.costs_usd += cost_usd


def undone_in_slot(swaps: Sequence[ValuedSwap]) -> frozenset[OrderKey]:
    """Order keys of one wallet's swaps that the wallet undid in the very slot: nobody can copy them, and they prove nothing."""
    by_slot: dict[int, list[ValuedSwap]] = {}
    for one in swaps:
        by_slot.setdefault(one.swap.order.slot, []).append(one)
    undone = set[OrderKey]()
    for of_slot in by_slot.values():
        if len(of_slot) == 1:
            continue
        bought, sold = ({Mint(getattr(one.swap, side).mint) for one in of_slot} for side in ("output", "input"))
        both = (bought & sold) - {USDC}
        undone |= {one.swap.order for one in of_slot if {one.swap.input.mint, one.swap.output.mint} & both}
    return frozenset(undone)
