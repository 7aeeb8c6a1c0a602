"""Ingestion killed at twenty moments leaves, once it was let finish, the very table of one that never was. Real processes and kills."""

import asyncio
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from tests.fakes.ingesting_process import history
from tests.fakes.localnet_process import ROOT
from tests.fakes.made_swaps import VENUE

from xorj.adapters.lake.delta_lake import DeltaLake
from xorj.primitives.ids import LOCAL_GENESIS

pytestmark = pytest.mark.slow

LAKES, KILLS_PER_LAKE = 5, 4
FINISHES_WITHIN_S = 60.0


class Ingesting:
    """Starts ingestion over and over in a process that has its imports behind it."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.fakes.ingesting_process"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        assert self._line(FINISHES_WITHIN_S) == b"0"

    def run(self, folder: Path, *, killed_after_s: float | None = None) -> bool:
        """Whether it came to its end before the kill."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{folder}\n".encode())
        pid = int(self._line(FINISHES_WITHIN_S) or 0)
        ended = self._line(FINISHES_WITHIN_S if killed_after_s is None else killed_after_s)
        if ended is None:
            assert killed_after_s is not None, "ingestion has not come to its end"
            os.kill(pid, signal.SIGKILL)
            ended = self._line(FINISHES_WITHIN_S)
        assert ended in (b"0", b"-9"), ended
        return ended == b"0"

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
    order = [(name, "ascending") for name in ("wallet", "slot", "transaction_index", "instruction_index", "signature")]
    found: list[dict[str, Any]] = DeltaTable(folder).to_pyarrow_table().sort_by(order).to_pylist()
    return found


def test_killed_at_any_moment_the_table_is_the_same_row_for_row(ingesting: Ingesting, tmp_path: Path) -> None:
    began = time.monotonic()
    assert ingesting.run(tmp_path / "whole")
    takes_s = time.monotonic() - began
    whole = rows(tmp_path / "whole")
    assert {one["signature"] for one in whole} == {one.signature for one in history()}
    choose, versions_at_kill = random.Random(20), []
    for number in range(LAKES):
        folder = tmp_path / f"lake {number}"
        for _ in range(KILLS_PER_LAKE):
            # so early that the lives of a lake seldom add up to a whole one
            ingesting.run(folder, killed_after_s=choose.uniform(0.0, takes_s / 3))
            versions_at_kill.append(DeltaTable(folder).version() if DeltaTable.is_deltatable(str(folder)) else -1)
        assert ingesting.run(folder)
        assert rows(folder) == whole
        lakes = [DeltaLake(one, LOCAL_GENESIS) for one in (folder, tmp_path / "whole")]
        cursors = [asyncio.run(lake.venue_cursor(VENUE)) for lake in lakes]
        assert cursors[0] == cursors[1]
    # the kills did bite: at many different places of the history
    assert len(set(versions_at_kill)) >= LAKES * KILLS_PER_LAKE // 3
