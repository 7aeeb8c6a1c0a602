"""A wallet's PnL, exact: integers and rationals from end to end. The reference that the kernel is held against, one step per definition.

USDC is cash and begins at 0: every shortfall is a contribution. Every other token is an asset in FIFO lots. What is sold beyond known lots
came from outside: it has its sale value as basis, makes no profit, and is a contribution too. What is sent away goes at cost.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from xorj.performance.lots import Closing, Lots, buy, move_out, sell
from xorj.performance.transfer import TransferOut
from xorj.primitives.amounts import LAMPORTS_PER_SOL, TokenAmount
from xorj.primitives.clock import DAY_S
from xorj.primitives.ids import USDC, Mint
from xorj.swaps.quote_rank import Direction, direction
from xorj.swaps.valuation import Execution, ValuedSwap, mark

ZERO = Fraction(0)
Executions = Mapping[Mint, Sequence[Execution]]


@dataclass(slots=True)
class Account:
    """One wallet's books after some of its swaps. `contributions` never fall; `sent_away` is what left at cost. USD."""

    cash: Fraction = ZERO
    realised: Fraction = ZERO
    fees: Fraction = ZERO
    contributions: Fraction = ZERO
    unmatched_sold: Fraction = ZERO
    sent_away: Fraction = ZERO
    volume: Fraction = ZERO
    gains: Fraction = ZERO
    losses: Fraction = ZERO
    closed_cost: Fraction = ZERO
    closed_cost_seconds: Fraction = ZERO
    trades: int = 0
    closing: int = 0
    wins: int = 0
    lots: dict[Mint, Lots] = field(default_factory=dict)
    gain_by_token: dict[Mint, Fraction] = field(default_factory=dict)

    def unrealised(self, executions: Executions, block_time: int) -> Fraction:
        """Value of what is held above its cost; a token without a price stands at its cost."""
        total = ZERO
        for mint, lots in self.lots.items():
            price = mark(executions.get(mint, ()), block_time)
            total += ZERO if price is None else lots.quantity_raw * price - lots.cost
        return total

    def concentration(self) -> Fraction | None:
        """The largest token's share of the profits of all tokens that made one, None where none did."""
        profits = [gain for gain in self.gain_by_token.values() if gain > 0]
        return max(profits) / sum(profits) if profits else None

    def holding_time_s(self) -> Fraction | None:
        """How long what was sold had been held, by its cost; None while nothing of any cost was."""
        return self.closed_cost_seconds / self.closed_cost if self.closed_cost else None


@dataclass(frozen=True, slots=True)
class Day:
    """A wallet at the end of a UTC day: net PnL and contributions so far, equity, and the return of this day."""

    net_pnl: Fraction
    contributions: Fraction
    equity: Fraction
    day_return: Fraction


def account_of(events: Iterable[ValuedSwap | TransferOut]) -> Account:
    """The books after all of one wallet's swaps and transfers, given in order."""
    account = Account()
    for event in events:
        _book(account, event)
    return account


def days_of(events: Sequence[ValuedSwap | TransferOut], executions: Executions, as_of: int) -> list[Day]:
    """One wallet's days from its first event to `as_of` in unix seconds. The events are given in order, none later than `as_of`."""
    account, days, at, time = Account(), list[Day](), 0, 0
    pnl = equity = ZERO
    for day in range(_time(events[0]) // DAY_S, as_of // DAY_S + 1):
        before = account.contributions
        while at < len(events) and max(time, _time(events[at])) // DAY_S <= day:
            time = max(time, _time(events[at]))
            _book(account, events[at])
            at += 1
        previous, base = pnl, equity + account.contributions - before
        pnl = account.realised - account.fees + account.unrealised(executions, min((day + 1) * DAY_S - 1, as_of))
        equity = account.contributions + pnl - account.sent_away
        days.append(Day(pnl, account.contributions, equity, max((pnl - previous) / base, Fraction(-1)) if base > 0 else ZERO))
    return days


def _time(event: ValuedSwap | TransferOut) -> int:
    return event.swap.block_time if isinstance(event, ValuedSwap) else event.block_time


def _book(account: Account, event: ValuedSwap | TransferOut) -> None:
    if isinstance(event, TransferOut):
        _send_away(account, event.amount)
        return
    swap, value = event.swap, event.value_usd
    account.trades += 1
    account.fees += Fraction((swap.network_fee_lamports or 0) + swap.tip_lamports, LAMPORTS_PER_SOL) * (event.sol_price_usd or 0)
    if value is None:
        return
    account.volume += value
    if swap.input.mint == USDC:
        account.cash -= value
        account.contributions += max(ZERO, -account.cash)
        account.cash = max(ZERO, account.cash)
    else:
        _sell(account, event, value)
    if swap.output.mint == USDC:
        account.cash += value
    elif swap.output.raw:
        mint = Mint(swap.output.mint)
        account.lots[mint] = buy(account.lots.get(mint, Lots()), swap.output.raw, value, swap.block_time)


def _sell(account: Account, one: ValuedSwap, value: Fraction) -> None:
    mint = Mint(one.swap.input.mint)
    account.lots[mint], closed = sell(account.lots.get(mint, Lots()), one.swap.input.raw, value, one.swap.block_time)
    account.realised += closed.pnl
    account.gains += max(ZERO, closed.pnl)
    account.losses += max(ZERO, -closed.pnl)
    account.gain_by_token[mint] = account.gain_by_token.get(mint, ZERO) + closed.pnl
    account.closed_cost += closed.cost
    account.closed_cost_seconds += closed.cost_seconds
    account.unmatched_sold += value - closed.proceeds
    account.contributions += value - closed.proceeds
    if _closes(one, closed):
        account.closing += 1
        account.wins += closed.pnl > 0


def _closes(one: ValuedSwap, closed: Closing) -> bool:
    """By quote rank, and some known quantity."""
    closes = direction(one.swap.input.mint, one.swap.output.mint) in (Direction.CLOSE, Direction.SWITCH)
    return closes and closed.unmatched_raw < one.swap.input.raw


def _send_away(account: Account, amount: TokenAmount) -> None:
    if amount.mint == USDC:
        taken = min(account.cash, Fraction(amount.raw, 10**amount.decimals))
        account.cash -= taken
        account.sent_away += taken
        return
    mint = Mint(amount.mint)
    account.lots[mint], cost = move_out(account.lots.get(mint, Lots()), amount.raw)
    account.sent_away += cost
