"""Killing the bot at the three moments that decide whether a copy can be lost or doubled. Used by run with --kill-bot.

The bot reaches the chain through this gate, which is its network: a transaction that the gate has not passed on was not sent, and one
whose answer the gate keeps was sent and not seen. The bot itself knows nothing of it and has no hook; the signal is SIGKILL.
"""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import httpx2
import orjson
from solders.transaction import VersionedTransaction

from xorj.localnet.server import Receive, Scope, Send, reply

FORWARD_TIMEOUT_S = 60.0
POLL_S = 0.05
_JSON = b"application/json"


class KillState(StrEnum):
    """When the bot is killed, in this order."""

    NOT_SENT = "signature committed but not sent"
    NOT_SEEN = "sent but not seen"
    NOT_FINAL = "confirmed but not finalized"


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill that was carried out, and the transaction it was about."""

    state: KillState
    signature: str


@dataclass(slots=True)
class BotGate:
    """An ASGI app between bot and chain. `kill` sends SIGKILL to the bot and returns when it is gone; `committed` asks the database
    whether a signature's row says `signed`.
    """

    chain_url: str
    kill: Callable[[], None]
    committed: Callable[[str], bool]
    kills: list[Kill] = field(default_factory=list)
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    _client: httpx2.AsyncClient = field(default_factory=lambda: httpx2.AsyncClient(timeout=FORWARD_TIMEOUT_S))

    @property
    def is_done(self) -> bool:
        return len(self.kills) == len(KillState)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _body(receive)
        signature = sent_signature(body)
        if signature is not None and not self.is_done:
            async with self._busy:
                answer = await self._send_through(body, signature)
        else:
            answer = await self._forward(body)
        await reply(send, 200 if answer else 503, answer, _JSON)

    async def _send_through(self, body: bytes, signature: str) -> bytes:
        """A sendTransaction of the bot: the three kills happen on three different transactions, one after the other."""
        if self.is_done or any(kill.signature == signature for kill in self.kills):
            return await self._forward(body)
        state = list(KillState)[len(self.kills)]
        if state is KillState.NOT_SENT:
            if not await asyncio.to_thread(self.committed, signature):
                return await self._forward(body)
            return await self._killed(state, signature)
        answer = await self._forward(body)
        if state is KillState.NOT_SEEN:
            return await self._killed(state, signature)
        asyncio.get_running_loop().create_task(self._kill_when_confirmed(signature))
        return answer

    async def _kill_when_confirmed(self, signature: str) -> None:
        while not self.is_done:
            status = await self._status(signature)
            if status == "finalized":
                return
            if status == "confirmed":
                await self._killed(KillState.NOT_FINAL, signature)
                return
            await asyncio.sleep(POLL_S)

    async def _killed(self, state: KillState, signature: str) -> bytes:
        if self.is_done:
            return b""
        await asyncio.to_thread(self.kill)
        if state is not KillState.NOT_FINAL or await self._status(signature) == "confirmed":
            self.kills.append(Kill(state, signature))
        return b""

    async def _status(self, signature: str) -> str | None:
        request = {"jsonrpc": "2.0", "id": 1, "method": "getSignatureStatuses", "params": [[signature]]}
        found = orjson.loads(await self._forward(orjson.dumps(request)))["result"]["value"][0]
        return found["confirmationStatus"] if found is not None else None

    async def _forward(self, body: bytes) -> bytes:
        answer = await self._client.post(self.chain_url, content=body, headers={"content-type": "application/json"})
        return answer.content


def sent_signature(body: bytes) -> str | None:
    """The signature of the transaction that a JSON-RPC request sends, None for any other request."""
    if b'"sendTransaction"' not in body:
        return None
    request = orjson.loads(body)
    if not isinstance(request, dict) or request.get("method") != "sendTransaction":
        return None
    return str(VersionedTransaction.from_bytes(base64.b64decode(request["params"][0])).signatures[0])


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
