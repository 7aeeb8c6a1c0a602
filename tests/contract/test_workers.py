"""What every place where tasks run promises: results in order, to the bit those of this process, a killed worker's task run again."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from tests.fakes.made_swaps import record, swap
from tests.fakes.swap_lake import MemoryLake

from xorj.adapters.lake.leg_files import LegFiles
from xorj.adapters.workers.process_pool import DEATHS_MAX, ProcessPool
from xorj.adapters.workers.ray_cluster import RayCluster
from xorj.performance.compute_buckets import compute_buckets
from xorj.performance.compute_legs import compute_legs
from xorj.performance.compute_performance import compute_performance
from xorj.performance.kernel import performances
from xorj.performance.ports import Workers
from xorj.primitives.errors import InvalidInput, Unavailable
from xorj.primitives.ids import Slot
from xorj.swaps.record import Record

Item = TypeVar("Item")
Result = TypeVar("Result")


class HereAndNow:
    """The fake: every task in this process, at once."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        return map(function, items)


RAY = pytest.param("ray", marks=pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'xorj[cluster]'"))


@pytest.fixture(params=["here", "pool", RAY])
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    with ExitStack() as stack:
        if request.param == "here":
            yield HereAndNow()
        elif request.param == "pool":
            yield stack.enter_context(ProcessPool(2))
        else:
            yield stack.enter_context(RayCluster(None, processes=2))


def traders(count: int) -> list[Record]:
    """Each buys and sells SOL and BONK at prices of their own, over some days."""
    made, slot = [], 1
    for at in range(count):
        for day, (gives, gets) in enumerate([("100 USDC", "1 SOL"), ("0.4 SOL", f"{7 + at} BONK"), (f"{5 + at} BONK", f"{50 + at} USDC")]):
            one = swap(f"trader {at}", gives, gets, slot=slot, day=day)
            made.append(record(f"trader {at}", (one,), slot=slot))
            slot += 1
    return made


def twice(item: int) -> int:
    return item * 2


def test_results_come_in_the_order_of_the_items(workers: Workers) -> None:
    assert list(workers.map(twice, range(20))) == [item * 2 for item in range(20)]
    assert list(workers.map(twice, [])) == []


def test_buckets_computed_elsewhere_are_the_wallets_computed_here_to_the_bit(workers: Workers, tmp_path: Path) -> None:
    lake, files = MemoryLake(), LegFiles(tmp_path)
    asyncio.run(lake.commit(traders(30), {}))
    assert asyncio.run(compute_legs(lake, files)) == 90
    found = [
        one
        for done in compute_buckets(files, workers, per_task=8, with_series=True)
        for one in performances(files.wallets(done.bucket), done.figures)
    ]
    report = asyncio.run(compute_performance(lake))
    assert report is not None
    assert sorted(found, key=lambda one: one.wallet) == list(report.wallets)


def test_legs_as_of_a_slot_are_those_until_then(tmp_path: Path) -> None:
    lake, files = MemoryLake(), LegFiles(tmp_path)
    asyncio.run(lake.commit(traders(3), {}))
    assert asyncio.run(compute_legs(lake, files, as_of=Slot(4))) == 4
    assert sum(len(np.unique(files.legs(bucket).wallet)) for bucket in files.buckets()) == 2


def test_to_expect_a_bucket_changes_nothing_and_never_fails(tmp_path: Path) -> None:
    lake, files = MemoryLake(), LegFiles(tmp_path)
    asyncio.run(lake.commit(traders(3), {}))
    asyncio.run(compute_legs(lake, files))
    bucket = files.buckets()[0]
    before = files.legs(bucket)
    files.expect(bucket)
    LegFiles(tmp_path / "nothing").expect(bucket)
    assert all(np.array_equal(one, other) for one, other in zip(before, files.legs(bucket), strict=True))


def dies_once(mark: Path, item: int) -> int:
    """The first that comes here dies as if the machine had gone."""
    if item == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item * 2


def test_the_task_of_a_killed_worker_is_run_again(tmp_path: Path) -> None:
    with ProcessPool(2) as pool:
        assert list(pool.map(partial(dies_once, tmp_path / "died"), range(8))) == [item * 2 for item in range(8)]
        assert list(pool.map(twice, [1])) == [2]
    assert (tmp_path / "died").exists()


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'xorj[cluster]'")
def test_ray_runs_the_task_of_a_killed_worker_again(tmp_path: Path) -> None:
    with RayCluster(None, processes=2) as ray:
        assert list(ray.map(partial(dies_once, tmp_path / "died"), range(8))) == [item * 2 for item in range(8)]
    assert (tmp_path / "died").exists()


def always_dies(item: int) -> int:
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_a_task_that_kills_every_worker_is_given_up() -> None:
    with ProcessPool(1) as pool, pytest.raises(Unavailable, match=f"{DEATHS_MAX + 1} workers died"):
        list(pool.map(always_dies, [1]))


def test_a_cluster_that_is_not_there_is_unavailable_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        # bound and not listening: nobody answers, and nobody else can come there
        with pytest.raises(Unavailable, match=r"Ray at 127\.0\.0\.1"):
            RayCluster(f"127.0.0.1:{taken.getsockname()[1]}")


@pytest.mark.parametrize("address", ["somewhere", "http://127.0.0.1:6379", "127.0.0.1:port", ":6379"])
def test_what_is_no_address_of_a_cluster_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="XORJ_RAY_ADDRESS"):
        RayCluster(address)


def test_what_a_task_raises_comes_back_as_it_was(workers: Workers, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="legs"):
        LegFiles(tmp_path / "nothing").legs(7)
    (tmp_path / "bucket-007.parquet").write_bytes(b"no parquet")
    with pytest.raises(Unavailable, match="legs"):
        list(compute_buckets(LegFiles(tmp_path), workers))
