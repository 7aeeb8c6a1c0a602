"""Compaction of the lake: the same rows in few sorted files, whoever else commits, compacts or dies meanwhile."""

import os
import time
from collections.abc import Sequence
from itertools import pairwise
from math import log2
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.made_swaps import VENUE, record, told

from xorj.adapters.lake.compaction import COMMITS_PER_COMPACTION, File, Sizes, compact, files_of, is_due, to_merge
from xorj.adapters.lake.delta_lake import DeltaLake
from xorj.adapters.lake.reader import dataset_of
from xorj.adapters.lake.rows import bucket_of
from xorj.adapters.lake.store import LakeStore
from xorj.primitives.ids import LOCAL_GENESIS, Slot, Wallet

SMALL = Sizes(file_rows_min=20, rows_in_memory_max=50)
NAMES = [f"wallet {number}" for number in range(12)]


def store(folder: Path) -> LakeStore:
    return LakeStore(folder, LOCAL_GENESIS)


def opened(folder: Path) -> DeltaTable:
    table = store(folder).table()
    assert table is not None
    return table


async def filled(folder: Path, slots: Sequence[int]) -> DeltaLake:
    """Each name trades in each slot, one commit a slot."""
    lake = DeltaLake(folder, LOCAL_GENESIS)
    for slot in slots:
        await lake.commit([told(who, slot=slot, index=at, through=VENUE) for at, who in enumerate(NAMES)], {VENUE: Slot(slot)})
    return lake


def rows(folder: Path) -> list[dict[str, Any]]:
    keys = ("wallet", "slot", "transaction_index", "instruction_index", "outcome", "signature")
    found: list[dict[str, Any]] = dataset_of(opened(folder)).to_table().sort_by([(key, "ascending") for key in keys]).to_pylist()
    return found


def least_bucket(fragment: ds.Fragment) -> int:
    return int(pc.min(fragment.to_table(columns=["bucket"]).column("bucket")).as_py())


async def test_the_rows_are_the_same_and_each_bucket_stands_sorted_in_one_file(tmp_path: Path) -> None:
    lake = await filled(tmp_path, range(1, 9))
    before, swaps = rows(tmp_path), await lake.swaps()
    assert compact(opened(tmp_path), store(tmp_path).files(), SMALL)
    assert rows(tmp_path) == before
    assert await DeltaLake(tmp_path, LOCAL_GENESIS).swaps() == swaps
    buckets: list[int] = []
    fragments = list(dataset_of(opened(tmp_path)).get_fragments())
    assert len(fragments) > 3
    for fragment in sorted(fragments, key=least_bucket):
        of_file = fragment.to_table().to_pylist()
        order = [(one["bucket"], one["wallet"], one["token"], one["slot"], one["transaction_index"]) for one in of_file]
        assert order == sorted(order)
        buckets += sorted({one["bucket"] for one in of_file})
    assert buckets == sorted({bucket_of(Wallet(one["wallet"])) for one in before})


async def test_whoever_asks_for_a_bucket_opens_its_file_alone(tmp_path: Path) -> None:
    await filled(tmp_path, range(1, 9))
    compact(opened(tmp_path), store(tmp_path).files(), SMALL)
    table = opened(tmp_path)
    asked = bucket_of(Wallet(rows(tmp_path)[0]["wallet"]))
    least, most = (table.get_add_actions(flatten=True).column(f"{end}.bucket").to_pylist() for end in ("min", "max"))
    assert sum(low <= asked <= high for low, high in zip(least, most, strict=True)) == 1
    assert len(list(dataset_of(table).get_fragments(filter=pc.field("bucket") == asked))) == 1


async def test_an_ingester_commits_while_another_process_compacts(tmp_path: Path) -> None:
    lake = await filled(tmp_path, range(1, 4))
    about_to_compact = opened(tmp_path)
    await lake.commit([record("ana", slot=9)], {VENUE: Slot(9)})
    before = rows(tmp_path)
    assert compact(about_to_compact, store(tmp_path).files(), SMALL)
    assert rows(tmp_path) == before
    assert await DeltaLake(tmp_path, LOCAL_GENESIS).venue_cursor(VENUE) == 9


async def test_of_two_compactions_at_once_one_is_without_effect(tmp_path: Path) -> None:
    await filled(tmp_path, range(1, 4))
    first, second = opened(tmp_path), opened(tmp_path)
    before = rows(tmp_path)
    assert compact(first, store(tmp_path).files(), SMALL)
    assert not compact(second, store(tmp_path).files(), SMALL)
    assert rows(tmp_path) == before


async def test_an_older_state_stays_readable_while_a_reader_may_hold_it(tmp_path: Path) -> None:
    await filled(tmp_path, range(1, 4))
    held = dataset_of(opened(tmp_path))
    before = held.count_rows()
    compact(opened(tmp_path), store(tmp_path).files(), SMALL)
    assert held.to_table().num_rows == before


async def test_what_a_killed_writer_left_behind_is_removed_once_nobody_can_be_using_it(tmp_path: Path) -> None:
    await filled(tmp_path, range(1, 4))
    old, young = tmp_path / "clustered-000000000002-left.parquet", tmp_path / "part-left.parquet"
    for left, hours in ((old, 2), (young, 0)):
        left.write_bytes(b"half")
        past_s = time.time() - hours * 3_600
        os.utime(left, (past_s, past_s))
    compact(opened(tmp_path), store(tmp_path).files(), SMALL)
    assert (old.exists(), young.exists()) == (False, True)


async def test_it_is_due_after_so_many_commits_of_whichever_process(tmp_path: Path) -> None:
    lake = DeltaLake(tmp_path, LOCAL_GENESIS)
    for slot in range(1, COMMITS_PER_COMPACTION):
        await lake.commit([record("ana", slot=slot)], {})
    assert is_due(opened(tmp_path)) is False
    await DeltaLake(tmp_path, LOCAL_GENESIS).commit([record("ana", slot=500)], {})
    assert [file.run for file in files_of(opened(tmp_path))] == [COMMITS_PER_COMPACTION]


@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=60))
def test_a_row_is_written_again_at_most_as_often_as_the_history_doubles(commits: list[int]) -> None:
    runs: list[File] = []
    written = 0
    for number, rows_committed in enumerate(commits, 1):
        tail = File("part", rows_committed, None)
        chosen = to_merge([tail, *runs])
        assert tail in chosen
        merged = sum(file.rows for file in chosen)
        written += merged
        runs = [*(run for run in runs if run not in chosen), File("clustered", merged, number)]
    in_all = sum(commits)
    assert sum(run.rows for run in runs) == in_all
    newest_first = sorted(runs, key=lambda run: -(run.run or 0))
    assert all(older.rows > newer.rows for newer, older in pairwise(newest_first))
    assert written <= in_all * (2 + log2(in_all))
