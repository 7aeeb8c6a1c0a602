"""SPEC's execution_jobs and trades as projections: a job is an intent, a trade is an attempt, each with the same id.

Called inside the transaction that writes the source row, by copying's store for new intents and by execution's for all that follows.
"""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import Any

from sqlalchemy import Row, Select, bindparam, select, text
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from xorj.adapters.postgres.tables import attempts, execution_jobs, intents, trades

# The channel that wakes an executor when an intent has been committed; see wakes.py.
NEW_INTENTS = "new_intents"

# Of NUMERIC(20,6) and NUMERIC(5,2).
AMOUNT_MAX, AMOUNT_STEP = Decimal("99999999999999.999999"), Decimal("0.000001")
PERCENT_MAX, PERCENT_STEP = Decimal("999.99"), Decimal("0.01")

TRADE_STATUS = {"built": "pending", "signed": "submitted", "final_ok": "completed", "final_err": "failed", "dead": "expired"}


# Of an intent, what its attempts' trades show.
WISHED = (intents.c.user_id, intents.c.input_mint, intents.c.output_mint, intents.c.amount_in_raw)


async def job_of_intent(connection: AsyncConnection, intent_id: str) -> None:
    """Writes the job as its intent stands in this transaction."""
    if (await connection.execute(_JOB, {"intent": intent_id})).scalar_one() == "new":
        await connection.execute(_WAKE)


def select_attempts() -> Select[Any]:
    """Attempts beside what `trade_of` needs of their intents."""
    return select(attempts, *WISHED).where(intents.c.id == attempts.c.intent_id)


async def trade_of(connection: AsyncConnection, row: Row[Any]) -> None:
    """Writes the trade of one row of `select_attempts`."""
    await connection.execute(_TRADE, trade_values(row))


def _job() -> ReturningInsert[str]:
    copied = {
        "id": intents.c.id,
        "user_id": intents.c.user_id,
        "status": intents.c.state,
        "target_trader": intents.c.leader,
        "genesis_hash": intents.c.genesis_hash,
        "intent_id": intents.c.id,
        "created_at": intents.c.created_at,
        "updated_at": intents.c.updated_at,
    }
    wanted = select(*(column.label(name) for name, column in copied.items())).where(intents.c.id == bindparam("intent"))
    statement = insert(execution_jobs).from_select(list(copied), wanted)
    changed = {name: statement.excluded[name] for name in ("status", "updated_at")}
    return statement.on_conflict_do_update(index_elements=["id"], set_=changed).returning(execution_jobs.c.status)


def _trade() -> Insert:
    statement = insert(trades)
    names = ("status", "slippage", "transaction_signature", "amount_out_raw", "slippage_fraction", "was_clamped", "updated_at")
    return statement.on_conflict_do_update(index_elements=["id"], set_={name: statement.excluded[name] for name in names})


# Made once: a statement that is made anew costs more than its execution.
_JOB, _TRADE, _WAKE = _job(), _trade(), text(f"notify {NEW_INTENTS}")


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
