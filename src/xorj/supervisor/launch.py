"""Takes a data folder, checks the machine, and yields a supervisor that is ready to start. Used by `./xorj up` and by the demo.

It keeps what `./xorj status` reads, and leaves nothing running behind it.
"""

import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil

from xorj.primitives.errors import Unavailable
from xorj.supervisor import ports
from xorj.supervisor.data_folder import DataFolder, Phase, Running, this_process
from xorj.supervisor.log_files import log_file
from xorj.supervisor.postgres import EmbeddedPostgres
from xorj.supervisor.process import Life, Process
from xorj.supervisor.processes import DATABASE, OnChange, Supervisor

DISK_FREE_BYTES_MIN = 512 * 1024 * 1024
REMAINS_TIMEOUT_S = 10.0
POLL_S = 0.05
BIRTH_TOLERANCE_S = 2.0


class Launch:
    """One run of processes on a data folder that this process holds. Made by `launching`."""

    def __init__(self, folder: DataFolder, address: str, port_offset: int) -> None:
        pid, born_s = this_process()
        self._folder, self._saying = folder, threading.Lock()
        self._running = Running(pid, born_s, Phase.STARTING, port_offset, address, {})
        self._on_change: OnChange = lambda _name, _life: None
        self.supervisor: Supervisor

    @property
    def address(self) -> str:
        """Where a person finds the pages."""
        return self._running.address

    @property
    def port_offset(self) -> int:
        return self._running.port_offset

    def start(self, on_change: OnChange = lambda _name, _life: None) -> None:
        """Starts everything; `on_change` is told what happens, from other threads."""
        self._on_change = on_change
        self.supervisor.start()

    def tell(self, phase: Phase, cause: str = "") -> None:
        """Lets `status` know where the whole is."""
        with self._saying:
            self._running = replace(self._running, phase=phase, cause=cause, processes=self.supervisor.lives)
            self._folder.say(self._running)

    def changed(self, name: str, life: Life) -> None:
        """What the supervisor calls. A disk that is full hides the state from `status` and must not end the watching."""
        with suppress(OSError):
            self.tell(self._running.phase, self._running.cause)
        self._on_change(name, life)


@contextmanager
def launching(
    folder: DataFolder,
    processes: list[Process],
    *,
    address: str,
    port_offset: int,
    embedded_database: bool,
    host: str = "127.0.0.1",
    environment: Mapping[str, str] | None = None,
) -> Iterator[Launch]:
    """Yields what is ready to start; on leaving, everything has ended and the folder is free.

    Raises RefusedForSafety for a folder that is in use or not ours, Unavailable for taken ports and a disk that is nearly full.
    """
    folder.adopt()
    lock = folder.lock()
    try:
        _wait_for_remains(folder)
        _require_room(folder.path)
        require_free_ports(processes, host)
        launch = Launch(folder, address, port_offset)
        database = EmbeddedPostgres(folder.postgres, log=log_file(folder.logs, DATABASE)) if embedded_database else None
        told = {"XORJ_DATA_DIR": str(folder.path), "XORJ_PORT_OFFSET": str(port_offset), **(environment or {})}
        told["XORJ_SERVICE_TOKEN_FILE"] = str(folder.secret("service_token"))
        told["XORJ_SESSION_KEY_FILE"] = str(folder.secret("session_key"))
        if database is not None:
            told["XORJ_DATABASE_URL_FILE"] = str(folder.secret("database_url", database.url))
        launch.supervisor = Supervisor(
            processes, logs=folder.logs, environment={**os.environ, **told}, database=database, on_change=launch.changed
        )
        launch.tell(Phase.STARTING)
        try:
            yield launch
        finally:
            with suppress(OSError):
                launch.tell(Phase.STOPPING)
            launch.supervisor.stop()
            with suppress(OSError):
                launch.tell(Phase.STOPPED)
    finally:
        lock.release()


def require_free_ports(processes: list[Process], host: str) -> None:
    """Raises Unavailable naming every port that is taken, and by which process."""
    wanted = {port: process.name for process in processes for port in process.ports}
    taken = ports.taken(wanted, host)
    if taken:
        said = "; ".join(str(one) for one in taken)
        raise Unavailable(f"port {taken[0].port}", f"{said}. End it, or move all ports by another --port-offset")


def _wait_for_remains(folder: DataFolder) -> None:
    """What a killed supervisor left is being ended by its keeper; it still has the ports."""
    said = folder.said()
    deadline = time.monotonic() + REMAINS_TIMEOUT_S
    while said is not None and any(_still_runs(life) for life in said.processes.values()) and time.monotonic() < deadline:
        time.sleep(POLL_S)


def _still_runs(life: Life) -> bool:
    if life.pid is None or life.started_s is None:
        return False
    try:
        process = psutil.Process(life.pid)
        return abs(process.create_time() - life.started_s) < BIRTH_TOLERANCE_S and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _require_room(path: Path) -> None:
    free = shutil.disk_usage(path).free
    if free < DISK_FREE_BYTES_MIN:
        raise Unavailable(
            f"the disk of {path}",
            f"{free // 1024**2} MiB are free, at least {DISK_FREE_BYTES_MIN // 1024**2} are needed; make room or give another --data-dir",
        )
