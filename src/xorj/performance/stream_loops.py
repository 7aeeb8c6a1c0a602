"""The loops of the stream: positions found by a hash, lots in a pool with a free list, what was held by day. Used by stream.py.

Every step is of constant cost. The arithmetic of a sale, of a swap and of a day is that of loops.py, in the same order: so stream and batch
agree to the bit.
"""

import math
from typing import NamedTuple

from xorj.performance import columns as c
from xorj.performance.loops import (
    FEE,
    GAIN,
    LOT_QUANTITY,
    LOT_TIME,
    LOT_UNIT_COST,
    SWAP_FIELDS,
    Room,
    book,
    clear,
    enter,
    keep_series,
    mark,
    measure,
    settle,
)
from xorj.primitives.clock import DAY_S

NONE = -1
# what has been handed out of each pool
POSITIONS, LOTS, FREE_LOT, SEGMENTS, DAYS = range(5)
COUNTERS = 5
# numbers of a position, and its amounts
TOKEN, LOT_FIRST, LOT_LAST, SEGMENT_FIRST, SEGMENT_LAST, SINCE, NEXT_POSITION = range(7)
POSITION_FIELDS = 7
HELD, HELD_COST, GAINED = range(3)
AMOUNT_FIELDS = 3
# numbers of a wallet
LAST_TIME, FIRST_POSITION, DAY_FIRST, DAY_LAST = range(4)
WALLET_FIELDS = 4
# a day of a wallet
DAY, DAY_PNL, DAY_CONTRIBUTED, DAY_MOVED = range(4)
DAY_FIELDS = 4
# what was held of a token from a day until another
FROM_DAY, UNTIL_DAY, SEGMENT_HELD, SEGMENT_COST = range(4)
SEGMENT_FIELDS = 4


class State(NamedTuple):
    """Everything the stream knows, in arrays that stream.py lets grow. `next_*` link a pool's rows; `keys` and `slots` are the hash."""

    counters: c.Series
    keys: c.Series
    slots: c.Series
    wallets: c.Series
    totals: c.Series
    positions: c.Series
    amounts: c.Series
    lots: c.Series
    next_lot: c.Series
    segments: c.Series
    next_segment: c.Series
    days: c.Series
    next_day: c.Series
    swap: c.Series


def apply_legs(state: State, legs: c.Legs) -> None:
    """Takes in swaps, the legs of one after another, each wallet's in its own order. Room for as many of everything must be there."""
    row = 0
    while row < len(legs.wallet):
        wallet, flags = int(legs.wallet[row]), int(legs.flags[row])
        if flags & c.MOVED and state.totals[wallet][c.TRADES] == 0:
            row += 1
            continue
        for field in range(SWAP_FIELDS):
            state.swap[field] = 0.0
        time = max(int(legs.time[row]), int(state.wallets[wallet][LAST_TIME]))
        value, fee = float(legs.value[row]), float(legs.fee[row])
        apply_leg(state, wallet, int(legs.token[row]), time, float(legs.quantity[row]), value, fee, flags)
        row += 1
        while row < len(legs.wallet) and int(legs.flags[row]) & (c.FIRST | c.MOVED) == 0:
            apply_leg(state, wallet, int(legs.token[row]), time, float(legs.quantity[row]), value, fee, int(legs.flags[row]))
            row += 1
        end_swap(state, wallet, time)


def apply_swap(
    state: State,
    wallet: int,
    time: int,
    value: float,
    fee: float,
    flags: int,
    token: int,
    quantity: float,
    other: int,
    other_quantity: float,
) -> bool:
    """Takes in one swap of one or two legs, the second of NONE when there is none. False, and nothing changed, where there is no room."""
    counters = state.counters
    if counters[POSITIONS] + 2 > len(state.positions) or counters[LOTS] + 2 > len(state.lots):
        return False
    if counters[SEGMENTS] + 2 > len(state.segments) or counters[DAYS] + 1 > len(state.days):
        return False
    if wallet >= len(state.wallets):
        return False
    if flags & c.MOVED and state.totals[wallet][c.TRADES] == 0:
        return True
    for field in range(SWAP_FIELDS):
        state.swap[field] = 0.0
    time = max(time, int(state.wallets[wallet][LAST_TIME]))
    apply_leg(state, wallet, token, time, quantity, value, fee, flags)
    if other != NONE:
        apply_leg(state, wallet, other, time, other_quantity, value, fee, flags & ~c.FIRST)
    end_swap(state, wallet, time)
    return True


def end_swap(state: State, wallet: int, time: int) -> None:
    """Books the swap that the legs were of."""
    state.wallets[wallet][LAST_TIME] = time
    contributed, moved = book(state.totals[wallet], state.swap)
    add_to_day(state, wallet, time // DAY_S, state.swap[GAIN] - state.swap[FEE], contributed, moved)


def apply_leg(state: State, wallet: int, token: int, time: int, quantity: float, value: float, fee: float, flags: int) -> None:
    """Moves one position and tells the swap what that closed."""
    swap, day = state.swap, time // DAY_S
    enter(swap, time, flags, value, fee)
    position = position_of(state, wallet, token, day)
    numbers, amounts = state.positions[position], state.amounts[position]
    if day > numbers[SINCE]:
        if amounts[HELD] > 0:
            add_segment(state, numbers, amounts, day)
        numbers[SINCE] = day
    if quantity > 0:
        add_lot(state, numbers, quantity, value / quantity, time)
        amounts[HELD] += quantity
        amounts[HELD_COST] += value
    elif quantity < 0:
        left, cost, age = take_from_pool(state, numbers, -quantity, time)
        amounts[GAINED] += settle(swap, -quantity, left, cost, age)
        if numbers[LOT_FIRST] == NONE:
            amounts[HELD] = amounts[HELD_COST] = 0.0
        else:
            # in the order of the batch, since floats are not associative
            amounts[HELD] = amounts[HELD] + quantity + left
            amounts[HELD_COST] -= cost


def position_of(state: State, wallet: int, token: int, day: int) -> int:
    """The wallet's position in the token, made where there is none. Open addressing; the table is never more than half full."""
    key, most = (wallet << 32) | token, len(state.keys) - 1
    # small factors, so that it never overflows where integers have 64 bits
    place = token * 40_503 + wallet * 2_654_435
    place = (place ^ (place >> 15)) & most
    while state.keys[place] != key:
        if state.keys[place] == NONE:
            return new_position(state, wallet, token, day, place, key)
        place = (place + 1) & most
    return int(state.slots[place])


def new_position(state: State, wallet: int, token: int, day: int, place: int, key: int) -> int:
    position = int(state.counters[POSITIONS])
    state.counters[POSITIONS] += 1
    state.keys[place], state.slots[place] = key, position
    numbers = state.positions[position]
    numbers[TOKEN], numbers[SINCE] = token, day
    numbers[LOT_FIRST] = numbers[LOT_LAST] = numbers[SEGMENT_FIRST] = numbers[SEGMENT_LAST] = NONE
    numbers[NEXT_POSITION] = state.wallets[wallet][FIRST_POSITION]
    state.wallets[wallet][FIRST_POSITION] = position
    return position


def add_lot(state: State, numbers: c.Series, quantity: float, unit_cost: float, time: int) -> None:
    """The newest lot, in a place that a closed one left where there is such."""
    lot = int(state.counters[FREE_LOT])
    if lot == NONE:
        lot = int(state.counters[LOTS])
        state.counters[LOTS] += 1
    else:
        state.counters[FREE_LOT] = state.next_lot[lot]
    row = state.lots[lot]
    row[LOT_QUANTITY], row[LOT_UNIT_COST], row[LOT_TIME] = quantity, unit_cost, time
    state.next_lot[lot] = NONE
    if numbers[LOT_FIRST] == NONE:
        numbers[LOT_FIRST] = lot
    else:
        state.next_lot[numbers[LOT_LAST]] = lot
    numbers[LOT_LAST] = lot


def take_from_pool(state: State, numbers: c.Series, quantity: float, time: int) -> tuple[float, float, float]:
    """loops.take over linked lots; gives back the places of closed ones."""
    left, cost, age, lot = quantity, 0.0, 0.0, int(numbers[LOT_FIRST])
    while left > 0 and lot != NONE:
        row = state.lots[lot]
        taken = min(left, row[LOT_QUANTITY])
        share = row[LOT_UNIT_COST] * taken
        cost += share
        age += share * (time - row[LOT_TIME])
        left -= taken
        if taken < row[LOT_QUANTITY]:
            row[LOT_QUANTITY] -= taken
        else:
            after = int(state.next_lot[lot])
            state.next_lot[lot] = state.counters[FREE_LOT]
            state.counters[FREE_LOT] = lot
            lot = after
    numbers[LOT_FIRST] = lot
    return left, cost, age


def add_segment(state: State, numbers: c.Series, amounts: c.Series, day: int) -> None:
    """Remembers what was held until this day, for marks that are read later."""
    segment = int(state.counters[SEGMENTS])
    state.counters[SEGMENTS] += 1
    row = state.segments[segment]
    row[FROM_DAY], row[UNTIL_DAY], row[SEGMENT_HELD], row[SEGMENT_COST] = numbers[SINCE], day, amounts[HELD], amounts[HELD_COST]
    state.next_segment[segment] = NONE
    if numbers[SEGMENT_FIRST] == NONE:
        numbers[SEGMENT_FIRST] = segment
    else:
        state.next_segment[numbers[SEGMENT_LAST]] = segment
    numbers[SEGMENT_LAST] = segment


def add_to_day(state: State, wallet: int, day: int, pnl: float, contributed: float, moved: float) -> None:
    numbers = state.wallets[wallet]
    last = int(numbers[DAY_LAST])
    if last == NONE or state.days[last][DAY] != day:
        found = int(state.counters[DAYS])
        state.counters[DAYS] += 1
        state.days[found][DAY] = day
        state.next_day[found] = NONE
        if last == NONE:
            numbers[DAY_FIRST] = found
        else:
            state.next_day[last] = found
        numbers[DAY_LAST] = last = found
    row = state.days[last]
    row[DAY_PNL] += pnl
    row[DAY_CONTRIBUTED] += contributed
    row[DAY_MOVED] += moved


def measure_wallet(
    state: State, wallet: int, positions: c.Series, marks: c.Marks, as_of: int, room: Room, statistics: c.Series, series: c.DailySeries
) -> None:
    """The wallet's statistics as of now. `positions` are all of its own, in the order of tokens that the batch has."""
    day = int(state.wallets[wallet][DAY_FIRST])
    first_day = int(state.days[day][DAY])
    days = as_of // DAY_S - first_day + 1
    clear(room, 0, days)
    while day != NONE:
        row = state.days[day]
        at = int(row[DAY]) - first_day
        room.pnl_by_day[at], room.contributed_by_day[at], room.moved_by_day[at] = row[DAY_PNL], row[DAY_CONTRIBUTED], row[DAY_MOVED]
        day = int(state.next_day[day])
    largest = profits = 0.0
    for position in positions:
        mark_position(state, position, marks, room, first_day, days)
        largest = max(largest, state.amounts[position][GAINED])
        profits += max(state.amounts[position][GAINED], 0.0)
    statistics[c.CONCENTRATION] = largest / profits if profits > 0 else math.nan
    measure(room, days, statistics)
    keep_series(series, 0, room, days)


def mark_position(state: State, position: int, marks: c.Marks, room: Room, first_day: int, days: int) -> None:
    """Adds what the position was worth above its cost at each day's end."""
    numbers, amounts = state.positions[position], state.amounts[position]
    token, segment = int(numbers[TOKEN]), int(numbers[SEGMENT_FIRST])
    while segment != NONE:
        row = state.segments[segment]
        first, last = int(row[FROM_DAY]) - first_day, int(row[UNTIL_DAY]) - first_day
        mark(room.unrealised_by_day, first, last, row[SEGMENT_HELD], row[SEGMENT_COST], marks, token, first_day)
        segment = int(state.next_segment[segment])
    if amounts[HELD] > 0:
        since = int(numbers[SINCE]) - first_day
        mark(room.unrealised_by_day, since, days, amounts[HELD], amounts[HELD_COST], marks, token, first_day)
