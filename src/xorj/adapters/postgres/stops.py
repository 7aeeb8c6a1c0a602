"""What was done for the stop in force, vault by vault. Implements reporting's StopReader; built by gateway, web and emergency-stop."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.execution import LIVE
from xorj.adapters.postgres.tables import attempts, brakes, intents, kill_switch, vaults
from xorj.adapters.postgres.transactions import transaction
from xorj.primitives.ids import Address, Signature, Slot, Wallet
from xorj.reporting.ports import Audience, Everyone, Nobody
from xorj.reporting.stops import STATUS, VAULTS_MAX, BrakeReport, StopReport, VaultStop


class PostgresStops:
    """Of all rows one moment."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    async def report(self, audience: Audience) -> StopReport:
        async with transaction(self._engine) as connection:
            switch = (await connection.execute(select(kill_switch))).one_or_none()
            stopped, reason, version = (False, None, 0) if switch is None else (switch.stopped, switch.reason, switch.version)
            shown = true() if isinstance(audience, Everyone | Nobody) else vaults.c.user_id == audience
            touched = exists().where(brakes.c.vault == vaults.c.address, brakes.c.stop == version)
            concerned = shown & or_(~vaults.c.is_closed & vaults.c.bot_authority.is_not(None), touched)
            # nobody is shown a vault, and is not told that all is done while there are some
            found = [] if isinstance(audience, Nobody) else await _vaults(connection, concerned)
            count = await _count(connection, concerned)
            wanted = [Address(row.address) for row in found]
            done, doubtful = await _brakes(connection, wanted, version), await _in_doubt(connection, wanted)
        reports = [_vault(row, done[row.address], doubtful.get(row.address, 0)) for row in found]
        return StopReport(stopped, reason, reports, count)


def _vault(row: Any, done: list[BrakeReport], in_doubt: int) -> VaultStop:
    return VaultStop(Address(row.address), Wallet(row.owner), row.is_paused, in_doubt, done)


async def _vaults(connection: AsyncConnection, concerned: ColumnElement[bool]) -> Sequence[Any]:
    columns = select(vaults.c.address, vaults.c.owner, vaults.c.is_paused)
    return (await connection.execute(columns.where(concerned).order_by(vaults.c.address).limit(VAULTS_MAX))).all()


async def _count(connection: AsyncConnection, concerned: ColumnElement[bool]) -> int:
    return int((await connection.execute(select(func.count()).select_from(vaults).where(concerned))).scalar_one())


async def _brakes(connection: AsyncConnection, wanted: Sequence[Address], version: int) -> dict[str, list[BrakeReport]]:
    """The newest try of each, pauses first."""
    newest = (
        select(brakes, attempts.c.intent_id)
        .outerjoin(attempts, attempts.c.id == brakes.c.attempt_id)
        .where(brakes.c.vault.in_(wanted), brakes.c.stop == version)
        .ext(distinct_on(brakes.c.kind, brakes.c.subject))
        .order_by(brakes.c.kind.desc(), brakes.c.subject, brakes.c.number.desc())
    )
    found: defaultdict[str, list[BrakeReport]] = defaultdict(list)
    for row in await connection.execute(newest):
        found[row.vault].append(
            BrakeReport(
                kind=row.kind,
                status=STATUS[row.state],
                signature=None if row.signature is None else Signature(row.signature),
                slot=None if row.landed_slot is None else Slot(row.landed_slot),
                intent_id=row.intent_id,
                nonce=row.nonce,
                reason=row.reason,
                detail=row.detail,
            )
        )
    return found


async def _in_doubt(connection: AsyncConnection, wanted: Sequence[Address]) -> dict[str, int]:
    joined, number = attempts.join(intents, intents.c.id == attempts.c.intent_id), func.count().label("number")
    live = select(intents.c.vault, number).select_from(joined).where(intents.c.vault.in_(wanted), attempts.c.state.in_(LIVE))
    return {row.vault: row.number for row in await connection.execute(live.group_by(intents.c.vault))}
