"""Books whose process is killed at any moment go on to the bit: with the snapshot that it left, and what was committed after that."""

import asyncio
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.following_process import followed
from tests.fakes.localnet_process import ROOT

from xorj.adapters.lake.book_file import BookFile
from xorj.adapters.lake.delta_lake import DeltaLake
from xorj.performance.book_bytes import unpacked
from xorj.performance.compute_performance import compute_performance
from xorj.performance.live_books import LiveBooks
from xorj.primitives.ids import LOCAL_GENESIS

pytestmark = pytest.mark.slow

KILLS, SLOTS_MAX, ENDS_WITHIN_S = 4, 8, 30.0
KILLED_WITHIN_S = 0.05


def killed_while_it_follows(folder: Path, seed: int) -> int:
    """The last slot that it said to have put away."""
    choose = random.Random(seed)
    command = [sys.executable, "-m", "tests.fakes.following_process", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(choose.randrange(1, SLOTS_MAX)):
            told = process.stdout.readline()
        try:
            process.wait(choose.uniform(0, KILLED_WITHIN_S))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        assert process.wait(ENDS_WITHIN_S) == -signal.SIGKILL
    return int(told)


def whole(books: LiveBooks) -> list[tuple[object, ...]]:
    return [books.book(one) for one in books.wallets]


def test_killed_at_any_moment_the_books_go_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    for seed in range(KILLS):
        slot = killed_while_it_follows(tmp_path, seed)
        content = asyncio.run(BookFile(tmp_path / "books.snapshot").load())
        lake = followed(tmp_path)
        snapshot = unpacked(content or b"", asyncio.run(DeltaLake(tmp_path / "lake", LOCAL_GENESIS).identity()))
        assert snapshot is not None
        assert snapshot.newest is not None
        assert snapshot.newest[0].slot >= slot
        swaps = asyncio.run(lake.swaps())
        assert sorted(one.order.slot for one in swaps) == list(range(1, max(one.order.slot for one in swaps) + 1))
        straight, again = LiveBooks(), LiveBooks.restored(snapshot)
        assert straight.take(swaps)
        assert again.take([one for one in swaps if one.order.slot > snapshot.newest[0].slot])
        assert whole(again) == whole(straight)
        assert asyncio.run(lake.report()) == asyncio.run(compute_performance(DeltaLake(tmp_path / "lake", LOCAL_GENESIS)))
        assert asyncio.run(lake.differing()) == ()
