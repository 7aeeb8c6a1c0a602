"""What the sweep of the chain keeps: how far each provider was matched, late fees, disagreements. Implements execution's SweepStore."""

from collections.abc import Sequence

from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.execution import attempt_of, move_attempt
from xorj.adapters.postgres.fenced import fenced
from xorj.adapters.postgres.settlements import failure_values
from xorj.adapters.postgres.tables import attempts, brakes, evidence, outbox, sweep_cursors
from xorj.adapters.postgres.transactions import transaction
from xorj.execution.attempt import AttemptState
from xorj.execution.fill import Failure
from xorj.execution.landing import Disagreement, Landing, Swept
from xorj.execution.lease import Lease
from xorj.primitives.ids import Address, Signature, Slot

PROVIDER_DISAGREES = "provider_disagrees"
FINAL = (AttemptState.FINAL_OK.value, AttemptState.FINAL_ERR.value)


class PostgresSweeps:
    def __init__(self, engine: AsyncEngine, genesis: str) -> None:
        self._engine, self._genesis = engine, genesis

    async def cursor(self, bot: Address, provider: str) -> Swept | None:
        place = (sweep_cursors.c.bot == bot, sweep_cursors.c.provider == provider)
        async with transaction(self._engine) as connection:
            row = (await connection.execute(select(sweep_cursors).where(*place))).one_or_none()
            return None if row is None else Swept(Signature(row.signature), Slot(row.slot))

    async def brakes(self, signatures: Sequence[Signature]) -> frozenset[Signature]:
        async with transaction(self._engine) as connection:
            found = await connection.execute(select(brakes.c.signature).where(brakes.c.signature.in_(list(signatures))))
            return frozenset(Signature(row.signature) for row in found)

    async def landed(self, *, after: Slot, upto: Slot) -> list[Landing]:
        within = (attempts.c.landed_slot > after, attempts.c.landed_slot <= upto, attempts.c.state.in_(FINAL))
        query = select(attempts.c.signature, attempts.c.landed_slot, attempts.c.error).where(*within).order_by(attempts.c.landed_slot)
        async with transaction(self._engine) as connection:
            return [Landing(Signature(row.signature), Slot(row.landed_slot), row.error) for row in await connection.execute(query)]

    async def book_late(self, lease: Lease, signature: Signature, failure: Failure, provider: str) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            row = (await connection.execute(select(attempts).where(attempts.c.signature == signature).with_for_update())).one()
            if row.state != AttemptState.DEAD or row.landed_slot is not None:
                return False
            await move_attempt(connection, attempt_of(row), failure_values(failure))
            said = {"provider": provider, "verdict": "late", "slot": failure.slot, "facts": {"error": failure.error}}
            await connection.execute(insert(evidence).values(genesis_hash=self._genesis, attempt_id=row.id, **said))
            return True

        return await fenced(self._engine, lease, write)

    async def move(self, lease: Lease, bot: Address, provider: str, swept: Swept, found: Sequence[Disagreement]) -> None:
        """Never back. A disagreement is told with the move, so that it is told once."""

        async def write(connection: AsyncConnection) -> None:
            values = {"bot": bot, "provider": provider, "signature": swept.signature, "slot": swept.slot}
            statement = upsert(sweep_cursors).values(genesis_hash=self._genesis, **values)
            changed = {name: statement.excluded[name] for name in ("signature", "slot")} | {"updated_at": func.now()}
            later = sweep_cursors.c.slot <= swept.slot
            await connection.execute(statement.on_conflict_do_update(index_elements=["bot", "provider"], set_=changed, where=later))
            for one in found:
                payload = {"provider": provider, "signature": one.signature, "detail": one.detail}
                await connection.execute(insert(outbox).values(topic=PROVIDER_DISAGREES, key=one.signature, payload=payload))

        await fenced(self._engine, lease, write)
