"""Records to Arrow rows and back: the schema of the lake. Used by delta_lake.py alone.

A transaction that held several swaps of a wallet has one row each, numbered by instruction_index; any other outcome has one row.
Raw amounts are DECIMAL(20,0): a 64-bit unsigned integer does not fit the format's largest integer.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from hashlib import sha256
from itertools import groupby
from typing import Any

import pyarrow as pa

from xorj.primitives.amounts import TokenAmount
from xorj.primitives.ids import Address, Signature, Slot, Wallet
from xorj.swaps.record import Record, by_order
from xorj.swaps.swap import NotASwap, NotASwapKind, OrderKey, Outcome, Swap, Undecodable

BUCKETS = 256
SWAP, NOT_A_SWAP, UNDECODABLE = "swap", "not_a_swap", "undecodable"
_RAW = pa.decimal128(20, 0)

SCHEMA = pa.schema(
    [
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
)
SWAP_COLUMNS = [name for name in SCHEMA.names if name not in ("genesis_hash", "bucket", "outcome", "reason")]
Row = dict[str, Any]


def bucket_of(wallet: Wallet) -> int:
    """The bucket that a wallet's rows are worked on together in, for ever the same."""
    return sha256(wallet.encode()).digest()[0] % BUCKETS


def table_of(records: Iterable[Record], genesis_hash: str) -> pa.Table:
    """The rows of the records, with the lake's schema."""
    rows = [row for record in records for row in _rows(record, genesis_hash)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def swaps_of(table: pa.Table) -> list[Swap]:
    """The swaps of rows whose outcome is one, sorted by wallet and order key."""
    columns = [table.column(name).to_pylist() for name in SWAP_COLUMNS]
    swaps = [_swap(dict(zip(SWAP_COLUMNS, values, strict=True))) for values in zip(*columns, strict=True)]
    return sorted(swaps, key=lambda swap: (swap.wallet, swap.order, swap.signature))


def records_of(table: pa.Table) -> list[Record]:
    """The records of whole rows, oldest first."""
    rows = sorted(table.to_pylist(), key=_transaction_of)
    return by_order(_record(list(of_one)) for _, of_one in groupby(rows, key=_transaction_of))


def _transaction_of(row: Row) -> tuple[str, int, int, str]:
    return row["wallet"], row["slot"], row["transaction_index"], row["signature"]


def _record(rows: Sequence[Row]) -> Record:
    first = rows[0]
    outcome: Outcome
    if first["outcome"] == SWAP:
        outcome = tuple(sorted(map(_swap, rows), key=lambda swap: swap.order))
    elif first["outcome"] == NOT_A_SWAP:
        outcome = NotASwap(NotASwapKind(first["reason"]))
    else:
        outcome = Undecodable(first["reason"])
    slot, index = Slot(first["slot"]), first["transaction_index"]
    return Record(Wallet(first["wallet"]), Signature(first["signature"]), slot, index, first["block_time"], outcome)


def _rows(record: Record, genesis_hash: str) -> Iterator[Row]:
    shared: Row = {
        "genesis_hash": genesis_hash,
        "bucket": bucket_of(record.wallet),
        "wallet": record.wallet,
        "slot": record.slot,
        "transaction_index": record.transaction_index,
        "instruction_index": 0,
        "block_time": record.block_time,
        "signature": record.signature,
    }
    if isinstance(record.outcome, NotASwap):
        yield shared | {"outcome": NOT_A_SWAP, "reason": record.outcome.kind.value}
    elif isinstance(record.outcome, Undecodable):
        yield shared | {"outcome": UNDECODABLE, "reason": record.outcome.reason}
    else:
        for swap in record.outcome:
            yield shared | _swap_columns(swap)


def _swap_columns(swap: Swap) -> Row:
    return {
        "outcome": SWAP,
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
    }


def _swap(row: Row) -> Swap:
    return Swap(
        wallet=Wallet(row["wallet"]),
        signature=Signature(row["signature"]),
        order=OrderKey(Slot(row["slot"]), row["transaction_index"], row["instruction_index"]),
        block_time=row["block_time"],
        input=TokenAmount(row["input_mint"], int(row["input_raw"]), row["input_decimals"]),
        output=TokenAmount(row["output_mint"], int(row["output_raw"]), row["output_decimals"]),
        network_fee_lamports=row["network_fee_lamports"],
        tip_lamports=row["tip_lamports"],
        programs=_programs(row["programs"]),
    )


def _programs(names: Sequence[str] | None) -> tuple[Address, ...]:
    return tuple(Address(name) for name in names or ())
