"""Legs of many wallets to their figures, in floats. Used by the compute workflows; pnl.py is its exact, slow reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xorj.performance import columns as c
from xorj.performance import loops
from xorj.performance.compiled import compiled
from xorj.performance.legs import legs_of, marks_of
from xorj.performance.metrics import Performance, performance_from
from xorj.performance.transfer import TransferOut
from xorj.primitives.clock import DAY_S
from xorj.primitives.ids import Wallet
from xorj.swaps.valuation import Valuation

# below these the interpreter has finished before the compiler has begun
COMPILE_LEGS_MIN = 200_000
COMPILE_DAYS_MIN = 5_000_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figures:
    """A row a wallet, in the order of `wallets`, which are numbers of the legs' dictionary. Series are empty unless they were wanted."""

    wallets: NDArray[np.uint32]
    totals: Floats
    statistics: Floats
    returns: Floats
    equity_usd: Floats


def performance_of(valuation: Valuation, as_of_block_time: int, transfers: Sequence[TransferOut] = ()) -> list[Performance]:
    """Every wallet's performance, by wallet. No swap of the valuation may be later than `as_of_block_time`."""
    table = legs_of(valuation, transfers)
    marks = marks_of(table.tokens, valuation.executions, as_of_block_time)
    return performances(table.wallets, figures_of(table.legs, marks, as_of_block_time, with_series=True))


def performances(wallets: Sequence[Wallet], figures: Figures) -> list[Performance]:
    """Figures with series as one object a wallet; `wallets` are what the numbers stand for."""
    ends = np.cumsum(figures.statistics[:, c.DAYS]).astype(np.int64)
    returns, equity = figures.returns.tolist(), figures.equity_usd.tolist()
    found = []
    for at, (number, end) in enumerate(zip(figures.wallets.tolist(), ends.tolist(), strict=True)):
        days = slice(0 if at == 0 else int(ends[at - 1]), end)
        rows = figures.totals[at], figures.statistics[at]
        found.append(performance_from(wallets[number], *rows, tuple(returns[days]), tuple(equity[days])))
    return found


def figures_of(legs: c.Legs, marks: c.Marks, as_of: int, *, with_series: bool = False, compile_legs_min: int = COMPILE_LEGS_MIN) -> Figures:
    """Runs the kernel over sorted legs; `as_of` in unix seconds, at or after every leg. Interpreted where there is little to do."""
    firsts = _starts(legs.wallet)
    if not len(firsts):
        empty = np.zeros(0)
        return Figures(legs.wallet, np.zeros((0, c.TOTALS)), np.zeros((0, c.STATISTICS)), empty, empty)
    days = as_of // DAY_S - np.minimum.reduceat(legs.time, firsts).astype(np.int64) // DAY_S + 1
    legs_most = int(np.diff(firsts, append=len(legs.wallet)).max())
    series = c.DailySeries(*(np.zeros(int(days.sum()) if with_series else 0) for _ in range(2)))
    totals, statistics = np.zeros((len(firsts), c.TOTALS)), np.zeros((len(firsts), c.STATISTICS))
    room = room_of(legs_most, int(days.max()))
    if len(legs.wallet) >= compile_legs_min or len(_starts(legs.token)) * int(days.max()) >= COMPILE_DAYS_MIN:
        read = c.Legs(*map(read_only, legs)), c.Marks(*map(read_only, marks))
        compiled().compute_wallets(*read, as_of, room, totals, statistics, series)
        return Figures(legs.wallet[firsts], totals, statistics, *series)
    listed = totals.tolist(), statistics.tolist(), c.DailySeries(*(one.tolist() for one in series))
    loops.compute_wallets(_listed(legs), _marks_listed(marks), as_of, _room_listed(room), *listed)
    return Figures(legs.wallet[firsts], np.array(listed[0]), np.array(listed[1]), *(np.array(one) for one in listed[2]))


def room_of(legs: int, days: int) -> loops.Room:
    """Space for the largest wallet."""
    return loops.Room(np.zeros((legs, loops.LOT_FIELDS)), np.zeros((legs, loops.SWAP_FIELDS)), *(np.zeros(days) for _ in _BY_DAY))


_BY_DAY = loops.Room._fields[2:]


def _starts(column: NDArray[Any]) -> NDArray[np.int64]:
    """The rows at which the value is another than before."""
    return np.flatnonzero(np.concatenate(([True], column[1:] != column[:-1]))) if len(column) else np.zeros(0, dtype=np.int64)


def read_only(column: NDArray[Any]) -> NDArray[Any]:
    """Machine code is made for one kind of array, and what was read from a file cannot be written to."""
    view = np.ascontiguousarray(column)[:]
    view.flags.writeable = False
    return view


def _listed(legs: c.Legs) -> c.Legs:
    return c.Legs(*(column.tolist() for column in legs))


def _marks_listed(marks: c.Marks) -> c.Marks:
    """Prices stay an array: what holds them is written to through slices."""
    return c.Marks(marks.first_day.tolist(), marks.offset.tolist(), marks.prices)


def _room_listed(room: loops.Room) -> loops.Room:
    lists: dict[str, Any] = {name: value.tolist() for name, value in room._asdict().items()}
    return loops.Room(**lists | {"unrealised_by_day": room.unrealised_by_day})
