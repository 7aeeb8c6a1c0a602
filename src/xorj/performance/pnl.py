"""A wallet's PnL, exact: integers and rationals from end to end. The reference that the kernel is held against, one step per definition.

USDC is cash and begins at 0: every shortfall is a contribution. Every other token is an asset in FIFO lots. What is sold beyond known lots
came from outside: it has its sale value as basis, makes no profit, and is a contribution too.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from xorj.performance.lots import Lots, buy, sell
from xorj.primitives.amounts import LAMPORTS_PER_SOL
from xorj.primitives.ids import USDC, Mint
from xorj.swaps.quote_rank import Direction, direction
from xorj.swaps.valuation import Valuation, ValuedSwap, mark

ZERO = Fraction(0)


@dataclass(slots=True)
class Account:
    """One wallet's books after some of its swaps."""

    cash: Fraction = ZERO
    realised: Fraction = ZERO
    fees: Fraction = ZERO
    contributions: Fraction = ZERO
    unmatched_sold: Fraction = ZERO
    closing: int = 0
    wins: int = 0
    lots: dict[Mint, Lots] = field(default_factory=dict)

    def unrealised(self, valuation: Valuation, block_time: int) -> Fraction:
        """Value of what is held above its cost; a token without a price stands at its cost."""
        total = ZERO
        for mint, lots in self.lots.items():
            price = mark(valuation.executions.get(mint, ()), block_time)
            total += ZERO if price is None else lots.quantity_raw * price - lots.cost
        return total


def account_of(swaps: Iterable[ValuedSwap]) -> Account:
    """The books after all of one wallet's swaps, given in order."""
    account = Account()
    for one in swaps:
        _book(account, one)
    return account


def _book(account: Account, one: ValuedSwap) -> None:
    swap, value = one.swap, one.value_usd
    account.fees += Fraction((swap.network_fee_lamports or 0) + swap.tip_lamports, LAMPORTS_PER_SOL) * (one.sol_price_usd or 0)
    if value is None:
        return
    if swap.input.mint == USDC:
        account.cash -= value
        account.contributions += max(ZERO, -account.cash)
        account.cash = max(ZERO, account.cash)
    else:
        _sell(account, one, value)
    if swap.output.mint == USDC:
        account.cash += value
    elif swap.output.raw:
        mint = Mint(swap.output.mint)
        account.lots[mint] = buy(account.lots.get(mint, Lots()), swap.output.raw, value)


def _sell(account: Account, one: ValuedSwap, value: Fraction) -> None:
    mint = Mint(one.swap.input.mint)
    account.lots[mint], closed = sell(account.lots.get(mint, Lots()), one.swap.input.raw, value)
    account.realised += closed.pnl
    account.unmatched_sold += value - closed.proceeds
    account.contributions += value - closed.proceeds
    closes = direction(one.swap.input.mint, one.swap.output.mint) in (Direction.CLOSE, Direction.SWITCH)
    if closes and closed.unmatched_raw < one.swap.input.raw:
        account.closing += 1
        account.wins += closed.pnl > 0
