"""Where a lake is, whose chain it is of and which schema it has: opening its Delta table. Used by the lake's reader and writer.

The schema's version is the application transaction `schema` of the table. A lake without one is of version 1: it is read as it is, and
its next commit adds the columns. A newer one is refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.fs as fs
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from xorj.adapters.lake.place import BucketFolder, Place
from xorj.primitives.errors import InvalidInput, RefusedForSafety, Unavailable

TABLE_NAME = "swaps"
SCHEMA_VERSION = 3
SCHEMA_TRANSACTION = "schema"
INGEST_TRANSACTION = "ingest"
COMPACTION_TRANSACTION = "compaction"
STATISTICS_COLUMNS = ("bucket", "wallet", "slot", "outcome", "ingest")


@dataclass(frozen=True, slots=True)
class LakeStore:
    """The table of one chain at a place."""

    place: Place
    genesis_hash: str

    @property
    def uri(self) -> str:
        return str(self.place)

    @property
    def options(self) -> dict[str, str] | None:
        return self.place.options if isinstance(self.place, BucketFolder) else None

    def table(self) -> DeltaTable | None:
        """The newest version, None while there is no table. Raises RefusedForSafety for another chain's or a newer schema."""
        try:
            table = DeltaTable(self.uri, storage_options=self.options)
        except TableNotFoundError:
            return None
        chain = table.metadata().description
        if chain != self.genesis_hash:
            raise RefusedForSafety(f"the lake {self.place} is of the chain {chain}, this process of {self.genesis_hash}")
        version = schema_version(table)
        if version > SCHEMA_VERSION:
            raise RefusedForSafety(
                f"the lake {self.place} has schema {version}, this version of XORJ knows {SCHEMA_VERSION}: a newer one has written it"
            )
        return table

    def files(self) -> fs.FileSystem:
        """The table's folder, for writing data files into it."""
        return self.place.files() if isinstance(self.place, BucketFolder) else fs.SubTreeFileSystem(str(self.place), fs.LocalFileSystem())

    @contextmanager
    def named_failures(self) -> Iterator[None]:
        """Whatever the store raises becomes Unavailable, with the lake's name and the cause."""
        try:
            yield
        except (DeltaError, pa.ArrowException, OSError, ValueError) as error:
            raise Unavailable(f"lake {self.place}", _first_line(error)) from error


def chain_of(place: Place) -> str:
    """The genesis hash of the lake at a place. Raises InvalidInput where there is none, Unavailable where it cannot be read."""
    rule = "a place with a lake; the quant engine and `swaps import` make one"
    if isinstance(place, Path) and not place.is_dir():
        raise InvalidInput("lake", given=str(place), rule=rule)
    try:
        described = DeltaTable(str(place), storage_options=place.options if isinstance(place, BucketFolder) else None).metadata()
    except TableNotFoundError as error:
        raise InvalidInput("lake", given=str(place), rule=rule) from error
    except (DeltaError, OSError, ValueError) as error:
        raise Unavailable(f"lake {place}", _first_line(error)) from error
    if described.name != TABLE_NAME or not described.description:
        raise InvalidInput("lake", given=str(place), rule="a lake of swaps, not another table")
    return str(described.description)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def schema_version(table: DeltaTable) -> int:
    return table.transaction_version(SCHEMA_TRANSACTION) or 1


def ingest_number(table: DeltaTable | None) -> int:
    """The number of the newest commit of an ingester, 0 before the first."""
    return 0 if table is None else table.transaction_version(INGEST_TRANSACTION) or 0
