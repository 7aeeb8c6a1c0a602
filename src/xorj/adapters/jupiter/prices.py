"""`GET /price/v3` as PriceFeed and `/tokens/v2/search` as TokenList. What Jupiter leaves out is absent, what it garbles is a fault."""

from collections.abc import Sequence
from typing import Any

from xorj.adapters.jupiter import fields
from xorj.adapters.jupiter.http import JupiterHttp
from xorj.prices.listing import TokenListing
from xorj.prices.ports import PRICES_PER_CALL_MAX
from xorj.prices.price import Price
from xorj.primitives.amounts import Usd
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Mint, Slot

SOURCE = "jupiter"
PRICE_PATH, SEARCH_PATH = "/price/v3", "/tokens/v2/search"
DECIMALS_MAX = 18
LISTINGS_PER_CALL_MAX = 100


class JupiterPrices:
    def __init__(self, http: JupiterHttp) -> None:
        self._http = http

    async def prices(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
        """Asks in batches of PRICES_PER_CALL_MAX. A price that is not above zero is left out, as if unknown."""
        found: dict[Mint, Price] = {}
        wanted = list(dict.fromkeys(mints))
        for start in range(0, len(wanted), PRICES_PER_CALL_MAX):
            batch = wanted[start : start + PRICES_PER_CALL_MAX]
            body = await _ok(self._http, PRICE_PATH, {"ids": ",".join(batch)})
            known = fields.structure(body, "prices")
            prices = [_price(mint, known[mint]) for mint in batch if known.get(mint) is not None]
            found.update({price.mint: price for price in prices if price is not None})
        return found


class JupiterTokens:
    def __init__(self, http: JupiterHttp) -> None:
        self._http = http

    async def listings(self, mints: Sequence[Mint]) -> dict[Mint, TokenListing]:
        """Asks in batches of LISTINGS_PER_CALL_MAX; tokens that were not asked for are dropped."""
        found: dict[Mint, TokenListing] = {}
        wanted = list(dict.fromkeys(mints))
        for start in range(0, len(wanted), LISTINGS_PER_CALL_MAX):
            batch = wanted[start : start + LISTINGS_PER_CALL_MAX]
            body = await _ok(self._http, SEARCH_PATH, {"query": ",".join(batch)})
            listed = fields.items(body, "tokens", _listing, most=LISTINGS_PER_CALL_MAX)
            found.update({listing.mint: listing for listing in listed if listing.mint in batch})
        return found


async def _ok(http: JupiterHttp, path: str, query: dict[str, str | int]) -> Any:
    status, body = await http.get(path, query)
    if status != 200:
        raise Unavailable(fields.SYSTEM, f"{path}: HTTP {status}")
    return body


def _price(mint: Mint, value: Any) -> Price | None:
    found = fields.structure(value, "price")
    usd = fields.number(found.get("usdPrice"), "usdPrice")
    decimals = fields.integer(found.get("decimals"), "decimals", least=0, most=DECIMALS_MAX)
    block = found.get("blockId")
    slot = None if block is None else Slot(fields.integer(block, "blockId", least=0, most=fields.U64_MAX))
    return Price(mint, Usd(usd), decimals, slot, SOURCE) if usd > 0 else None


def _listing(value: Any) -> TokenListing:
    found = fields.structure(value, "token")
    return TokenListing(
        mint=Mint(str(fields.pubkey(found.get("id"), "id"))),
        symbol=fields.text(found.get("symbol"), "symbol"),
        name=fields.text(found.get("name"), "name"),
        decimals=fields.integer(found.get("decimals"), "decimals", least=0, most=DECIMALS_MAX),
        token_program=Address(str(fields.pubkey(found.get("tokenProgram"), "tokenProgram"))),
        is_verified=found.get("isVerified") is True,
    )
