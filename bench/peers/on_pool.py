"""The tasks on the process pool, timed. Started by engines.py as a process of its own."""

import json
import sys
from pathlib import Path

from bench.peers.engines import per_task, timed

from xorj.adapters.lake.leg_files import LegFiles
from xorj.adapters.workers.process_pool import ProcessPool

if __name__ == "__main__":
    files, processes = LegFiles(Path(sys.argv[1])), int(sys.argv[2])
    size = per_task(len(files.buckets()), processes)
    with ProcessPool(processes) as pool:
        seconds, digest = timed(files, pool, size)
    tasks = -(-len(files.buckets()) // size)
    print(json.dumps({"seconds": seconds, "digest": digest, "per_task": seconds * processes / tasks}))
