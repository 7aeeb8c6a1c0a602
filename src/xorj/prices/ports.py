"""The ports to sources of prices and names. Adapter of both: adapters/jupiter; of prices also adapters/pyth, and
adapters/birdeye of the witness."""

from collections.abc import Sequence
from typing import Protocol

from xorj.prices.listing import TokenListing
from xorj.prices.price import Price, Quote
from xorj.primitives.ids import Mint

PRICES_PER_CALL_MAX = 50


class PriceFeed(Protocol):
    async def prices(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
        """Prices of those mints that the source knows; the others are absent. Raises Unavailable."""


class PriceWitness(Protocol):
    """A source that confirms or contradicts what feeds say, and is never the price itself."""

    async def quotes(self, mints: Sequence[Mint]) -> dict[Mint, Quote]:
        """Of those mints that it knows; the others are absent. Raises Unavailable."""


class TokenList(Protocol):
    async def listings(self, mints: Sequence[Mint]) -> dict[Mint, TokenListing]:
        """What the list says of those mints that it knows; the others are absent. Raises Unavailable."""
