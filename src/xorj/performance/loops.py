"""The loops that no array operation expresses: FIFO lots, books by swap, marks and statistics by day. Used by kernel and stream.

Plain functions over plain series, so that the same lines run as Python over lists, at once, and compiled over arrays, where compiling
pays (compiled.py). Every sum is taken in the wallet's own order: so batch and stream agree to the bit, and no order of tokens matters.
"""

import math
from typing import Any, NamedTuple

from xorj.performance import columns as c
from xorj.primitives.clock import DAY_S

Series = Any  # a list of numbers, or an array of them

# a gain smaller than this share of what was turned over is rounding: exact books have zero there
ROUNDING = 1e-12
# beyond this exponent a short record's annual growth is no number any more
EXPONENT_MAX = 700.0


# a swap while its wallet is being computed, and an open lot: rows, since what belongs together is read together
TIME, FLAGS, VALUE, FEE, GAIN, UNMATCHED, CLOSED_COST, CLOSED_AGE = range(8)
SWAP_FIELDS = 8
SUMMED_FIELDS = 6
LOT_QUANTITY, LOT_UNIT_COST, LOT_TIME = range(3)
LOT_FIELDS = 3


class Room(NamedTuple):
    """Space for one wallet, used again for the next: open lots, swaps in its order (a row of SWAP_FIELDS each), days since its first."""

    lots: Series
    swaps: Series
    pnl_by_day: Series
    contributed_by_day: Series
    moved_by_day: Series
    unrealised_by_day: Series
    returns: Series
    equity: Series


def compute_wallets(legs: c.Legs, marks: c.Marks, as_of: int, room: Room, totals: Series, statistics: Series, series: c.DailySeries) -> int:
    """Fills a row of `totals` and `statistics` for each wallet of the legs, in their order, and returns how many there were."""
    row = number = kept = 0
    while row < len(legs.wallet):
        end, swaps, first_day = extent(legs, row)
        days = as_of // DAY_S - first_day + 1
        clear(room, swaps, days)
        statistics[number][c.CONCENTRATION] = match_wallet(legs, row, end, room, marks, first_day, days)
        for at in range(swaps):
            swap = room.swaps[at]
            contributed, moved = book(totals[number], swap)
            day = int(swap[TIME]) // DAY_S - first_day
            room.pnl_by_day[day] += swap[GAIN] - swap[FEE]
            room.contributed_by_day[day] += contributed
            room.moved_by_day[day] += moved
        measure(room, days, statistics[number])
        kept = keep_series(series, kept, room, days)
        row = end
        number += 1
    return number


def extent(legs: c.Legs, row: int) -> tuple[int, int, int]:
    """Where the wallet's legs end, how many swaps they are of, and its first day."""
    wallet, first, last_swap, end = legs.wallet[row], legs.time[row], 0, row
    while end < len(legs.wallet) and legs.wallet[end] == wallet:
        first = min(first, legs.time[end])
        last_swap = max(last_swap, legs.swap[end])
        end += 1
    return end, last_swap + 1, first // DAY_S


def clear(room: Room, swaps: int, days: int) -> None:
    """Zeroes what the wallet will add to."""
    for at in range(swaps):
        for field in range(SWAP_FIELDS):
            room.swaps[at][field] = 0.0
    for day in range(days):
        room.pnl_by_day[day] = room.contributed_by_day[day] = room.moved_by_day[day] = room.unrealised_by_day[day] = 0.0


def match_wallet(legs: c.Legs, row: int, end: int, room: Room, marks: c.Marks, first_day: int, days: int) -> float:
    """Matches every token's legs and marks what is held at each day's end. Returns the largest token's share of the profits."""
    largest = profits = 0.0
    while row < end:
        token = legs.token[row]
        row, held, held_cost, since, gained = match_token(legs, row, end, room, marks, first_day)
        if held > 0:
            mark(room.unrealised_by_day, since - first_day, days, held, held_cost, marks, token, first_day)
        largest = max(largest, gained)
        profits += max(gained, 0.0)
    return largest / profits if profits > 0 else math.nan


def match_token(legs: c.Legs, row: int, end: int, room: Room, marks: c.Marks, first_day: int) -> tuple[int, float, float, int, float]:
    """One token's legs. Returns the row after them, what is held at last, its cost, the day since when, and what was gained."""
    token, since, head, tail = legs.token[row], legs.time[row] // DAY_S, 0, 0
    held = held_cost = gained = 0.0
    while row < end and legs.token[row] == token:
        at, quantity, time = legs.swap[row], legs.quantity[row], legs.time[row]
        day = time // DAY_S
        if (held > 0) & (day > since):
            mark(room.unrealised_by_day, since - first_day, day - first_day, held, held_cost, marks, token, first_day)
        since = day
        swap = room.swaps[at]
        enter(swap, time, legs.flags[row], legs.value[row], legs.fee[row])
        if quantity > 0:
            lot = room.lots[tail]
            lot[LOT_QUANTITY], lot[LOT_UNIT_COST], lot[LOT_TIME] = quantity, legs.value[row] / quantity, time
            tail += 1
            held += quantity
            held_cost += legs.value[row]
        elif quantity < 0:
            head, left, cost, age = take(room.lots, head, tail, -quantity, time)
            gained += settle(swap, -quantity, left, cost, age)
            held, held_cost = (held + quantity + left, held_cost - cost) if head < tail else (0.0, 0.0)
        row += 1
    return row, held, held_cost, since, gained


def enter(swap: Series, time: int, flags: int, value: float, fee: float) -> None:
    """What a leg says of its swap; the two legs of one say the same, but for the fee, which the first one carries."""
    swap[TIME], swap[VALUE] = time, value
    swap[FLAGS] = int(swap[FLAGS]) | flags
    if flags & c.FIRST:
        swap[FEE] = fee


def take(lots: Series, head: int, tail: int, quantity: float, time: int) -> tuple[int, float, float, float]:
    """Takes the oldest lots. Returns the new head, what no lot covers, the cost, and the cost times its age in seconds."""
    left, cost, age = quantity, 0.0, 0.0
    while left > 0 and head < tail:
        lot = lots[head]
        taken = min(left, lot[LOT_QUANTITY])
        share = lot[LOT_UNIT_COST] * taken
        cost += share
        age += share * (time - lot[LOT_TIME])
        left -= taken
        if taken < lot[LOT_QUANTITY]:
            lot[LOT_QUANTITY] -= taken
        else:
            head += 1
    return head, left, cost, age


def settle(swap: Series, quantity: float, left: float, cost: float, age: float) -> float:
    """Books what a sale closed, and returns what it gained; what moved away goes at cost and gains nothing."""
    flags = int(swap[FLAGS])
    swap[CLOSED_COST] = cost
    if flags & c.MOVED:
        return 0.0
    gain: float
    unmatched, gain = gain_of(quantity, swap[VALUE], left, cost)
    swap[UNMATCHED], swap[GAIN], swap[CLOSED_AGE] = unmatched, gain, age
    if left < quantity:
        swap[FLAGS] = flags | c.MATCHED
    return gain


def gain_of(quantity: float, value: float, left: float, cost: float) -> tuple[float, float]:
    """Unmatched proceeds and gain of a sale of `quantity` for `value`, of which `left` came from no known lot."""
    matched = value if left == 0 else value * ((quantity - left) / quantity)
    gain = matched - cost
    return value - matched, 0.0 if abs(gain) <= ROUNDING * (matched + cost) else gain


def book(totals: Series, swap: Series) -> tuple[float, float]:
    """Adds one swap to its wallet's totals. Returns what it contributed (shortfall of cash, what came from outside) and what moved away."""
    flags, value, gain = int(swap[FLAGS]), swap[VALUE], swap[GAIN]
    cash = totals[c.CASH_USD]
    if flags & c.CASH:
        cash += -value if flags & c.PAID else value
    if flags & c.MOVED:
        # sent away beyond what swaps brought: was never theirs
        kept = max(cash, 0.0)
        moved = swap[CLOSED_COST] + (totals[c.CASH_USD] - kept)
        totals[c.CASH_USD] = kept
        return 0.0, moved
    if totals[c.TRADES] == 0:
        totals[c.FIRST_TRADE] = swap[TIME]
    totals[c.LAST_TRADE] = swap[TIME]
    contributed = swap[UNMATCHED] + max(-cash, 0.0)
    totals[c.CASH_USD] = max(cash, 0.0)
    totals[c.TRADES] += 1
    if flags & (c.UNPRICED_SWAP | c.FEE_UNKNOWN):
        totals[c.UNPRICED] += flags & c.UNPRICED_SWAP != 0
        totals[c.FEES_UNKNOWN] += flags & c.FEE_UNKNOWN != 0
    # without a branch: which of the two comes next cannot be foreseen
    closing = flags & (c.CLOSES | c.MATCHED) == c.CLOSES | c.MATCHED
    totals[c.CLOSING] += closing
    totals[c.WINS] += closing & (gain > 0)
    # value to closed age: the sums stand in the order of the swap's fields
    for field in range(SUMMED_FIELDS):
        totals[c.VOLUME + field] += swap[VALUE + field]
    totals[c.CAPITAL] += contributed
    totals[c.GAINS] += max(gain, 0.0)
    totals[c.LOSSES] += max(-gain, 0.0)
    return contributed, 0.0


def mark(total: Series, first: int, last: int, held: float, cost: float, marks: c.Marks, token: int, first_day: int) -> None:
    """Adds value less cost of a holding to the days first..last, counted from `first_day`; before its first price it stands at cost."""
    start = max(first, marks.first_day[token] - first_day)
    count = last - start
    if count > 0:
        offset = marks.offset[token] + start + first_day - marks.first_day[token]
        days, prices = total[start : start + count], marks.prices[offset : offset + count]
        for day in range(count):
            days[day] += held * prices[day] - cost


def measure(room: Room, days: int, statistics: Series) -> None:
    """Daily returns, the index that links them and its deepest fall, and the moments that all ratios are made of."""
    realised = before = capital = moved = 0.0
    index = peak = 1.0
    drawdown = total = downside = 0.0
    least, most = math.inf, -math.inf
    for day in range(days):
        realised += room.pnl_by_day[day]
        capital += room.contributed_by_day[day]
        pnl = realised + room.unrealised_by_day[day]
        base = capital + before - moved
        one = max((pnl - before) / base, -1.0) if base > 0 else 0.0
        moved += room.moved_by_day[day]
        before = pnl
        room.returns[day] = one
        room.equity[day] = capital + pnl - moved
        total += one
        downside += min(one, 0.0) ** 2
        least, most = min(least, one), max(most, one)
        index *= 1.0 + one
        peak = max(peak, index)
        drawdown = max(drawdown, 1.0 - index / peak)
    mean = total / days
    deviation = 0.0
    for day in range(days):
        deviation += (room.returns[day] - mean) ** 2
    statistics[c.DAYS] = days
    statistics[c.UNREALISED] = room.unrealised_by_day[days - 1]
    statistics[c.NET_PNL] = before
    statistics[c.MEAN] = mean
    statistics[c.DEVIATION] = math.nan if days < 2 else 0.0 if least == most else math.sqrt(deviation / (days - 1))
    statistics[c.DOWNSIDE] = math.nan if days < 2 else math.sqrt(downside / days)
    statistics[c.DRAWDOWN] = drawdown
    statistics[c.GROWTH_DAILY] = growth(index, 1.0 / days)
    statistics[c.GROWTH_ANNUAL] = growth(index, c.DAYS_PER_YEAR / days)


def growth(index: float, exponent: float) -> float:
    """index to the power of `exponent`, less one; NaN beyond what a number holds."""
    if index <= 0:
        return -1.0
    power = math.log(index) * exponent
    return math.nan if power > EXPONENT_MAX else math.expm1(power)


def keep_series(series: c.DailySeries, kept: int, room: Room, days: int) -> int:
    """Appends the wallet's days where there is room for series; returns how many days are kept in all."""
    if len(series.returns) == 0:
        return kept
    for day in range(days):
        series.returns[kept + day] = room.returns[day]
        series.equity_usd[kept + day] = room.equity[day]
    return kept + days
