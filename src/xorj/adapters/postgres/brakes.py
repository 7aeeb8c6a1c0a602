"""What stops ask of the bot, and what was done for them, in PostgreSQL. Implements execution's StopReader and BrakeStore.

Each write compares id, version and state, and answers with what stands there when the same step was done before.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, String, and_, case, cast, false, func, insert, literal, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.execution import LIVE
from xorj.adapters.postgres.fenced import fenced
from xorj.adapters.postgres.settlements import facts_of
from xorj.adapters.postgres.tables import attempts, brakes, decisions, follows, intents, kill_switch, vaults
from xorj.adapters.postgres.transactions import reading, transaction
from xorj.chain.transactions import Commitment
from xorj.execution.attempt import AttemptState
from xorj.execution.brake import TRIES_MAX, Brake, BrakeDraft, BrakeEnding, BrakeKind, InDoubt, Wanted
from xorj.execution.lease import ChangedElsewhere, Lease
from xorj.execution.ports import BRAKES_PER_READ_MAX
from xorj.execution.settlement import Burned, Witness
from xorj.primitives.errors import BrokenInvariant
from xorj.primitives.ids import Address, Signature, Slot, Wallet

DETAIL_CHARACTERS_MAX = 1_000


class PostgresBrakes:
    """Implements StopReader and BrakeStore."""

    def __init__(self, engine: AsyncEngine, genesis: str) -> None:
        self._engine, self._reading, self._genesis = engine, reading(engine), genesis

    async def wanted(self, bot: Address, *, limit: int = BRAKES_PER_READ_MAX) -> list[Wanted]:
        async with transaction(self._reading) as connection:
            stop = (await connection.execute(select(kill_switch.c.stopped, kill_switch.c.reason, kill_switch.c.version))).one_or_none()
            version, stopped = (0, False) if stop is None else (stop.version, stop.stopped)
            pauses = (await connection.execute(_pauses(bot, version).limit(limit))).all() if stop is not None and stopped else []
            burns = (await connection.execute(_burns(bot, stopped=stopped).limit(limit))).all()
        reason = "" if stop is None else stop.reason
        return [_pause(row, version, reason) for row in pauses] + [_burn(row, version, reason) for row in burns]

    async def burned(self, attempts: Sequence[str]) -> dict[str, Burned]:
        done = (brakes.c.kind == BrakeKind.BURN, brakes.c.state == AttemptState.FINAL_OK, brakes.c.attempt_id.in_(list(attempts)))
        async with transaction(self._reading) as connection:
            rows = await connection.execute(select(brakes.c.attempt_id, brakes.c.signature, brakes.c.landed_slot).where(*done))
            return {row.attempt_id: Burned(Signature(row.signature), Slot(row.landed_slot)) for row in rows}

    async def has_ended(self, intent_id: str) -> bool:
        behind = intents.join(decisions, decisions.c.id == intents.c.decision_id).join(follows, follows.c.id == decisions.c.follow_id)
        query = select(follows.c.id).select_from(behind).where(intents.c.id == intent_id, follows.c.valid_to_slot.is_not(None))
        async with transaction(self._reading) as connection:
            return (await connection.execute(query)).first() is not None

    async def build(self, lease: Lease, wanted: Wanted, draft: BrakeDraft) -> Brake:
        row = _row(wanted, draft, lease) | {"genesis_hash": self._genesis}

        async def write(connection: AsyncConnection) -> Brake:
            # The vault first, so that two tries of one subject meet at one row lock.
            await connection.execute(select(vaults.c.address).where(vaults.c.address == wanted.vault).with_for_update())
            subject = (brakes.c.kind == wanted.kind, brakes.c.subject == wanted.subject)
            rows = (await connection.execute(select(brakes).where(*subject).order_by(brakes.c.number))).all()
            if rows and rows[-1].id == wanted.id and bytes(rows[-1].message) == draft.message:
                return _brake(rows[-1])
            if len(rows) != wanted.number - 1 or any(each.state in LIVE for each in rows):
                raise ChangedElsewhere(f"brake {wanted.id}", f"preceded by {len(rows)} others")
            return _brake((await connection.execute(insert(brakes).values(row).returning(brakes))).one())

        return await fenced(self._engine, lease, write)

    async def record_signature(self, lease: Lease, brake: Brake, signature: Signature, transaction: bytes) -> Brake:
        async def write(connection: AsyncConnection) -> None:
            found = await _locked(connection, brake.id)
            if found.state is AttemptState.SIGNED and found.signature == signature and found.transaction == transaction:
                return
            _require(found, brake)
            values = {"state": AttemptState.SIGNED, "signature": signature, "transaction": transaction, "lease_epoch": lease.epoch}
            await _move(connection, found, values)

        await fenced(self._engine, lease, write)
        return await self._read_back(brake, signature, transaction)

    async def open_brakes(self, *, limit: int = BRAKES_PER_READ_MAX) -> list[Brake]:
        query = select(brakes).where(brakes.c.state.in_(LIVE)).order_by(brakes.c.built_slot, brakes.c.id).limit(limit)
        async with transaction(self._reading) as connection:
            return [_brake(row) for row in await connection.execute(query)]

    async def end(self, lease: Lease, brake: Brake, state: AttemptState, ending: BrakeEnding, said: Sequence[Witness]) -> Brake:
        async def write(connection: AsyncConnection) -> Brake:
            found = await _locked(connection, brake.id)
            if found.state is state:
                return found
            _require(found, brake)
            values: dict[str, Any] = {
                "state": state,
                "landed_slot": ending.slot,
                "detail": None if ending.detail is None else ending.detail[:DETAIL_CHARACTERS_MAX],
                "fee_lamports": None if ending.cost is None else ending.cost.fee_lamports,
                "evidence": [{"provider": one.provider, "slot": one.status_slot, **facts_of(one)} for one in said],
            }
            return await _move(connection, found, values)

        return await fenced(self._engine, lease, write)

    async def _read_back(self, brake: Brake, signature: Signature, whole: bytes) -> Brake:
        """In a transaction of its own: what is sent is what another process would find."""
        async with transaction(self._reading) as connection:
            found = _brake((await connection.execute(select(brakes).where(brakes.c.id == brake.id))).one())
        if found.state is not AttemptState.SIGNED or found.signature != signature or found.transaction != whole:
            raise ChangedElsewhere(f"brake {brake.id}", found.state)
        return found


def _tried(kind: BrakeKind, subject: ColumnElement[str]) -> Any:
    """How often this was begun, and whether it is under way or done."""
    settled = (*LIVE, AttemptState.FINAL_OK.value)
    number = func.count(brakes.c.id)
    query = select(number.label("number"), func.coalesce(func.bool_or(brakes.c.state.in_(settled)), false()).label("is_settled"))
    return query.where(brakes.c.kind == kind, brakes.c.subject == subject).correlate(vaults, attempts).lateral("tried")


def _pauses(bot: Address, version: int) -> Select[Any]:
    """Every vault in which the bot could trade."""
    tried = _tried(BrakeKind.PAUSE, vaults.c.address + literal(f":{version}", String))
    query = select(vaults.c.address, vaults.c.owner, tried.c.number).select_from(vaults.join(tried, literal(True)))
    open_ones = (vaults.c.bot_authority == bot, vaults.c.is_active, ~vaults.c.is_paused, ~vaults.c.is_closed)
    return query.where(*open_ones, ~tried.c.is_settled, tried.c.number < TRIES_MAX).order_by(vaults.c.address)


def _burns(bot: Address, *, stopped: bool) -> Select[Any]:
    """Every live attempt that nobody has seen land, in a vault or for a follow in which copying is stopped."""
    tried = _tried(BrakeKind.BURN, attempts.c.id)
    why = case((literal(stopped), null()), (vaults.c.is_paused, cast("the vault is paused", String)), else_="the follow has ended")
    joined = (
        attempts.join(intents, intents.c.id == attempts.c.intent_id)
        .join(vaults, vaults.c.address == intents.c.vault)
        .outerjoin(decisions, decisions.c.id == intents.c.decision_id)
        .outerjoin(follows, follows.c.id == decisions.c.follow_id)
        .join(tried, literal(True))
    )
    columns = attempts.c.id, attempts.c.intent_id, attempts.c.nonce, attempts.c.bot_epoch, attempts.c.deadline_slot
    query = select(*columns, vaults.c.address, vaults.c.owner, tried.c.number, why.label("why")).select_from(joined)
    is_unseen = or_(attempts.c.seen_commitment.is_(None), attempts.c.seen_commitment == Commitment.PROCESSED.value)
    is_stopped = or_(literal(stopped), vaults.c.is_paused, follows.c.valid_to_slot.is_not(None))
    live = and_(attempts.c.state.in_(LIVE), vaults.c.bot_authority == bot, is_unseen, is_stopped)
    return query.where(live, ~tried.c.is_settled, tried.c.number < TRIES_MAX).order_by(attempts.c.built_slot, attempts.c.id)


def _pause(row: Row[Any], version: int, reason: str) -> Wanted:
    return Wanted(Address(row.address), Wallet(row.owner), version, reason, row.number + 1)


def _burn(row: Row[Any], version: int, reason: str) -> Wanted:
    trade = InDoubt(row.id, row.intent_id, row.nonce, row.bot_epoch, Slot(row.deadline_slot))
    return Wanted(Address(row.address), Wallet(row.owner), version, row.why or reason, row.number + 1, trade)


def _row(wanted: Wanted, draft: BrakeDraft, lease: Lease) -> dict[str, Any]:
    trade = wanted.trade
    return {
        "id": wanted.id,
        "kind": wanted.kind,
        "subject": wanted.subject,
        "number": wanted.number,
        "vault": wanted.vault,
        "attempt_id": None if trade is None else trade.attempt_id,
        "nonce": None if trade is None else trade.nonce,
        "bot_epoch": None if trade is None else trade.bot_epoch,
        "stop": wanted.stop,
        "reason": wanted.reason,
        "state": AttemptState.BUILT,
        "message": draft.message,
        "blockhash": draft.blockhash.blockhash,
        "last_valid_block_height": draft.blockhash.last_valid_block_height,
        "built_slot": draft.blockhash.slot,
        "lease_epoch": lease.epoch,
    }


async def _locked(connection: AsyncConnection, wanted: str) -> Brake:
    return _brake((await connection.execute(select(brakes).where(brakes.c.id == wanted).with_for_update())).one())


def _require(found: Brake, expected: Brake) -> None:
    """The compare of compare-and-set. Raises ChangedElsewhere."""
    if (found.version, found.state) != (expected.version, expected.state):
        raise ChangedElsewhere(f"brake {expected.id}", f"{found.state} version {found.version}")
    if found.message != expected.message:
        raise BrokenInvariant("a committed message has changed", brake=expected.id)


async def _move(connection: AsyncConnection, found: Brake, values: dict[str, Any]) -> Brake:
    changed = values | {"version": found.version + 1, "updated_at": func.now()}
    return _brake((await connection.execute(update(brakes).where(brakes.c.id == found.id).values(changed).returning(brakes))).one())


def _brake(row: Row[Any]) -> Brake:
    return Brake(
        id=row.id,
        kind=BrakeKind(row.kind),
        vault=Address(row.vault),
        attempt_id=row.attempt_id,
        nonce=row.nonce,
        bot_epoch=row.bot_epoch,
        state=AttemptState(row.state),
        message=bytes(row.message),
        blockhash=row.blockhash,
        last_valid_block_height=row.last_valid_block_height,
        built_slot=Slot(row.built_slot),
        signature=None if row.signature is None else Signature(row.signature),
        transaction=None if row.transaction is None else bytes(row.transaction),
        version=row.version,
    )
