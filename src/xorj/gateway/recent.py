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
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Mint
from xorj.reporting.overview import Bot, Mode, Overview
from xorj.reporting.ports import Audience, OverviewReader, Ranking, RankingReader

KEYS_MAX = 256
CLOCK_SECONDS = 0.4
PRICES_SECONDS = 2.0
PRICES_KNOWN_MAX = 4_096
OVERVIEW_SECONDS = 0.25
RANKING_SECONDS = 1.0
# Of overviews alone: how old one may be when the server has more to do than it can, how long a caller waits for a newer one, and how
# many newer ones are asked for at once.
OVERVIEW_GRACE_SECONDS = 3.0
PATIENCE_S = 0.1
RENEWALS_AT_ONCE_MAX = 4

NOWHERE = Mode("", "", False, None, None)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """`ask` answers or raises Unavailable; either is kept for `seconds`. The oldest of KEYS_MAX keys makes room.

    With `grace_seconds` an answer that is older than that is still given while a newer one is asked for, when that takes longer than
    PATIENCE_S: a server with little to do is never behind, one with much to do answers everybody and asks a few questions at a time.
    """

    def __init__(self, ask: Callable[[K], Awaitable[V]], seconds: float, *, grace_seconds: float = 0.0) -> None:
        self._ask, self._seconds, self._grace_seconds = ask, seconds, grace_seconds
        self._kept: OrderedDict[K, tuple[float, asyncio.Future[V]]] = OrderedDict()
        self._renewing: dict[K, asyncio.Future[V]] = {}

    async def get(self, key: K) -> V:
        kept = self._kept.get(key)
        if kept is None:
            return await asyncio.shield(self._keep(key, self._asked(key)))
        asked_at, answer = kept
        age = time.monotonic() - asked_at
        if age <= self._seconds:
            return await asyncio.shield(answer)
        if age > self._seconds + self._grace_seconds or not _succeeded(answer):
            return await asyncio.shield(self._renewing.get(key) or self._keep(key, self._asked(key)))
        newer = self._renewed(key)
        if newer is not None:
            await asyncio.wait({newer}, timeout=PATIENCE_S)
        return newer.result() if newer is not None and _succeeded(newer) else answer.result()

    def _renewed(self, key: K) -> asyncio.Future[V] | None:
        """The question for a newer answer, which takes the place of the old one if it succeeds; None while enough are asked."""
        if key in self._renewing or len(self._renewing) >= RENEWALS_AT_ONCE_MAX:
            return self._renewing.get(key)
        asked_at, newer = time.monotonic(), self._asked(key)
        self._renewing[key] = newer

        def done(answer: asyncio.Future[V]) -> None:
            del self._renewing[key]
            if _succeeded(answer):
                self._keep(key, answer, asked_at)

        newer.add_done_callback(done)
        return newer

    def _asked(self, key: K) -> asyncio.Future[V]:
        answer = asyncio.ensure_future(self._ask(key))
        # Nobody may be waiting when it fails; whoever asks for it still sees the failure.
        answer.add_done_callback(lambda done: None if done.cancelled() else done.exception())
        return answer

    def _keep(self, key: K, answer: asyncio.Future[V], asked_at: float | None = None) -> asyncio.Future[V]:
        self._kept[key] = (time.monotonic() if asked_at is None else asked_at, answer)
        self._kept.move_to_end(key)
        while len(self._kept) > KEYS_MAX:
            self._kept.popitem(last=False)
        return answer


def _succeeded(answer: asyncio.Future[V]) -> bool:
    return answer.done() and not answer.cancelled() and answer.exception() is None


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
                self._known.move_to_end(mint)
            while len(self._known) > max(PRICES_KNOWN_MAX, len(mints)):
                self._known.popitem(last=False)

    def _is_fresh(self, mint: Mint) -> bool:
        known = self._known.get(mint)
        return known is not None and time.monotonic() - known[0] <= PRICES_SECONDS


class RecentOverviews:
    """Implements OverviewReader: many who watch the same page are one question; where the bot and the chain stand is never old."""

    def __init__(self, reader: OverviewReader) -> None:
        self._reader = reader
        self._recent: Recent[Audience, Overview] = Recent(
            lambda audience: reader.overview(audience, NOWHERE), OVERVIEW_SECONDS, grace_seconds=OVERVIEW_GRACE_SECONDS
        )

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
