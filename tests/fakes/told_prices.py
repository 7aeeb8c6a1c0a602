"""A source of prices in memory. Implements PriceFeed."""

from collections.abc import Mapping, Sequence

from xorj.prices.price import Price
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Mint


class ToldPrices:
    """Knows what it was told; `is_away` makes it unavailable."""

    def __init__(self, known: Mapping[Mint, Price], *, is_away: bool = False) -> None:
        self.known, self.is_away = known, is_away

    async def prices(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
        if self.is_away:
            raise Unavailable("prices", "away")
        return {mint: self.known[mint] for mint in mints if mint in self.known}
