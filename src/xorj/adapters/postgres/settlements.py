"""The ends of attempts in PostgreSQL: evidence, fill, ledger, projections, outbox in one transaction. Implements SettlementStore."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.execution import (
    announce,
    locked_attempt,
    locked_intent,
    move_attempt,
    move_intent,
    require_attempt,
    require_intent,
)
from xorj.adapters.postgres.fenced import fenced
from xorj.adapters.postgres.tables import evidence, fills, ledger
from xorj.execution.attempt import Attempt, AttemptState
from xorj.execution.fill import Failure, Fill
from xorj.execution.intent import Intent, IntentState
from xorj.execution.lease import Lease
from xorj.execution.settlement import Verdict, Witness
from xorj.primitives.errors import BrokenInvariant

REASON_CHARACTERS_MAX = 1_000


class PostgresSettlements:
    def __init__(self, engine: AsyncEngine, genesis: str) -> None:
        self._engine, self._genesis = engine, genesis

    async def settle(self, lease: Lease, attempt: Attempt, intent: Intent, fill: Fill, said: Sequence[Witness]) -> Intent:
        async def write(connection: AsyncConnection) -> Intent:
            values = {
                "state": AttemptState.FINAL_OK,
                "landed_slot": fill.slot,
                "amount_out_raw": fill.output_raw,
                "fee_lamports": fill.fee_lamports,
                "rent_lamports": fill.rent_lamports,
            }
            end = {"state": IntentState.SETTLED, "reason": None, "settled_slot": fill.slot}
            done = await self._end(connection, lease, (attempt, intent), values, end)
            if done.is_new:
                await self._note(connection, attempt, "final_ok", said)
                await connection.execute(insert(fills).values(_fill_row(intent, attempt, fill) | {"genesis_hash": self._genesis}))
                await self._book(connection, intent, fill)
                await announce(connection, "intent_settled", done.intent, _settled_facts(fill))
            return done.intent

        return await fenced(self._engine, lease, write)

    async def revert(
        self, lease: Lease, attempt: Attempt, intent: Intent, failure: Failure, said: Sequence[Witness], *, ends: bool
    ) -> Intent:
        async def write(connection: AsyncConnection) -> Intent:
            reason = failure.error[:REASON_CHARACTERS_MAX]
            end: dict[str, Any] = {"state": IntentState.RESERVED, "reason": reason}
            if ends:
                end = {"state": IntentState.REVERTED, "reason": reason, "settled_slot": failure.slot}
            done = await self._end(connection, lease, (attempt, intent), {"state": AttemptState.FINAL_ERR, **failure_values(failure)}, end)
            if done.is_new:
                await self._note(connection, attempt, "final_err", said)
                if ends:
                    await announce(connection, "intent_reverted", done.intent, {"slot": failure.slot, "error": failure.error})
            return done.intent

        return await fenced(self._engine, lease, write)

    async def bury(self, lease: Lease, attempt: Attempt, intent: Intent, proof: str, said: Sequence[Witness], *, ends: bool) -> Intent:
        state = IntentState.ABANDONED if ends else IntentState.RESERVED

        async def write(connection: AsyncConnection) -> Intent:
            end = {"state": state, "reason": proof[:REASON_CHARACTERS_MAX]}
            done = await self._end(connection, lease, (attempt, intent), {"state": AttemptState.DEAD}, end)
            if done.is_new:
                await self._note(connection, attempt, "dead", said)
                if ends:
                    await announce(connection, "intent_abandoned", done.intent, {"proof": proof})
            return done.intent

        return await fenced(self._engine, lease, write)

    async def doubt(self, lease: Lease, attempt: Attempt, intent: Intent, verdict: Verdict, said: Sequence[Witness]) -> Intent:
        async def write(connection: AsyncConnection) -> Intent:
            found = await locked_intent(connection, intent.id)
            if found.state is IntentState.QUARANTINED:
                return found
            require_intent(found, intent, IntentState.QUARANTINED)
            values = {"state": IntentState.QUARANTINED, "reason": str(verdict)[:REASON_CHARACTERS_MAX]}
            moved = await move_intent(connection, lease, found, values)
            await self._note(connection, attempt, "doubt", said)
            await announce(connection, "intent_quarantined", moved, {"verdict": str(verdict)})
            return moved

        return await fenced(self._engine, lease, write)

    async def _end(
        self, connection: AsyncConnection, lease: Lease, pair: tuple[Attempt, Intent], values: dict[str, Any], end: dict[str, Any]
    ) -> "_Done":
        """Moves both rows, intent first as everywhere; or finds that an earlier try of the same step has."""
        attempt, intent = pair
        found_intent = await locked_intent(connection, intent.id)
        found = await locked_attempt(connection, attempt.id)
        if found.state is values["state"]:
            return _Done(found_intent, is_new=False)
        require_attempt(found, attempt)
        require_intent(found_intent, intent, end["state"])
        await move_attempt(connection, found, values)
        return _Done(await move_intent(connection, lease, found_intent, end), is_new=True)

    async def _note(self, connection: AsyncConnection, attempt: Attempt, verdict: str, said: Sequence[Witness]) -> None:
        """Who said what, at which slot: the receipt of the verdict."""
        rows = [
            {
                "genesis_hash": self._genesis,
                "attempt_id": attempt.id,
                "provider": one.provider,
                "verdict": verdict,
                "slot": one.status_slot,
                "facts": facts_of(one),
            }
            for one in said
        ]
        if rows:
            await connection.execute(insert(evidence).values(rows))

    async def _book(self, connection: AsyncConnection, intent: Intent, fill: Fill) -> None:
        """The vault's changes as the transaction shows them. Whoever follows the vault may have booked the same already."""
        for change in fill.changes:
            row = {
                "genesis_hash": self._genesis,
                "vault": intent.vault,
                "mint": change.mint,
                "delta_raw": change.delta_raw,
                "cause": "trade",
                "signature": fill.signature,
                "slot": fill.slot,
                "block_time": fill.block_time,
                "intent_id": intent.id,
            }
            statement = upsert(ledger).values(row)
            ours = {name: statement.excluded[name] for name in ("cause", "intent_id")}
            same = ledger.c.delta_raw == statement.excluded.delta_raw
            written = statement.on_conflict_do_update(index_elements=["vault", "signature", "mint"], set_=ours, where=same)
            if (await connection.execute(written.returning(ledger.c.id))).scalar_one_or_none() is None:
                key = (ledger.c.vault == intent.vault, ledger.c.signature == fill.signature, ledger.c.mint == change.mint)
                found = (await connection.execute(select(func.max(ledger.c.delta_raw)).where(*key))).scalar_one()
                raise BrokenInvariant("the ledger has another change", signature=fill.signature, mint=change.mint, ledger=found)


def failure_values(failure: Failure) -> dict[str, Any]:
    """What a landed and failed transaction leaves in its attempt's row."""
    return {
        "landed_slot": failure.slot,
        "error": failure.error,
        "fee_lamports": failure.cost.fee_lamports,
        "rent_lamports": failure.cost.rent_lamports,
    }


class _Done:
    """The intent after a step, and whether this call did it."""

    def __init__(self, intent: Intent, *, is_new: bool) -> None:
        self.intent, self.is_new = intent, is_new


def _fill_row(intent: Intent, attempt: Attempt, fill: Fill) -> dict[str, Any]:
    return {
        "attempt_id": attempt.id,
        "intent_id": intent.id,
        "vault": intent.vault,
        "leader": intent.leader,
        "side": intent.side,
        "signature": fill.signature,
        "slot": fill.slot,
        "block_time": fill.block_time,
        "input_mint": intent.input_mint,
        "input_raw": fill.input_raw,
        "output_mint": intent.output_mint,
        "output_raw": fill.output_raw,
        "fee_lamports": fill.fee_lamports,
    }


def _settled_facts(fill: Fill) -> dict[str, Any]:
    return {
        "signature": fill.signature,
        "slot": fill.slot,
        "input_raw": str(fill.input_raw),
        "output_raw": str(fill.output_raw),
        "fee_lamports": fill.fee_lamports,
        "rent_lamports": fill.rent_lamports,
    }


def facts_of(one: Witness) -> dict[str, Any]:
    """What one provider said, as it is kept."""
    facts: dict[str, Any] = {"status": None}
    if one.status is not None:
        facts["status"] = {"slot": one.status.slot, "commitment": one.status.commitment.value, "error": one.status.error}
    if one.absence is not None:
        facts["absence"] = {
            "finalized_slot": one.absence.epoch.slot,
            "finalized_height": one.absence.epoch.block_height,
            "blockhash_valid": one.absence.is_blockhash_valid,
            "blockhash_slot": one.absence.blockhash_slot,
            "has_transaction": one.absence.has_transaction,
            "first_available_block": one.absence.first_available_block,
        }
    return facts
