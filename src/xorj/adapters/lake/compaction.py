"""Many small files to few sorted ones. Used by delta_lake.py after so many commits.

A commit writes one file, whatever buckets its rows are of: 256 files a commit would make a small lake slow. Compaction merges what came
since into a run: sorted by (bucket, wallet, token, order) and cut into files between buckets, so that its statistics lead every engine
that asks for a bucket to its file. A run is merged with the one before it once it is as large: so a row is written again at most as often
as the history doubles, and as few runs are there.

Rows are moved, never changed. Two compactions collide on the application transaction `compaction`, whose version is the number of the
newest commit that was merged; an ingester may commit meanwhile.
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs as fs
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction

from xorj.adapters.lake.reader import dataset_of
from xorj.adapters.lake.rows import BUCKETS
from xorj.adapters.lake.store import COMPACTION_TRANSACTION, STATISTICS_COLUMNS, ingest_number

COMMITS_PER_COMPACTION = 64
KEEP_OLD_FILES_HOURS = 1
ROW_GROUP_ROWS = 65_536
_CLUSTERED = "clustered-"
_SORTED_BY = ("bucket", "wallet", "token", "slot", "transaction_index", "instruction_index", "outcome", "signature")


@dataclass(frozen=True, slots=True)
class Sizes:
    """A file is cut after the bucket that fills it; what is sorted at once fits in memory, but for a bucket that is larger alone."""

    file_rows_min: int = 65_536
    rows_in_memory_max: int = 1_000_000


SIZES = Sizes()


@dataclass(frozen=True, slots=True)
class File:
    """A data file of the table. `run` is the number of the compaction that wrote it, None of a commit's."""

    path: str
    rows: int
    run: int | None


def is_due(table: DeltaTable, commits: int = COMMITS_PER_COMPACTION) -> bool:
    """Whether so much was committed since the last compaction, by whichever process."""
    return ingest_number(table) - (table.transaction_version(COMPACTION_TRANSACTION) or 0) >= commits


def compact(table: DeltaTable, folder: fs.FileSystem, sizes: Sizes = SIZES) -> bool:
    """Merges what is worth it, then removes what nobody can be reading any more. False when another process compacted meanwhile.

    `folder` is the table's, for writing.
    """
    number = ingest_number(table)
    chosen = to_merge(files_of(table))
    rows_in_all = sum(file.rows for file in chosen)
    dataset = dataset_of(table, {file.path for file in chosen})
    added = [_written(rows, number, folder) for rows in _sorted_parts(dataset, rows_in_all, sizes)]
    now_ms = time.time_ns() // 1_000_000
    removed = [RemoveAction(file.path, data_change=False, deletion_timestamp=now_ms) for file in chosen]
    marked = CommitProperties(app_transactions=[Transaction(COMPACTION_TRANSACTION, number)])
    try:
        table.create_write_transaction([*added, *removed], "append", table.schema(), commit_properties=marked)
    except CommitFailedError:
        return False
    table.update_incremental()
    table.create_checkpoint()
    table.cleanup_metadata()
    # whole, so that what a killed compaction or commit left behind goes too
    table.vacuum(retention_hours=KEEP_OLD_FILES_HOURS, enforce_retention_duration=False, dry_run=False, full=True)
    return True


def files_of(table: DeltaTable) -> list[File]:
    actions = pa.table(table.get_add_actions())
    pairs = zip(actions.column("path").to_pylist(), actions.column("num_records").to_pylist(), strict=True)
    return [File(path, rows, _run_of(path)) for path, rows in pairs]


def to_merge(files: Sequence[File]) -> list[File]:
    """All files of commits, and of the runs, newest first, those that have no more rows than what is merged already."""
    chosen = [file for file in files if file.run is None]
    rows = sum(file.rows for file in chosen)
    runs = sorted((file for file in files if file.run is not None), key=lambda file: -(file.run or 0))
    for _, of_run in groupby(runs, key=lambda file: file.run):
        run = list(of_run)
        run_rows = sum(file.rows for file in run)
        if run_rows > rows:
            break
        chosen += run
        rows += run_rows
    return chosen


def _run_of(path: str) -> int | None:
    return int(path.removeprefix(_CLUSTERED).split("-", 1)[0]) if path.startswith(_CLUSTERED) else None


def _sorted_parts(dataset: ds.Dataset, rows_in_all: int, sizes: Sizes) -> Iterator[pa.Table]:
    """What each new file is to hold, as few buckets in memory at once as the limit wants."""
    ranges: Iterable[tuple[int, int]] = [(0, BUCKETS - 1)]
    if rows_in_all > sizes.rows_in_memory_max:
        ranges = _ranges(_counts(dataset.to_table(["bucket"])), sizes.rows_in_memory_max)
    for first, last in ranges:
        wanted = (pc.field("bucket") >= first) & (pc.field("bucket") <= last)
        rows = dataset.to_table(filter=wanted).sort_by([(name, "ascending") for name in _SORTED_BY])
        at, counts = 0, _counts(rows)
        for low, high in _ranges(counts, sizes.file_rows_min):
            length = sum(counts[low : high + 1])
            yield rows.slice(at, length)
            at += length


def _counts(rows: pa.Table) -> list[int]:
    """Rows by bucket."""
    counted: list[int] = np.bincount(rows.column("bucket").to_numpy(), minlength=BUCKETS).tolist()
    return counted


def _ranges(counts: Sequence[int], rows_enough: int) -> Iterator[tuple[int, int]]:
    """Ranges of buckets, each closed as soon as it has enough rows."""
    first, rows = 0, 0
    for bucket, count in enumerate(counts):
        rows += count
        if rows >= rows_enough or (rows and bucket == len(counts) - 1):
            yield first, bucket
            first, rows = bucket + 1, 0


def _written(rows: pa.Table, number: int, folder: fs.FileSystem) -> AddAction:
    buffer = pa.BufferOutputStream()
    pq.write_table(rows, buffer, compression="lz4", row_group_size=ROW_GROUP_ROWS)
    content = buffer.getvalue()
    path = f"{_CLUSTERED}{number:012d}-{uuid4()}.parquet"
    with folder.open_output_stream(path) as opened:
        opened.write(content)
    return AddAction(path, content.size, {}, time.time_ns() // 1_000_000, data_change=False, stats=json.dumps(_statistics(rows)))


def _statistics(rows: pa.Table) -> dict[str, object]:
    """What lets a reader leave a file out. Columns without any value have no least and greatest."""
    ends = {name: pc.min_max(rows.column(name)).as_py() for name in STATISTICS_COLUMNS}
    return {
        "numRecords": rows.num_rows,
        "minValues": {name: found["min"] for name, found in ends.items() if found["min"] is not None},
        "maxValues": {name: found["max"] for name, found in ends.items() if found["max"] is not None},
        "nullCount": {name: rows.column(name).null_count for name in STATISTICS_COLUMNS},
    }
