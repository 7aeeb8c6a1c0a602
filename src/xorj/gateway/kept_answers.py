"""Answers that are asked for again and again, kept as bytes for a moment: no route, no database, no JSON is touched for a repeat.

Who asks is looked up and counted for every request as ever; an answer is kept for one caller's rights alone, and only answers that
decide nothing are. What this process writes empties everything that was kept, so whoever wrote reads his own words; what other
processes write is seen in answers begun KEPT_SECONDS after the last one was ready. Installed by app.py, innermost of the edge.
"""

import asyncio
import hashlib
import time
import zlib
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xorj.gateway.access import SAFE_METHODS, caller, is_to_be_welcomed
from xorj.gateway.limiting import counted_read
from xorj.gateway.parts import parts_of
from xorj.identity.session import Session
from xorj.primitives.errors import XorjError

KEPT_SECONDS = 1.0
KEPT_BYTES_MAX = 32_000_000
QUERY_BYTES_MAX = 300
GZIP_BYTES_MIN = 1_000
GZIP_LEVEL = 3
# zlib's number for a gzip header around the stream.
GZIP_WINDOW = 31

OF_ONE_CALLER = frozenset(
    {
        "/",
        "/api/overview",
        "/api/bot/status",
        "/api/bot/configuration",
        "/api/bot/trades",
        "/api/bot/decisions",
        "/api/user/status",
        "/api/user/settings",
        "/api/user/transactions",
        "/api/user/performance",
        "/api/vault",
    }
)
OF_EVERYBODY = frozenset({"/api/rankings", "/api/system/status", "/api/database/health"})
KEPT_PATHS = OF_ONE_CALLER | OF_EVERYBODY
# These belong to one request and not to its answer.
OWN_HEADERS = frozenset({b"content-length"})


@dataclass(frozen=True)
class Answer:
    """One whole answer of the application. `number` is that of the writes it was read after."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    route: Any
    number: int
    ready_at: float

    @property
    def is_to_keep(self) -> bool:
        return self.status == 200 and all(name != b"set-cookie" for name, _ in self.headers)

    @cached_property
    def etag(self) -> bytes:
        return b'"' + hashlib.blake2b(self.body, digest_size=12).hexdigest().encode() + b'"'

    @cached_property
    def gzipped(self) -> bytes:
        squeezing = zlib.compressobj(GZIP_LEVEL, wbits=GZIP_WINDOW)
        return squeezing.compress(self.body) + squeezing.flush()

    async def send(self, scope: Scope, send: Send) -> None:
        """As its asker wants it: nothing when he has it, compressed when he can read that."""
        asked = dict(scope["headers"])
        headers = [(name, value) for name, value in self.headers if name not in OWN_HEADERS]
        status, body = self.status, self.body
        if status == 200:
            headers += [(b"etag", self.etag), (b"vary", b"authorization, cookie, accept-encoding")]
            if self.etag in asked.get(b"if-none-match", b""):
                status, body = 304, b""
            elif len(body) >= GZIP_BYTES_MIN and b"gzip" in asked.get(b"accept-encoding", b""):
                body = self.gzipped
                headers.append((b"content-encoding", b"gzip"))
        if status != 304:
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class KeptAnswers:
    """ASGI. Of many who ask the same at once one is answered by the application, and all get its answer."""

    def __init__(self, app: ASGIApp, seconds: float = KEPT_SECONDS) -> None:
        self._app, self._seconds = app, seconds
        self._kept: OrderedDict[Hashable, Answer] = OrderedDict()
        self._bytes = 0
        self._underway: dict[Hashable, asyncio.Future[Answer | None]] = {}
        self._writes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] not in SAFE_METHODS:
            await self._write(scope, receive, send)
        elif scope["method"] != "GET" or scope["path"] not in KEPT_PATHS or len(scope["query_string"]) > QUERY_BYTES_MAX:
            await self._app(scope, receive, send)
        else:
            await self._read(scope, receive, send)

    async def _write(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forgets before the writer hears of it, and at the end, in case he never does."""

        async def sending(message: Message) -> None:
            self._forget()
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            self._forget()

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = await self._key(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        found = self._fresh(key)
        if found is None:
            underway = self._underway.get((key, self._writes))
            if underway is None:
                found = await self._answered(key, scope, receive)
            else:
                # What is not kept belongs to one request: who waited for it asks for himself, and nobody waits for him.
                found = await asyncio.shield(underway) or await self._asked(scope, receive)
        scope["route"] = found.route
        await found.send(scope, send)

    async def _key(self, scope: Scope) -> Hashable | None:
        """What is asked and whose rights it is answered for; None where only the application can say, or refuse."""
        request = Request(scope)
        parts = parts_of(request)
        try:
            asking = await caller(request, parts)
            allowance = await counted_read(request, parts, asking)
        except XorjError:
            # Asked again by the route, whose refusal has its form.
            return None
        if not allowance.allowed or is_to_be_welcomed(request, parts, asking):
            return None
        path = scope["path"]
        who = (asking.user_id, asking.permissions) if isinstance(asking, Session) and path in OF_ONE_CALLER else None
        return path, scope["query_string"], who

    def _fresh(self, key: Hashable) -> Answer | None:
        found = self._kept.get(key)
        return found if found is not None and self._is_fresh(found) else None

    def _is_fresh(self, answer: Answer) -> bool:
        return time.monotonic() - answer.ready_at < self._seconds

    async def _answered(self, key: Hashable, scope: Scope, receive: Receive) -> Answer:
        """For all who ask until it is there; only while nobody else is underway with the same."""
        flight, underway = (key, self._writes), asyncio.get_running_loop().create_future()
        self._underway[flight] = underway
        answer: Answer | None = None
        try:
            answer = await self._asked(scope, receive)
            self._keep(key, answer)
        finally:
            underway.set_result(answer if answer is not None and answer.is_to_keep else None)
            del self._underway[flight]
        return answer

    async def _asked(self, scope: Scope, receive: Receive) -> Answer:
        number = self._writes
        started: list[Message] = []
        parts: list[bytes] = []

        async def collecting(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        await self._app(scope, receive, collecting)
        headers: Iterable[tuple[bytes, bytes]] = started[0].get("headers", ())
        return Answer(started[0]["status"], tuple(headers), b"".join(parts), scope.get("route"), number, time.monotonic())

    def _keep(self, key: Hashable, answer: Answer) -> None:
        """Unless something was written since it was begun. The oldest make room."""
        if not answer.is_to_keep or answer.number != self._writes:
            return
        self._drop(key)
        self._kept[key] = answer
        self._bytes += len(answer.body)
        for old in list(self._kept):
            if self._bytes <= KEPT_BYTES_MAX and self._is_fresh(self._kept[old]):
                break
            self._drop(old)

    def _drop(self, key: Hashable) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self._bytes -= len(dropped.body)

    def _forget(self) -> None:
        self._writes += 1
        self._kept.clear()
        self._bytes = 0
