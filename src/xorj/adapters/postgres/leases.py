"""Leases in PostgreSQL: an epoch that grows with every taker, an expiry by the database's own clock. Implements execution's LeaseStore."""

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.postgres.tables import leases
from xorj.adapters.postgres.transactions import transaction
from xorj.execution.lease import LEASE_SECONDS, NAME, HeldByOther, Lease


class PostgresLeases:
    """`name` tells leases of different work apart."""

    def __init__(self, engine: AsyncEngine, name: str = NAME, seconds: float = LEASE_SECONDS) -> None:
        self._engine, self._name = engine, name
        # clock_timestamp, because now() stands still inside a transaction that waited for a lock
        self._until = func.clock_timestamp() + text(f"interval '{seconds:.3f} seconds'")

    async def take(self, holder: str) -> Lease | HeldByOther:
        """Our own unexpired lease is taken anew too, under a higher epoch: what we wrote under the old one is then refused."""
        async with transaction(self._engine) as connection:
            # The row first, so that all takers of a new name meet at one row lock.
            first = {"name": self._name, "epoch": 0, "holder": holder, "expires_at": func.clock_timestamp()}
            await connection.execute(upsert(leases).values(first).on_conflict_do_nothing())
            left = func.extract("epoch", leases.c.expires_at - func.clock_timestamp())
            query = select(leases.c.epoch, leases.c.holder, left.label("left")).where(leases.c.name == self._name).with_for_update()
            found = (await connection.execute(query)).one()
            if found.holder != holder and found.left > 0:
                return HeldByOther(found.holder, float(found.left))
            epoch = found.epoch + 1
            values = {"epoch": epoch, "holder": holder, "expires_at": self._until}
            await connection.execute(update(leases).where(leases.c.name == self._name).values(values))
            return Lease(self._name, holder, epoch)

    async def renew(self, lease: Lease) -> bool:
        async with transaction(self._engine) as connection:
            statement = update(leases).where(leases.c.name == lease.name, leases.c.epoch == lease.epoch).values(expires_at=self._until)
            return (await connection.execute(statement)).rowcount == 1

    async def release(self, lease: Lease) -> None:
        """The row stays, so that the epoch never goes back."""
        async with transaction(self._engine) as connection:
            statement = update(leases).where(leases.c.name == lease.name, leases.c.epoch == lease.epoch)
            await connection.execute(statement.values(expires_at=func.clock_timestamp()))
