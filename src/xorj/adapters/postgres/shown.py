"""Trades and decisions as people see them: the queries that reporting and account pages share, and their row mapping."""

import base64
import binascii
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, Table, Text, any_, bindparam, select, true, tuple_

from xorj.adapters.postgres.reads import Read, Reader
from xorj.adapters.postgres.tables import attempts, decisions, fills, intents, leader_trades, token_metadata
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import SOL, USDC, USDT, Mint, Signature, Slot, Wallet
from xorj.reporting.overview import Amount, Decision, LeaderTrade, Trade

SEES_ALL = true()


def _labelled(table: Table, prefix: str, names: str) -> list[Any]:
    return [table.c[name].label(f"{prefix}_{name}") for name in names.split()]


# What is shown and no more: a row has three times as many columns, and each costs on every page of every watcher.
_OF_INTENT = _labelled(intents, "intent", "id state cause_kind side input_mint output_mint amount_in_raw reason created_at updated_at")
_OF_FILL = _labelled(fills, "fill", "slot input_raw output_raw")
_OF_LEADER = _labelled(
    leader_trades, "leader", "id leader signature slot input_mint input_raw input_decimals output_mint output_raw output_decimals"
)
_OF_DECISION = [decisions.c[name] for name in ["id", "outcome", "rule", "numbers", "slot", "created_at"]]
# What may be named before anybody has read a token list.
KNOWN: dict[str, tuple[str, int]] = {USDC: ("USDC", 6), USDT: ("USDT", 6), SOL: ("SOL", 9)}
CURSOR_CHARACTERS_MAX = 200


# How long a name may be out of date, and of how many tokens the names are known at once.
NAMES_SECONDS = 60.0
NAMES_MAX = 4_096
_NAMES = Read(
    select(token_metadata.c.mint, token_metadata.c.symbol, token_metadata.c.decimals).where(
        token_metadata.c.mint == any_(bindparam("mints", type_=ARRAY(Text)))
    )
)


class TokenNames:
    """What tokens are called, read once in a while and not with every page. A token without a name is asked for again."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[float, tuple[str, int]]] = OrderedDict()

    async def read(self, reader: Reader, mints: Iterable[str]) -> "Tokens":
        wanted = set(mints) - KNOWN.keys()
        now = time.monotonic()
        missing = [mint for mint in wanted if mint not in self._known or now - self._known[mint][0] > NAMES_SECONDS]
        for row in await reader.rows(_NAMES.of(mints=missing)) if missing else []:
            self._known[row.mint] = now, (row.symbol, row.decimals)
            self._known.move_to_end(row.mint)
        found = Tokens(KNOWN | {mint: self._known[mint][1] for mint in wanted if mint in self._known})
        while len(self._known) > NAMES_MAX:
            self._known.popitem(last=False)
        return found


class Tokens:
    """Symbols and decimals by mint. A mint that nobody has named is shown by its own beginning and end."""

    def __init__(self, known: dict[str, tuple[str, int]]) -> None:
        self._known = known

    def symbol(self, mint: str) -> str:
        return self._known[mint][0] if mint in self._known else f"{mint[:4]}…{mint[-4:]}"

    def decimals(self, mint: str, otherwise: int = 0) -> int:
        return self._known[mint][1] if mint in self._known else otherwise

    def amount(self, mint: str, raw: Any, otherwise: int = 0) -> Amount:
        return Amount(Mint(mint), self.symbol(mint), self.decimals(mint, otherwise), None if raw is None else int(raw))


def select_trades(where: ColumnElement[bool], *, limit: Any) -> Select[Any]:
    """Intents, newest first, each with its last attempt, its fill and the leader trade it copies."""
    last = (
        select(attempts.c.state, attempts.c.signature, attempts.c.seen_commitment, attempts.c.landed_slot, attempts.c.error)
        .where(attempts.c.intent_id == intents.c.id)
        .order_by(attempts.c.number.desc())
        .limit(1)
        .lateral("last_attempt")
    )
    joined = (
        intents.outerjoin(last, true())
        .outerjoin(fills, fills.c.intent_id == intents.c.id)
        .outerjoin(decisions, decisions.c.id == intents.c.decision_id)
        .outerjoin(leader_trades, leader_trades.c.id == decisions.c.leader_trade_id)
    )
    columns = [*_OF_INTENT, *[column.label(f"attempt_{column.name}") for column in last.c], *_OF_FILL, *_OF_LEADER]
    return select(*columns).select_from(joined).where(where).order_by(intents.c.created_at.desc(), intents.c.id.desc()).limit(limit)


def trade_mints(rows: Sequence[Any]) -> list[str]:
    names = ("intent_input_mint", "intent_output_mint", "leader_input_mint", "leader_output_mint")
    return [mint for row in rows for name in names if (mint := getattr(row, name)) is not None]


def trade_of(row: Any, tokens: Tokens) -> Trade:
    theirs = _leader_trade(row, tokens) if row.leader_id is not None else None
    slot = row.fill_slot if row.fill_slot is not None else row.attempt_landed_slot
    given = row.fill_input_raw if row.fill_input_raw is not None else row.intent_amount_in_raw
    hints = {row.leader_input_mint: row.leader_input_decimals, row.leader_output_mint: row.leader_output_decimals}
    sold, bought = row.intent_input_mint, row.intent_output_mint
    return Trade(
        id=row.intent_id,
        status=_status(row),
        cause=row.intent_cause_kind,
        direction="open" if row.intent_side == "buy" else "close",
        input=tokens.amount(sold, given, hints.get(sold) or 0),
        output=tokens.amount(bought, row.fill_output_raw, hints.get(bought) or 0),
        signature=None if row.attempt_signature is None else Signature(row.attempt_signature),
        slot=None if slot is None else Slot(slot),
        delay_slots=slot - theirs.slot if slot is not None and theirs else None,
        leader_trade=theirs,
        reason=row.intent_reason or row.attempt_error,
        created_at=row.intent_created_at,
        updated_at=row.intent_updated_at,
    )


def _leader_trade(row: Any, tokens: Tokens) -> LeaderTrade:
    return LeaderTrade(
        leader=Wallet(row.leader_leader),
        signature=Signature(row.leader_signature),
        slot=Slot(row.leader_slot),
        input=tokens.amount(row.leader_input_mint, row.leader_input_raw, row.leader_input_decimals),
        output=tokens.amount(row.leader_output_mint, row.leader_output_raw, row.leader_output_decimals),
    )


def _status(row: Any) -> str:
    """The intent's end where it has one, otherwise how far its transaction has come: planned, built, sent, seen, confirmed."""
    if row.intent_state in {"new", "reserved"}:
        return "planned"
    if row.intent_state != "in_flight":
        return str(row.intent_state)
    if row.attempt_seen_commitment in {"confirmed", "finalized"}:
        return "confirmed"
    if row.attempt_seen_commitment:
        return "seen"
    return "sent" if row.attempt_state == "signed" else "built"


def select_decisions(where: ColumnElement[bool], *, limit: Any) -> Select[Any]:
    """Decisions, newest first, each with whose trade it is about."""
    columns = (*_OF_DECISION, *_OF_LEADER)
    joined = decisions.join(leader_trades, leader_trades.c.id == decisions.c.leader_trade_id)
    return select(*columns).select_from(joined).where(where).order_by(decisions.c.created_at.desc(), decisions.c.id.desc()).limit(limit)


def decision_mints(rows: Sequence[Any]) -> list[str]:
    return [mint for row in rows for mint in (row.leader_input_mint, row.leader_output_mint)]


def decision_of(row: Any, tokens: Tokens) -> Decision:
    theirs = _leader_trade(row, tokens)
    return Decision(
        id=row.id,
        outcome=row.outcome,
        rule=row.rule,
        numbers=row.numbers,
        leader=theirs.leader,
        leader_signature=theirs.signature,
        input=theirs.input,
        output=theirs.output,
        slot=Slot(row.slot),
        created_at=row.created_at,
    )


def before(table: Table) -> ColumnElement[bool]:
    """Rows after the one that the parameters `created_at` and `row_id` name, newest first."""
    return tuple_(table.c.created_at, table.c.id) < tuple_(
        bindparam("created_at", type_=table.c.created_at.type), bindparam("row_id", type_=table.c.id.type)
    )


def row_of(cursor: str) -> dict[str, Any]:
    """The parameters of `before`. Raises InvalidInput for a cursor that is not one of ours."""
    try:
        moment, _, row_id = base64.urlsafe_b64decode(cursor[:CURSOR_CHARACTERS_MAX].encode("ascii")).decode().partition(" ")
        created_at = datetime.fromisoformat(moment)
    except (ValueError, binascii.Error) as error:
        raise InvalidInput("cursor", given=cursor, rule="the next_cursor of an earlier answer") from error
    if created_at.tzinfo is None or "\x00" in row_id:
        raise InvalidInput("cursor", given=cursor, rule="the next_cursor of an earlier answer")
    return {"created_at": created_at, "row_id": row_id}


def cursor_after(created_at: datetime, row_id: str) -> str:
    return base64.urlsafe_b64encode(f"{created_at.isoformat()} {row_id}".encode()).decode()
