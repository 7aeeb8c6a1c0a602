"""The tasks on a local Ray, timed, and one whose worker is killed. Started by engines.py in the peers' environment."""

import json
import os
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path

from bench.peers.engines import per_task, timed

from xorj.adapters.lake.leg_files import LegFiles
from xorj.adapters.workers.ray_cluster import RayCluster


def kills_its_worker_once(mark: Path, item: int) -> int:
    """Doubles the item; the first time it dies instead, as if the machine had gone."""
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item * 2


def main(folder: Path, processes: int) -> dict[str, object]:
    files = LegFiles(folder)
    with RayCluster(None, processes=processes) as ray, tempfile.TemporaryDirectory() as temporary:
        seconds, digest = timed(files, ray, per_task(len(files.buckets()), processes))
        again = list(ray.map(partial(kills_its_worker_once, Path(temporary) / "killed"), [1, 2, 3]))
    return {"seconds": seconds, "digest": digest, "killed_worker_retried": again == [2, 4, 6]}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]))))
