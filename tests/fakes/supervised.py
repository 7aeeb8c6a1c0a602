"""`xorj up` with tiny services in place of the real ones: `python -m tests.fakes.supervised FOLDER PLAN`, PLAN in JSON.

With a third argument it is `xorj up --detach`.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
from tests.fakes.eventually import eventually

from xorj.supervisor.data_folder import DataFolder, Phase, Running
from xorj.supervisor.process import HttpReady, Process

ROOT = Path(__file__).resolve().parents[2]
SERVICE = Path(__file__).with_name("fake_service.py")


def service(name: str, port: int, *options: str, needs: tuple[str, ...] = ()) -> Process:
    command = (sys.executable, str(SERVICE), str(port), *options)
    return Process(name, command, needs, HttpReady(f"http://127.0.0.1:{port}/readyz"), ports=(port,))


def one_shot(name: str, code: str, needs: tuple[str, ...] = ()) -> Process:
    return Process(name, (sys.executable, "-c", code), needs, one_shot=True)


def up_command(folder: Path, processes: list[Process], *, database: bool = False) -> list[str]:
    """What `xorj up` would be with these processes."""
    plan = [
        {**{key: getattr(one, key) for key in ("name", "command", "needs", "one_shot", "ports")}, "url": one.ready and one.ready.url}
        for one in processes
    ]
    return [sys.executable, "-m", "tests.fakes.supervised", str(folder), json.dumps({"processes": plan, "database": database})]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}


class Up:
    """A running `up`: started on entering, killed on leaving with what it should have ended itself."""

    def __init__(self, folder: Path, processes: list[Process], *, database: bool = False) -> None:
        self.folder, self._command = folder, up_command(folder, processes, database=database)

    def __enter__(self) -> "Up":
        self.process = subprocess.Popen(
            self._command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=30)

    def ready(self) -> Running:
        """Waits until it serves."""

        def serving() -> Running | None:
            running = DataFolder(self.folder).running()
            assert self.process.poll() is None, self.process.communicate()
            return running if running is not None and running.phase is Phase.READY else None

        return eventually(serving, "everything is ready") or self.ready()

    def family(self) -> list[psutil.Process]:
        """All that it started, children's children too."""
        return psutil.Process(self.process.pid).children(recursive=True)


def pids_in(log: Path) -> list[int]:
    return [int(found) for found in re.findall(r"pid=(\d+)", log.read_text())]


def main(folder: str, plan: str, *detach: str) -> None:
    from xorj.cli import operate
    from xorj.cli.app import _explained
    from xorj.primitives.errors import XorjError

    wanted: dict[str, Any] = json.loads(plan)
    processes = [
        Process(
            one["name"],
            tuple(one["command"]),
            tuple(one["needs"]),
            one["url"] and HttpReady(one["url"]),
            one["one_shot"],
            tuple(one["ports"]),
        )
        for one in wanted["processes"]
    ]
    try:
        if detach:
            operate.start_detached(DataFolder(Path(folder)), [sys.executable, "-m", "tests.fakes.supervised", folder, plan])
            return
        operate.stay(DataFolder(Path(folder)), processes, address="http://fake/", port_offset=0, embedded_database=wanted["database"])
    except XorjError as error:
        sys.exit(_explained(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
