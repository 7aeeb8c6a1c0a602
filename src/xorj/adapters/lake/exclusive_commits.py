"""Whether a store really lets one of two writers make an object. Asked once a process before it commits to a bucket.

Two ingesters that commit at once are told apart by a conditional put of the log's next entry. A store that does not know the condition, or
looks first and writes then, accepts both, and the second silently replaces the first one's rows: such a store must not hold a lake.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from uuid import uuid4

from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import CommitFailedError

from xorj.adapters.lake.place import BucketFolder
from xorj.primitives.errors import RefusedForSafety

ROUNDS = 8
WRITERS = 4
_SCHEMA = Schema.from_json('{"type": "struct", "fields": [{"name": "a", "type": "long", "nullable": true, "metadata": {}}]}')


def require_exclusive_commits(place: BucketFolder) -> None:
    """Lets writers race for the next entry of a log of its own in the lake's folder. Raises RefusedForSafety when two of them got it."""
    name = f"_probe-{uuid4()}"
    probe = replace(place, url=f"{place.url.rstrip('/')}/{name}")
    DeltaTable.create(probe.url, _SCHEMA, storage_options=probe.options)
    try:
        tables = [DeltaTable(probe.url, storage_options=probe.options) for _ in range(WRITERS)]
        with ThreadPoolExecutor(WRITERS) as pool:
            won = [_winners(tables, number, pool) for number in range(ROUNDS)]
    finally:
        place.files().delete_dir(name)
    if any(count != 1 for count in won):
        raise RefusedForSafety(
            f"the store of {place} let {max(won)} of {WRITERS} writers make the same object: two ingesters would lose rows; "
            "use one whose conditional puts (If-None-Match: *) are atomic"
        )


def _winners(tables: Sequence[DeltaTable], number: int, pool: ThreadPoolExecutor) -> int:
    """How many writers, all at the newest version, commit what only one of them may."""
    together = Barrier(WRITERS)
    marked = CommitProperties(app_transactions=[Transaction("probe", number)])

    def commit(table: DeltaTable) -> bool:
        table.update_incremental()
        together.wait()
        try:
            table.create_write_transaction([], "append", _SCHEMA, commit_properties=marked)
        except CommitFailedError:
            return False
        return True

    return sum(pool.map(commit, tables))
