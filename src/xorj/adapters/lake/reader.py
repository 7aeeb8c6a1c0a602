"""The reading side of the lake, as it is or as it was at a version. Implements the readers of xorj.swaps.ports.

A lake's version is the number of its newest commit by an ingester. Rows are only ever added and each carries the number of its commit, so
that any version can be read for ever, whatever compaction and vacuum did to the files.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence, Set
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable

from xorj.adapters.lake.rows import (
    COVERAGE,
    COVERAGE_COLUMNS,
    FACT_COLUMNS,
    MOVEMENT,
    MOVEMENT_COLUMNS,
    OUTCOMES,
    SCHEMA,
    SWAP,
    SWAP_COLUMNS,
    facts_of_rows,
    learned_of_rows,
    movements_of_rows,
    records_of,
    swaps_of,
)
from xorj.adapters.lake.store import LakeStore, ingest_number
from xorj.primitives.errors import InvalidInput, Unavailable
from xorj.primitives.ids import Slot, Wallet
from xorj.swaps.coverage import Hole, Learned, open_holes
from xorj.swaps.pool_hops import SwapFacts
from xorj.swaps.ports import FROM_THE_FIRST
from xorj.swaps.record import Record, WalletMovement
from xorj.swaps.swap import Swap

T = TypeVar("T")

# far less than the hour for which the log is kept
REOPENED_AFTER_S = 600.0


class LakeReader:
    """Reads the newest state, or that of `version` where one is given. Every method raises Unavailable when the lake cannot be used."""

    def __init__(self, store: LakeStore, version: int | None = None) -> None:
        self._store, self._pinned = store, version
        self._one_at_a_time = asyncio.Lock()
        self._opened: DeltaTable | None = None
        self._opened_at = float("-inf")

    async def version(self) -> int:
        """The version that is read, 0 of an empty lake."""
        if self._pinned is not None:
            return self._pinned
        return await self._run(lambda: ingest_number(self._table()))

    async def identity(self) -> str:
        """The id of the table, which each gets when it is made; empty while there is none."""

        def read() -> str:
            table = self._table()
            return "" if table is None else str(table.metadata().id)

        return await self._run(read)

    async def at_version(self, version: int) -> "LakeReader":
        """The lake as it was. Raises InvalidInput for a version that it has not had."""
        newest = await self._run(lambda: ingest_number(self._table()))
        if not 0 <= version <= newest:
            raise InvalidInput("lake version", given=version, rule=f"a version that the lake has had: 0 to {newest}")
        return LakeReader(self._store, version)

    async def swaps(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[Swap]:
        """Every swap at or before `as_of`, sorted by wallet and order key."""
        return await self._run(lambda: swaps_of(self._rows(SWAP_COLUMNS, [SWAP], as_of, wallet)))

    async def swaps_of_commits(self, after: int, until: int) -> list[Swap]:
        """The swaps that came with the commits after version `after` up to version `until`, sorted by wallet and order key."""
        return await self._run(lambda: swaps_of(self._rows(SWAP_COLUMNS, [SWAP], commits=(after, until))))

    async def movements(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[WalletMovement]:
        """Every balance change at or before `as_of`, sorted by wallet and order key."""
        return await self._run(lambda: movements_of_rows(self._rows(MOVEMENT_COLUMNS, [MOVEMENT], as_of, wallet)))

    async def swap_facts(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[tuple[Swap, SwapFacts]]:
        """Every swap at or before `as_of` of which facts are kept, with them, sorted by wallet and order key."""
        return await self._run(lambda: facts_of_rows(self._rows(FACT_COLUMNS, [SWAP], as_of, wallet)))

    async def records(self, wallet: Wallet) -> list[Record]:
        """Everything that is kept of one wallet, oldest first."""
        return await self._run(lambda: records_of(self._rows(SCHEMA.names, [*OUTCOMES, MOVEMENT], None, wallet)))

    async def learned(self, wallet: Wallet) -> list[Learned]:
        """What each commit told of one wallet's coverage, in their order."""
        return await self._run(lambda: learned_of_rows(self._rows(COVERAGE_COLUMNS, [COVERAGE], None, wallet)))

    async def open_holes(self) -> Mapping[Wallet, tuple[Hole, ...]]:
        """The wallets in whose history something is unexplained, with what."""
        return await self._run(self._open_holes)

    async def newest_slot(self) -> Slot | None:
        """The slot of the newest record, None while there is none."""

        def read() -> Slot | None:
            newest = pc.max(self._rows(["slot"], OUTCOMES).column("slot")).as_py()
            return None if newest is None else Slot(newest)

        return await self._run(read)

    async def _run(self, work: Callable[[], T]) -> T:
        """The table is not shared between threads, and what is half done is never seen."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._guarded, work)

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            with self._store.named_failures():
                return work()
        except Unavailable:
            self._opened = None
            raise

    def _table(self) -> DeltaTable | None:
        """The newest version, None while there is none. Only what came since the last time is read, while the log must still have that."""
        if self._opened is None or time.monotonic() - self._opened_at > REOPENED_AFTER_S:
            self._opened, self._opened_at = self._store.table(), time.monotonic()
        else:
            self._opened.update_incremental()
        return self._opened

    def _open_holes(self) -> dict[Wallet, tuple[Hole, ...]]:
        rows = self._rows(COVERAGE_COLUMNS, [COVERAGE])
        holed = set(rows.filter(pc.greater(pc.list_value_length(rows.column("holes")), 0)).column("wallet").to_pylist())
        by_wallet: dict[Wallet, list[Learned]] = {}
        for one in learned_of_rows(rows.filter(pc.is_in(rows.column("wallet"), pa.array(sorted(holed), pa.string())))):
            by_wallet.setdefault(one.wallet, []).append(one)
        return {wallet: holes for wallet, learned in by_wallet.items() if (holes := open_holes(learned))}

    def _rows(
        self,
        columns: Sequence[str],
        outcomes: Sequence[str],
        as_of: Slot | None = None,
        wallet: Wallet | None = None,
        commits: tuple[int, int] | None = None,
    ) -> pa.Table:
        table = self._table()
        if table is None:
            return SCHEMA.empty_table().select(list(columns))
        wanted = pc.field("outcome").isin(list(outcomes))
        after, until = commits or (FROM_THE_FIRST, self._pinned)
        if after != FROM_THE_FIRST:
            wanted &= pc.field("ingest") > after
        if as_of is not None:
            wanted &= pc.field("slot") <= as_of
        if wallet is not None:
            wanted &= pc.field("wallet") == wallet
        rows = dataset_of(table).to_table(columns=[*dict.fromkeys((*columns, "ingest"))], filter=wanted)
        if until is not None:
            # by rows: the statistics of a file without the column say that it has no row of any number, and none without one
            rows = rows.filter(pc.less_equal(pc.fill_null(rows.column("ingest"), 0), until))
        return rows.select(list(columns))


def dataset_of(table: DeltaTable, paths: Set[str] | None = None) -> ds.FileSystemDataset:
    """The rows of the table, or of these files of it, in the lake's schema: columns that an older one has not are null.

    Raises ValueError for a table of other columns.
    """
    found = {field.name for field in table.schema().fields}
    missing = [field.name for field in SCHEMA if not field.nullable and field.name not in found]
    if missing:
        raise ValueError(f"not a lake of swaps: it has no {missing[0]}")
    whole = table.to_pyarrow_dataset(schema=SCHEMA)
    if paths is None:
        return whole
    fragments = [one for one in whole.get_fragments() if one.path in paths]
    if len(fragments) != len(paths):
        raise ValueError(f"{len(paths) - len(fragments)} of {len(paths)} files are not in the table")
    return ds.FileSystemDataset(fragments, SCHEMA, whole.format, whole.filesystem)
