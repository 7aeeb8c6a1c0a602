"""Asks every source of prices and lets through what they agree on. Implements PriceFeed; built by the services.

What each use needs of a price, and what it does without one, is decided in docs/adr/0023-prices-of-thin-mints.md.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from xorj.prices.agreement import Bounds, NoPrice, agreed, highest
from xorj.prices.ports import PriceFeed, PriceWitness
from xorj.prices.price import Price, Quote
from xorj.primitives.clock import ChainClock, ChainTime
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Mint

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Told:
    """What the sources that answered say of each mint, most trusted first, and the chain's time."""

    by_mint: dict[Mint, list[Price]]
    now: ChainTime


class AgreedPrices:
    """`feeds` in order of trust. A source that is unavailable has no say; where no feed has one, that is what is raised."""

    def __init__(
        self, feeds: Sequence[PriceFeed], clock: ChainClock, bounds: Bounds, *, is_local: bool, witnesses: Sequence[PriceWitness] = ()
    ) -> None:
        self._feeds, self._witnesses, self._clock = feeds, witnesses, clock
        self._bounds, self._is_local = bounds, is_local

    async def prices(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
        """Those of which there is a price. Raises Unavailable when the clock or every feed is."""
        return {mint: found for mint, found in (await self.judged(mints)).items() if isinstance(found, Price)}

    async def judged(self, mints: Sequence[Mint]) -> dict[Mint, Price | NoPrice]:
        """Every mint's price or why it has none."""
        told = await self._told(mints)
        return {mint: agreed(mint, prices, told.now, self._bounds, is_local=self._is_local) for mint, prices in told.by_mint.items()}

    async def highest(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
        """The highest that any usable source says of each: see agreement.highest. Raises Unavailable likewise."""
        told = await self._told(mints)
        found = {mint: highest(prices, told.now, self._bounds) for mint, prices in told.by_mint.items()}
        return {mint: price for mint, price in found.items() if price is not None}

    async def _told(self, mints: Sequence[Mint]) -> _Told:
        asked = (asyncio.gather(*(_answer(feed.prices(mints)) for feed in self._feeds)), self._quotes(mints), self._clock.now())
        told, quoted, now = await asyncio.gather(*asked)
        known = [one for one in told if not isinstance(one, Unavailable)]
        if not known:
            raise next(one for one in told if isinstance(one, Unavailable))
        by_mint = {mint: [one[mint] for one in known if mint in one] for mint in dict.fromkeys(mints)}
        for mint, prices in by_mint.items():
            # a witness alone is no price, so there is somebody who knows the decimals
            prices += [one[mint].of(prices[0].decimals) for one in quoted if prices and mint in one]
        return _Told(by_mint, now)

    async def _quotes(self, mints: Sequence[Mint]) -> list[dict[Mint, Quote]]:
        answers = await asyncio.gather(*(_answer(witness.quotes(mints)) for witness in self._witnesses))
        return [one for one in answers if not isinstance(one, Unavailable)]


class HighestPrices:
    """The same sources as PriceFeed where too high a price is the safe side: a leader's equity, by which his trades are divided."""

    def __init__(self, agreed_prices: AgreedPrices) -> None:
        self._agreed = agreed_prices

    async def prices(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
        """Those that any usable source knows. Raises Unavailable."""
        return await self._agreed.highest(mints)


async def _answer(asked: Awaitable[T]) -> T | Unavailable:
    try:
        return await asked
    except Unavailable as error:
        return error
