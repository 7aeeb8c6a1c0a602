"""Notifications of a node over WebSocket, as async iterators that outlive the connection. Used by the trade bot and the quant engine.

A node drops notifications when it restarts, when the line breaks and when a reader is slow, and says so at most by closing. So every
connection, the first included, begins with a Gap: whatever happened before it may have been missed, and the reader polls for it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import TypeVar

import orjson
import websockets
from websockets.asyncio.client import ClientConnection, connect

from xorj.adapters.solana_rpc.fields import Json, read_natural, read_object, read_text
from xorj.adapters.solana_rpc.transactions import error_text
from xorj.chain.transactions import Commitment
from xorj.primitives.errors import InvalidInput, Unavailable
from xorj.primitives.ids import Address, Signature, Slot, parse_signature

T = TypeVar("T")

OPEN_TIMEOUT_S = 5.0
REPLY_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 1.0
PING_EVERY_S = 10.0
PONG_TIMEOUT_S = 10.0
RECONNECT_WAIT_FIRST_S = 0.1
RECONNECT_WAIT_S_MAX = 5.0
MESSAGE_BYTES_MAX = 16 * 1024 * 1024
QUEUED_MESSAGES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Gap:
    """A connection has begun; `cause` is why the one before ended, None for the first."""

    cause: str | None


@dataclass(frozen=True, slots=True)
class Logged:
    """A transaction that names the address asked for. `error` as in SignatureInfo."""

    slot: Slot
    signature: Signature
    error: str | None


@dataclass(frozen=True, slots=True)
class SlotBegun:
    slot: Slot
    root: Slot


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """The account is another than before as of `slot`; its bytes are read by whoever needs them, at one slot with others."""

    slot: Slot
    address: Address


@dataclass(frozen=True, slots=True)
class SignatureReached:
    """The transaction has reached the commitment asked for. `error` as in SignatureInfo."""

    slot: Slot
    error: str | None


class Subscriptions:
    """The notifications of one node. Each iterator holds one connection, closed with it (`contextlib.aclosing`); it never ends by itself.

    Raises Unavailable only where the node refuses the subscription: asking again would be refused again.
    """

    def __init__(self, websocket_url: str, *, name: str) -> None:
        self._url, self.name = websocket_url, name

    def logs(self, mentions: Address, *, commitment: Commitment = Commitment.CONFIRMED) -> AsyncGenerator[Logged | Gap]:
        params = [{"mentions": [mentions]}, {"commitment": commitment.value}]
        return self._follow("logsSubscribe", params, _logged)

    def slots(self) -> AsyncGenerator[SlotBegun | Gap]:
        return self._follow("slotSubscribe", [], _slot_begun)

    def account(self, address: Address, *, commitment: Commitment = Commitment.CONFIRMED) -> AsyncGenerator[AccountChanged | Gap]:
        params = [address, {"encoding": "base64", "commitment": commitment.value}]
        return self._follow("accountSubscribe", params, lambda result: AccountChanged(_context_slot(result), address))

    async def signature(
        self, signature: Signature, *, commitment: Commitment = Commitment.CONFIRMED
    ) -> AsyncGenerator[SignatureReached | Gap]:
        """Ends after the one notification that a node sends for a signature."""
        following = self._follow("signatureSubscribe", [signature, {"commitment": commitment.value}], _signature_reached)
        async for told in following:
            yield told
            if isinstance(told, SignatureReached):
                return

    async def _follow(self, method: str, params: list[Json], read: Callable[[Json], T]) -> AsyncGenerator[T | Gap]:
        cause, wait_s = None, RECONNECT_WAIT_FIRST_S
        while True:
            try:
                async with self._connection() as connection:
                    number = await self._subscribe(connection, method, params)
                    yield Gap(cause)
                    wait_s = RECONNECT_WAIT_FIRST_S
                    async for message in connection:
                        result = _notified(message, number)
                        if result is not None:
                            yield read(result)
                    cause = "the node closed the connection"
            except (OSError, TimeoutError, websockets.WebSocketException, InvalidInput) as error:
                cause = f"{type(error).__name__}: {error}"
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, RECONNECT_WAIT_S_MAX)

    async def _subscribe(self, connection: ClientConnection, method: str, params: list[Json]) -> int:
        """The number of the subscription."""
        await connection.send(orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).decode())
        async with asyncio.timeout(REPLY_TIMEOUT_S):
            reply = _message(await connection.recv())
        if "error" in reply:
            raise Unavailable(self.name, f"{method} was refused: {reply['error']}")
        return read_natural(reply.get("result"), "result")

    def _connection(self) -> connect:
        return connect(
            self._url,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=PING_EVERY_S,
            ping_timeout=PONG_TIMEOUT_S,
            max_size=MESSAGE_BYTES_MAX,
            max_queue=QUEUED_MESSAGES_MAX,
            proxy=None,
        )


def _message(text: str | bytes) -> dict[str, Json]:
    try:
        return read_object(orjson.loads(text), "message")
    except orjson.JSONDecodeError as error:
        raise InvalidInput("message", given=text[:40], rule="JSON") from error


def _notified(text: str | bytes, number: int) -> Json | None:
    params = _message(text).get("params")
    if not isinstance(params, dict) or params.get("subscription") != number:
        return None
    return params.get("result")


def _context_slot(result: Json) -> Slot:
    return Slot(read_natural(read_object(read_object(result, "result").get("context"), "context").get("slot"), "context.slot"))


def _logged(result: Json) -> Logged:
    value = read_object(read_object(result, "result").get("value"), "value")
    return Logged(
        _context_slot(result), parse_signature(read_text(value.get("signature"), "signature"), "signature"), error_text(value.get("err"))
    )


def _slot_begun(result: Json) -> SlotBegun:
    fields = read_object(result, "result")
    return SlotBegun(Slot(read_natural(fields.get("slot"), "slot")), Slot(read_natural(fields.get("root"), "root")))


def _signature_reached(result: Json) -> SignatureReached:
    value = read_object(read_object(result, "result").get("value"), "value")
    return SignatureReached(_context_slot(result), error_text(value.get("err")))
