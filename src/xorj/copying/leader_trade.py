"""A leader's swap as seen live: what it does to his positions, and how much of him it is. Made by follow_leaders, read by plan_copies."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from xorj.copying.cause import leader_trade_id
from xorj.primitives.amounts import TokenAmount, Usd
from xorj.primitives.ids import Mint, Signature, Slot, Wallet
from xorj.swaps.quote_rank import Direction, direction
from xorj.swaps.swap import Swap

# Somebody who sells all but this share keeps change, not a position.
FULL_EXIT_SHARE = Fraction(99, 100)


@dataclass(frozen=True, slots=True)
class LeaderTrade:
    """`equity_usd` is the leader's equity before the trade, None where nothing of his could be priced.

    `input_balance_before_raw` is what he held of the input mint before it, None where that could not be read. `value_usd` is what he
    gave, at the price of that moment, None where it has no price.
    """

    leader: Wallet
    signature: Signature
    swap_index: int
    slot: Slot
    block_time: int | None
    direction: Direction
    input: TokenAmount
    output: TokenAmount
    value_usd: Usd | None
    equity_usd: Usd | None
    input_balance_before_raw: int | None
    seen_slot: Slot

    @property
    def id(self) -> str:
        return leader_trade_id(self.leader, self.signature, self.swap_index)

    @property
    def share_of_equity(self) -> Fraction | None:
        """value / equity, at most 1; None where either is unknown or the equity is not positive."""
        if self.value_usd is None or self.equity_usd is None or self.equity_usd <= 0:
            return None
        return min(Fraction(self.value_usd) / Fraction(self.equity_usd), Fraction(1))

    @property
    def share_of_position_sold(self) -> Fraction:
        """Input / balance before, from FULL_EXIT_SHARE on 1. A balance that could not be read was sold whole: out is the safe side."""
        held = self.input_balance_before_raw
        if not held or held <= self.input.raw:
            return Fraction(1)
        share = Fraction(self.input.raw, held)
        return Fraction(1) if share >= FULL_EXIT_SHARE else share

    @property
    def opened_mint(self) -> Mint | None:
        return Mint(self.output.mint) if self.direction in (Direction.OPEN, Direction.SWITCH) else None

    @property
    def closed_mint(self) -> Mint | None:
        return Mint(self.input.mint) if self.direction in (Direction.CLOSE, Direction.SWITCH) else None


def of_swap(
    swap: Swap,
    before: Mapping[Mint, TokenAmount],
    prices: Mapping[Mint, Usd],
    *,
    seen_slot: Slot,
    equity_prices: Mapping[Mint, Usd] | None = None,
) -> LeaderTrade:
    """A swap and what its wallet held before it; `prices` in USD a whole token, unpriced mints left out.

    `equity_prices` are for what he held, where they are others: too high an equity only makes copies smaller.
    """
    held = before.get(Mint(swap.input.mint))
    return LeaderTrade(
        leader=swap.wallet,
        signature=swap.signature,
        swap_index=swap.order.instruction_index,
        slot=swap.order.slot,
        block_time=swap.block_time,
        direction=direction(swap.input.mint, swap.output.mint),
        input=swap.input,
        output=swap.output,
        value_usd=value_of_swap(swap, prices),
        equity_usd=equity(before, prices if equity_prices is None else equity_prices),
        input_balance_before_raw=held.raw if held else None,
        seen_slot=seen_slot,
    )


def value_of_swap(swap: Swap, prices: Mapping[Mint, Usd]) -> Usd | None:
    """What was given, else what was got, at `prices`: the input of an entry is a quote mint and nearly always has one."""
    for side in (swap.input, swap.output):
        if (price := prices.get(Mint(side.mint))) is not None:
            return side.value(price)
    return None


def equity(holdings: Mapping[Mint, TokenAmount], prices: Mapping[Mint, Usd]) -> Usd | None:
    """Quote balances plus priced holdings. None where nothing has a price."""
    values = [amount.value(prices[mint]) for mint, amount in holdings.items() if mint in prices]
    return Usd(sum(values, start=Usd(values[0] * 0))) if values else None
