"""Sets an event whenever another process commits a NOTIFY. A hint alone: whoever waits also looks by himself from time to time."""

import asyncio

import psycopg
from psycopg import sql

from xorj.observability import logging

log = logging.get("wakes")
CONNECT_AGAIN_S = 1.0


async def wake_on(url: str, channel: str, event: asyncio.Event) -> None:
    """Listens on its own connection until cancelled; `url` as engine.conninfo gives it. A lost connection is made again."""
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                await connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
                # What was committed before we listened made no sound.
                event.set()
                async for _ in connection.notifies():
                    event.set()
        except psycopg.OperationalError as error:
            log.warning("wake_connection_lost", channel=channel, error=str(error).splitlines()[0])
        await asyncio.sleep(CONNECT_AGAIN_S)
