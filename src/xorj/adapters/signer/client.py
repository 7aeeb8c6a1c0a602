"""Asks the signer process. Implements execution's Signer; every exchange has a deadline, and a doubtful connection is not used again."""

import asyncio
from pathlib import Path

from xorj.adapters.signer import wire
from xorj.execution.ports import SignerRefused
from xorj.primitives.errors import InvalidInput, Unavailable
from xorj.primitives.ids import Address, Signature, parse_pubkey, parse_signature

SYSTEM = "signer"
DEADLINE_S = 5.0


class SignerClient:
    """One connection, one exchange at a time. `close` when done."""

    def __init__(self, socket_path: Path, *, deadline_s: float = DEADLINE_S) -> None:
        self._path, self._deadline_s = socket_path, deadline_s
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def sign(self, message: bytes, *, lease_epoch: int) -> Signature | SignerRefused:
        """Raises Unavailable, after which asking again is right: the same message gives the same signature."""
        reply = await self._asked(wire.SignRequest(message, lease_epoch))
        if reply.refused is not None:
            return SignerRefused(*reply.refused)
        signature = _text(reply.signature, reply)
        try:
            return parse_signature(signature, "signature")
        except InvalidInput as error:
            raise Unavailable(SYSTEM, str(error)) from error

    async def address(self) -> Address:
        """Whose signatures these are: the bot that vaults grant. Raises Unavailable."""
        reply = await self._asked(wire.AddressRequest())
        address = _text(reply.address, reply)
        try:
            return Address(parse_pubkey(address, "address"))
        except InvalidInput as error:
            raise Unavailable(SYSTEM, str(error)) from error

    async def _asked(self, request: wire.SignRequest | wire.AddressRequest) -> wire.SignReply:
        line = wire.encode_request(request)
        try:
            async with asyncio.timeout(self._deadline_s), self._lock:
                return wire.decode_reply(await self._exchanged(line))
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, InvalidInput) as error:
            raise Unavailable(SYSTEM, f"{type(error).__name__}: {error}") from error

    async def close(self) -> None:
        async with self._lock:
            self._drop()

    async def _exchanged(self, line: bytes) -> bytes:
        """A connection whose exchange did not end cleanly may hold another's answer: it is dropped."""
        if self._streams is None:
            self._streams = await asyncio.open_unix_connection(str(self._path), limit=wire.LINE_BYTES_MAX)
        reader, writer = self._streams
        try:
            writer.write(line)
            await writer.drain()
            return await reader.readuntil(b"\n")
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def _text(wanted: str | None, reply: wire.SignReply) -> str:
    if wanted is None:
        raise Unavailable(SYSTEM, reply.unavailable or "it answered another question")
    return wanted
