"""One GET to an HTTP service: deadline, size limit, retries on faults, JSON or Unavailable. Jupiter's and Pyth's clients stand on it."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx2
import orjson
import stamina

from xorj.primitives.errors import Unavailable

TIMEOUT_S = 4.0
RESPONSE_BYTES_MAX = 1_000_000
CONNECTIONS_MAX = 16
TRIES_MAX = 2
RETRY_WAIT_S = 0.1

Query = Mapping[str, str | int | Sequence[str]]


class JsonHttp:
    """An async context manager over one connection pool. A key goes into `headers` and nowhere else; `system` stands in errors."""

    def __init__(
        self, base_url: str, *, system: str, headers: Mapping[str, str] | None = None, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self.system = system
        limits = httpx2.Limits(max_connections=CONNECTIONS_MAX)
        sent = {"accept": "application/json", **(headers or {})}
        self._client = httpx2.AsyncClient(
            base_url=base_url.rstrip("/"), headers=sent, timeout=TIMEOUT_S, limits=limits, transport=transport
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._client.aclose()

    async def get(self, path: str, query: Query) -> tuple[int, Any]:
        """Status (200 or one that carries a refusal: 400, 404, 422) and the JSON. Raises Unavailable for everything else."""
        caught = (Unavailable, httpx2.TransportError)
        try:
            async for attempt in stamina.retry_context(on=caught, attempts=TRIES_MAX, wait_initial=RETRY_WAIT_S, timeout=None):
                with attempt:
                    return await self._once(path, query)
        except httpx2.TransportError as error:
            raise Unavailable(self.system, f"{path}: {type(error).__name__}") from error
        raise Unavailable(self.system, f"{path}: no try was made")

    async def _once(self, path: str, query: Query) -> tuple[int, Any]:
        async with self._client.stream("GET", path, params=dict(query)) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > RESPONSE_BYTES_MAX:
                    raise Unavailable(self.system, f"{path}: more than {RESPONSE_BYTES_MAX} bytes")
        if response.status_code not in (200, 400, 404, 422):
            raise Unavailable(self.system, f"{path}: HTTP {response.status_code}")
        try:
            return response.status_code, orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Unavailable(self.system, f"{path}: not JSON") from error
