"""Every wallet's books, kept up to date swap by swap, at a constant cost each. Used by follow_swaps; equal to the kernel's to the bit.

What is realised is always there; marks are read when a wallet is asked for. The state is arrays of numbers: a snapshot is a copy of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xorj.performance import columns as c
from xorj.performance import loops, stream_loops
from xorj.performance import stream_loops as s
from xorj.performance.compiled import compiled
from xorj.performance.kernel import read_only, room_of
from xorj.primitives.clock import DAY_S

ROWS_AT_FIRST = 1_024
# legs of a swap
ROWS_PER_SWAP = 2
# the hash table is at most this full
KEYS_PER_POSITION = 2

Floats = NDArray[np.float64]
_POOLS = {
    s.POSITIONS: ("positions", "amounts"),
    s.LOTS: ("lots", "next_lot"),
    s.SEGMENTS: ("segments", "next_segment"),
    s.DAYS: ("days", "next_day"),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One wallet as of a moment: rows of totals and statistics, columns as in columns.py, and its days."""

    totals: Floats
    statistics: Floats
    returns: Floats
    equity_usd: Floats


class Stream:
    """Books of wallets and tokens that go by numbers from 0. Compiled where many swaps come, interpreted where few do: the same bits."""

    def __init__(self, *, compile_loops: bool = False) -> None:
        self._state = _empty()
        self._loops: Any = compiled() if compile_loops else stream_loops
        self._compiled = compile_loops

    def apply(self, legs: c.Legs) -> None:
        """Takes in swaps by columns, one after another; a swap's legs stand together, a wallet's swaps in its order. `swap` is not read."""
        if len(legs.wallet):
            self._make_room(len(legs.wallet), int(legs.wallet.max()))
            self._loops.apply_legs(self._state, c.Legs(*map(read_only, legs)) if self._compiled else legs)

    def apply_swap(self, wallet: int, time: int, value: float, fee: float, flags: int, legs: Sequence[tuple[int, float]]) -> None:
        """Takes in one swap or transfer: the flags of its first leg, token and quantity of its one or two legs."""
        token, quantity = legs[0]
        other, other_quantity = legs[1] if len(legs) > 1 else (s.NONE, 0.0)
        while not self._loops.apply_swap(self._state, wallet, time, value, fee, flags, token, quantity, other, other_quantity):
            self._make_room(ROWS_PER_SWAP, wallet)

    def totals(self, wallet: int) -> Floats:
        """The wallet's running sums: everything that is realised."""
        found: Floats = self._state.totals[wallet]
        return found

    def positions(self, wallet: int) -> list[tuple[int, int]]:
        """Token and position of everything that the wallet ever held."""
        found, position = [], int(self._state.wallets[wallet][s.FIRST_POSITION])
        while position != s.NONE:
            numbers = self._state.positions[position]
            found.append((int(numbers[s.TOKEN]), position))
            position = int(numbers[s.NEXT_POSITION])
        return found

    def position(self, position: int) -> tuple[bytes, ...]:
        """Everything kept of a position, to the bit and wherever it stands: amounts, since when, open lots, what was held on which days."""
        state, numbers = self._state, self._state.positions[position]
        lots = _chain(state.lots, state.next_lot, int(numbers[s.LOT_FIRST]))
        segments = _chain(state.segments, state.next_segment, int(numbers[s.SEGMENT_FIRST]))
        return state.amounts[position].tobytes(), numbers[s.SINCE].tobytes(), lots, segments

    def days(self, wallet: int) -> bytes:
        """What was booked on each of the wallet's days, to the bit."""
        return _chain(self._state.days, self._state.next_day, int(self._state.wallets[wallet][s.DAY_FIRST]))

    def measure(self, wallet: int, positions: list[int], marks: c.Marks, as_of: int) -> Measured:
        """The wallet's figures at these marks. `positions` are all of its own in the order of tokens that the batch would take."""
        first = self._state.days[int(self._state.wallets[wallet][s.DAY_FIRST])][s.DAY]
        days = as_of // DAY_S - int(first) + 1
        statistics, series = np.zeros(c.STATISTICS), c.DailySeries(np.zeros(days), np.zeros(days))
        table = c.Marks(*map(read_only, marks))
        ordered = np.array(positions, dtype=np.int64)
        self._loops.measure_wallet(self._state, wallet, ordered, table, as_of, room_of(0, days), statistics, series)
        return Measured(self._state.totals[wallet].copy(), statistics, *series)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """A copy of everything, as far as it is used."""
        return {name: value.copy() for name, value in self._state._asdict().items()}

    @classmethod
    def restored(cls, arrays: dict[str, NDArray[Any]], *, compile_loops: bool = False) -> "Stream":
        """The stream that a snapshot was taken of."""
        stream = cls(compile_loops=compile_loops)
        stream._state = s.State(**{name: arrays[name].copy() for name in s.State._fields})
        return stream

    def _make_room(self, legs: int, wallet_most: int) -> None:
        """Room for as many legs of wallets up to this one; growing doubles, so that it costs each swap a constant."""
        state = self._state
        grown: dict[str, NDArray[Any]] = {}
        if wallet_most >= len(state.wallets):
            grown |= {"wallets": _grown(state.wallets, wallet_most + 1, s.NONE), "totals": _grown(state.totals, wallet_most + 1, 0)}
            grown["wallets"][len(state.wallets) :, s.LAST_TIME] = 0
        for counter, names in _POOLS.items():
            needed = int(state.counters[counter]) + legs
            grown |= {name: _grown(getattr(state, name), needed, 0) for name in names if needed > len(getattr(state, name))}
        if "positions" in grown:
            keys = KEYS_PER_POSITION * len(grown["positions"])
            grown |= dict(zip(("keys", "slots"), _rehashed(state, 1 << (keys - 1).bit_length()), strict=True))
        if grown:
            self._state = state._replace(**grown)


def _chain(rows: NDArray[Any], following: NDArray[Any], first: int) -> bytes:
    """A pool's rows from `first` on, one after another."""
    places = []
    while first != s.NONE:
        places.append(first)
        first = int(following[first])
    return bytes(rows[places].tobytes())


def _empty() -> s.State:
    rows = ROWS_AT_FIRST
    counters = np.zeros(s.COUNTERS, dtype=np.int64)
    counters[s.FREE_LOT] = s.NONE
    wallets = np.full((0, s.WALLET_FIELDS), s.NONE, dtype=np.int64)
    numbers = {name: np.zeros(rows, dtype=np.int64) for name in ("next_lot", "next_segment", "next_day")}
    return s.State(
        counters=counters,
        keys=np.full(rows * KEYS_PER_POSITION, s.NONE, dtype=np.int64),
        slots=np.zeros(rows * KEYS_PER_POSITION, dtype=np.int64),
        wallets=wallets,
        totals=np.zeros((0, c.TOTALS)),
        positions=np.zeros((rows, s.POSITION_FIELDS), dtype=np.int64),
        amounts=np.zeros((rows, s.AMOUNT_FIELDS)),
        lots=np.zeros((rows, loops.LOT_FIELDS)),
        segments=np.zeros((rows, s.SEGMENT_FIELDS)),
        days=np.zeros((rows, s.DAY_FIELDS)),
        swap=np.zeros(loops.SWAP_FIELDS),
        **numbers,
    )


def _grown(array: NDArray[Any], needed: int, filled: int) -> NDArray[Any]:
    """A copy with at least twice the rows."""
    rows = max(needed, 2 * len(array), ROWS_AT_FIRST)
    grown = np.full((rows, *array.shape[1:]), filled, dtype=array.dtype)
    grown[: len(array)] = array
    return grown


def _rehashed(state: s.State, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The hash table in another size, by the probe order of stream_loops.position_of."""
    keys, slots = np.full(size, s.NONE, dtype=np.int64), np.zeros(size, dtype=np.int64)
    used = np.flatnonzero(state.keys != s.NONE)
    known = state.keys[used]
    places = (known & 0xFFFFFFFF) * 40_503 + (known >> 32) * 2_654_435
    places = (places ^ (places >> 15)) & (size - 1)
    left = np.arange(len(used))
    while len(left):
        free = keys[places[left]] == s.NONE
        trying = left[free]
        keys[places[trying]] = known[trying]
        slots[places[trying]] = state.slots[used[trying]]
        # of several at one place the last one stands; the others look further, as do those whose place was taken
        left = left[keys[places[left]] != known[left]]
        places[left] = (places[left] + 1) & (size - 1)
    return keys, slots
