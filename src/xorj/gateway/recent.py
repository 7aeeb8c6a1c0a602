"""What chain and prices say, which is asked for on every request and changes more slowly: kept for a moment, asked once for many callers.

A failure is kept as well, so that an outside system that is down costs one wait a moment, not one a request.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from xorj.prices.ports import PriceFeed
from xorj.prices.price import Price
from xorj.primitives.clock import ChainClock, ChainTime
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Mint

KEYS_MAX = 256
CLOCK_SECONDS = 0.4
PRICES_SECONDS = 2.0
PRICES_KNOWN_MAX = 4_096

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """`ask` answers or raises Unavailable; either is kept for `seconds`. The oldest of KEYS_MAX keys makes room."""

    def __init__(self, ask: Callable[[K], Awaitable[V]], seconds: float) -> None:
        self._ask, self._seconds = ask, seconds
        self._kept: OrderedDict[K, tuple[float, asyncio.Future[V]]] = OrderedDict()

    async def get(self, key: K) -> V:
        kept = self._kept.get(key)
        if kept is None or time.monotonic() - kept[0] > self._seconds:
            return await asyncio.shield(self._keep(key, self._asked(key)))
        return await asyncio.shield(kept[1])

    def _asked(self, key: K) -> asyncio.Future[V]:
        answer = asyncio.ensure_future(self._ask(key))
        # Nobody may be waiting when it fails; whoever asks for it still sees the failure.
        answer.add_done_callback(lambda done: None if done.cancelled() else done.exception())
        return answer

    def _keep(self, key: K, answer: asyncio.Future[V]) -> asyncio.Future[V]:
        self._kept[key] = time.monotonic(), answer
        self._kept.move_to_end(key)
        while len(self._kept) > KEYS_MAX:
            self._kept.popitem(last=False)
        return answer


class RecentClock:
    """Implements ChainClock for pages, whose slot may be a moment old."""

    def __init__(self, clock: ChainClock) -> None:
        self._recent: Recent[None, ChainTime] = Recent(lambda _: clock.now(), CLOCK_SECONDS)

    async def now(self) -> ChainTime:
        return await self._recent.get(None)


class RecentPrices:
    """Implements PriceFeed for pages: each mint is asked for once a moment, however many pages show it in whatever company."""

    def __init__(self, feed: PriceFeed) -> None:
        self._feed = feed
        self._known: OrderedDict[Mint, tuple[float, Price | None]] = OrderedDict()
        self._failed: tuple[float, Unavailable] | None = None
        self._asking = asyncio.Lock()

    async def prices(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
        if any(not self._is_fresh(mint) for mint in mints):
            await self._ask(mints)
        return {mint: price for mint in mints if (price := self._known[mint][1]) is not None}

    async def _ask(self, mints: Sequence[Mint]) -> None:
        async with self._asking:
            wanted = sorted({mint for mint in mints if not self._is_fresh(mint)})
            if not wanted:
                return
            if self._failed is not None and time.monotonic() - self._failed[0] <= PRICES_SECONDS:
                raise self._failed[1]
            try:
                found = await self._feed.prices(wanted)
            except Unavailable as error:
                self._failed = time.monotonic(), error
                raise
            for mint in wanted:
                self._known[mint] = time.monotonic(), found.get(mint)
            # Those that were fresh as well: what is asked for now is the last to make room.
            for mint in mints:
                self._known.move_to_end(mint)
            while len(self._known) > max(PRICES_KNOWN_MAX, len(mints)):
                self._known.popitem(last=False)

    def _is_fresh(self, mint: Mint) -> bool:
        known = self._known.get(mint)
        return known is not None and time.monotonic() - known[0] <= PRICES_SECONDS
