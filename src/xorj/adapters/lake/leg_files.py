"""Legs as Parquet files, one a bucket, beside one price table. Implements LegReader; written from a lake, or by a bench.

A file is sorted by (wallet, token, swap), as one row group. Times, quantities and values are kept as they are: LZ4 takes a twentieth off
them and a fifth of the reading time on; the numbers of swaps it makes a third smaller. ZSTD is read in more than twice the time.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from xorj.adapters.lake.rows import bucket_of
from xorj.performance.columns import Legs, Marks
from xorj.performance.legs import TYPES
from xorj.performance.ports import PriceTable
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Wallet

_MARKS, _AS_OF = "marks.parquet", b"as_of"
_BUCKET = "bucket-{:03d}.parquet"
_NAMES = "wallets-{:03d}.parquet"
# without a dictionary, and those of them that hardly compress
_PLAIN = ("swap", "time", "quantity", "value", "prices")
_AS_THEY_ARE = ("time", "quantity", "value")


@dataclass(frozen=True, slots=True)
class LegFiles:
    """The legs in a folder."""

    folder: Path

    def buckets(self) -> Sequence[int]:
        return sorted(int(path.stem.removeprefix("bucket-")) for path in self.folder.glob("bucket-*.parquet"))

    def legs(self, bucket: int) -> Legs:
        table = self._read(_BUCKET.format(bucket))
        return Legs(*(_whole(table.column(name)).to_numpy(zero_copy_only=False) for name in Legs._fields))

    def expect(self, bucket: int) -> None:
        """Lets the system read the file ahead. Not every one can, and whether the file can be read at all is for `legs` to say."""
        if not hasattr(os, "posix_fadvise"):
            return
        with suppress(OSError):
            file = os.open(self.folder / _BUCKET.format(bucket), os.O_RDONLY)
            try:
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_WILLNEED)
            finally:
                os.close(file)

    def price_table(self) -> PriceTable:
        table = self._read(_MARKS)
        rows = [table.column(name).to_numpy() for name in ("first_day", "count")]
        offset = np.cumsum(rows[1]) - rows[1]
        prices = table.column("prices").combine_chunks().flatten().to_numpy()
        return PriceTable(Marks(rows[0], offset, prices), int(table.schema.metadata[_AS_OF]))

    def wallets(self, bucket: int) -> list[Wallet]:
        """The addresses that the bucket's wallet numbers stand for."""
        return [Wallet(name) for name in self._read(_NAMES.format(bucket)).column("wallet").to_pylist()]

    def bucket_of(self, wallet: Wallet) -> int:
        return bucket_of(wallet)

    def clear(self) -> None:
        """Removes the files that this writes, and no other."""
        for pattern in (_MARKS, "bucket-*.parquet", "wallets-*.parquet"):
            for path in self.folder.glob(pattern):
                path.unlink()

    def write_bucket(self, bucket: int, legs: Legs, wallets: Sequence[Wallet] = ()) -> None:
        """Replaces a bucket; the columns become those of TYPES."""
        self.folder.mkdir(parents=True, exist_ok=True)
        arrays = [np.asarray(column).astype(kind, copy=False) for column, kind in zip(legs, TYPES, strict=True)]
        # what may be missing is read in nearly twice the time of what may not
        fields = [pa.field(name, pa.from_numpy_dtype(kind), nullable=False) for name, kind in zip(Legs._fields, TYPES, strict=True)]
        self._write(_BUCKET.format(bucket), pa.table(arrays, schema=pa.schema(fields)))
        if wallets:
            self._write(_NAMES.format(bucket), pa.table({"wallet": list(wallets)}))

    def write_price_table(self, table: PriceTable) -> None:
        """Replaces the price table."""
        self.folder.mkdir(parents=True, exist_ok=True)
        marks = table.marks
        ends = np.append(marks.offset[1:], len(marks.prices)) if len(marks.offset) else np.zeros(0, dtype=np.int64)
        offsets = pa.array(np.append(marks.offset, len(marks.prices)).astype(np.int32))
        prices = pa.ListArray.from_arrays(offsets, pa.array(marks.prices))
        columns = pa.table({"first_day": marks.first_day, "count": ends - marks.offset, "prices": prices})
        self._write(_MARKS, columns.replace_schema_metadata({_AS_OF: str(table.as_of)}))

    def _write(self, name: str, table: pa.Table) -> None:
        try:
            self._write_table(name, table)
        except (OSError, pa.ArrowException) as error:
            raise Unavailable(f"legs {self.folder / name}", str(error).splitlines()[0]) from error

    def _write_table(self, name: str, table: pa.Table) -> None:
        dictionary = [one for one in table.schema.names if one not in _PLAIN]
        compression = {one: "none" if one in _AS_THEY_ARE else "lz4" for one in table.schema.names}
        pq.write_table(table, self.folder / name, compression=compression, row_group_size=max(1, len(table)), use_dictionary=dictionary)

    def _read(self, name: str) -> pa.Table:
        try:
            # by read_table each column would come in pieces, to be joined by a copy
            with pq.ParquetFile(self.folder / name, memory_map=True) as file:
                return file.read(use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise Unavailable(f"legs {self.folder / name}", str(error).splitlines()[0]) from error


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece, without a copy where it is one already."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
