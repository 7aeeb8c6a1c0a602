"""What every source of prices does, the one in memory, Jupiter's and Pyth's alike; then what only Pyth can get wrong."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from tests.fakes.made_swaps import mint
from tests.fakes.scripted_http import Reply, Script, says
from tests.fakes.told_prices import ToldPrices

from xorj.adapters import json_http
from xorj.adapters.birdeye.quotes import BirdeyeQuotes
from xorj.adapters.jupiter.http import JupiterHttp
from xorj.adapters.jupiter.prices import JupiterPrices
from xorj.adapters.pyth.prices import FEEDS, Feed, PythPrices
from xorj.prices.ports import PriceFeed
from xorj.prices.price import Price, Quote
from xorj.primitives.amounts import Usd
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import SOL, USDC, Slot

KEY = "a-secret-key"
OTHER = mint("no feed has it")


def update(feed: str, price: Any = "15012345678", **changes: Any) -> dict[str, Any]:
    """As Hermes writes one feed, with its moving average and its own chain's slot."""
    quote = {"price": price, "conf": "7500000", "expo": -8, "publish_time": 1_764_000_000} | changes
    metadata = {"slot": 251_000_000, "proof_available_time": 1_764_000_001, "prev_publish_time": 1_763_999_999}
    return {"id": feed, "price": quote, "ema_price": quote, "metadata": metadata}


def latest(*updates: Any) -> httpx2.Response:
    return says({"binary": {"encoding": "hex", "data": ["504e4155"]}, "parsed": list(updates)})


SOL_FEED, USDC_FEED = FEEDS[SOL].id, FEEDS[USDC].id


def pyth(*replies: Reply) -> tuple[PythPrices, Script]:
    script = Script(*replies)
    return PythPrices("http://hermes.test/hermes", api_key=KEY, transport=httpx2.MockTransport(script)), script


@asynccontextmanager
async def in_memory(is_away: bool) -> AsyncIterator[PriceFeed]:
    yield ToldPrices({one: Price(one, Usd(Decimal(usd)), 6, Slot(5), "memory") for one, usd in ((SOL, 150), (USDC, 1))}, is_away=is_away)


@asynccontextmanager
async def from_jupiter(is_away: bool) -> AsyncIterator[PriceFeed]:
    body = {one: {"usdPrice": usd, "blockId": 5, "decimals": 6} for one, usd in ((SOL, 150.0), (USDC, 1.0), (OTHER, 0))}
    script = Script(says({}, 503) if is_away else says(body))
    async with JupiterHttp("http://jupiter.test", transport=httpx2.MockTransport(script)) as http:
        yield JupiterPrices(http)


@asynccontextmanager
async def from_pyth(is_away: bool) -> AsyncIterator[PriceFeed]:
    feed, _ = pyth(says({}, 503) if is_away else latest(update(SOL_FEED), update(USDC_FEED, "100000000")))
    async with feed:
        yield feed


SOURCES = pytest.mark.parametrize("opened", [in_memory, from_jupiter, from_pyth], ids=["memory", "jupiter", "pyth"])


@SOURCES
async def test_what_is_known_comes_once_and_what_is_not_is_absent(opened: Callable[[bool], Any]) -> None:
    async with opened(False) as feed:
        found = await feed.prices([SOL, OTHER, USDC, SOL])
        assert found.keys() == {SOL, USDC}
        assert all(price.mint == one and price.usd > 0 and price.source for one, price in found.items())
        assert round(found[SOL].usd) == 150
        assert await feed.prices([]) == {}


@SOURCES
async def test_a_source_that_is_away_says_so(opened: Callable[[bool], Any]) -> None:
    async with opened(True) as feed:
        with pytest.raises(Unavailable):
            await feed.prices([SOL])


async def test_pyths_price_is_read_exactly_with_its_confidence_and_second_and_no_slot_of_ours() -> None:
    feed, script = pyth(latest(update(SOL_FEED)))
    async with feed:
        found = await feed.prices([SOL])
    usd, confidence = Usd(Decimal("150.12345678")), Usd(Decimal("0.075"))
    assert found == {SOL: Price(SOL, usd, 9, None, "pyth", confidence_usd=confidence, published_at_s=1_764_000_000)}
    (asked,) = script.requests
    assert (asked.url.path, asked.url.params.get_list("ids[]")) == ("/hermes/v2/updates/price/latest", [SOL_FEED])
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in str(asked.url)


@pytest.mark.parametrize(
    "told",
    [
        latest(),
        latest(update(USDC_FEED)),
        latest(update(SOL_FEED) | {"price": None}),
        latest(update(SOL_FEED, "0")),
        latest(update(SOL_FEED, "-15012345678")),
    ],
    ids=["missing", "another feed's", "null", "zero", "negative"],
)
async def test_what_pyth_does_not_know_is_absent(told: httpx2.Response) -> None:
    feed, _ = pyth(told)
    async with feed:
        assert await feed.prices([SOL]) == {}


async def test_a_wide_confidence_is_told_as_it_is() -> None:
    feed, _ = pyth(latest(update(SOL_FEED, conf="99999999999")))
    async with feed:
        assert (await feed.prices([SOL]))[SOL].confidence_usd == Decimal("999.99999999")


async def test_a_feeds_name_may_be_written_with_its_prefix_and_in_capitals() -> None:
    feed, _ = pyth(latest(update("0x" + SOL_FEED.upper())))
    async with feed:
        assert (await feed.prices([SOL])).keys() == {SOL}


@pytest.mark.parametrize(
    "changes",
    [
        *({"price": value} for value in (150, 1.5, None, "1.5", "1e9", "", "٣", "9" * 20, True)),
        *({"conf": value} for value in ("-1", None, 5, "x")),
        *({"expo": value} for value in (-19, 19, "-8", None, 0.5, True)),
        *({"publish_time": value} for value in (-1, "5", None, 2**41)),
    ],
    ids=str,
)
async def test_a_garbled_quote_is_a_fault(changes: dict[str, Any]) -> None:
    feed, _ = pyth(latest(update(SOL_FEED, **changes)))
    async with feed:
        with pytest.raises(Unavailable, match="malformed"):
            await feed.prices([SOL])


@pytest.mark.parametrize(
    "told",
    [
        says([]),
        says({}),
        says({"parsed": None}),
        says({"parsed": {}}),
        latest(5),
        latest(update("x")),
        latest(update(SOL_FEED), update(SOL_FEED)),
    ],
    ids=["a list", "nothing", "null", "an object", "no update", "no feed", "a feed twice"],
)
async def test_an_answer_of_another_shape_is_a_fault(told: httpx2.Response) -> None:
    feed, _ = pyth(told)
    async with feed:
        with pytest.raises(Unavailable, match="malformed"):
            await feed.prices([SOL])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
async def test_a_refusal_is_unavailable_and_never_shows_the_key(status: int) -> None:
    feed, script = pyth(says({"error": "no"}, status))
    async with feed:
        with pytest.raises(Unavailable, match=str(status)) as caught:
            await feed.prices([SOL])
    assert KEY not in str(caught.value)
    assert len(script.requests) <= json_http.TRIES_MAX


async def test_many_feeds_are_asked_in_batches() -> None:
    feeds = {mint(f"mint {number}"): Feed(f"{number:064x}", 6) for number in range(120)}
    script = Script(latest())
    async with PythPrices("http://hermes.test", api_key=KEY, feeds=feeds, transport=httpx2.MockTransport(script)) as feed:
        assert await feed.prices(list(feeds)) == {}
    assert [len(one.url.params.get_list("ids[]")) for one in script.requests] == [50, 50, 20]


# Birdeye: a witness, which knows no decimals


def birdeye(*replies: Reply) -> tuple[BirdeyeQuotes, Script]:
    script = Script(*replies)
    return BirdeyeQuotes("http://birdeye.test", api_key=KEY, transport=httpx2.MockTransport(script)), script


def told(**changes: Any) -> dict[str, Any]:
    """As Birdeye writes one token."""
    shared = {"isScaledUiToken": False, "updateHumanTime": "2025-11-24T16:00:00", "priceChange24h": -5.8, "priceInNative": 1}
    return {**shared, "value": 150.25, "updateUnixTime": 1_764_000_000, "liquidity": 7_026_264_396.0} | changes


async def test_birdeyes_prices_are_read_with_their_second_and_the_key_stays_in_its_header() -> None:
    witness, script = birdeye(says({"success": True, "data": {SOL: told(), OTHER: None}}))
    async with witness:
        found = await witness.quotes([SOL, OTHER, SOL])
    assert found == {SOL: Quote(SOL, Usd(Decimal("150.25")), "birdeye", 1_764_000_000)}
    (asked,) = script.requests
    assert (asked.url.path, asked.url.params["list_address"]) == ("/defi/multi_price", f"{SOL},{OTHER}")
    assert (asked.headers["x-api-key"], asked.headers["x-chain"]) == (KEY, "solana")
    assert KEY not in str(asked.url)


@pytest.mark.parametrize("changes", [{"value": None}, {"value": 0}, {"value": -1.5}, {"isScaledUiToken": True}], ids=str)
async def test_what_birdeye_has_no_price_of_is_absent(changes: dict[str, Any]) -> None:
    witness, _ = birdeye(says({"success": True, "data": {SOL: told(**changes)}}))
    async with witness:
        assert await witness.quotes([SOL]) == {}


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"success": True},
        {"success": True, "data": []},
        {"success": False, "data": {}},
        {"success": True, "data": {SOL: told(value="1")}},
        {"success": True, "data": {SOL: told(updateUnixTime=-1)}},
        {"success": True, "data": {SOL: told(updateUnixTime="x")}},
    ],
    ids=str,
)
async def test_a_garbled_answer_of_birdeye_is_a_fault(body: Any) -> None:
    witness, _ = birdeye(says(body))
    async with witness:
        with pytest.raises(Unavailable, match=r"malformed|failed"):
            await witness.quotes([SOL])


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
async def test_a_refusal_of_birdeye_is_unavailable_and_never_shows_the_key(status: int) -> None:
    witness, _ = birdeye(says({"success": False}, status))
    async with witness:
        with pytest.raises(Unavailable) as caught:
            await witness.quotes([SOL])
    assert KEY not in str(caught.value)
