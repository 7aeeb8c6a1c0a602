"""Recorded swaps from a CSV file to records of the lake. Used by the command `swaps import`.

One row is one swap, also where a transaction has two. Such a file tells no network fees, so they are unknown. It has COLUMNS, in any
order; others are ignored.
"""

import csv
import gzip
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

from xorj.primitives.amounts import TokenAmount
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import SOL, USDC, USDT, Mint, Slot, Wallet, parse_pubkey, parse_signature
from xorj.swaps.record import Record, by_order
from xorj.swaps.swap import OrderKey, Swap

COLUMNS = (
    "slot",
    "tx_index",
    "ix_index",
    "block_time",
    "signature",
    "wallet",
    "input_mint",
    "output_mint",
    "amount_in",
    "amount_out",
)
ROWS_MAX = 5_000_000
# unix seconds fit 32 bits for a while
BLOCK_TIME_MAX = 2**32 - 1
U64_MAX = 2**64 - 1
DECIMALS_MAX = 18
GZIP_MAGIC = b"\x1f\x8b"
KNOWN_DECIMALS: Mapping[Mint, int] = {
    USDC: 6,
    USDT: 6,
    SOL: 9,
    Mint("mSoLzYCxHdYgdzU16g5QSh3i5K3z3KZK7ytfqcJm7So"): 9,
    Mint("orcaEKTdK7LKz57vaAYr9QeNsVEPfiu6QeMU1kektZE"): 6,
    Mint("9vMJfxuKxXBoEa7rM12mYLMwTacLMLDJqHozw96WQL8i"): 6,
}


def read_swaps(path: Path, decimals: Mapping[Mint, int]) -> list[Record]:
    """Records oldest first; `decimals` of mints that are not among KNOWN_DECIMALS. Raises InvalidInput naming file, line and column."""
    swaps = [_swap(row, number, {**KNOWN_DECIMALS, **decimals}) for number, row in _rows(path)]
    swaps.sort(key=_transaction)
    return by_order(_record(list(of_one)) for _, of_one in groupby(swaps, key=_transaction))


def _rows(path: Path) -> Iterable[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(_text(path).splitlines())
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise InvalidInput(str(path), given=", ".join(reader.fieldnames or ()), rule=f"the columns {', '.join(missing)} too")
    for number, row in enumerate(reader, start=2):
        if number > ROWS_MAX + 1:
            raise InvalidInput(str(path), given=f"line {number}", rule=f"at most {ROWS_MAX} rows")
        yield number, row


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if content.startswith(GZIP_MAGIC) else content).decode()
    except FileNotFoundError as error:
        raise InvalidInput("FILE", given=str(path), rule="a file that is there") from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InvalidInput("FILE", given=str(path), rule="a CSV file, plain or compressed by gzip") from error


def _swap(row: dict[str, str], number: int, decimals: Mapping[Mint, int]) -> Swap:
    def whole(column: str, most: int = 2**63 - 1) -> int:
        text = row[column] or ""
        if not (text.isascii() and text.isdigit()) or int(text) > most:
            raise InvalidInput(f"line {number}, {column}", given=row[column], rule=f"a whole number from 0 to {most}")
        return int(text)

    def amount(mint_column: str, amount_column: str) -> TokenAmount:
        mint = Mint(parse_pubkey(row[mint_column] or "", f"line {number}, {mint_column}"))
        if mint not in decimals:
            raise InvalidInput(
                f"line {number}, {mint_column}", given=mint, rule=f"a mint of known decimals; tell them by --decimals {mint}=N"
            )
        return TokenAmount(mint, whole(amount_column, U64_MAX), decimals[mint])

    order = OrderKey(Slot(whole("slot")), whole("tx_index", 2**31 - 1), whole("ix_index", 2**31 - 1))
    try:
        return Swap(
            wallet=Wallet(parse_pubkey(row["wallet"] or "", f"line {number}, wallet")),
            signature=parse_signature(row["signature"] or "", f"line {number}, signature"),
            order=order,
            block_time=whole("block_time", BLOCK_TIME_MAX),
            input=amount("input_mint", "amount_in"),
            output=amount("output_mint", "amount_out"),
            network_fee_lamports=None,
            tip_lamports=0,
            programs=(),
        )
    except ValueError as error:
        raise InvalidInput(f"line {number}", given="a row that is no swap", rule=str(error)) from error


def _transaction(swap: Swap) -> tuple[str, OrderKey, str]:
    return swap.wallet, OrderKey(swap.order.slot, swap.order.transaction_index, 0), swap.signature


def _record(swaps: list[Swap]) -> Record:
    first = swaps[0]
    outcome = tuple(sorted(swaps, key=lambda swap: swap.order))
    return Record(first.wallet, first.signature, first.order.slot, first.order.transaction_index, first.block_time, outcome)
