"""Between a client and PostgreSQL, both on unix sockets: cuts the connection at the next COMMIT, before or after the server has it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, quote, urlsplit

Cut = Literal["before", "after"]
COMMIT = b"COMMIT\0"
CHUNK_BYTES = 65_536


class CuttingProxy:
    """`arm` it for one COMMIT; `cuts` counts those that were cut."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._armed: Cut | None = None
        self.cuts = 0
        self._tasks = set[asyncio.Task[None]]()

    def arm(self, cut: Cut) -> None:
        self._armed = cut

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._server)
        answers = asyncio.create_task(self._answers(there, writer))
        self._tasks.add(answers)
        answers.add_done_callback(self._tasks.discard)
        try:
            while data := await reader.read(CHUNK_BYTES):
                if self._armed is not None and COMMIT in data:
                    await self._cut(data, answers, back)
                    break
                back.write(data)
                await back.drain()
        finally:
            answers.cancel()
            writer.close()
            back.close()

    async def _cut(self, data: bytes, answers: asyncio.Task[None], back: asyncio.StreamWriter) -> None:
        """`after`: the server gets the COMMIT, the client never its answer."""
        cut, self._armed = self._armed, None
        self.cuts += 1
        answers.cancel()
        if cut == "after":
            back.write(data)
            await back.drain()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(CHUNK_BYTES):
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def cutting_proxy(database_url: str, folder: Path) -> AsyncIterator[tuple[CuttingProxy, str]]:
    """The proxy, and the URL that leads through it."""
    parts = urlsplit(database_url)
    given = parse_qs(parts.query)
    port = given["port"][0]
    name = f".s.PGSQL.{port}"
    proxy = CuttingProxy(str(Path(given["host"][0]) / name))
    server = await asyncio.start_unix_server(proxy.connected, path=folder / name)
    try:
        yield proxy, f"postgresql://{parts.netloc}{parts.path}?host={quote(str(folder), safe='')}&port={port}"
    finally:
        server.close()
