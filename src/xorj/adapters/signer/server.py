"""The signing end of the socket: peers of our own user alone, one request at a time a connection, sizes and times limited."""

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable

from xorj.adapters.signer import wire
from xorj.observability import logging
from xorj.primitives.errors import InvalidInput, Unavailable

log = logging.get("signer")

CONNECTIONS_MAX = 8
IDLE_S_MAX = 3_600.0
REQUEST_S_MAX = 4.0
_PEER = struct.Struct("3i")

Answer = Callable[[wire.SignRequest | wire.AddressRequest], Awaitable[wire.SignReply]]


class SigningServer:
    """`answer` judges and signs; what it raises as Unavailable is told to the peer, anything else ends the connection."""

    def __init__(self, answer: Answer, *, request_s_max: float = REQUEST_S_MAX, uid: int | None = None) -> None:
        self._answer, self._request_s_max = answer, request_s_max
        self._uid = os.getuid() if uid is None else uid
        self._connections = 0

    async def run(self, listening: socket.socket) -> None:
        """Serves a bound unix socket until cancelled."""
        server = await asyncio.start_unix_server(self._connected, sock=listening, limit=wire.LINE_BYTES_MAX)
        async with server:
            await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = peer_uid(writer)
        if peer != self._uid or self._connections >= CONNECTIONS_MAX:
            log.warning("connection_refused", uid=peer, connections=self._connections)
            writer.close()
            return
        self._connections += 1
        try:
            while await self._served(reader, writer):
                pass
        finally:
            self._connections -= 1
            writer.close()

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request. False when the connection should end."""
        try:
            async with asyncio.timeout(IDLE_S_MAX):
                line = await reader.readuntil(b"\n")
            reply = await self._judged(wire.decode_request(line))
            writer.write(wire.encode_reply(reply))
            await writer.drain()
        except InvalidInput as error:
            writer.write(wire.encode_reply(wire.SignReply(refused=("malformed", str(error)))))
            return False
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return False
        return True

    async def _judged(self, request: wire.SignRequest | wire.AddressRequest) -> wire.SignReply:
        try:
            async with asyncio.timeout(self._request_s_max):
                return await self._answer(request)
        except TimeoutError:
            return wire.SignReply(unavailable=f"not decided within {self._request_s_max:g} s")
        except Unavailable as error:
            return wire.SignReply(unavailable=str(error))


def peer_uid(writer: asyncio.StreamWriter) -> int:
    """The user on the other end, by the kernel's word; -1 where there is none."""
    found = writer.get_extra_info("socket")
    if found is None:
        return -1
    _, uid, _ = _PEER.unpack(found.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return int(uid)
