"""The loops that no array operation expresses: FIFO lots, books by swap, marks and statistics by day. Used by kernel and stream.

Plain functions over plain series, so that the same lines run as Python over lists, at once, and compiled over arrays, where compiling
pays (compiled.py). Every sum is taken in the wallet's own order: so batch and stream agree to the bit, and no order of tokens matters.
"""

import math
from typing import Any, NamedTuple

from xorj.performance import columns as c

Series = Any  # a list of numbers, or an array of them

# a gain smaller than this share of what was turned over is rounding: exact books have zero there
ROUNDING = 1e-12
# beyond this exponent a short record's annual growth is no number any more
EXPONENT_MAX = 700.0


class Room(NamedTuple):
    """Space for one wallet, used again for the next: open lots, then by swap in its order, then by day since its first."""

    lot_quantity: Series
    lot_unit_cost: Series
    lot_time: Series
    time: Series
    flags: Series
    flow: Series
    value: Series
    fee: Series
    gain: Series
    unmatched: Series
    closed_cost: Series
    closed_age: Series
    moved: Series
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
        days = as_of // c.DAY_S - first_day + 1
        clear(room, swaps, days)
        statistics[number][c.CONCENTRATION] = match_wallet(legs, row, end, room, marks, first_day, days)
        for at in range(swaps):
            contributed = book(
                totals[number],
                room.time[at],
                room.flags[at],
                room.value[at],
                room.flow[at],
                room.fee[at],
                room.gain[at],
                room.unmatched[at],
                room.closed_cost[at],
                room.closed_age[at],
            )
            day = room.time[at] // c.DAY_S - first_day
            room.pnl_by_day[day] += room.gain[at] - room.fee[at]
            room.contributed_by_day[day] += max(contributed, 0.0)
            room.moved_by_day[day] += room.moved[at] - min(contributed, 0.0)
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
    return end, last_swap + 1, first // c.DAY_S


def clear(room: Room, swaps: int, days: int) -> None:
    """Zeroes what the wallet will add to."""
    for at in range(swaps):
        room.flags[at] = 0
        room.flow[at] = room.value[at] = room.fee[at] = 0.0
        room.gain[at] = room.unmatched[at] = room.closed_cost[at] = room.closed_age[at] = room.moved[at] = 0.0
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
    token, since, head, tail = legs.token[row], legs.time[row] // c.DAY_S, 0, 0
    held = held_cost = gained = 0.0
    while row < end and legs.token[row] == token:
        at, quantity, time = legs.swap[row], legs.quantity[row], legs.time[row]
        day = time // c.DAY_S
        if day > since:
            if held > 0:
                mark(room.unrealised_by_day, since - first_day, day - first_day, held, held_cost, marks, token, first_day)
            since = day
        enter(legs, row, room, at)
        if quantity > 0:
            room.lot_quantity[tail], room.lot_time[tail] = quantity, time
            room.lot_unit_cost[tail] = legs.value[row] / quantity
            tail += 1
            held += quantity
            held_cost += legs.value[row]
        elif quantity < 0:
            head, left, cost, age = take(room, head, tail, -quantity, time)
            gained += settle(legs, row, room, at, left, cost, age)
            held, held_cost = (held + quantity + left, held_cost - cost) if head < tail else (0.0, 0.0)
        row += 1
    return row, held, held_cost, since, gained


def enter(legs: c.Legs, row: int, room: Room, at: int) -> None:
    """What the leg says of its swap, whatever its direction."""
    flags = legs.flags[row]
    room.time[at] = legs.time[row]
    room.flags[at] |= flags
    if flags & c.FIRST:
        room.fee[at], room.value[at] = legs.fee[row], legs.value[row]
    if flags & c.CASH:
        room.flow[at] = -legs.value[row] if flags & c.PAID else legs.value[row]


def take(room: Room, head: int, tail: int, quantity: float, time: int) -> tuple[int, float, float, float]:
    """Takes the oldest lots. Returns the new head, what no lot covers, the cost, and the cost times its age in seconds."""
    left, cost, age = quantity, 0.0, 0.0
    while left > 0 and head < tail:
        taken = min(left, room.lot_quantity[head])
        share = room.lot_unit_cost[head] * taken
        cost += share
        age += share * (time - room.lot_time[head])
        left -= taken
        if taken < room.lot_quantity[head]:
            room.lot_quantity[head] -= taken
        else:
            head += 1
    return head, left, cost, age


def settle(legs: c.Legs, row: int, room: Room, at: int, left: float, cost: float, age: float) -> float:
    """Books what a sale closed, and returns what it gained; what moved away goes at cost and gains nothing."""
    quantity: float = -legs.quantity[row]
    value: float = legs.value[row]
    if legs.flags[row] & c.MOVED:
        room.moved[at] = cost
        return 0.0
    gain: float
    unmatched, gain = gain_of(quantity, value, left, cost)
    room.unmatched[at], room.gain[at], room.closed_cost[at], room.closed_age[at] = unmatched, gain, cost, age
    if left < quantity:
        room.flags[at] |= c.MATCHED
    return gain


def gain_of(quantity: float, value: float, left: float, cost: float) -> tuple[float, float]:
    """Unmatched proceeds and gain of a sale of `quantity` for `value`, of which `left` came from no known lot."""
    matched = value if left == 0 else value * ((quantity - left) / quantity)
    gain = matched - cost
    return value - matched, 0.0 if abs(gain) <= ROUNDING * (matched + cost) else gain


def book(
    totals: Series,
    time: int,
    flags: int,
    value: float,
    flow: float,
    fee: float,
    gain: float,
    unmatched: float,
    closed_cost: float,
    closed_age: float,
) -> float:
    """Adds one swap to its wallet's totals and returns what it contributed: the shortfall of cash, and what came from outside.

    Cash that moved away is returned as a contribution below zero; it is no less capital for that.
    """
    cash = totals[c.CASH_USD] + flow
    if flags & c.MOVED:
        # sent away beyond what swaps brought: was never theirs
        kept = max(cash, 0.0)
        gone: float = totals[c.CASH_USD] - kept
        totals[c.CASH_USD] = kept
        return -gone
    if totals[c.TRADES] == 0:
        totals[c.FIRST_TRADE] = time
    totals[c.LAST_TRADE] = time
    contributed: float = unmatched + (-cash if cash < 0 else 0.0)
    totals[c.CASH_USD] = max(cash, 0.0)
    totals[c.TRADES] += 1
    totals[c.UNPRICED] += flags & c.UNPRICED_SWAP != 0
    totals[c.FEES_UNKNOWN] += flags & c.FEE_UNKNOWN != 0
    if flags & c.CLOSES and flags & c.MATCHED:
        totals[c.CLOSING] += 1
        totals[c.WINS] += gain > 0
    totals[c.VOLUME] += value
    totals[c.REALISED] += gain
    totals[c.FEES] += fee
    totals[c.UNMATCHED] += unmatched
    totals[c.CAPITAL] += contributed
    totals[c.GAINS] += max(gain, 0.0)
    totals[c.LOSSES] += max(-gain, 0.0)
    totals[c.CLOSED_COST] += closed_cost
    totals[c.CLOSED_AGE] += closed_age
    return contributed


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
