"""Jupiter's client: what it makes of a scripted server's answers, then the same questions to the local chain's own API."""

import base64
import copy
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from solders.pubkey import Pubkey
from tests.fakes.scripted_http import Reply, Script, says
from tests.fakes.trading_chain import BONK, BOT, TRADE, USDC_RAW, TradingChain

from xorj.adapters import json_http
from xorj.adapters.birdeye.quotes import BirdeyeQuotes
from xorj.adapters.jupiter.http import JupiterHttp
from xorj.adapters.jupiter.prices import JupiterPrices, JupiterTokens
from xorj.adapters.jupiter.router import JupiterRouter
from xorj.adapters.pyth.prices import PythPrices
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import SOL, USDC, Address, Mint, Slot
from xorj.router import jupiter_v6
from xorj.router.quote import NoRoute, RouteQuote
from xorj.vault.accounts import token_account_address

MINT = Mint(str(BONK))
TAKER, PAYER = Address(str(TRADE)), Address(str(BOT.pubkey()))
OUTPUT = Address(str(token_account_address(TRADE, BONK)))
KEY = str(Pubkey([7] * 32))

QUOTE: dict[str, Any] = {
    "inputMint": USDC,
    "outputMint": MINT,
    "inAmount": "10000000",
    "outAmount": "990000",
    "otherAmountThreshold": "980000",
    "swapMode": "ExactIn",
    "slippageBps": 100,
    "priceImpactPct": "0.0123",
    "routePlan": [],
    "computeBudgetInstructions": [],
    "setupInstructions": [],
    "swapInstruction": {
        "programId": jupiter_v6.PROGRAM_ID,
        "accounts": [{"pubkey": KEY, "isSigner": True, "isWritable": False}],
        "data": base64.b64encode(b"route").decode(),
    },
    "cleanupInstruction": None,
    "otherInstructions": [],
    "addressesByLookupTableAddress": {KEY: [KEY]},
}
PRICES: dict[str, Any] = {USDC: {"usdPrice": 1.0, "blockId": 5, "decimals": 6}, MINT: {"usdPrice": 2e-05, "blockId": None, "decimals": 5}}
TOKENS: list[dict[str, Any]] = [
    {"id": MINT, "symbol": "BONK", "name": "Bonk", "decimals": 5, "tokenProgram": KEY, "isVerified": True},
    {"id": KEY, "symbol": "OTHER", "name": "not asked for", "decimals": 0, "tokenProgram": KEY},
]


def client(*replies: Reply) -> tuple[JupiterHttp, Script]:
    script = Script(*replies)
    return JupiterHttp("http://jupiter.test", api_key="secret-key", transport=httpx2.MockTransport(script)), script


async def quoted(*replies: Reply) -> RouteQuote | NoRoute:
    http, _ = client(*replies)
    async with http:
        return await JupiterRouter(http).quote(USDC, MINT, 10_000_000, slippage_bps=100, taker=TAKER, payer=PAYER, output=OUTPUT)


async def test_a_quote_is_read_whole_and_asked_for_exactly() -> None:
    http, script = client(says(QUOTE))
    async with http:
        found = await JupiterRouter(http).quote(USDC, MINT, 10_000_000, slippage_bps=100, taker=TAKER, payer=PAYER, output=OUTPUT)
    assert isinstance(found, RouteQuote)
    assert (found.in_amount, found.out_amount, found.out_amount_min, found.slippage_bps) == (10_000_000, 990_000, 980_000, 100)
    assert found.price_impact_fraction == 0.0123
    assert bytes(found.swap_instruction.data) == b"route"
    assert found.lookup_tables == {KEY: (KEY,)}
    (asked,) = script.requests
    assert dict(asked.url.params) == {
        "inputMint": USDC,
        "outputMint": MINT,
        "amount": "10000000",
        "slippageBps": "100",
        "taker": TAKER,
        "payer": PAYER,
        "destinationTokenAccount": OUTPUT,
        "wrapAndUnwrapSol": "false",
        "maxAccounts": "36",
    }
    assert asked.headers["x-api-key"] == "secret-key"
    assert "secret-key" not in str(asked.url)


async def test_no_way_is_a_value_and_any_other_refusal_is_not() -> None:
    assert await quoted(says({"error": "no", "errorCode": "COULD_NOT_FIND_ANY_ROUTE"}, 400)) == NoRoute("COULD_NOT_FIND_ANY_ROUTE")
    assert await quoted(says({"error": "TOKEN_NOT_TRADABLE"}, 404)) == NoRoute("TOKEN_NOT_TRADABLE")
    for refusal in ({"errorCode": "INVALID_QUERY"}, {}, []):
        with pytest.raises(Unavailable):
            await quoted(says(refusal, 400))


def without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda quote: quote.pop(name)


def with_(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(quote: dict[str, Any]) -> None:
        quote[name] = value

    return change


def in_swap(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(quote: dict[str, Any]) -> None:
        quote["swapInstruction"][name] = value

    return change


ACCOUNT = {"pubkey": KEY, "isSigner": False, "isWritable": False}
MALFORMED: list[Callable[[dict[str, Any]], None]] = [
    *(
        without(name)
        for name in ("inputMint", "outputMint", "inAmount", "outAmount", "otherAmountThreshold", "slippageBps", "swapInstruction")
    ),
    *(with_("inAmount", value) for value in (10_000_000, "-1", "1.5", "1e7", "", "٣", "9" * 21, str(2**64), None, True, [])),
    *(with_("slippageBps", value) for value in (-1, 10_001, "100", 1.5, True, None)),
    *(with_("priceImpactPct", value) for value in ("NaN", "Infinity", "x", None, True, {})),
    *(with_("inputMint", value) for value in ("", "0", KEY[:-1], 5, None, "é" * 44)),
    *(with_("setupInstructions", value) for value in ({}, [{}], [None], [QUOTE["swapInstruction"]] * 9)),
    *(with_("addressesByLookupTableAddress", value) for value in ([], {"x": []}, {KEY: {}}, {KEY: ["x"]}, {KEY: [KEY] * 257})),
    with_("addressesByLookupTableAddress", {str(Pubkey([n] * 32)): [] for n in range(1, 18)}),
    with_("contextSlot", "5"),
    *(in_swap("programId", value) for value in ("x", None)),
    *(in_swap("data", value) for value in ("?", None, "A" * 5_000, 5, "é")),
    *(in_swap("accounts", value) for value in (None, {}, [{}], [ACCOUNT] * 65, [ACCOUNT | {"isSigner": 1}], [ACCOUNT | {"pubkey": 1}])),
]


@pytest.mark.parametrize("change", MALFORMED)
async def test_what_is_not_exactly_a_quote_is_a_fault_of_the_router(change: Callable[[dict[str, Any]], None]) -> None:
    quote = copy.deepcopy(QUOTE)
    change(quote)
    with pytest.raises(Unavailable, match="malformed"):
        await quoted(says(quote))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1", b"null", b'"text"', b"[]"])
async def test_what_is_no_json_object_is_too(body: bytes) -> None:
    with pytest.raises(Unavailable):
        await quoted(says(body))


@pytest.mark.parametrize("status", [301, 401, 403, 408, 429, 500, 502, 503])
async def test_faults_are_unavailable_after_a_second_try(status: int) -> None:
    http, script = client(says({}, status))
    async with http:
        with pytest.raises(Unavailable, match=str(status)):
            await JupiterPrices(http).prices([USDC])
    assert len(script.requests) == json_http.TRIES_MAX


async def test_a_fault_that_passes_is_not_seen() -> None:
    assert isinstance(await quoted(httpx2.ConnectError("refused"), says(QUOTE)), RouteQuote)
    with pytest.raises(Unavailable, match="ReadTimeout"):
        await quoted(httpx2.ReadTimeout("slow"))


async def test_a_flood_is_cut() -> None:
    with pytest.raises(Unavailable, match="bytes"):
        await quoted(says(b" " * (json_http.RESPONSE_BYTES_MAX + 1)))


async def test_prices_are_those_that_were_asked_for_and_are_above_zero() -> None:
    http, script = client(says(PRICES | {KEY: {"usdPrice": 0, "blockId": 1, "decimals": 6}}))
    async with http:
        found = await JupiterPrices(http).prices([USDC, MINT, Mint(KEY), USDC, Mint("absent")])
    assert set(found) == {USDC, MINT}
    assert (found[USDC].usd, found[USDC].slot, found[USDC].decimals) == (1, 5, 6)
    assert found[MINT].slot is None
    assert script.requests[0].url.params["ids"] == f"{USDC},{MINT},{KEY},absent"


@pytest.mark.parametrize(
    "change", [{"usdPrice": "x"}, {"usdPrice": None}, {"decimals": 19}, {"decimals": "6"}, {"blockId": "5"}, {"blockId": -1}]
)
async def test_a_garbled_price_is_a_fault(change: dict[str, Any]) -> None:
    http, _ = client(says({USDC: PRICES[USDC] | change}))
    async with http:
        with pytest.raises(Unavailable, match="malformed"):
            await JupiterPrices(http).prices([USDC])


async def test_many_mints_are_asked_in_batches() -> None:
    http, script = client(says({}))
    async with http:
        assert await JupiterPrices(http).prices([Mint(f"mint{number}") for number in range(120)]) == {}
    assert [len(request.url.params["ids"].split(",")) for request in script.requests] == [50, 50, 20]


async def test_listings_are_those_that_were_asked_for() -> None:
    http, _ = client(says(TOKENS))
    async with http:
        found = await JupiterTokens(http).listings([MINT, USDC])
    assert set(found) == {MINT}
    assert (found[MINT].symbol, found[MINT].name, found[MINT].decimals, found[MINT].is_verified) == ("BONK", "Bonk", 5, True)


@pytest.mark.parametrize("change", [{"id": "x"}, {"symbol": 5}, {"name": "n" * 201}, {"decimals": None}, {"tokenProgram": None}])
async def test_a_garbled_listing_is_a_fault(change: dict[str, Any]) -> None:
    http, _ = client(says([TOKENS[0] | change]))
    async with http:
        with pytest.raises(Unavailable, match="malformed"):
            await JupiterTokens(http).listings([MINT])


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TradingChain]:
    with TradingChain(tmp_path_factory.mktemp("chain")) as running:
        yield running


async def test_the_local_chain_answers_the_same_questions(chain: TradingChain) -> None:
    async with JupiterHttp(chain.jupiter_url) as http:
        router, prices, tokens = JupiterRouter(http), JupiterPrices(http), JupiterTokens(http)
        found = await router.quote(USDC, MINT, 10 * USDC_RAW, slippage_bps=100, taker=TAKER, payer=PAYER, output=OUTPUT)
        assert isinstance(found, RouteQuote)
        assert jupiter_v6.decode_head(bytes(found.swap_instruction.data)).in_amount == 10 * USDC_RAW
        unknown = await router.quote(USDC, Mint(KEY), 10 * USDC_RAW, slippage_bps=100, taker=TAKER, payer=PAYER, output=OUTPUT)
        assert isinstance(unknown, NoRoute)
        worth = await prices.prices([USDC, MINT, Mint(KEY)])
        assert {mint: price.decimals for mint, price in worth.items()} == {USDC: 6, MINT: 5}
        assert worth[MINT].age_slots(Slot(10**6)) is not None
        assert (await tokens.listings([MINT]))[MINT].symbol == "BONK"


async def test_the_local_chain_prices_in_the_other_sources_shapes_too(chain: TradingChain) -> None:
    async with (
        JupiterHttp(chain.jupiter_url) as http,
        PythPrices(f"{chain.jupiter_url}/hermes", api_key="any") as pyth,
        BirdeyeQuotes(chain.jupiter_url, api_key="any") as birdeye,
    ):
        jupiter = await JupiterPrices(http).prices([SOL, USDC, MINT])
        feeds = await pyth.prices([SOL, USDC, MINT])
        quotes = await birdeye.quotes([SOL, USDC, MINT, Mint(KEY)])
    assert quotes.keys() == jupiter.keys()
    assert feeds.keys() == jupiter.keys() & {SOL, USDC}
    for mint, price in jupiter.items():
        assert quotes[mint].usd == pytest.approx(price.usd, rel=Decimal("0.05"))
    assert feeds[USDC].usd == 1
    assert feeds[USDC].published_at_s == quotes[USDC].published_at_s
