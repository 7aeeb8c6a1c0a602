"""Answers that are asked for on every request and change more slowly: kept for a moment, asked once for many callers.

A failure is kept as well, so that an outside system that is down costs one wait a moment, not one a request.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from xorj.prices.ports import PriceFeed
from xorj.prices.price import Price
from xorj.primitives.clock import ChainClock, ChainTime
from xorj.primitives.ids import Mint
from xorj.reporting.overview import Bot, Mode, Overview
from xorj.reporting.ports import Audience, OverviewReader, Ranking, RankingReader

KEYS_MAX = 256
CLOCK_SECONDS = 0.4
PRICES_SECONDS = 2.0
OVERVIEW_SECONDS = 0.25
RANKING_SECONDS = 1.0

NOWHERE = Mode("", "", False, None, None)

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
            answer = asyncio.ensure_future(self._ask(key))
            # Nobody may be waiting when it fails; whoever asks for it still sees the failure.
            answer.add_done_callback(lambda done: None if done.cancelled() else done.exception())
            self._kept[key] = (time.monotonic(), answer)
            self._kept.move_to_end(key)
            while len(self._kept) > KEYS_MAX:
                self._kept.popitem(last=False)
        return await asyncio.shield(self._kept[key][1])


class RecentClock:
    """Implements ChainClock for pages, whose slot may be a moment old."""

    def __init__(self, clock: ChainClock) -> None:
        self._recent: Recent[None, ChainTime] = Recent(lambda _: clock.now(), CLOCK_SECONDS)

    async def now(self) -> ChainTime:
        return await self._recent.get(None)


class RecentPrices:
    """Implements PriceFeed for pages."""

    def __init__(self, feed: PriceFeed) -> None:
        self._recent: Recent[tuple[Mint, ...], dict[Mint, Price]] = Recent(lambda mints: feed.prices(mints), PRICES_SECONDS)

    async def prices(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
        return await self._recent.get(tuple(sorted(set(mints)))) if mints else {}


class RecentOverviews:
    """Implements OverviewReader: many who watch the same page are one question; where the bot and the chain stand is never old."""

    def __init__(self, reader: OverviewReader) -> None:
        self._reader = reader
        self._recent: Recent[Audience, Overview] = Recent(lambda audience: reader.overview(audience, NOWHERE), OVERVIEW_SECONDS)

    async def overview(self, audience: Audience, mode: Mode) -> Overview:
        return replace(await self._recent.get(audience), mode=mode, bot=await self._reader.bot())

    async def bot(self) -> Bot:
        return await self._reader.bot()


class RecentRankings:
    """Implements RankingReader: a ranking changes once a run."""

    def __init__(self, reader: RankingReader) -> None:
        self._recent: Recent[int, Ranking] = Recent(lambda limit: reader.ranking(limit=limit), RANKING_SECONDS)

    async def ranking(self, *, limit: int) -> Ranking:
        return await self._recent.get(limit)
