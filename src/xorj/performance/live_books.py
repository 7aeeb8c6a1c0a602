"""The books of every wallet of a lake as they are now, and the report that a full computation would make. Used by follow_performance.

Swaps come in the chain's order. History that comes late, of a wallet that was found today, changes what others' swaps were worth: then
the books are late too, say so, and are made anew from the lake.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np

from xorj.performance import columns as c
from xorj.performance.compute_performance import PerformanceReport
from xorj.performance.input_hash import hash_of_all, line
from xorj.performance.legs import event_legs
from xorj.performance.metrics import Performance, performance_from
from xorj.performance.stream import Stream
from xorj.primitives.ids import Mint, Slot, Wallet
from xorj.swaps.swap import OrderKey, Swap
from xorj.swaps.valuation import Execution, Valuer, chain_order


@dataclass(slots=True)
class LiveBooks:
    """Books up to `newest`. Where many swaps come, `compile_loops`."""

    compile_loops: bool = False
    newest: OrderKey | None = None
    block_time: int = 0
    _stream: Stream = field(init=False)
    _valuer: Valuer = field(default_factory=Valuer)
    _wallets: dict[Wallet, int] = field(default_factory=dict)
    _tokens: dict[Mint, int] = field(default_factory=dict)
    _prices: dict[Mint, "DayPrices"] = field(default_factory=dict)
    _digests: list[Any] = field(default_factory=list)
    _last: list[OrderKey] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stream = Stream(compile_loops=self.compile_loops)

    def take(self, swaps: Iterable[Swap]) -> bool:
        """Takes in swaps that are new; those that are known change nothing. False, and nothing taken, where one came late."""
        new = sorted((swap for swap in swaps if not self._knows(swap)), key=chain_order)
        if new and self.newest is not None and new[0].order < self.newest:
            return False
        for swap in new:
            self._take(swap)
        return True

    def report(self, slot: Slot) -> PerformanceReport | None:
        """Every wallet's performance as of `slot`, to which the books are complete; None while they are empty."""
        if not self._wallets:
            return None
        marks, names = self._marks(), list(self._tokens)
        found = tuple(self._performance(wallet, marks, names) for wallet in sorted(self._wallets))
        hashes = {wallet: self._digests[number].hexdigest() for wallet, number in self._wallets.items()}
        return PerformanceReport(slot, self.block_time, hash_of_all(hashes), hashes, found)

    def performance(self, wallet: Wallet) -> Performance | None:
        """One wallet's, marked at the newest prices; None for one without swaps."""
        return self._performance(wallet, self._marks(), list(self._tokens)) if wallet in self._wallets else None

    def _knows(self, swap: Swap) -> bool:
        number = self._wallets.get(swap.wallet)
        return number is not None and swap.order <= self._last[number]

    def _take(self, swap: Swap) -> None:
        valued = self._valuer.value(swap)
        number = self._wallets.setdefault(swap.wallet, len(self._wallets))
        if number == len(self._last):
            self._last.append(swap.order)
            self._digests.append(sha256())
        self._last[number], self.newest = swap.order, swap.order
        self._digests[number].update(line(swap))
        self.block_time = max(self.block_time, swap.block_time)
        legs = event_legs(valued)
        _, _, value, fee, flags = legs[0]
        pairs = [(self._tokens.setdefault(mint, len(self._tokens)), quantity) for mint, quantity, *_ in legs]
        self._stream.apply_swap(number, swap.block_time, value, fee, flags, pairs)
        for mint, *_ in legs:
            self._prices.setdefault(mint, DayPrices()).learn(self._valuer.executions.get(mint, []))

    def _marks(self) -> c.Marks:
        day = self.block_time // c.DAY_S
        rows = [self._prices[mint].until(day) for mint in self._tokens]
        offsets = np.cumsum([0, *(len(prices) for _, prices in rows)])[:-1]
        prices = np.array([price for _, known in rows for price in known])
        return c.Marks(np.array([first for first, _ in rows], dtype=np.int64), offsets.astype(np.int64), prices)

    def _performance(self, wallet: Wallet, marks: c.Marks, names: list[Mint]) -> Performance:
        number = self._wallets[wallet]
        # the batch takes tokens by their mints
        positions = sorted(self._stream.positions(number), key=lambda one: names[one[0]])
        found = self._stream.measure(number, [position for _, position in positions], marks, self.block_time)
        days = tuple(found.returns.tolist()), tuple(found.equity_usd.tolist())
        return performance_from(wallet, found.totals, found.statistics, *days)


@dataclass(slots=True)
class DayPrices:
    """One token's price at each day's end, from its first priced day; executions are learned in order, each once."""

    first_day: int = c.NEVER
    prices: list[float] = field(default_factory=list)
    _learned: int = 0
    _time: int = 0

    def learn(self, executions: list[Execution]) -> None:
        """Takes in those that are new at the end of the token's executions."""
        for one in executions[self._learned :]:
            self._time = max(self._time, one.block_time)
            day = self._time // c.DAY_S
            if not self.prices:
                self.first_day, self.prices = day, [0.0]
            self._fill(day)
            self.prices[-1] = float(one.price_usd)
        self._learned = len(executions)

    def until(self, day: int) -> tuple[int, list[float]]:
        """The first day, and the prices up to and including `day`."""
        if self.prices:
            self._fill(day)
        return self.first_day, self.prices

    def _fill(self, day: int) -> None:
        self.prices.extend([self.prices[-1]] * (day - self.first_day + 1 - len(self.prices)))
