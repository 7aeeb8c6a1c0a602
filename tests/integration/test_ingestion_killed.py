"""Ingestion killed at seeded moments leaves, once it was let finish, the very table of one that never was. Real processes and kills.

XORJ_INGESTION_KILLS says how often it is killed in all; 50 was asked for, the suite makes do with fewer.
"""

import asyncio
import math
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable
from tests.fakes.ingesting_process import COLLIDED, history
from tests.fakes.localnet_process import ROOT
from tests.fakes.made_swaps import VENUE

from xorj.adapters.lake.delta_lake import DeltaLake
from xorj.primitives.ids import LOCAL_GENESIS
from xorj.swaps.coverage import merged

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("XORJ_INGESTION_KILLS", "12"))
KILLS_PER_LAKE = 4
FINISHES_WITHIN_S = 60.0
LOOKS_EVERY_S = 0.001


class Ingesting:
    """Starts ingestion over and over in a process that has its imports behind it."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.fakes.ingesting_process"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        assert self._line(FINISHES_WITHIN_S) == b"0"

    def run(self, folder: Path) -> None:
        """To its end."""
        self.start(folder)
        assert self.ended() == 0

    def ended(self) -> int:
        """How it came to its end."""
        line = self._line(FINISHES_WITHIN_S)
        assert line is not None, "ingestion has not come to its end"
        return int(line)

    def run_and_kill(self, folder: Path, due: Callable[[], bool]) -> bool:
        """Kills it as soon as it is due. Whether it had not come to its end before."""
        pid = self.start(folder)
        ended = None
        while ended is None and not due():
            ended = self._line(LOOKS_EVERY_S)
        if ended is None:
            os.kill(pid, signal.SIGKILL)
            ended = self._line(FINISHES_WITHIN_S)
        assert ended in (b"0", b"-9"), ended
        return ended == b"-9"

    def start(self, folder: Path) -> int:
        """Says its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{folder}\n".encode())
        return int(self._line(FINISHES_WITHIN_S) or 0)

    def _line(self, within_s: float) -> bytes | None:
        """The next line, None when there is none in time. Nothing is buffered here, so that no line hides from select."""
        stdout = self._process.stdout
        assert stdout is not None
        ready, _, _ = select.select([stdout], [], [], within_s)
        return stdout.readline().strip() if ready else None

    def stop(self) -> None:
        self._process.communicate(timeout=FINISHES_WITHIN_S)


@pytest.fixture
def ingesting() -> Iterator[Ingesting]:
    started = Ingesting()
    yield started
    started.stop()


def rows(folder: Path) -> list[dict[str, Any]]:
    """Every row but those of coverage, and without the number of its commit: what one life commits at once may be two commits of two."""
    order = [(name, "ascending") for name in ("wallet", "slot", "transaction_index", "instruction_index", "outcome", "signature")]
    table = DeltaTable(folder).to_pyarrow_table()
    found: list[dict[str, Any]] = table.filter(pc.not_equal(table["outcome"], "coverage")).drop_columns("ingest").sort_by(order).to_pylist()
    return found


async def known(folder: Path) -> dict[str, object]:
    """What is complete of each wallet, what is not explained, and how far the venue was read."""
    lake = DeltaLake(folder, LOCAL_GENESIS)
    slots = {one: merged(learned.slots for learned in await lake.learned(one)) for one in await lake.cursors()}
    return {"slots": slots, "holes": await lake.open_holes(), "venue": await lake.venue_cursor(VENUE), "cursors": await lake.cursors()}


def version(folder: Path) -> int:
    return DeltaTable(folder).version() if DeltaTable.is_deltatable(str(folder)) else -1


def after(seconds: float) -> Callable[[], bool]:
    due_at = time.monotonic() + seconds
    return lambda: time.monotonic() >= due_at


def in_a_compaction(folder: Path, number: int) -> Callable[[], bool]:
    """When so many more files of compactions lie there: the last of them is written and not yet committed, or just so."""
    there = len(list(folder.glob("clustered-*")))
    return lambda: len(list(folder.glob("clustered-*"))) >= there + number


def unfinished_compactions(folder: Path) -> int:
    """Files that a killed compaction wrote and nobody knows of."""
    if version(folder) < 0:
        return 0
    known_files = {Path(uri).name for uri in DeltaTable(folder).file_uris()}
    return len([one for one in folder.glob("clustered-*") if one.name not in known_files and not _was_removed(folder, one.name)])


def _was_removed(folder: Path, name: str) -> bool:
    return any(f'"remove":{{"path":"{name}"' in log.read_text() for log in (folder / "_delta_log").glob("*.json"))


def test_killed_at_any_moment_the_table_is_the_same_row_for_row(ingesting: Ingesting, tmp_path: Path) -> None:
    began = time.monotonic()
    ingesting.run(tmp_path / "whole")
    takes_s = time.monotonic() - began
    whole, all_known = rows(tmp_path / "whole"), asyncio.run(known(tmp_path / "whole"))
    assert {one["signature"] for one in whole} == {one.signature for one in history()}
    choose, versions_at_kill, killed, unfinished = random.Random(20), [], 0, 0
    for number in range(math.ceil(KILLS / KILLS_PER_LAKE)):
        folder = tmp_path / f"lake {number}"
        for turn in range(KILLS_PER_LAKE):
            # so early that the lives of a lake seldom add up to a whole one
            due = in_a_compaction(folder, choose.randint(1, 2)) if turn % 2 else after(choose.uniform(0.0, takes_s / 3))
            killed += ingesting.run_and_kill(folder, due)
            versions_at_kill.append(version(folder))
            unfinished += unfinished_compactions(folder)
        ingesting.run(folder)
        assert rows(folder) == whole
        assert asyncio.run(known(folder)) == all_known
    # the kills did bite: at many different places of the history, some of them between a compaction's writing and its commit
    assert killed >= KILLS * 3 // 4
    assert len(set(versions_at_kill)) >= KILLS // 3
    assert unfinished > 0


def test_two_ingesters_on_one_lake_leave_the_table_of_one(ingesting: Ingesting, tmp_path: Path) -> None:
    ingesting.run(tmp_path / "whole")
    whole, all_known = rows(tmp_path / "whole"), asyncio.run(known(tmp_path / "whole"))
    other = Ingesting()
    try:
        for one in (ingesting, other):
            one.start(tmp_path / "both")
        ends = {one.ended() for one in (ingesting, other)}
    finally:
        other.stop()
    assert rows(tmp_path / "both") == whole
    assert asyncio.run(known(tmp_path / "both")) == all_known
    # they did get into each other's way
    assert COLLIDED in ends
    assert ends <= {0, COLLIDED}
