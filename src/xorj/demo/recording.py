"""A day of real trades as they were recorded: read from CSV, and what a local chain must hold to play them. Pure but for reading the file.

Used by replay and by the command line. One row is one swap, also where a transaction has two.
"""

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import SOL, USDC, USDT

COLUMNS = ("block_time", "wallet", "pool", "input_mint", "output_mint", "amount_in", "amount_out", "vault_in_pre")
ROWS_MAX = 200_000
HISTORY_SECONDS = 12 * 3_600
DECIMALS_DEFAULT = 6
USUAL_TRADES = 4
_KNOWN = {
    USDC: ("USDC", 6),
    USDT: ("USDT", 6),
    SOL: ("SOL", 9),
    "mSoLzYCxHdYgdzU16g5QSh3i5K3z3KZK7ytfqcJm7So": ("mSOL", 9),
    "orcaEKTdK7LKz57vaAYr9QeNsVEPfiu6QeMU1kektZE": ("ORCA", 6),
}


@dataclass(frozen=True, slots=True)
class RecordedSwap:
    """One row: raw amounts, and what the recorded pool's vault held of the input before."""

    block_time: int
    wallet: str
    pool: str
    input_mint: Pubkey
    output_mint: Pubkey
    amount_in: int
    amount_out: int
    vault_in_pre: int

    @property
    def pair(self) -> tuple[Pubkey, Pubkey]:
        low, high = sorted((self.input_mint, self.output_mint), key=bytes)
        return low, high


@dataclass(frozen=True, slots=True)
class Recording:
    """Rows in the order they happened; `digest` stands for the file's content."""

    rows: tuple[RecordedSwap, ...]
    digest: str

    @property
    def history(self) -> tuple[RecordedSwap, ...]:
        """The rows that are executed before the ports open."""
        return tuple(row for row in self.rows if row.block_time < self.rows[0].block_time + HISTORY_SECONDS)

    @property
    def live(self) -> tuple[RecordedSwap, ...]:
        return self.rows[len(self.history) :]

    @property
    def mints(self) -> set[Pubkey]:
        return {mint for row in self.rows for mint in row.pair}


def read_recording(path: Path) -> Recording:
    """Raises InvalidInput naming the file, the column or the line that cannot be played."""
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode()
    except FileNotFoundError as error:
        raise InvalidInput("replay", given=str(path), rule="a file that is there") from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InvalidInput("replay", given=str(path), rule="a CSV file, plain or compressed by gzip") from error
    rows = tuple(_rows(text.splitlines()))
    if not rows:
        raise InvalidInput("replay", given=str(path), rule="at least one row")
    if any(later.block_time < earlier.block_time for earlier, later in pairwise(rows)):
        raise InvalidInput("replay", given=str(path), rule="rows in the order of their block times")
    return Recording(rows, sha256(content).hexdigest())


@dataclass(frozen=True, slots=True)
class StandIn:
    """The key that plays a recorded wallet, with its address."""

    key: Keypair
    address: Pubkey


@lru_cache(maxsize=ROWS_MAX)
def stand_in(wallet: str) -> StandIn:
    """Derived from public text: worthless."""
    key = Keypair.from_seed(sha256(f"xorj replay, worthless: {wallet}".encode()).digest())
    return StandIn(key, key.pubkey())


def decimals_of(mint: Pubkey) -> int:
    """The known decimals of a recorded mint; amounts are raw, so for others this is only how they are shown."""
    return _KNOWN.get(str(mint), ("", DECIMALS_DEFAULT))[1]


def symbol_of(mint: Pubkey) -> str:
    return _KNOWN.get(str(mint), (str(mint)[:4], 0))[0]


def usual_balances(rows: Iterable[RecordedSwap]) -> dict[tuple[str, Pubkey], int]:
    """By wallet and mint, what a wallet usually holds: USUAL_TRADES times its median trade in that mint.

    The record has only these pools: what a wallet held and did elsewhere is not known, and a trade's share of it decides its copies.
    """
    amounts: dict[tuple[str, Pubkey], list[int]] = defaultdict(list)
    for row in rows:
        amounts[row.wallet, row.input_mint].append(row.amount_in)
        amounts[row.wallet, row.output_mint].append(row.amount_out)
    return {place: USUAL_TRADES * sorted(traded)[len(traded) // 2] for place, traded in amounts.items()}


def first_reserves(rows: Iterable[RecordedSwap]) -> Mapping[tuple[Pubkey, Pubkey], dict[Pubkey, int]]:
    """By pair, the reserves its local pool starts with: the recorded vault of one side, the other side by the first recorded price.

    The busiest recorded pool of a pair stands for all: concentrated liquidity says nothing by the ratio of its vaults.
    """
    rows = list(rows)
    counts = Counter((row.pair, row.pool) for row in rows if row.amount_out)
    busiest: dict[tuple[Pubkey, Pubkey], tuple[int, str]] = {}
    for (pair, pool), count in counts.items():
        busiest[pair] = max(busiest.get(pair, (0, "")), (count, pool))
    reserves: dict[tuple[Pubkey, Pubkey], dict[Pubkey, int]] = {}
    for row in rows:
        if row.amount_out and row.pair not in reserves and busiest[row.pair][1] == row.pool:
            other = max(1, row.vault_in_pre * row.amount_out // row.amount_in)
            reserves[row.pair] = {row.input_mint: row.vault_in_pre, row.output_mint: other}
    return reserves


def _rows(lines: list[str]) -> Iterator[RecordedSwap]:
    reader = csv.DictReader(lines)
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise InvalidInput("replay", given=", ".join(reader.fieldnames or ()), rule=f"columns {', '.join(missing)} too")
    for number, row in enumerate(reader, start=2):
        if number > ROWS_MAX + 1:
            raise InvalidInput("replay", given=f"line {number}", rule=f"at most {ROWS_MAX} rows")
        try:
            yield _row(row)
        except (ValueError, TypeError) as error:
            raise InvalidInput("replay", given=f"line {number}", rule="whole amounts above zero, and base58 mints") from error


def _row(row: dict[str, str]) -> RecordedSwap:
    read = RecordedSwap(
        block_time=int(row["block_time"]),
        wallet=row["wallet"],
        pool=row["pool"],
        input_mint=Pubkey.from_string(row["input_mint"]),
        output_mint=Pubkey.from_string(row["output_mint"]),
        amount_in=int(row["amount_in"]),
        amount_out=int(row["amount_out"]),
        vault_in_pre=int(row["vault_in_pre"]),
    )
    if read.amount_in <= 0 or read.amount_out < 0 or read.vault_in_pre <= 0 or read.input_mint == read.output_mint:
        raise ValueError("not a swap")
    return read
