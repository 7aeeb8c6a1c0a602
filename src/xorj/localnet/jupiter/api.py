"""The HTTP side: routes a GET to its reply, errors in Jupiter's form {"error", "errorCode"}. An ASGI app on port 8890.

Pyth's and Birdeye's prices are served beside it, by their own paths.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

from xorj.chain.transactions import Commitment
from xorj.localnet.bank import Bank
from xorj.localnet.jupiter.build import build_reply
from xorj.localnet.jupiter.other_prices import BIRDEYE_PATH, HERMES_PATH, birdeye_reply, hermes_reply
from xorj.localnet.jupiter.pools import PoolBook
from xorj.localnet.jupiter.query import Refused, read_build, read_ids, required
from xorj.localnet.jupiter.tokens import SEARCH_MINTS_MAX, ListedToken, TokenList
from xorj.localnet.live import LiveChain
from xorj.localnet.server import App, Receive, Scope, Send, reply

QUERY_BYTES_MAX = 8_192
FIELDS_MAX = 64
_JSON = b"application/json"


def jupiter_app(chain: LiveChain, tokens: Iterable[ListedToken]) -> App:
    """Answers /swap/v2/build, /price/v3, /tokens/v2/search and /tokens/v2/tag from the chain's newest state, and /livez and /readyz.

    Prices in the shapes of Pyth and Birdeye stand at HERMES_PATH and BIRDEYE_PATH.
    """
    bank, book = chain.bank, PoolBook(chain.bank)
    listed = TokenList(tokens, book)
    pages: dict[str, Callable[[Mapping[str, str]], Any]] = {
        "/swap/v2/build": lambda query: build_reply(bank, book, read_build(query)),
        "/price/v3": lambda query: _prices(bank, book, query),
        "/tokens/v2/search": lambda query: listed.search(_search_text(query)),
        "/tokens/v2/tag": lambda query: listed.tagged(required(query, "query")),
        BIRDEYE_PATH: lambda query: birdeye_reply(bank, book, query),
        "/livez": lambda _: {"status": "ok"},
        "/readyz": lambda _: _ready(chain),
    }

    async def get(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        if scope["type"] != "http":
            return
        status, body = 200, None
        try:
            if scope["method"] != "GET":
                raise Refused("METHOD_NOT_ALLOWED", "Only GET is served here", 405)
            page = pages.get(scope["path"])
            if scope["path"] == HERMES_PATH:
                body = hermes_reply(bank, book, _short(scope["query_string"]))
            elif page is None:
                raise Refused("NOT_FOUND", f"There is nothing at {scope['path'][:200]}", 404)
            else:
                body = page(_fields(scope["query_string"]))
        except Refused as refused:
            status, body = refused.status, {"error": refused.text, "errorCode": refused.code}
        await reply(send, status, orjson.dumps(body), _JSON)

    return get


def _prices(bank: Bank, book: PoolBook, query: Mapping[str, str]) -> dict[str, Any]:
    """Mints that nothing trades against are left out, as Jupiter does; `blockId` is the slot of the pools' state."""
    found = {}
    for mint in read_ids(query):
        worth, decimals = book.worth(mint), book.decimals(mint)
        if worth is not None and decimals is not None:
            found[str(mint)] = {
                "usdPrice": float(worth.usd_per_raw * 10**decimals),
                "blockId": bank.blocks.slot_at(Commitment.PROCESSED),
                "decimals": decimals,
                "liquidity": float(worth.liquidity_usd),
            }
    return found


def _ready(chain: LiveChain) -> dict[str, str]:
    if not chain.is_moving():
        raise Refused("NOT_READY", "no block for a while", 503)
    return {"status": "ok"}


def _search_text(query: Mapping[str, str]) -> str:
    text = required(query, "query")
    if text.count(",") >= SEARCH_MINTS_MAX:
        raise Refused("INVALID_QUERY", f"Query parameter query takes at most {SEARCH_MINTS_MAX} mints")
    return text


def _fields(raw: bytes) -> dict[str, str]:
    """Raises Refused for a query that is too long, is no text, or names a field twice."""
    try:
        pairs = parse_qsl(_short(raw).decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError as error:
        raise Refused("INVALID_QUERY", "The query cannot be read") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Refused("INVALID_QUERY", "A query parameter is given twice")
    return fields


def _short(raw: bytes) -> bytes:
    if len(raw) > QUERY_BYTES_MAX:
        raise Refused("INVALID_QUERY", "The query is too long", 414)
    return raw
