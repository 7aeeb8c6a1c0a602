"""Swap history as a Delta table in a folder. Implements SwapLake and SwapReader of xorj.swaps.ports; built by services and the CLI.

One commit holds records of many wallets and the venues' cursors, the latter as application transactions; a wallet's own cursor is its
newest record. Two writers cannot both commit: each commit carries the application transaction `ingest`, on which they collide.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.writer import write_deltalake

from xorj.adapters.lake.rows import SCHEMA, SWAP, SWAP_COLUMNS, records_of, swaps_of, table_of
from xorj.primitives.errors import InvalidInput, RefusedForSafety, Unavailable
from xorj.primitives.ids import Address, Signature, Slot, Wallet
from xorj.swaps.record import Cursor, Record, by_order
from xorj.swaps.swap import Swap

T = TypeVar("T")

COMMITS_PER_COMPACTION = 64
KEEP_OLD_FILES_HOURS = 1
# a reader opens the newest version, so the log before the last checkpoint is of no use after the same hour
_CONFIGURATION = {"delta.logRetentionDuration": f"interval {KEEP_OLD_FILES_HOURS} hours"}
_TABLE_NAME = "swaps"
_INGEST = "ingest"
_NEVER_READ = -1
_VENUE = "venue:"
_WRITER = WriterProperties(compression="LZ4_RAW")


class DeltaLake:
    """A lake of one chain; the folder is made on the first commit. Raises RefusedForSafety for a lake of another chain."""

    def __init__(self, folder: Path, genesis_hash: str) -> None:
        self._folder, self._genesis_hash = folder, genesis_hash
        self._cursors: dict[Wallet, Cursor] = {}
        self._cursors_as_of = _NEVER_READ
        self._commits_since_compaction = 0
        self._one_at_a_time = asyncio.Lock()

    async def cursors(self) -> Mapping[Wallet, Cursor]:
        return dict(await self._run(lambda: self._known_cursors(self._table())))

    async def venue_cursor(self, venue: Address) -> Slot | None:
        def read() -> Slot | None:
            table = self._table()
            version = None if table is None else table.transaction_version(_VENUE + venue)
            return None if version is None else Slot(version)

        return await self._run(read)

    async def commit(self, records: Sequence[Record], venues: Mapping[Address, Slot]) -> int:
        return await self._run(lambda: self._commit(records, venues))

    async def swaps(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[Swap]:
        """Every swap at or before `as_of`, sorted by wallet and order key."""
        return await self._run(lambda: self._swaps(as_of, wallet))

    async def records(self, wallet: Wallet) -> list[Record]:
        """Everything that is kept of one wallet, oldest first."""
        return await self._run(lambda: self._records(wallet))

    async def behind(self, records: Sequence[Record]) -> list[Record]:
        """Those that commit would leave out although they are not in the lake: older than what it has of their wallet."""
        return await self._run(lambda: self._behind(records))

    async def newest_slot(self) -> Slot | None:
        cursors = await self.cursors()
        return max((cursor.slot for cursor in cursors.values()), default=None)

    async def _run(self, work: Callable[[], T]) -> T:
        """The table is not shared between threads, and what is half done is never seen."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._guarded, work)

    def _guarded(self, work: Callable[[], T]) -> T:
        with self._named_failures():
            return work()

    @contextmanager
    def _named_failures(self) -> Iterator[None]:
        try:
            yield
        except (DeltaError, pa.ArrowException, OSError, ValueError) as error:
            self._cursors_as_of = _NEVER_READ
            first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise Unavailable(f"lake {self._folder}", first_line) from error

    def _table(self) -> DeltaTable | None:
        """The newest version, None while the folder holds no table."""
        try:
            table = DeltaTable(self._folder)
        except TableNotFoundError:
            return None
        chain = table.metadata().description
        if chain != self._genesis_hash:
            raise RefusedForSafety(f"the lake {self._folder} is of the chain {chain}, this process of {self._genesis_hash}")
        return table

    def _known_cursors(self, table: DeltaTable | None) -> dict[Wallet, Cursor]:
        """Read again whenever somebody else has committed."""
        sequence = _sequence(table)
        if sequence != self._cursors_as_of:
            self._cursors = {} if table is None else _cursors_of(table)
            self._cursors_as_of = sequence
        return self._cursors

    def _commit(self, records: Sequence[Record], venues: Mapping[Address, Slot]) -> int:
        table = self._table()
        cursors = self._known_cursors(table)
        new = [record for record in by_order(records) if record.wallet not in cursors or record.slot > cursors[record.wallet].slot]
        moved = {venue: slot for venue, slot in venues.items() if table is None or (table.transaction_version(_VENUE + venue) or -1) < slot}
        if not new and not moved:
            return 0
        sequence = _sequence(table) + 1
        transactions = [Transaction(_INGEST, sequence), *(Transaction(_VENUE + venue, slot) for venue, slot in moved.items())]
        write_deltalake(
            self._folder if table is None else table,
            table_of(new, self._genesis_hash),
            mode="append",
            name=_TABLE_NAME if table is None else None,
            description=self._genesis_hash if table is None else None,
            configuration=_CONFIGURATION if table is None else None,
            writer_properties=_WRITER,
            commit_properties=CommitProperties(app_transactions=transactions),
        )
        self._cursors_as_of = sequence
        cursors.update({record.wallet: Cursor(record.slot, record.signature) for record in new})
        self._commits_since_compaction += 1
        if self._commits_since_compaction >= COMMITS_PER_COMPACTION:
            self._compact()
        return len(new)

    def _behind(self, records: Sequence[Record]) -> list[Record]:
        table = self._table()
        cursors = self._known_cursors(table)
        older = [record for record in records if record.wallet in cursors and record.slot <= cursors[record.wallet].slot]
        if table is None or not older:
            return []
        rows = table.to_pyarrow_dataset().to_table(columns=["wallet", "signature"])
        known = set(zip(rows.column("wallet").to_pylist(), rows.column("signature").to_pylist(), strict=True))
        return [record for record in older if (record.wallet, record.signature) not in known]

    def _compact(self) -> None:
        """Merges small files, sorted as readers want them; keeps what a reader of the last hour may still hold open."""
        self._commits_since_compaction = 0
        table = self._table()
        if table is None:
            return
        table.optimize.z_order(["wallet", "slot"], writer_properties=_WRITER)
        table.create_checkpoint()
        table.cleanup_metadata()
        table.vacuum(retention_hours=KEEP_OLD_FILES_HOURS, enforce_retention_duration=False, dry_run=False)

    def _records(self, wallet: Wallet) -> list[Record]:
        table = self._table()
        wanted = pc.field("wallet") == wallet
        return [] if table is None else records_of(table.to_pyarrow_dataset().to_table(filter=wanted))

    def _swaps(self, as_of: Slot | None, wallet: Wallet | None) -> list[Swap]:
        table = self._table()
        if table is None:
            return []
        wanted = pc.field("outcome") == SWAP
        if as_of is not None:
            wanted &= pc.field("slot") <= as_of
        if wallet is not None:
            wanted &= pc.field("wallet") == wallet
        return swaps_of(table.to_pyarrow_dataset().to_table(columns=SWAP_COLUMNS, filter=wanted))


def chain_of(folder: Path) -> str:
    """The genesis hash of the lake in a folder. Raises InvalidInput where there is none, Unavailable where it cannot be read."""
    if not folder.is_dir() or not DeltaTable.is_deltatable(str(folder)):
        raise InvalidInput("lake", given=str(folder), rule="a folder with a lake; the quant engine and `swaps import` make one")
    try:
        described = DeltaTable(folder).metadata()
    except (DeltaError, OSError, ValueError) as error:
        raise Unavailable(f"lake {folder}", str(error).splitlines()[0]) from error
    if described.name != _TABLE_NAME or not described.description:
        raise InvalidInput("lake", given=str(folder), rule="a lake of swaps, not another table")
    return str(described.description)


def _sequence(table: DeltaTable | None) -> int:
    """The number of the newest commit of an ingester, 0 before the first."""
    return 0 if table is None else table.transaction_version(_INGEST) or 0


def _cursors_of(table: DeltaTable) -> dict[Wallet, Cursor]:
    columns = ["wallet", "slot", "transaction_index", "signature"]
    rows = table.to_pyarrow_dataset().to_table(columns=columns)
    if rows.schema.names != columns or SCHEMA.field("slot").type != rows.schema.field("slot").type:
        raise ValueError(f"not a lake of swaps: {rows.schema.names}")
    newest: dict[Wallet, tuple[int, int, str]] = {}
    for wallet, slot, index, signature in zip(*(rows.column(name).to_pylist() for name in columns), strict=True):
        newest[wallet] = max(newest.get(wallet, (-1, -1, "")), (slot, index, signature))
    return {wallet: Cursor(Slot(slot), Signature(signature)) for wallet, (slot, _, signature) in newest.items()}
