"""What the kernel reads and writes, by column: legs, marks, totals, statistics. Used by loops, kernel, stream and whoever stores legs.

A swap has a leg for each token but USDC that it gives or gets, at the swap's value. Legs stand sorted by (wallet, token, swap).
"""

from typing import Any, NamedTuple

Series = Any  # a list of numbers, or an array of them

DAYS_PER_YEAR = 365

# flags of a leg
FIRST = 1  # the swap's first leg: counts the swap, carries its fee
CASH = 2  # the swap's other side is USDC
PAID = 4  # the USDC was paid, not received
CLOSES = 8  # by quote rank the swap closes, or switches, what it gives
UNPRICED_SWAP = 16  # the swap has no value: no lots, no cash, only a trade and its fee
FEE_UNKNOWN = 32
MOVED = 64  # no swap: the quantity, or the USDC, left the wallet; lots go along at cost
MATCHED = 128  # set by the kernel: the sale closed some known quantity


class Legs(NamedTuple):
    """`wallet` and `token` are numbers of a dictionary, `swap` counts a wallet's swaps from 0 in its order without a gap.

    `time` is in unix seconds and never falls with `swap`. `quantity` is in base units, above zero when bought; `value` and `fee` in USD.
    """

    wallet: Series
    token: Series
    swap: Series
    time: Series
    quantity: Series
    value: Series
    fee: Series
    flags: Series


class Marks(NamedTuple):
    """The one price table: prices of a base unit in USD at each UTC day's end, from a token's first priced day to the last day.

    `prices[offset[token] + day - first_day[token]]`; days since 1970. A token without a price begins on NEVER.
    """

    first_day: Series
    offset: Series
    prices: Series


NEVER = 2**40


class DailySeries(NamedTuple):
    """Every wallet's days, one wallet after another; empty where they are not wanted."""

    returns: Series
    equity_usd: Series


# a wallet's running sums, one swap after another
(
    TRADES,
    UNPRICED,
    CLOSING,
    WINS,
    FEES_UNKNOWN,
    VOLUME,
    FEES,
    REALISED,
    UNMATCHED,
    CLOSED_COST,
    CLOSED_AGE,
    CAPITAL,
    CASH_USD,
    GAINS,
    LOSSES,
    FIRST_TRADE,
    LAST_TRADE,
) = range(17)
TOTALS = 17

# what its days amount to; NaN where undefined
(
    DAYS,
    UNREALISED,
    NET_PNL,
    MEAN,
    DEVIATION,
    DOWNSIDE,
    DRAWDOWN,
    GROWTH_DAILY,
    GROWTH_ANNUAL,
    CONCENTRATION,
) = range(10)
STATISTICS = 10
