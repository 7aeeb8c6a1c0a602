"""What each swap was worth in USD when it happened, from the lake's own executions. Used by performance; exact, no floats.

Only USDC is one USD. SOL and USDT are priced by their last execution of EXECUTION_USD_MIN or more against USDC at or before the swap. A
swap is worth its USDC leg, else its USDT leg, else its SOL leg; one without any of them, or before any price is known, is unpriced: it is
left out of PnL and counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from xorj.primitives.amounts import TokenAmount
from xorj.primitives.ids import SOL, USDC, USDT, Mint
from xorj.swaps.swap import OrderKey, Swap

EXECUTION_USD_MIN = 10


@dataclass(frozen=True, slots=True)
class ValuedSwap:
    """A swap with its worth, None where unpriced, and the price of one whole SOL at its order key, None before the first is known."""

    swap: Swap
    value_usd: Fraction | None
    sol_price_usd: Fraction | None


@dataclass(frozen=True, slots=True)
class Execution:
    """What one base unit of a token went for."""

    block_time: int
    price_usd: Fraction


@dataclass(frozen=True, slots=True)
class Valuation:
    """Valued swaps sorted by wallet and order key, and every token's executions in order: the one price table that all marks come from."""

    swaps: tuple[ValuedSwap, ...]
    executions: dict[Mint, list[Execution]]


class Valuer:
    """Values swaps one by one, in chain_order, by what was known at each one's order key; `executions` are those seen so far.

    `prices` are what whole tokens of SOL and USDT are worth by now: with those of another valuer it goes on where that one was.
    """

    def __init__(self, prices: Mapping[Mint, Fraction] | None = None) -> None:
        self.executions: dict[Mint, list[Execution]] = {}
        self.prices = dict(prices or {USDC: Fraction(1)})

    def value(self, swap: Swap) -> ValuedSwap:
        _learn(swap, self.prices)
        value = _worth(swap, self.prices)
        if value is not None and value >= EXECUTION_USD_MIN:
            for amount in (swap.input, swap.output):
                if amount.mint != USDC and amount.raw:
                    self.executions.setdefault(Mint(amount.mint), []).append(Execution(swap.block_time, value / amount.raw))
        return ValuedSwap(swap, value, self.prices.get(SOL))


def value_swaps(swaps: Iterable[Swap]) -> Valuation:
    """Values every swap by what was known at its order key."""
    valuer = Valuer()
    valued = [valuer.value(swap) for swap in sorted(swaps, key=chain_order)]
    valued.sort(key=lambda one: (one.swap.wallet, one.swap.order))
    return Valuation(tuple(valued), valuer.executions)


def mark(executions: Sequence[Execution], block_time: int) -> Fraction | None:
    """The price of a base unit as of `block_time`, None before the first execution."""
    known = [execution.price_usd for execution in executions if execution.block_time <= block_time]
    return known[-1] if known else None


def chain_order(swap: Swap) -> tuple[OrderKey, str]:
    """The order in which swaps are valued: that of the chain, then by wallet."""
    return swap.order, swap.wallet


def _learn(swap: Swap, prices: dict[Mint, Fraction]) -> None:
    """Takes the price of SOL or USDT from an execution against USDC."""
    for one, other in ((swap.input, swap.output), (swap.output, swap.input)):
        if one.mint == USDC and other.mint in (SOL, USDT) and other.raw and _whole(one) >= EXECUTION_USD_MIN:
            prices[Mint(other.mint)] = _whole(one) / _whole(other)


def _worth(swap: Swap, prices: dict[Mint, Fraction]) -> Fraction | None:
    for mint in (USDC, USDT, SOL):
        for leg in (swap.input, swap.output):
            if leg.mint == mint and mint in prices:
                return _whole(leg) * prices[mint]
    return None


def _whole(amount: TokenAmount) -> Fraction:
    return Fraction(amount.raw, 10**amount.decimals)
