"""The books of every wallet of a lake as they are now, and the report that a full computation would make. Used by follow_performance.

Swaps come in the chain's order, at a constant cost each. History that comes late, of a wallet that was found today, changes what others'
swaps were worth: then the books are late too, say so, and are made anew from the lake.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import Any

from numpy.typing import NDArray

from xorj.performance.compute_performance import PerformanceReport
from xorj.performance.input_hash import BEGINNING, following, hash_of_all
from xorj.performance.legs import event_legs
from xorj.performance.mark_table import MarkTable
from xorj.performance.metrics import Performance, performance_from
from xorj.performance.stream import Stream
from xorj.primitives.clock import DAY_S
from xorj.primitives.ids import Mint, Slot, Wallet
from xorj.swaps.swap import OrderKey, Swap
from xorj.swaps.valuation import Valuer, chain_order


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that books are made of. `version` is that of the lake whose swaps they hold, all of them."""

    version: int
    newest: tuple[OrderKey, str] | None
    block_time: int
    prices: Mapping[Mint, Fraction]
    wallets: tuple[Wallet, ...]
    digests: tuple[bytes, ...]
    tokens: tuple[Mint, ...]
    stream: Mapping[str, NDArray[Any]]
    marks: Mapping[str, NDArray[Any]]


@dataclass(slots=True)
class LiveBooks:
    """Books of the lake's `version`, up to `newest` in the chain's order. Where many swaps come, `compile_loops`."""

    compile_loops: bool = False
    version: int = 0
    newest: tuple[OrderKey, str] | None = None
    block_time: int = 0
    _stream: Stream = field(init=False)
    _marks: MarkTable = field(default_factory=MarkTable)
    _valuer: Valuer = field(default_factory=Valuer)
    _wallets: dict[Wallet, int] = field(default_factory=dict)
    _tokens: dict[Mint, int] = field(default_factory=dict)
    _mints: list[Mint] = field(default_factory=list)
    _digests: list[bytes] = field(default_factory=list)
    # as they were measured last, the longest ago first; and who traded since
    _found: dict[Wallet, Performance] = field(default_factory=dict)
    _moved: set[Wallet] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._stream = Stream(compile_loops=self.compile_loops)

    def take(self, swaps: Iterable[Swap]) -> bool:
        """Takes in swaps that it has not. False, and nothing taken, where one is not after those that it has."""
        ordered = sorted(swaps, key=chain_order)
        if ordered and self.newest is not None and chain_order(ordered[0]) <= self.newest:
            return False
        for swap in ordered:
            self._take(swap)
        return True

    def report(self, slot: Slot) -> PerformanceReport | None:
        """Every wallet's performance as of `slot`, to which the books are complete; None while they are empty."""
        return self.fresh(slot, marked_max=len(self._wallets))

    def fresh(self, slot: Slot, *, marked_max: int) -> PerformanceReport | None:
        """The report in which whoever traded since the last one is as of now, and of the others at most `marked_max`: those whose marks are
        the oldest. So what it costs follows from what is new, and everybody's turn comes."""
        if not self._wallets:
            return None
        resting = islice((wallet for wallet in self._found if wallet not in self._moved), marked_max)
        for wallet in [*resting, *sorted(self._moved)]:
            self._found.pop(wallet, None)
            self._found[wallet] = self._performance(wallet)
        self._moved.clear()
        hashes = {wallet: self._digests[number].hex() for wallet, number in self._wallets.items()}
        found = tuple(self._found[wallet] for wallet in sorted(self._wallets))
        return PerformanceReport(slot, self.block_time, hash_of_all(hashes), hashes, found)

    def performance(self, wallet: Wallet) -> Performance | None:
        """One wallet's, marked at the newest prices; None for one without swaps."""
        return self._performance(wallet) if wallet in self._wallets else None

    def book(self, wallet: Wallet) -> tuple[object, ...]:
        """Everything that the books hold of a wallet, to be compared with what other books hold of it: equal means equal to the bit."""
        number = self._wallets.get(wallet)
        if number is None:
            return ()
        positions = sorted((self._mints[token], self._stream.position(place)) for token, place in self._stream.positions(number))
        return self._digests[number], self._stream.totals(number).tobytes(), self._stream.days(number), *positions

    @property
    def wallets(self) -> tuple[Wallet, ...]:
        """In the order in which they came."""
        return tuple(self._wallets)

    def snapshot(self) -> Snapshot:
        """A copy of everything."""
        names = tuple(self._wallets), tuple(self._digests), tuple(self._mints)
        prices = dict(self._valuer.prices)
        return Snapshot(self.version, self.newest, self.block_time, prices, *names, self._stream.snapshot(), self._marks.snapshot())

    @classmethod
    def restored(cls, one: Snapshot, *, compile_loops: bool = False) -> "LiveBooks":
        """The books that a snapshot was taken of."""
        books = cls(compile_loops, one.version, one.newest, one.block_time)
        books._stream = Stream.restored(dict(one.stream), compile_loops=compile_loops)
        books._marks = MarkTable.restored(dict(one.marks))
        books._valuer = Valuer(one.prices)
        books._wallets = {wallet: number for number, wallet in enumerate(one.wallets)}
        books._tokens = {mint: number for number, mint in enumerate(one.tokens)}
        books._mints, books._digests, books._moved = list(one.tokens), list(one.digests), set(one.wallets)
        return books

    def _take(self, swap: Swap) -> None:
        valued = self._valuer.value(swap)
        number = self._wallets.setdefault(swap.wallet, len(self._wallets))
        if number == len(self._digests):
            self._digests.append(BEGINNING)
        self._digests[number] = following(self._digests[number], swap)
        self._moved.add(swap.wallet)
        self.newest = chain_order(swap)
        self.block_time = max(self.block_time, swap.block_time)
        legs = event_legs(valued)
        _, _, value, fee, flags = legs[0]
        self._stream.apply_swap(number, swap.block_time, value, fee, flags, [(self._number(mint), quantity) for mint, quantity, *_ in legs])
        for mint, executions in self._valuer.executions.items():
            for one in executions:
                self._marks.learn(self._number(mint), one.block_time, float(one.price_usd))
        self._valuer.executions.clear()

    def _number(self, mint: Mint) -> int:
        number = self._tokens.setdefault(mint, len(self._tokens))
        if number == len(self._mints):
            self._mints.append(mint)
            self._marks.add(number)
        return number

    def _performance(self, wallet: Wallet) -> Performance:
        number, day = self._wallets[wallet], self.block_time // DAY_S
        # the batch takes tokens by their mints
        positions = sorted(self._stream.positions(number), key=lambda one: self._mints[one[0]])
        for token, _ in positions:
            self._marks.fill(token, day)
        found = self._stream.measure(number, [place for _, place in positions], self._marks.marks(), self.block_time)
        days = tuple(found.returns.tolist()), tuple(found.equity_usd.tolist())
        return performance_from(wallet, found.totals, found.statistics, *days)
