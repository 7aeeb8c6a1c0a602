"""Records to Arrow rows and back: the schema of the lake. Used by delta_lake.py and compaction.py.

One table holds rows of several kinds, so that one commit holds them all: `outcome` says which. A transaction that held several swaps of
a wallet has one row each, numbered by instruction_index; any other outcome has one row; beside them stands one row for each movement, and
one for what a commit told of a wallet's coverage.
Raw amounts are DECIMAL(20,0): a 64-bit unsigned integer does not fit the format's largest integer.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from decimal import Decimal
from hashlib import sha256
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from xorj.primitives.amounts import TokenAmount
from xorj.primitives.ids import Address, Mint, Signature, Slot, Wallet
from xorj.swaps.coverage import Hole, Learned, Left, SlotRange
from xorj.swaps.movement import Movement, MovementKind
from xorj.swaps.pool_hops import Reserve, SwapFacts
from xorj.swaps.quote_rank import quote_rank
from xorj.swaps.record import Record, WalletMovement, by_order, movements_of
from xorj.swaps.swap import NotASwap, NotASwapKind, OrderKey, Outcome, Swap, Undecodable

BUCKETS = 256
SWAP, NOT_A_SWAP, UNDECODABLE, MOVEMENT, COVERAGE = "swap", "not_a_swap", "undecodable", "movement", "coverage"
OUTCOMES = (SWAP, NOT_A_SWAP, UNDECODABLE)
_RAW = pa.decimal128(20, 0)

# what every lake has had, in the order of its first version
_FIRST_FIELDS = [
    pa.field("genesis_hash", pa.string(), nullable=False),
    pa.field("bucket", pa.int16(), nullable=False),
    pa.field("wallet", pa.string(), nullable=False),
    pa.field("slot", pa.int64(), nullable=False),
    pa.field("transaction_index", pa.int32(), nullable=False),
    pa.field("instruction_index", pa.int32(), nullable=False),
    pa.field("block_time", pa.int64()),
    pa.field("signature", pa.string(), nullable=False),
    pa.field("outcome", pa.string(), nullable=False),
    pa.field("reason", pa.string()),
    pa.field("input_mint", pa.string()),
    pa.field("input_raw", _RAW),
    pa.field("input_decimals", pa.int16()),
    pa.field("output_mint", pa.string()),
    pa.field("output_raw", _RAW),
    pa.field("output_decimals", pa.int16()),
    pa.field("network_fee_lamports", pa.int64()),
    pa.field("tip_lamports", pa.int64()),
    pa.field("programs", pa.list_(pa.string())),
]
_FEE = pa.struct([pa.field("mint", pa.string()), pa.field("raw", _RAW), pa.field("decimals", pa.int16())])
_HOLE = pa.struct(
    [
        pa.field("account", pa.string()),
        pa.field("mint", pa.string()),
        pa.field("after", pa.int64()),
        pa.field("before", pa.int64()),
        pa.field("left_raw", _RAW),
        pa.field("found_raw", _RAW),
    ]
)
_LEFT = pa.struct(
    [
        pa.field("account", pa.string()),
        pa.field("mint", pa.string()),
        pa.field("signature", pa.string()),
        pa.field("slot", pa.int64()),
        pa.field("raw", _RAW),
    ]
)
# null in rows of before: `movements` counts a record's movements, null where they were not kept, and so does fee_payer of a swap's facts
ADDED_FIELDS = [
    pa.field("ingest", pa.int64()),
    pa.field("token", pa.string()),
    pa.field("movements", pa.int32()),
    pa.field("venue_fees", pa.list_(_FEE)),
    pa.field("fee_payer", pa.string()),
    pa.field("hops", pa.int16()),
    pa.field("program", pa.string()),
    pa.field("pool", pa.string()),
    pa.field("reserve_in_before_raw", _RAW),
    pa.field("reserve_in_after_raw", _RAW),
    pa.field("reserve_out_before_raw", _RAW),
    pa.field("reserve_out_after_raw", _RAW),
    pa.field("fee_in_raw", _RAW),
    pa.field("fee_out_raw", _RAW),
    pa.field("movement", pa.string()),
    pa.field("raw", _RAW),
    pa.field("counterparty", pa.string()),
    pa.field("counterparty_is_internal", pa.bool_()),
    pa.field("last_slot", pa.int64()),
    pa.field("sources", pa.list_(pa.string())),
    pa.field("holes", pa.list_(_HOLE)),
    pa.field("left", pa.list_(_LEFT)),
]
SCHEMA = pa.schema([*_FIRST_FIELDS, *ADDED_FIELDS])
_PLACE = ["wallet", "slot", "transaction_index", "instruction_index", "block_time", "signature"]
_AMOUNTS = ["input_mint", "input_raw", "input_decimals", "output_mint", "output_raw", "output_decimals"]
SWAP_COLUMNS = [*_PLACE, *_AMOUNTS, "network_fee_lamports", "tip_lamports", "programs", "venue_fees"]
_RESERVES = ["reserve_in_before_raw", "reserve_in_after_raw", "reserve_out_before_raw", "reserve_out_after_raw"]
FACT_COLUMNS = [*SWAP_COLUMNS, "fee_payer", "hops", "program", "pool", *_RESERVES, "fee_in_raw", "fee_out_raw"]
COVERAGE_COLUMNS = ["wallet", "ingest", "instruction_index", "slot", "last_slot", "sources", "holes"]
LEFT_COLUMNS = [*COVERAGE_COLUMNS, "left"]
MOVEMENT_COLUMNS = [*_PLACE, "movement", "token", "raw", "counterparty"]
_KINDS = {kind.value: kind for kind in MovementKind}
Row = dict[str, Any]


def bucket_of(wallet: Wallet) -> int:
    """The bucket that a wallet's rows are worked on together in, for ever the same."""
    return sha256(wallet.encode()).digest()[0] % BUCKETS


def table_of(records: Iterable[Record], learned: Iterable[Learned], genesis_hash: str, ingest: int) -> pa.Table:
    """The rows of the records and of what was learned with the lake's schema, as of the ingester's commit number `ingest`."""
    shared = {"genesis_hash": genesis_hash, "ingest": ingest}
    rows = [shared | row for record in records for row in _rows(record)]
    rows += [shared | _coverage_columns(one, number) for number, one in enumerate(learned)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def swaps_of(table: pa.Table) -> list[Swap]:
    """The swaps of rows whose outcome is one, sorted by wallet and order key."""
    return [_swap(*values) for values in _each(_in_order(table), SWAP_COLUMNS)]


def facts_of_rows(table: pa.Table) -> list[tuple[Swap, SwapFacts]]:
    """The swaps of rows that have facts, sorted by wallet and order key, each with them."""
    rows = _in_order(table.filter(pc.is_valid(table.column("fee_payer"))))
    facts = [_facts(dict(zip(FACT_COLUMNS, values, strict=True))) for values in _each(rows, FACT_COLUMNS)]
    return list(zip(swaps_of(rows), facts, strict=True))


def movements_of_rows(table: pa.Table) -> list[WalletMovement]:
    """The movements of rows that are one, sorted by wallet and order key."""
    return [_wallet_movement(*values) for values in _each(_in_order(table), MOVEMENT_COLUMNS)]


def _in_order(table: pa.Table) -> pa.Table:
    """Sorted by wallet and order key: in columns, which is much faster than as objects."""
    return table.sort_by([(name, "ascending") for name in ("wallet", "slot", "transaction_index", "instruction_index", "signature")])


def learned_of_rows(table: pa.Table) -> list[Learned]:
    """What was learned, in the order in which it was committed; with what accounts were left with where the table has that column."""
    rows = table.sort_by([("ingest", "ascending"), ("instruction_index", "ascending")])
    return list(map(_learned, rows.to_pylist()))


def records_of(table: pa.Table) -> list[Record]:
    """The records of whole rows, oldest first."""
    rows = sorted(table.to_pylist(), key=_transaction_of)
    return by_order(_record(list(of_one)) for _, of_one in groupby(rows, key=_transaction_of))


def _each(table: pa.Table, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Each row's values in the order of the names: a mapping a row would cost more than the row's own object."""
    return zip(*(table.column(name).to_pylist() for name in names), strict=True)


def _of(row: Row, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _transaction_of(row: Row) -> tuple[str, int, int, str]:
    return row["wallet"], row["slot"], row["transaction_index"], row["signature"]


def _record(rows: Sequence[Row]) -> Record:
    of_outcome = sorted((row for row in rows if row["outcome"] != MOVEMENT), key=_order)
    first = of_outcome[0]
    outcome: Outcome
    facts: tuple[SwapFacts, ...] = ()
    if first["outcome"] == SWAP:
        outcome = tuple(_swap(*_of(row, SWAP_COLUMNS)) for row in of_outcome)
        facts = tuple(_facts(row) for row in of_outcome if row["fee_payer"] is not None)
    elif first["outcome"] == NOT_A_SWAP:
        outcome = NotASwap(NotASwapKind(first["reason"]))
    else:
        outcome = Undecodable(first["reason"])
    moving = sorted((row for row in rows if row["outcome"] == MOVEMENT), key=_order)
    moved = tuple(_wallet_movement(*_of(row, MOVEMENT_COLUMNS)).movement for row in moving)
    is_whole = first["movements"] is not None
    slot, index = Slot(first["slot"]), first["transaction_index"]
    return Record(
        wallet=Wallet(first["wallet"]),
        signature=Signature(first["signature"]),
        slot=slot,
        transaction_index=index,
        block_time=first["block_time"],
        outcome=outcome,
        movements=moved if is_whole else None,
        facts=facts if is_whole else None,
    )


def _rows(record: Record) -> Iterator[Row]:
    shared: Row = {
        "bucket": bucket_of(record.wallet),
        "wallet": record.wallet,
        "slot": record.slot,
        "transaction_index": record.transaction_index,
        "instruction_index": 0,
        "block_time": record.block_time,
        "signature": record.signature,
    }
    counted = {"movements": None if record.movements is None else len(record.movements)}
    if isinstance(record.outcome, NotASwap):
        yield shared | counted | {"outcome": NOT_A_SWAP, "reason": record.outcome.kind.value, "token": ""}
    elif isinstance(record.outcome, Undecodable):
        yield shared | counted | {"outcome": UNDECODABLE, "reason": record.outcome.reason, "token": ""}
    else:
        for number, swap in enumerate(record.outcome):
            facts = {} if record.facts is None else _fact_columns(record.facts[number])
            yield shared | counted | _swap_columns(swap) | facts
    for one in movements_of(record):
        yield shared | {"instruction_index": one.order.instruction_index} | _movement_columns(one.movement)


def _swap_columns(swap: Swap) -> Row:
    closes = quote_rank(swap.input.mint) > quote_rank(swap.output.mint)
    return {
        "outcome": SWAP,
        "token": swap.input.mint if closes else swap.output.mint,
        "instruction_index": swap.order.instruction_index,
        "input_mint": swap.input.mint,
        "input_raw": Decimal(swap.input.raw),
        "input_decimals": swap.input.decimals,
        "output_mint": swap.output.mint,
        "output_raw": Decimal(swap.output.raw),
        "output_decimals": swap.output.decimals,
        "network_fee_lamports": swap.network_fee_lamports,
        "tip_lamports": swap.tip_lamports,
        "programs": list(swap.programs),
        "venue_fees": [{"mint": fee.mint, "raw": Decimal(fee.raw), "decimals": fee.decimals} for fee in swap.venue_fees],
    }


def _fact_columns(facts: SwapFacts) -> Row:
    nothing = Reserve(Mint(""), None, None)
    into, out_of = facts.reserve_in or nothing, facts.reserve_out or nothing
    return {
        "fee_payer": facts.fee_payer,
        "hops": facts.hops,
        "program": facts.program,
        "pool": facts.pool,
        "reserve_in_before_raw": _decimal(into.before_raw),
        "reserve_in_after_raw": _decimal(into.after_raw),
        "reserve_out_before_raw": _decimal(out_of.before_raw),
        "reserve_out_after_raw": _decimal(out_of.after_raw),
        "fee_in_raw": Decimal(facts.fee_in_raw),
        "fee_out_raw": Decimal(facts.fee_out_raw),
    }


def _movement_columns(movement: Movement) -> Row:
    return {
        "outcome": MOVEMENT,
        "movement": movement.kind.value,
        "token": movement.mint,
        "raw": Decimal(movement.raw),
        "counterparty": movement.counterparty,
        "counterparty_is_internal": movement.is_internal,
    }


def _coverage_columns(learned: Learned, number: int) -> Row:
    return {
        "outcome": COVERAGE,
        "bucket": bucket_of(learned.wallet),
        "wallet": learned.wallet,
        "token": "",
        "signature": "",
        "slot": learned.slots.first,
        "last_slot": learned.slots.last,
        "transaction_index": 0,
        "instruction_index": number,
        "sources": list(learned.sources),
        "holes": [asdict(hole) | {"left_raw": Decimal(hole.left_raw), "found_raw": Decimal(hole.found_raw)} for hole in learned.holes],
        "left": [{"account": account} | asdict(left) | {"raw": Decimal(left.raw)} for account, left in learned.left.items()],
    }


def _decimal(raw: int | None) -> Decimal | None:
    return None if raw is None else Decimal(raw)


def _raw(value: Decimal | None) -> int | None:
    return None if value is None else int(value)


def _order(row: Row) -> OrderKey:
    return OrderKey(Slot(row["slot"]), row["transaction_index"], row["instruction_index"])


def _swap(
    wallet: str,
    slot: int,
    transaction_index: int,
    instruction_index: int,
    block_time: int,
    signature: str,
    input_mint: str,
    input_raw: Decimal,
    input_decimals: int,
    output_mint: str,
    output_raw: Decimal,
    output_decimals: int,
    network_fee_lamports: int | None,
    tip_lamports: int,
    programs: Sequence[str] | None,
    venue_fees: Sequence[Row] | None,
) -> Swap:
    """From a row's values in the order of SWAP_COLUMNS."""
    return Swap(
        wallet=Wallet(wallet),
        signature=Signature(signature),
        order=OrderKey(Slot(slot), transaction_index, instruction_index),
        block_time=block_time,
        input=TokenAmount(Mint(input_mint), int(input_raw), input_decimals),
        output=TokenAmount(Mint(output_mint), int(output_raw), output_decimals),
        network_fee_lamports=network_fee_lamports,
        tip_lamports=tip_lamports,
        programs=tuple(map(Address, programs or ())),
        venue_fees=tuple(TokenAmount(Mint(fee["mint"]), int(fee["raw"]), fee["decimals"]) for fee in venue_fees or ()),
    )


def _facts(row: Row) -> SwapFacts:
    """Of a row that has some. Reserves are of the swap's own tokens, and stand where the one program is known."""
    into = out_of = None
    if row["program"] is not None:
        into, out_of = (
            Reserve(Mint(row[f"{side}put_mint"]), _raw(row[f"reserve_{side}_before_raw"]), _raw(row[f"reserve_{side}_after_raw"]))
            for side in ("in", "out")
        )
    return SwapFacts(
        fee_payer=Address(row["fee_payer"]),
        hops=row["hops"],
        program=None if row["program"] is None else Address(row["program"]),
        pool=None if row["pool"] is None else Address(row["pool"]),
        reserve_in=into,
        reserve_out=out_of,
        fee_in_raw=int(row["fee_in_raw"]),
        fee_out_raw=int(row["fee_out_raw"]),
    )


def _wallet_movement(
    wallet: str,
    slot: int,
    transaction_index: int,
    instruction_index: int,
    block_time: int | None,
    signature: str,
    kind: str,
    token: str,
    raw: Decimal,
    counterparty: str | None,
) -> WalletMovement:
    """From a row's values in the order of MOVEMENT_COLUMNS."""
    movement = Movement(_KINDS[kind], Mint(token), int(raw), None if counterparty is None else Address(counterparty))
    order = OrderKey(Slot(slot), transaction_index, instruction_index)
    return WalletMovement(Wallet(wallet), Signature(signature), order, block_time, movement)


def _learned(row: Row) -> Learned:
    holes = (hole | {"left_raw": int(hole["left_raw"]), "found_raw": int(hole["found_raw"])} for hole in row["holes"])
    slots = SlotRange(Slot(row["slot"]), Slot(row["last_slot"]))
    return Learned(Wallet(row["wallet"]), slots, tuple(row["sources"]), tuple(Hole(**hole) for hole in holes), _left(row.get("left")))


def _left(kept: Sequence[Row] | None) -> dict[Address, Left]:
    return {one["account"]: Left(one["mint"], one["signature"], one["slot"], int(one["raw"])) for one in kept or ()}
