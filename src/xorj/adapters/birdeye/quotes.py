"""`GET /defi/multi_price` as PriceWitness: what tokens cost and since when. It tells no decimals, so it is never the price itself.

A mint that Birdeye does not know is null or absent; one whose amounts are shown scaled is left out, since its price is of another unit.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

import httpx2
import msgspec

from xorj.adapters.json_http import JsonHttp
from xorj.prices.ports import PRICES_PER_CALL_MAX
from xorj.prices.price import Quote
from xorj.primitives.amounts import Usd
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Mint

SYSTEM = "Birdeye"
SOURCE = "birdeye"
PRICES_PATH = "/defi/multi_price"


class _Price(msgspec.Struct, rename="camel"):
    value: float | None
    update_unix_time: Annotated[int, msgspec.Meta(ge=0, le=2**40)]
    is_scaled_ui_token: bool = False


class _Answer(msgspec.Struct):
    success: bool
    data: Annotated[dict[str, _Price | None], msgspec.Meta(max_length=PRICES_PER_CALL_MAX)]


class BirdeyeQuotes:
    """An async context manager over one connection pool."""

    def __init__(self, base_url: str, *, api_key: str, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._http = JsonHttp(base_url, system=SYSTEM, headers={"x-api-key": api_key, "x-chain": "solana"}, transport=transport)

    async def __aenter__(self) -> "BirdeyeQuotes":
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *told: Any) -> None:
        await self._http.__aexit__(*told)

    async def quotes(self, mints: Sequence[Mint]) -> dict[Mint, Quote]:
        """Asks in batches of PRICES_PER_CALL_MAX. Prices that are null or not above zero are left out."""
        wanted = list(dict.fromkeys(mints))
        found: dict[Mint, Quote] = {}
        for start in range(0, len(wanted), PRICES_PER_CALL_MAX):
            batch = wanted[start : start + PRICES_PER_CALL_MAX]
            known = await self._known(batch)
            found |= {mint: quote for mint in batch if (quote := _quote(mint, known.get(mint))) is not None}
        return found

    async def _known(self, batch: Sequence[Mint]) -> dict[str, _Price | None]:
        status, body = await self._http.get(PRICES_PATH, {"list_address": ",".join(batch)})
        if status != 200:
            raise Unavailable(SYSTEM, f"{PRICES_PATH}: HTTP {status}")
        try:
            answer = msgspec.convert(body, _Answer)
        except msgspec.ValidationError as error:
            raise Unavailable(SYSTEM, f"malformed answer: {error}") from error
        if not answer.success:
            raise Unavailable(SYSTEM, f"{PRICES_PATH}: it says that it failed")
        return answer.data


def _quote(mint: Mint, price: _Price | None) -> Quote | None:
    if price is None or price.value is None or not price.value > 0 or price.is_scaled_ui_token:
        return None
    return Quote(mint, Usd(Decimal(repr(price.value))), SOURCE, price.update_unix_time)
