"""Asks every source of prices and lets through what they agree on. Implements PriceFeed; built by services where there are two sources."""

import asyncio
from collections.abc import Sequence

from xorj.prices.agreement import Bounds, NoPrice, agreed
from xorj.prices.ports import PriceFeed
from xorj.prices.price import Price
from xorj.primitives.clock import ChainClock
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Mint


class AgreedPrices:
    """`feeds` in order of trust. A feed that is unavailable has no say; where none has, that is what is raised."""

    def __init__(self, feeds: Sequence[PriceFeed], clock: ChainClock, bounds: Bounds, *, is_local: bool) -> None:
        self._feeds, self._clock, self._bounds, self._is_local = feeds, clock, bounds, is_local

    async def prices(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
        """Those of which there is a price. Raises Unavailable when the clock or every feed is."""
        return {mint: found for mint, found in (await self.judged(mints)).items() if isinstance(found, Price)}

    async def judged(self, mints: Sequence[Mint]) -> dict[Mint, Price | NoPrice]:
        """Every mint's price or why it has none."""
        told = await asyncio.gather(*(_told(feed, mints) for feed in self._feeds))
        known = [one for one in told if not isinstance(one, Unavailable)]
        if not known:
            raise next(one for one in told if isinstance(one, Unavailable))
        now = await self._clock.now()
        by_mint = {mint: [one[mint] for one in known if mint in one] for mint in dict.fromkeys(mints)}
        return {mint: agreed(mint, prices, now, self._bounds, is_local=self._is_local) for mint, prices in by_mint.items()}


async def _told(feed: PriceFeed, mints: Sequence[Mint]) -> dict[Mint, Price] | Unavailable:
    try:
        return await feed.prices(mints)
    except Unavailable as error:
        return error
