"""What the pools' prices look like at Pyth and Birdeye, so that their clients run against the local chain. Used by the API.

Everything is worth what the pools say, at the chain's own time: three shapes, one market.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from solders.pubkey import Pubkey

from xorj.localnet.bank import Bank
from xorj.localnet.jupiter.pools import PoolBook
from xorj.localnet.jupiter.query import PRICE_IDS_MAX, Refused, read_ids
from xorj.primitives.ids import SOL, USDC, USDT

HERMES_PATH = "/hermes/v2/updates/price/latest"
BIRDEYE_PATH = "/defi/multi_price"
EXPONENT = -8
CONFIDENCE_PARTS = 2_000
_MINTS_BY_FEED: Mapping[str, str] = {
    "ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d": SOL,
    "eaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a": USDC,
    "2b89b9dc8fdf9f34709a5b106b472f0f39bb6ca9ce04b0fd7f2e971688e2e53b": USDT,
}


def hermes_reply(bank: Bank, book: PoolBook, query: bytes) -> dict[str, Any]:
    """The feeds of `ids[]` that the market has a price for; others are left out, as `ignore_invalid_price_ids` has it."""
    try:
        pairs = parse_qsl(query.decode("ascii"), max_num_fields=PRICE_IDS_MAX + 8)
    except ValueError as error:
        raise Refused("INVALID_QUERY", "The query cannot be read") from error
    feeds = [value.removeprefix("0x").lower() for name, value in pairs if name == "ids[]"]
    found = [_update(bank, book, feed) for feed in dict.fromkeys(feeds) if feed in _MINTS_BY_FEED]
    return {"binary": {"encoding": "hex", "data": []}, "parsed": [one for one in found if one is not None]}


def _update(bank: Bank, book: PoolBook, feed: str) -> dict[str, Any] | None:
    usd = _usd(book, Pubkey.from_string(_MINTS_BY_FEED[feed]))
    if usd is None:
        return None
    price = int(usd * 10**-EXPONENT)
    quote = {"price": str(price), "conf": str(price // CONFIDENCE_PARTS), "expo": EXPONENT, "publish_time": bank.unix_seconds}
    return {"id": feed, "price": quote, "ema_price": quote, "metadata": {"slot": bank.slot}}


def birdeye_reply(bank: Bank, book: PoolBook, query: Mapping[str, str]) -> dict[str, Any]:
    """Unknown mints are null."""
    mints = read_ids({"ids": query.get("list_address", "")})
    return {"success": True, "data": {str(mint): _birdeye(bank, book, mint) for mint in mints}}


def _birdeye(bank: Bank, book: PoolBook, mint: Pubkey) -> dict[str, Any] | None:
    usd, worth = _usd(book, mint), book.worth(mint)
    if usd is None or worth is None:
        return None
    return {"isScaledUiToken": False, "value": usd, "updateUnixTime": bank.unix_seconds, "liquidity": float(worth.liquidity_usd)}


def _usd(book: PoolBook, mint: Pubkey) -> float | None:
    """Of one whole token."""
    worth, decimals = book.worth(mint), book.decimals(mint)
    return None if worth is None or decimals is None else float(worth.usd_per_raw * 10**decimals)
