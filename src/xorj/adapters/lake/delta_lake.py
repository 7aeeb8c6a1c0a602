"""Swap history as a Delta table. Implements SwapLake and SwapReader of xorj.swaps.ports; built by services and the CLI.

One commit holds records of many wallets and the venues' cursors, the latter as application transactions; a wallet's own cursor is its
newest record. Two writers cannot both commit: each commit carries the application transaction `ingest`, on which they collide.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, Schema, Transaction, WriterProperties
from deltalake.writer import write_deltalake

from xorj.adapters.lake.compaction import COMMITS_PER_COMPACTION, KEEP_OLD_FILES_HOURS, compact, is_due
from xorj.adapters.lake.exclusive_commits import require_exclusive_commits
from xorj.adapters.lake.place import BucketFolder, Place
from xorj.adapters.lake.reader import LakeReader, dataset_of
from xorj.adapters.lake.rows import COVERAGE, COVERAGE_COLUMNS, LEFT_COLUMNS, OUTCOMES, SCHEMA, learned_of_rows, table_of
from xorj.adapters.lake.store import (
    INGEST_TRANSACTION,
    SCHEMA_TRANSACTION,
    SCHEMA_VERSION,
    STATISTICS_COLUMNS,
    TABLE_NAME,
    LakeStore,
    ingest_number,
    schema_version,
)
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Signature, Slot, Wallet
from xorj.swaps.coverage import Balances, Learned, left_by
from xorj.swaps.record import Cursor, Record, by_order

T = TypeVar("T")

_CONFIGURATION = {
    # a reader opens the newest version, so the log before the last checkpoint is of no use after the same hour
    "delta.logRetentionDuration": f"interval {KEEP_OLD_FILES_HOURS} hours",
    "delta.dataSkippingStatsColumns": ",".join(STATISTICS_COLUMNS),
}
_NEVER_READ = -1
_VENUE = "venue:"
_WRITER = WriterProperties(compression="LZ4_RAW")


class DeltaLake(LakeReader):
    """A lake of one chain; a folder is made on the first commit. Raises RefusedForSafety for a lake of another chain."""

    def __init__(self, place: Place, genesis_hash: str, *, commits_per_compaction: int = COMMITS_PER_COMPACTION) -> None:
        super().__init__(LakeStore(place, genesis_hash))
        self._commits_per_compaction = commits_per_compaction
        self._cursors: dict[Wallet, Cursor] = {}
        self._learned_to: dict[Wallet, Slot] = {}
        self._cursors_as_of = _NEVER_READ
        self._is_exclusive = False

    async def cursors(self) -> Mapping[Wallet, Cursor]:
        return dict(await self._run(lambda: self._known_cursors(self._table())))

    async def venue_cursor(self, venue: Address) -> Slot | None:
        def read() -> Slot | None:
            table = self._table()
            version = None if table is None else table.transaction_version(_VENUE + venue)
            return None if version is None else Slot(version)

        return await self._run(read)

    async def commit(
        self,
        records: Sequence[Record],
        venues: Mapping[Address, Slot],
        learned: Sequence[Learned] = (),
        late: Sequence[Record] = (),
        read_from: Mapping[Wallet, Slot | None] | None = None,
    ) -> int:
        return await self._run(lambda: self._commit(records, venues, learned, late, read_from or {}))

    async def left(self, wallets: Collection[Wallet]) -> Mapping[Wallet, Balances]:
        def read() -> Mapping[Wallet, Balances]:
            table = self._table()
            return left_by([] if table is None else self._learned_of(wallets, table, LEFT_COLUMNS))

        # of every commit while all is remembered
        return await self._run(read) if wallets else {}

    async def behind(self, records: Sequence[Record]) -> list[Record]:
        """Those that commit would leave out although they are not in the lake: older than what it has of their wallet."""
        return await self._run(lambda: self._behind(records))

    async def newest_slot(self) -> Slot | None:
        cursors = await self.cursors()
        return max((cursor.slot for cursor in cursors.values()), default=None)

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return super()._guarded(work)
        except Unavailable:
            self._cursors_as_of = _NEVER_READ
            raise

    def _known_cursors(self, table: DeltaTable | None) -> dict[Wallet, Cursor]:
        """Read again whenever somebody else has committed."""
        sequence = ingest_number(table)
        if sequence != self._cursors_as_of:
            self._cursors = {} if table is None else _cursors_of(table)
            self._learned_to = {} if table is None else _learned_to(table)
            self._cursors_as_of = sequence
        return self._cursors

    def _commit(
        self,
        records: Sequence[Record],
        venues: Mapping[Address, Slot],
        learned: Sequence[Learned],
        late: Sequence[Record],
        read_from: Mapping[Wallet, Slot | None],
    ) -> int:
        table = self._table() or self._created()
        cursors = self._known_cursors(table)
        self._require_unmoved(read_from, cursors)
        new = [record for record in by_order(records) if record.wallet not in cursors or record.slot > cursors[record.wallet].slot]
        moved = {venue: slot for venue, slot in venues.items() if (table.transaction_version(_VENUE + venue) or -1) < slot}
        told, found = self._not_known(learned, table), self._behind(list(dict.fromkeys(late))) if late else []
        if not new and not moved and not told and not found:
            return 0
        self._require_exclusive()
        sequence = ingest_number(table) + 1
        is_old = schema_version(table) < SCHEMA_VERSION
        transactions = [Transaction(INGEST_TRANSACTION, sequence), *(Transaction(_VENUE + venue, slot) for venue, slot in moved.items())]
        transactions += [Transaction(SCHEMA_TRANSACTION, SCHEMA_VERSION)] if is_old else []
        write_deltalake(
            table,
            table_of([*found, *new], told, self._store.genesis_hash, sequence),
            mode="append",
            schema_mode="merge" if is_old else None,
            writer_properties=_WRITER,
            commit_properties=CommitProperties(app_transactions=transactions),
        )
        self._cursors_as_of = sequence
        cursors.update({record.wallet: Cursor(record.slot, record.signature) for record in new})
        for one in told:
            self._learned_to[one.wallet] = max(one.slots.last, self._learned_to.get(one.wallet, one.slots.last))
        if is_due(table, self._commits_per_compaction):
            compact(table, self._store.files())
        return len(new) + len(found)

    def _require_unmoved(self, read_from: Mapping[Wallet, Slot | None], cursors: Mapping[Wallet, Cursor]) -> None:
        for wallet, slot in read_from.items():
            now = cursors[wallet].slot if wallet in cursors else None
            if now != slot:
                raise Unavailable(f"lake {self._store.place}", f"{wallet} was read from slot {slot}, another commit has it to {now}")

    def _created(self) -> DeltaTable:
        """The table without rows: who makes it has committed nothing yet, so that of two who do at once the commits still collide."""
        DeltaTable.create(
            self._store.uri,
            Schema.from_arrow(SCHEMA),
            mode="ignore",
            name=TABLE_NAME,
            description=self._store.genesis_hash,
            configuration=_CONFIGURATION,
            storage_options=self._store.options,
        )
        self._opened = None
        made = self._table()
        if made is None:
            raise OSError("the table was made and is not there")
        return made

    def _require_exclusive(self) -> None:
        if isinstance(self._store.place, BucketFolder) and not self._is_exclusive:
            require_exclusive_commits(self._store.place)
            self._is_exclusive = True

    def _not_known(self, learned: Sequence[Learned], table: DeltaTable | None) -> list[Learned]:
        """Each once, without those that are kept. The table is asked only about slots that something was learned of before."""
        asked = {one.wallet for one in learned if one.slots.last <= self._learned_to.get(one.wallet, _NEVER_READ)}
        known: set[Learned] = set()
        if asked and table is not None:
            known.update(self._learned_of(asked, table, COVERAGE_COLUMNS))
        return [one for one in dict.fromkeys(learned) if one not in known]

    def _learned_of(self, wallets: Collection[Wallet], table: DeltaTable, columns: list[str]) -> list[Learned]:
        of_theirs = (pc.field("outcome") == COVERAGE) & pc.field("wallet").isin(sorted(wallets))
        return learned_of_rows(dataset_of(table).to_table(columns=columns, filter=of_theirs))

    def _behind(self, records: Sequence[Record]) -> list[Record]:
        table = self._table()
        cursors = self._known_cursors(table)
        older = [record for record in records if record.wallet in cursors and record.slot <= cursors[record.wallet].slot]
        if table is None or not older:
            return []
        of_theirs = pc.field("wallet").isin(sorted({record.wallet for record in older}))
        rows = dataset_of(table).to_table(columns=["wallet", "signature"], filter=of_theirs & pc.field("outcome").isin(list(OUTCOMES)))
        known = set(zip(rows.column("wallet").to_pylist(), rows.column("signature").to_pylist(), strict=True))
        return [record for record in older if (record.wallet, record.signature) not in known]


def _cursors_of(table: DeltaTable) -> dict[Wallet, Cursor]:
    columns = ["wallet", "slot", "transaction_index", "signature"]
    rows = dataset_of(table).to_table(columns=columns, filter=pc.field("outcome").isin(list(OUTCOMES)))
    newest: dict[Wallet, tuple[int, int, str]] = {}
    for wallet, slot, index, signature in zip(*(rows.column(name).to_pylist() for name in columns), strict=True):
        newest[wallet] = max(newest.get(wallet, (-1, -1, "")), (slot, index, signature))
    return {wallet: Cursor(Slot(slot), Signature(signature)) for wallet, (slot, _, signature) in newest.items()}


def _learned_to(table: DeltaTable) -> dict[Wallet, Slot]:
    """The newest slot of which something was learned, by wallet."""
    rows = dataset_of(table).to_table(columns=["wallet", "last_slot"], filter=pc.field("outcome") == COVERAGE)
    newest = rows.group_by("wallet").aggregate([("last_slot", "max")])
    pairs = zip(newest.column("wallet").to_pylist(), newest.column("last_slot_max").to_pylist(), strict=True)
    return {Wallet(wallet): Slot(slot) for wallet, slot in pairs}
