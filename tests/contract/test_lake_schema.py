"""Schema versions of the lake: an older one is read and brought up to date by its next commit, a newer one is refused."""

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.writer import write_deltalake
from tests.fakes.made_swaps import UNREADABLE, VENUE, record, swap, told, wallet

from xorj.adapters.lake.compaction import compact
from xorj.adapters.lake.delta_lake import DeltaLake
from xorj.adapters.lake.rows import table_of
from xorj.adapters.lake.store import SCHEMA_VERSION, LakeStore, schema_version
from xorj.primitives.errors import RefusedForSafety, Unavailable
from xorj.primitives.ids import LOCAL_GENESIS, Slot
from xorj.swaps.ports import FROM_THE_FIRST
from xorj.swaps.record import Cursor

FIRST_COLUMNS = [
    *("genesis_hash", "bucket", "wallet", "slot", "transaction_index", "instruction_index", "block_time", "signature", "outcome", "reason"),
    *("input_mint", "input_raw", "input_decimals", "output_mint", "output_raw", "output_decimals"),
    *("network_fee_lamports", "tip_lamports", "programs"),
]
OLD = [
    record("ana", (swap("ana", "9 USDC", "1 SOL", slot=1), swap("ana", "1 SOL", "9 USDC", slot=1, instruction=1)), slot=1),
    record("ben", UNREADABLE, slot=2),
    record("ana", slot=3),
]


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A lake as the first version of its schema wrote it."""
    write_deltalake(
        tmp_path,
        table_of(OLD, [], LOCAL_GENESIS, 1).select(FIRST_COLUMNS),
        mode="append",
        name="swaps",
        description=LOCAL_GENESIS,
        commit_properties=CommitProperties(app_transactions=[Transaction("ingest", 1), Transaction(f"venue:{VENUE}", 3)]),
    )
    return tmp_path


def version(folder: Path) -> int:
    return schema_version(DeltaTable(folder))


async def test_an_older_lake_is_read_as_it_is(first: Path) -> None:
    lake = DeltaLake(first, LOCAL_GENESIS)
    assert await lake.records(wallet("ana")) == [OLD[0], OLD[2]]
    assert len(await lake.swaps()) == 2
    assert (await lake.movements(), await lake.swap_facts(), await lake.open_holes()) == ([], [], {})
    assert await lake.cursors() == {one.wallet: Cursor(one.slot, one.signature) for one in OLD[1:]}
    assert version(first) == 1


async def test_its_next_commit_brings_it_up_to_date_and_loses_nothing(first: Path) -> None:
    lake, new = DeltaLake(first, LOCAL_GENESIS), told("ana", slot=5, through=VENUE)
    assert await lake.commit([*OLD, new], {VENUE: Slot(5)}) == 1
    assert version(first) == SCHEMA_VERSION
    again = DeltaLake(first, LOCAL_GENESIS)
    assert await again.records(wallet("ana")) == [OLD[0], OLD[2], new]
    assert (await again.version(), await again.venue_cursor(VENUE)) == (2, 5)
    assert await (await again.at_version(1)).records(wallet("ana")) == [OLD[0], OLD[2]]
    assert len(await again.swaps_of_commits(FROM_THE_FIRST, 1)) == 2
    assert [one.order.slot for one in await again.swaps_of_commits(1, 2)] == [5]


async def test_it_can_be_compacted_then(first: Path) -> None:
    await DeltaLake(first, LOCAL_GENESIS).commit([told("ana", slot=5)], {})
    store = LakeStore(first, LOCAL_GENESIS)
    table = store.table()
    assert table is not None
    assert compact(table, store.files())
    assert [one.slot for one in await DeltaLake(first, LOCAL_GENESIS).records(wallet("ana"))] == [1, 3, 5]


async def test_a_lake_of_a_newer_schema_is_neither_read_nor_written(tmp_path: Path) -> None:
    await DeltaLake(tmp_path, LOCAL_GENESIS).commit([record("ana", slot=1)], {})
    newer = CommitProperties(app_transactions=[Transaction("schema", SCHEMA_VERSION + 1)])
    table = DeltaTable(tmp_path)
    table.create_write_transaction([], "append", table.schema(), commit_properties=newer)
    lake = DeltaLake(tmp_path, LOCAL_GENESIS)
    with pytest.raises(RefusedForSafety, match=f"has schema {SCHEMA_VERSION + 1}, this version of XORJ knows {SCHEMA_VERSION}"):
        await lake.swaps()
    with pytest.raises(RefusedForSafety, match="a newer one has written it"):
        await lake.commit([record("ana", slot=2)], {})


async def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    write_deltalake(tmp_path, pa.table({"wallet": ["ana"]}), description=LOCAL_GENESIS)
    with pytest.raises(Unavailable, match="not a lake of swaps: it has no genesis_hash"):
        await DeltaLake(tmp_path, LOCAL_GENESIS).swaps()
