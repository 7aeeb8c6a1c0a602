"""Intents and attempts on their way forward, in PostgreSQL. Implements execution's IntentStore and AttemptStore.

Each write locks its row, compares id, version and state, and answers with what stands there when the same step was done before.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.fenced import fenced
from xorj.adapters.postgres.projections import WISHED, job_of_intent, select_attempts, trade_of
from xorj.adapters.postgres.tables import attempts, intents, outbox, vaults
from xorj.adapters.postgres.transactions import reading, transaction
from xorj.chain.transactions import Commitment
from xorj.copying.decision import Side
from xorj.execution.attempt import Attempt, AttemptState, Draft, attempt_id
from xorj.execution.intent import Intent, IntentState, may_become
from xorj.execution.lease import ChangedElsewhere, Lease
from xorj.execution.ports import ATTEMPTS_PER_READ_MAX, INTENTS_PER_READ_MAX
from xorj.execution.rejected import Rejected
from xorj.primitives.errors import BrokenInvariant
from xorj.primitives.ids import Address, Mint, Signature, Slot, UserId, Wallet
from xorj.vault.interface import NONCE_WINDOW

LIVE = (AttemptState.BUILT.value, AttemptState.SIGNED.value)
# Whose funds are spoken for: everything that may still have an effect.
HOLDING = (IntentState.RESERVED.value, IntentState.IN_FLIGHT.value, IntentState.QUARANTINED.value)
LANDED = (Commitment.CONFIRMED.value, Commitment.FINALIZED.value)


class PostgresIntents:
    """Implements IntentStore."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine, self._reading = engine, reading(engine)

    async def open_intents(self, *, limit: int = INTENTS_PER_READ_MAX) -> list[Intent]:
        live = exists().where(attempts.c.intent_id == intents.c.id, attempts.c.state.in_(LIVE))
        query = select_intents().where(intents.c.state.in_(("new", "reserved")), ~live)
        async with transaction(self._reading) as connection:
            rows = await connection.execute(query.order_by(intents.c.created_slot, intents.c.created_at, intents.c.leg).limit(limit))
            return [intent_of(row) for row in rows]

    async def find(self, intent_id: str) -> Intent | None:
        async with transaction(self._reading) as connection:
            row = (await connection.execute(select_intents().where(intents.c.id == intent_id))).one_or_none()
            return None if row is None else intent_of(row)

    async def reserve(
        self, lease: Lease, intent: Intent, *, nonce_min: int, bot_epoch: int, held_raw: int, slot: Slot
    ) -> Intent | Rejected:
        """The lowest nonce that no intent of this grant has had, unless it would push a living one out of the window."""

        async def write(connection: AsyncConnection) -> Intent | Rejected:
            await connection.execute(select(vaults.c.address).where(vaults.c.address == intent.vault).with_for_update())
            found = await locked_intent(connection, intent.id)
            if found.state is IntentState.RESERVED and found.version == intent.version + 1:
                return found
            require_intent(found, intent, IntentState.RESERVED)
            spoken_for = await _spoken_for(connection, intent, slot)
            if held_raw - spoken_for < intent.amount_in_raw:
                detail = f"{held_raw} held, {spoken_for} spoken for, {intent.amount_in_raw} wanted"
                return Rejected("balance_reserved", detail, is_final=False)
            nonce = await _next_nonce(connection, intent, bot_epoch, nonce_min)
            if isinstance(nonce, Rejected):
                return nonce
            values = {"state": IntentState.RESERVED, "nonce": nonce, "bot_epoch": bot_epoch}
            return await move_intent(connection, lease, found, values)

        return await fenced(self._engine, lease, write)

    async def end(self, lease: Lease, intent: Intent, state: IntentState, reason: str) -> Intent:
        async def write(connection: AsyncConnection) -> Intent:
            found = await locked_intent(connection, intent.id)
            if found.state is state and found.reason == reason:
                return found
            require_intent(found, intent, state)
            values: dict[str, Any] = {"state": state, "reason": reason}
            if not found.attempts_count:
                # No message ever held the nonce: given back, so that cancellations do not run ahead of the vault's window.
                values |= {"nonce": None, "bot_epoch": None}
            ended = await move_intent(connection, lease, found, values)
            await announce(connection, f"intent_{state.value}", ended, {"reason": reason})
            return ended

        return await fenced(self._engine, lease, write)

    async def spent_lamports(self, user: UserId, since_slot: Slot) -> int:
        cost = func.coalesce(func.sum(func.coalesce(attempts.c.fee_lamports, 0) + func.coalesce(attempts.c.rent_lamports, 0)), 0)
        landed = and_(attempts.c.landed_slot.is_not(None), attempts.c.landed_slot >= since_slot)
        query = select(cost).where(intents.c.id == attempts.c.intent_id, intents.c.user_id == user, landed)
        async with transaction(self._reading) as connection:
            return int((await connection.execute(query)).scalar_one())


class PostgresAttempts:
    """Implements AttemptStore."""

    def __init__(self, engine: AsyncEngine, genesis: str) -> None:
        self._engine, self._reading, self._genesis = engine, reading(engine), genesis

    async def build(self, lease: Lease, intent: Intent, draft: Draft) -> Attempt:
        number = intent.attempts_count + 1
        row = _draft_row(intent, draft, number, lease) | {"genesis_hash": self._genesis}

        async def write(connection: AsyncConnection) -> Attempt:
            found = await locked_intent(connection, intent.id)
            if found.state is IntentState.IN_FLIGHT and found.version == intent.version + 1:
                return await _same_attempt(connection, row["id"], draft.message)
            require_intent(found, intent, IntentState.IN_FLIGHT)
            await connection.execute(insert(attempts).values(row))
            await move_intent(connection, lease, found, {"state": IntentState.IN_FLIGHT, "attempts_count": number})
            made = (await connection.execute(select_attempts().where(attempts.c.id == row["id"]))).one()
            await trade_of(connection, made)
            return attempt_of(made)

        return await fenced(self._engine, lease, write)

    async def record_signature(self, lease: Lease, attempt: Attempt, signature: Signature, transaction: bytes) -> Attempt:
        async def write(connection: AsyncConnection) -> Attempt:
            found = await locked_attempt(connection, attempt.id)
            if found.state is AttemptState.SIGNED and found.signature == signature and found.transaction == transaction:
                return found
            require_attempt(found, attempt)
            if found.message != attempt.message:
                raise BrokenInvariant("a committed message has changed", attempt=attempt.id)
            values = {"state": AttemptState.SIGNED, "signature": signature, "transaction": transaction, "lease_epoch": lease.epoch}
            return await move_attempt(connection, found, values)

        await fenced(self._engine, lease, write)
        return await self._read_back(attempt, signature, transaction)

    async def open_attempts(self, *, limit: int = ATTEMPTS_PER_READ_MAX) -> list[tuple[Attempt, Intent]]:
        query = select(attempts).where(attempts.c.state.in_(LIVE)).order_by(attempts.c.built_slot, attempts.c.id).limit(limit)
        async with transaction(self._reading) as connection:
            found = [attempt_of(row) for row in await connection.execute(query)]
            if not found:
                return []
            rows = await connection.execute(select_intents().where(intents.c.id.in_([attempt.intent_id for attempt in found])))
            owners = {row.id: intent_of(row) for row in rows}
        return [(attempt, owners[attempt.intent_id]) for attempt in found]

    async def observe(self, attempt: Attempt, seen: Commitment, slot: Slot) -> None:
        statement = update(attempts).where(attempts.c.id == attempt.id, attempts.c.state == AttemptState.SIGNED)
        async with transaction(self._engine) as connection:
            await connection.execute(statement.values(seen_commitment=seen, seen_slot=slot, updated_at=func.now()))

    async def by_signature(self, signatures: Sequence[Signature]) -> dict[Signature, Attempt]:
        async with transaction(self._reading) as connection:
            rows = await connection.execute(select(attempts).where(attempts.c.signature.in_(list(signatures))))
            return {Signature(row.signature): attempt_of(row) for row in rows}

    async def _read_back(self, attempt: Attempt, signature: Signature, whole: bytes) -> Attempt:
        """In a transaction of its own: what is sent is what another process would find."""
        async with transaction(self._reading) as connection:
            found = attempt_of((await connection.execute(select(attempts).where(attempts.c.id == attempt.id))).one())
        if found.state is not AttemptState.SIGNED or found.signature != signature or found.transaction != whole:
            raise ChangedElsewhere(f"attempt {attempt.id}", found.state)
        return found


def select_intents() -> Select[Any]:
    """Intents beside the owner and base mint of their vault."""
    return select(intents, vaults.c.owner, vaults.c.base_mint).where(vaults.c.address == intents.c.vault)


async def locked_intent(connection: AsyncConnection, intent_id: str) -> Intent:
    query = select_intents().where(intents.c.id == intent_id).with_for_update(of=intents)
    return intent_of((await connection.execute(query)).one())


async def locked_attempt(connection: AsyncConnection, wanted: str) -> Attempt:
    return attempt_of((await connection.execute(select(attempts).where(attempts.c.id == wanted).with_for_update())).one())


def require_intent(found: Intent, expected: Intent, following: IntentState) -> None:
    """The compare of compare-and-set. Raises ChangedElsewhere, and BrokenInvariant for a transition that does not exist."""
    if (found.version, found.state) != (expected.version, expected.state):
        raise ChangedElsewhere(f"intent {expected.id}", f"{found.state} version {found.version}")
    if not may_become(found.state, following):
        raise BrokenInvariant("an intent cannot go that way", intent=expected.id, state=found.state, following=following)


def require_attempt(found: Attempt, expected: Attempt) -> None:
    """Raises ChangedElsewhere."""
    if (found.version, found.state) != (expected.version, expected.state):
        raise ChangedElsewhere(f"attempt {expected.id}", f"{found.state} version {found.version}")


async def move_intent(connection: AsyncConnection, lease: Lease, found: Intent, values: dict[str, Any]) -> Intent:
    """The set of compare-and-set, with the job that shows it. The row is locked by the caller."""
    changed = values | {"version": found.version + 1, "lease_epoch": lease.epoch, "updated_at": func.now()}
    moving = update(intents).where(intents.c.id == found.id, vaults.c.address == intents.c.vault).values(changed)
    moved = (await connection.execute(moving.returning(intents, vaults.c.owner, vaults.c.base_mint))).one()
    await job_of_intent(connection, found.id)
    return intent_of(moved)


async def move_attempt(connection: AsyncConnection, found: Attempt, values: dict[str, Any]) -> Attempt:
    changed = values | {"version": found.version + 1, "updated_at": func.now()}
    moving = update(attempts).where(attempts.c.id == found.id, intents.c.id == attempts.c.intent_id).values(changed)
    moved = (await connection.execute(moving.returning(attempts, *WISHED))).one()
    await trade_of(connection, moved)
    return attempt_of(moved)


async def announce(connection: AsyncConnection, topic: str, intent: Intent, facts: dict[str, Any]) -> None:
    """One outbox row; consumers tell repeats by topic and key."""
    payload = {"intent_id": intent.id, "user_id": intent.user_id, "vault": intent.vault, "state": intent.state.value, **facts}
    await connection.execute(insert(outbox).values(topic=topic, key=intent.id, payload=payload))


def intent_of(row: Row[Any]) -> Intent:
    """A row of `select_intents`."""
    return Intent(
        id=row.id,
        user_id=UserId(row.user_id),
        vault=Address(row.vault),
        owner=Wallet(row.owner),
        base_mint=Mint(row.base_mint),
        leader=None if row.leader is None else Wallet(row.leader),
        side=Side(row.side),
        input_mint=Mint(row.input_mint),
        output_mint=Mint(row.output_mint),
        amount_in_raw=int(row.amount_in_raw),
        slippage_bps=row.slippage_bps,
        state=IntentState(row.state),
        reason=row.reason,
        nonce=row.nonce,
        bot_epoch=row.bot_epoch,
        created_slot=Slot(row.created_slot),
        expires_slot=Slot(row.expires_slot),
        attempts_count=row.attempts_count,
        version=row.version,
    )


def attempt_of(row: Row[Any]) -> Attempt:
    return Attempt(
        id=row.id,
        intent_id=row.intent_id,
        number=row.number,
        state=AttemptState(row.state),
        message=bytes(row.message),
        minimum_out_raw=int(row.minimum_out_raw),
        blockhash=row.blockhash,
        last_valid_block_height=row.last_valid_block_height,
        built_slot=Slot(row.built_slot),
        deadline_slot=Slot(row.deadline_slot),
        nonce=row.nonce,
        bot_epoch=row.bot_epoch,
        lease_epoch=row.lease_epoch,
        signature=None if row.signature is None else Signature(row.signature),
        transaction=None if row.transaction is None else bytes(row.transaction),
        seen_commitment=None if row.seen_commitment is None else Commitment(row.seen_commitment),
        version=row.version,
    )


def _draft_row(intent: Intent, draft: Draft, number: int, lease: Lease) -> dict[str, Any]:
    return {
        "id": attempt_id(intent.id, number),
        "intent_id": intent.id,
        "number": number,
        "state": AttemptState.BUILT,
        "message": draft.message,
        "quote_hash": draft.quote_hash,
        "minimum_out_raw": draft.minimum_out_raw,
        "quoted_out_raw": draft.quoted_out_raw,
        "input_decimals": draft.input_decimals,
        "blockhash": draft.blockhash.blockhash,
        "last_valid_block_height": draft.blockhash.last_valid_block_height,
        "built_slot": draft.blockhash.slot,
        "deadline_slot": draft.deadline_slot,
        "nonce": intent.nonce,
        "bot_epoch": intent.bot_epoch,
        "lease_epoch": lease.epoch,
    }


async def _same_attempt(connection: AsyncConnection, wanted: str, message: bytes) -> Attempt:
    """What an earlier try of the same step has committed. Raises ChangedElsewhere when the message is another."""
    found = await locked_attempt(connection, wanted)
    if found.message != message:
        raise ChangedElsewhere(f"attempt {wanted}", "built with another message")
    return found


async def _spoken_for(connection: AsyncConnection, intent: Intent, slot: Slot) -> int:
    """What other intents of the vault may still take of the input mint, beyond what the balance read at `slot` already misses."""
    seen = and_(attempts.c.state.in_(LIVE), attempts.c.seen_commitment.in_(LANDED), attempts.c.seen_slot <= slot)
    gone = exists().where(attempts.c.intent_id == intents.c.id, seen)
    query = select(func.coalesce(func.sum(intents.c.amount_in_raw), 0)).where(
        intents.c.vault == intent.vault,
        intents.c.input_mint == intent.input_mint,
        intents.c.state.in_(HOLDING),
        intents.c.id != intent.id,
        or_(~gone, intents.c.state == IntentState.QUARANTINED),
    )
    return int((await connection.execute(query)).scalar_one())


async def _next_nonce(connection: AsyncConnection, intent: Intent, bot_epoch: int, nonce_min: int) -> int | Rejected:
    of_grant = and_(intents.c.vault == intent.vault, intents.c.bot_epoch == bot_epoch, intents.c.nonce.is_not(None))
    living = func.min(intents.c.nonce).filter(intents.c.state.in_(HOLDING))
    highest, lowest_live = (await connection.execute(select(func.max(intents.c.nonce), living).where(of_grant))).one()
    nonce = max(nonce_min, 0 if highest is None else highest + 1)
    if lowest_live is not None and nonce - lowest_live >= NONCE_WINDOW:
        return Rejected("nonce_window", f"{nonce} would push the living {lowest_live} out of the window", is_final=False)
    return nonce
