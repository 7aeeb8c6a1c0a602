"""The one price table while it grows: learned execution by execution, a token filled up to a day when it is asked for. For live_books.

The same executions give the prices that legs.marks_of has of them, to the bit, without looking at any token that nobody asked for.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xorj.performance import columns as c
from xorj.primitives.clock import DAY_S

ROWS_AT_FIRST = 64
# a token's first room, in days; a row that is full moves to one of twice the size
DAYS_AT_FIRST = 8
FIRST_DAY, OFFSET, ROOM, COUNT, TIME = range(5)
FIELDS = 5


class MarkTable:
    """Prices of tokens that go by numbers from 0."""

    def __init__(self) -> None:
        self._rows = _rows(ROWS_AT_FIRST)
        self._prices: NDArray[np.float64] = np.zeros(ROWS_AT_FIRST * DAYS_AT_FIRST)
        self._used = 0

    def add(self, token: int) -> None:
        """Makes a row for the token, without a price as long as none is learned."""
        if token >= len(self._rows):
            self._rows = np.concatenate((self._rows, _rows(max(token + 1, len(self._rows)))))

    def learn(self, token: int, block_time: int, price_usd: float) -> None:
        """What a base unit went for; executions of a token come in the chain's order. The day's last one is the day's price."""
        row = self._rows[token]
        row[TIME] = max(row[TIME], block_time)
        day = int(row[TIME]) // DAY_S
        if row[COUNT] == 0:
            self._reserve(row, 1)
            row[FIRST_DAY], row[COUNT] = day, 1
        else:
            self.fill(token, day)
        self._prices[row[OFFSET] + row[COUNT] - 1] = price_usd

    def fill(self, token: int, day: int) -> None:
        """Lets the newest price stand until `day`; nothing where there is none."""
        row = self._rows[token]
        count, wanted = int(row[COUNT]), day - int(row[FIRST_DAY]) + 1
        if not 0 < count < wanted:
            return
        self._reserve(row, wanted)
        end = int(row[OFFSET]) + count
        self._prices[end : end + wanted - count] = self._prices[end - 1]
        row[COUNT] = wanted

    def marks(self) -> c.Marks:
        """The table as it is; a token may be asked for up to the day that it was filled to."""
        return c.Marks(np.ascontiguousarray(self._rows[:, FIRST_DAY]), np.ascontiguousarray(self._rows[:, OFFSET]), self._prices)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """A copy of everything."""
        return {"rows": self._rows.copy(), "prices": self._prices[: self._used].copy()}

    @classmethod
    def restored(cls, arrays: dict[str, NDArray[Any]]) -> "MarkTable":
        """The table that a snapshot was taken of."""
        table = cls()
        table._rows, table._prices, table._used = arrays["rows"].copy(), arrays["prices"].copy(), len(arrays["prices"])
        return table

    def _reserve(self, row: NDArray[np.int64], days: int) -> None:
        if days <= row[ROOM]:
            return
        room = max(DAYS_AT_FIRST, 2 * int(row[ROOM]), days)
        if self._used + room > len(self._prices):
            self._prices = np.concatenate((self._prices, np.zeros(max(room, len(self._prices)))))
        first, count = int(row[OFFSET]), int(row[COUNT])
        self._prices[self._used : self._used + count] = self._prices[first : first + count]
        row[OFFSET], row[ROOM] = self._used, room
        self._used += room


def _rows(count: int) -> NDArray[np.int64]:
    rows = np.zeros((count, FIELDS), dtype=np.int64)
    rows[:, FIRST_DAY] = c.NEVER
    return rows
