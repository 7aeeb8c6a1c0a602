"""The ASGI application of the local chain: JSON-RPC by POST, subscriptions by WebSocket, health by GET. Mounted by services/localnet.py."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from xorj.localnet.pubsub import Subscriber
from xorj.localnet.rpc.context import Node
from xorj.localnet.rpc.dispatch import answer_bytes

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_BYTES_MAX = 8 * 1024 * 1024
QUEUED_MESSAGES_MAX = 50_000

_CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, GET, OPTIONS"),
    (b"access-control-allow-headers", b"content-type, solana-client"),
]


class LocalnetApp:
    """One application for both ports: the one web3.js posts to and the one it subscribes at. `get` answers the health paths."""

    def __init__(self, node: Node, get: App | None = None) -> None:
        self._node = node
        self._get = get

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(receive, send)
        elif scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["method"] == "POST":
            await self._post(receive, send)
        elif scope["method"] == "OPTIONS":
            await reply(send, 204, b"", b"text/plain")
        elif self._get is not None:
            await self._get(scope, receive, send)
        else:
            await reply(send, 405, b"Used HTTP Method is not allowed. POST or OPTIONS is required\n", b"text/plain")

    async def _post(self, receive: Receive, send: Send) -> None:
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > BODY_BYTES_MAX:
                await reply(send, 413, b"Payload too large\n", b"text/plain")
                return
            if not message.get("more_body", False):
                break
        await reply(send, 200, await answer_bytes(self._node, b"".join(parts)), b"application/json; charset=utf-8")

    async def _websocket(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        outbox: asyncio.Queue[bytes] = asyncio.Queue(QUEUED_MESSAGES_MAX)
        too_slow = asyncio.Event()

        def put(message: bytes) -> None:
            if outbox.full():
                too_slow.set()
            else:
                outbox.put_nowait(message)

        subscriber = Subscriber(self._node, put)
        self._node.chain.listeners.append(subscriber)
        tasks = [asyncio.create_task(one) for one in (_read(receive, subscriber), _write(outbox, send), too_slow.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._node.chain.listeners.remove(subscriber)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if too_slow.is_set():
            await send({"type": "websocket.close", "code": 1013, "reason": "too slow"})


async def _read(receive: Receive, subscriber: Subscriber) -> None:
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        await subscriber.receive(text.encode() if text is not None else message.get("bytes") or b"")


async def _write(outbox: asyncio.Queue[bytes], send: Send) -> None:
    while True:
        await send({"type": "websocket.send", "text": (await outbox.get()).decode()})


async def reply(send: Send, status: int, body: bytes, content_type: bytes) -> None:
    """A whole HTTP response that any page may read."""
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *_CORS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
