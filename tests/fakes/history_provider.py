"""A provider's JSON-RPC in memory, as recorded ones answer: getSignaturesForAddress, getTransaction and getTransactionsForAddress.

A transport for the adapters under test. The last method also lists what only changed the balance of the address's token accounts.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import orjson
from tests.fakes.chain_history import ChainHistory
from tests.fakes.made_replies import result_of

from xorj.chain.transactions import ChainTransaction
from xorj.primitives.ids import LOCAL_GENESIS, Address, Signature

SLOT = 5_000


@contextmanager
def served(provider: "HistoryProvider") -> Iterator[str]:
    """The same over real HTTP, at the address that is given."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            answer = asyncio.run(provider(httpx2.Request("POST", "http://provider.test", content=content)))
            self.send_response(answer.status_code)
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class HistoryProvider:
    """Over `history`; `asked` are the calls, and `headers` go with every answer."""

    def __init__(self, history: ChainHistory) -> None:
        self.history, self.asked = history, list[tuple[str, list[Any]]]()
        self.headers: dict[str, str] = {}

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        body = orjson.loads(request.content)
        many = body if isinstance(body, list) else [body]
        replies = [{"jsonrpc": "2.0", "id": one["id"], "result": await self._result(one["method"], one["params"])} for one in many]
        return httpx2.Response(200, headers=self.headers, content=orjson.dumps(replies if isinstance(body, list) else replies[0]))

    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self)

    async def _result(self, method: str, params: list[Any]) -> Any:
        self.asked.append((method, params))
        if method == "getSignaturesForAddress":
            options = params[1]
            page = await self.history.signatures(
                Address(params[0]), limit=options["limit"], before=options.get("before"), until=options.get("until")
            )
            return [self._row(self.history.transactions_by_signature[one.signature]) for one in page]
        if method == "getTransaction":
            found = self.history.transactions_by_signature.get(Signature(params[0]))
            return None if found is None else {**result_of(found), "transactionIndex": found.transaction_index}
        if method == "getTransactionsForAddress":
            return self._page(Address(params[0]), params[1])
        return {"getSlot": SLOT, "getGenesisHash": LOCAL_GENESIS}[method]

    def _page(self, address: Address, options: dict[str, Any]) -> dict[str, Any]:
        rows = [one for one in reversed(self.history.in_order()) if _touches(one, address)]
        bounds = options["filters"].get("signature", {})
        signatures = [one.signature for one in rows]
        start = 0
        if "paginationToken" in options:
            slot, index = map(int, options["paginationToken"].split(":"))
            start = sum((one.slot, one.transaction_index or 0) >= (slot, index) for one in rows)
        elif "lt" in bounds:
            start = signatures.index(bounds["lt"]) + 1
        end = signatures.index(bounds["gt"]) if bounds.get("gt") in signatures else len(rows)
        page = rows[start:end][: options["limit"]]
        is_full = options["transactionDetails"] == "full"
        more = bool(page) and start + len(page) < end
        return {
            "data": [{**result_of(one), "transactionIndex": one.transaction_index} if is_full else self._row(one) for one in page],
            "paginationToken": f"{page[-1].slot}:{page[-1].transaction_index}" if more else None,
        }

    def _row(self, one: ChainTransaction) -> dict[str, Any]:
        return {
            "signature": one.signature,
            "slot": one.slot,
            "transactionIndex": one.transaction_index,
            "err": None if one.error is None else orjson.loads(one.error),
            "memo": None,
            "blockTime": one.block_time,
            "confirmationStatus": "finalized",
        }


def _touches(one: ChainTransaction, address: Address) -> bool:
    owned = {row.owner for row in (*one.pre_token_balances, *one.post_token_balances)}
    return address in one.account_keys or any(each.program == address for each in one.instructions) or address in owned
