"""SPEC's execution_jobs and trades as projections: a job is an intent, a trade is an attempt, each with the same id.

Called inside the transaction that writes the source row, by copying's store for new intents and by execution's for all that follows.
"""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from xorj.adapters.postgres.tables import attempts, execution_jobs, intents, trades

# The channel that wakes an executor when an intent has been committed; see wakes.py.
NEW_INTENTS = "new_intents"

# Of NUMERIC(20,6) and NUMERIC(5,2).
AMOUNT_MAX, AMOUNT_STEP = Decimal("99999999999999.999999"), Decimal("0.000001")
PERCENT_MAX, PERCENT_STEP = Decimal("999.99"), Decimal("0.01")

TRADE_STATUS = {"built": "pending", "signed": "submitted", "final_ok": "completed", "final_err": "failed", "dead": "expired"}


async def job_of_intent(connection: AsyncConnection, intent_id: str) -> None:
    """Writes the job as its intent stands in this transaction."""
    row = (await connection.execute(select(intents).where(intents.c.id == intent_id))).one()
    values = {
        "id": row.id,
        "user_id": row.user_id,
        "status": row.state,
        "target_trader": row.leader,
        "genesis_hash": row.genesis_hash,
        "intent_id": row.id,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
    statement = insert(execution_jobs).values(values)
    changed = {name: statement.excluded[name] for name in ("status", "updated_at")}
    await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed))
    if row.state == "new":
        await connection.execute(text(f"notify {NEW_INTENTS}"))


async def trade_of_attempt(connection: AsyncConnection, attempt_id: str) -> None:
    """Writes the trade as its attempt stands in this transaction."""
    query = select(attempts, intents.c.user_id, intents.c.input_mint, intents.c.output_mint, intents.c.amount_in_raw).where(
        attempts.c.id == attempt_id, intents.c.id == attempts.c.intent_id
    )
    row = (await connection.execute(query)).one()
    statement = insert(trades).values(trade_values(row))
    names = ("status", "slippage", "transaction_signature", "amount_out_raw", "slippage_fraction", "was_clamped", "updated_at")
    changed = {name: statement.excluded[name] for name in names}
    await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed))


def trade_values(row: Row[Any]) -> dict[str, Any]:
    """SPEC's columns rounded and clamped, the exact figures beside them. Slippage is what was lost against the quote, in percent."""
    amount = Decimal(row.amount_in_raw).scaleb(-row.input_decimals)
    fraction = _slippage(row.quoted_out_raw, row.amount_out_raw)
    percent = None if fraction is None else fraction * 100
    stored_percent = None if percent is None else max(-PERCENT_MAX, min(PERCENT_MAX, percent)).quantize(PERCENT_STEP, ROUND_HALF_EVEN)
    return {
        "id": row.id,
        "user_id": row.user_id,
        "execution_job_id": row.intent_id,
        "from_token": row.input_mint,
        "to_token": row.output_mint,
        "amount": min(amount, AMOUNT_MAX).quantize(AMOUNT_STEP, ROUND_DOWN),
        "status": TRADE_STATUS[row.state],
        "slippage": stored_percent,
        "transaction_signature": row.signature,
        "genesis_hash": row.genesis_hash,
        "attempt_id": row.id,
        "amount_in_raw": row.amount_in_raw,
        "amount_out_raw": row.amount_out_raw,
        "slippage_fraction": None if fraction is None else float(fraction),
        "was_clamped": amount > AMOUNT_MAX or (percent is not None and abs(percent) > PERCENT_MAX),
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def _slippage(quoted: Decimal | None, received: Decimal | None) -> Decimal | None:
    if not quoted or received is None:
        return None
    return (Decimal(quoted) - Decimal(received)) / Decimal(quoted)
