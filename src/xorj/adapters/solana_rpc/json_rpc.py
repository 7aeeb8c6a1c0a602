"""JSON-RPC 2.0 over HTTP: one call or a batch, with named limits. Used by node.py; nothing else speaks HTTP to a node.

Reads are repeated while the node is busy or out of reach; a send is tried once, because only settlement may decide to try again.
"""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import msgspec
import orjson
import stamina

from xorj.adapters.solana_rpc.told_rate import ToldRate, retry_after_s, told_rate
from xorj.primitives.errors import Unavailable

Json = Any

CONNECT_TIMEOUT_S = 3.0
REPLY_TIMEOUT_S = 15.0
SEND_TIMEOUT_S = 5.0
CONNECTIONS_MAX = 16
READ_ATTEMPTS_MAX = 4
READ_WAIT_FIRST_S = 0.1
READ_WAIT_S_MAX = 2.0
READ_TOTAL_S_MAX = 45.0
RETRY_AFTER_S_MAX = 20.0
REPLY_BYTES_MAX = 64 * 1024 * 1024
ERROR_TEXT_MAX = 200

# what a node says when asking again later may help: behind, unhealthy, status not there yet, context slot not reached, too many requests
_BUSY_CODES = frozenset({-32004, -32005, -32014, -32016, -32429, 429})
_BUSY_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


class NodeError(Unavailable):
    """The node answered with a JSON-RPC error."""

    def __init__(self, system: str, method: str, code: int, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(system, f"{method}: {message[:ERROR_TEXT_MAX]} ({code})")


class Busy(Unavailable):
    """Asking again may help, at the earliest after `retry_after_s` where the node says so."""

    def __init__(self, system: str, cause: str, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(system, cause)


def _pause(error: Exception) -> bool | float:
    if not isinstance(error, Busy):
        return False
    return True if error.retry_after_s is None else min(error.retry_after_s, RETRY_AFTER_S_MAX)


class _UnreadReply(msgspec.Struct, gc=False):
    id: int
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: Any = None


_UNREAD = msgspec.json.Decoder(list[_UnreadReply])


class JsonRpc:
    """A client of one node. `name` stands in errors and never holds a key, unlike the URL. A read is tried `read_attempts` times.

    `told` is what the newest answer said of how fast it may be asked.
    """

    def __init__(
        self, url: str, *, name: str, transport: httpx2.AsyncBaseTransport | None = None, read_attempts: int = READ_ATTEMPTS_MAX
    ) -> None:
        self.name, self._read_attempts = name, read_attempts
        self.told = ToldRate()
        timeout = httpx2.Timeout(REPLY_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        limits = httpx2.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX)
        self._client = httpx2.AsyncClient(timeout=timeout, limits=limits, transport=transport, trust_env=False)
        self._url = url

    async def close(self) -> None:
        await self._client.aclose()

    async def read(self, method: str, params: Sequence[Json]) -> Json:
        """The result of a call that changes nothing, repeated within the limits above. Raises Unavailable, NodeError among it."""
        async for attempt in _attempts(self._read_attempts):
            with attempt:
                return self._result(method, await self._post(_request(0, method, params), REPLY_TIMEOUT_S), 0)
        raise AssertionError("unreachable: the last attempt raises")

    async def read_batch(self, method: str, many: Sequence[Sequence[Json]]) -> list[Json]:
        """The results of one method for many parameters in one request, in the order asked."""
        if not many:
            return []
        body = [_request(number, method, params) for number, params in enumerate(many)]
        async for attempt in _attempts(self._read_attempts):
            with attempt:
                replies = self._by_number(method, await self._post(body, REPLY_TIMEOUT_S), len(many))
                return [self._result(method, reply, number) for number, reply in enumerate(replies)]
        raise AssertionError("unreachable: the last attempt raises")

    async def read_batch_raw(self, method: str, many: Sequence[Sequence[Json]]) -> list[bytes]:
        """The same, each result as the bytes in which it came: for replies of which only a part is ever built."""
        if not many:
            return []
        body = [_request(number, method, params) for number, params in enumerate(many)]
        async for attempt in _attempts(self._read_attempts):
            with attempt:
                rows = self._unread(method, await self._bytes(body, REPLY_TIMEOUT_S))
                replies = self._by_number(method, rows, len(many))
                return [bytes(self._result(method, reply, number)) for number, reply in enumerate(replies)]
        raise AssertionError("unreachable: the last attempt raises")

    def _unread(self, method: str, content: bytes) -> Json:
        """A batch of replies whose results are bytes; whatever else was answered, read in full."""
        try:
            rows = _UNREAD.decode(content)
        except msgspec.MsgspecError:
            return self._loaded(method, content)
        told = ({"id": row.id} | ({"error": row.error} if row.error is not None else {"result": row.result}) for row in rows)
        return [one for one in told if one.get("result") is not msgspec.UNSET]

    async def write(self, method: str, params: Sequence[Json]) -> Json:
        """The result of a call that changes the world, tried once."""
        return self._result(method, await self._post(_request(0, method, params), SEND_TIMEOUT_S), 0)

    def _by_number(self, method: str, reply: Json, count: int) -> list[Json]:
        if isinstance(reply, dict):
            self._result(method, reply, None)
        if not isinstance(reply, list):
            raise Busy(self.name, f"{method}: a batch was answered with {_kind(reply)}")
        by_number = {one["id"]: one for one in reply if isinstance(one, dict) and isinstance(one.get("id"), int)}
        if sorted(by_number) != list(range(count)):
            raise Busy(self.name, f"{method}: {len(by_number)} of {count} answers of a batch came back")
        return [by_number[number] for number in range(count)]

    def _result(self, method: str, reply: Json, number: int | None) -> Json:
        if not isinstance(reply, dict) or not {"result", "error"} & reply.keys():
            raise Busy(self.name, f"{method}: the answer is not a JSON-RPC reply but {_kind(reply)}")
        error = reply.get("error")
        if error is not None:
            raise self._refused(method, error)
        if reply.get("id") != number:
            raise Busy(self.name, f"{method}: the answer is to another question")
        return reply.get("result")

    def _refused(self, method: str, error: Json) -> Unavailable:
        code = error.get("code") if isinstance(error, dict) else None
        message = str(error.get("message", "")) if isinstance(error, dict) else str(error)
        if not isinstance(code, int):
            return Busy(self.name, f"{method}: an error without a code: {message[:ERROR_TEXT_MAX]}")
        if code in _BUSY_CODES:
            return Busy(self.name, f"{method}: {message[:ERROR_TEXT_MAX]} ({code})")
        return NodeError(self.name, method, code, message)

    async def _post(self, body: Json, timeout_s: float) -> Json:
        method = body[0]["method"] if isinstance(body, list) else body["method"]
        return self._loaded(method, await self._bytes(body, timeout_s))

    async def _bytes(self, body: Json, timeout_s: float) -> bytes:
        headers, self.told = {"content-type": "application/json"}, ToldRate()
        method = body[0]["method"] if isinstance(body, list) else body["method"]
        try:
            async with self._stream(orjson.dumps(body), headers, timeout_s) as response:
                return await self._content(method, response)
        except httpx2.TimeoutException as error:
            raise Busy(self.name, f"{method}: no answer within {timeout_s:g} s ({type(error).__name__})") from error
        except httpx2.HTTPError as error:
            raise Busy(self.name, f"{method}: {type(error).__name__}: {str(error)[:ERROR_TEXT_MAX]}") from error

    def _loaded(self, method: str, content: bytes) -> Json:
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise Busy(self.name, f"{method}: the answer is not JSON: {content[:40]!r}") from error

    @asynccontextmanager
    async def _stream(self, content: bytes, headers: dict[str, str], timeout_s: float) -> AsyncIterator[httpx2.Response]:
        timeout = httpx2.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S)
        async with self._client.stream("POST", self._url, content=content, headers=headers, timeout=timeout) as response:
            yield response

    async def _content(self, method: str, response: httpx2.Response) -> bytes:
        self.told = told_rate(response.headers)
        if response.status_code in _BUSY_STATUSES:
            raise Busy(self.name, f"{method}: HTTP {response.status_code}", retry_after_s(response.headers))
        if response.status_code != httpx2.codes.OK:
            raise Unavailable(self.name, f"{method}: HTTP {response.status_code}")
        parts, size = [], 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > REPLY_BYTES_MAX:
                raise Unavailable(self.name, f"{method}: the answer is larger than {REPLY_BYTES_MAX} bytes")
            parts.append(part)
        return b"".join(parts)


def _attempts(most: int) -> AsyncIterable[stamina.Attempt]:
    return stamina.retry_context(
        on=_pause,
        attempts=most,
        timeout=READ_TOTAL_S_MAX,
        wait_initial=READ_WAIT_FIRST_S,
        wait_max=READ_WAIT_S_MAX,
        wait_jitter=READ_WAIT_FIRST_S,
    )


def _request(number: int, method: str, params: Sequence[Json]) -> Json:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def _kind(value: Json) -> str:
    return {type(None): "null", list: "a list", dict: "an object", str: "a text"}.get(type(value), type(value).__name__)
