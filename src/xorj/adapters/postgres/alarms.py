"""Alarms of a process that has no row of its own to tell them with, as messages of the outbox. Built by the quant engine."""

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.postgres.tables import outbox
from xorj.adapters.postgres.transactions import transaction

BOOKS_DIFFERED = "books_differed"
WALLETS_NAMED_MAX = 100


class PostgresAlarms:
    """Raises Unavailable when the message cannot be stored."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def books_differed(self, wallets: tuple[str, ...]) -> None:
        """The nightly rebuild found these wallets' books wrong."""
        payload = {"wallets": len(wallets), "named": list(wallets[:WALLETS_NAMED_MAX])}
        async with transaction(self._engine) as connection:
            await connection.execute(insert(outbox).values(topic=BOOKS_DIFFERED, key="books", payload=payload))
