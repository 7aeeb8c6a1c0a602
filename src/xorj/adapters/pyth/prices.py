"""`GET /v2/updates/price/latest` of Pyth's Hermes as PriceFeed: prices with a confidence and the second in which they were published.

Pyth knows feeds, not mints, and no decimals of a token: so only the mints of a table are known here. Its slots are those of its own
chain and say nothing about ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import httpx2
import msgspec

from xorj.adapters.json_http import JsonHttp
from xorj.prices.ports import PRICES_PER_CALL_MAX
from xorj.prices.price import Price
from xorj.primitives.amounts import Usd
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import SOL, USDC, USDT, Mint

SYSTEM = "Pyth"
SOURCE = "pyth"
LATEST_PATH = "/v2/updates/price/latest"
EXPONENT_MAX = 18


@dataclass(frozen=True, slots=True)
class Feed:
    """Which of Pyth's feeds prices a mint: 32 bytes in hex, USD for one whole token."""

    id: str
    decimals: int


FEEDS: Mapping[Mint, Feed] = {
    SOL: Feed("ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d", 9),
    USDC: Feed("eaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a", 6),
    USDT: Feed("2b89b9dc8fdf9f34709a5b106b472f0f39bb6ca9ce04b0fd7f2e971688e2e53b", 6),
    Mint("DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263"): Feed("72b021217ca3fe68922a19aaf990109cb9d84e9ad004b4d2025ad6f529314419", 5),
    Mint("JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN"): Feed("0a0408d619e9380abad35060f9192039ed5042fa6f82301d0e48bb52be830996", 6),
}


class _Quote(msgspec.Struct):
    price: Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,19}$")]
    conf: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}$")]
    expo: Annotated[int, msgspec.Meta(ge=-EXPONENT_MAX, le=EXPONENT_MAX)]
    publish_time: Annotated[int, msgspec.Meta(ge=0, le=2**40)]


class _Update(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(pattern=r"^(0x)?[0-9a-fA-F]{64}$")]
    price: _Quote | None


class _Latest(msgspec.Struct):
    parsed: Annotated[list[_Update], msgspec.Meta(max_length=PRICES_PER_CALL_MAX)]


class PythPrices:
    """An async context manager over one connection pool."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str,
        feeds: Mapping[Mint, Feed] = FEEDS,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = JsonHttp(base_url, system=SYSTEM, headers={"authorization": f"Bearer {api_key}"}, transport=transport)
        self._feeds = feeds

    async def __aenter__(self) -> "PythPrices":
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *told: Any) -> None:
        await self._http.__aexit__(*told)

    async def prices(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
        """Asks in batches of PRICES_PER_CALL_MAX. Mints without a feed, and prices that are null or not above zero, are left out."""
        wanted = [mint for mint in dict.fromkeys(mints) if mint in self._feeds]
        found: dict[Mint, Price] = {}
        for start in range(0, len(wanted), PRICES_PER_CALL_MAX):
            batch = wanted[start : start + PRICES_PER_CALL_MAX]
            quotes = await self._latest([self._feeds[mint].id for mint in batch])
            told = ((mint, self._feeds[mint], quotes.get(self._feeds[mint].id)) for mint in batch)
            found |= {mint: _price(mint, feed, quote) for mint, feed, quote in told if quote is not None and int(quote.price) > 0}
        return found

    async def _latest(self, ids: Sequence[str]) -> dict[str, _Quote | None]:
        """By feed, whatever else was told too."""
        status, body = await self._http.get(
            LATEST_PATH, {"ids[]": list(ids), "parsed": "true", "encoding": "hex", "ignore_invalid_price_ids": "true"}
        )
        if status != 200:
            raise Unavailable(SYSTEM, f"{LATEST_PATH}: HTTP {status}")
        try:
            updates = msgspec.convert(body, _Latest).parsed
        except msgspec.ValidationError as error:
            raise Unavailable(SYSTEM, f"malformed answer: {error}") from error
        quotes = {one.id.removeprefix("0x").lower(): one.price for one in updates}
        if len(quotes) != len(updates):
            raise Unavailable(SYSTEM, "malformed answer: a feed is told twice")
        return quotes


def _price(mint: Mint, feed: Feed, quote: _Quote) -> Price:
    usd, confidence = (Usd(Decimal(text).scaleb(quote.expo)) for text in (quote.price, quote.conf))
    return Price(mint, usd, feed.decimals, None, SOURCE, confidence_usd=confidence, published_at_s=quote.publish_time)
