"""The folder of everything that one XORJ keeps: whose it is, where things are in it, what runs on it. Used by cli/operate and demo.

A folder is ours by the marker file that `adopt` writes into an empty one; only such a folder is ever emptied.
"""

import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from pathlib import Path

import psutil

from xorj.primitives.errors import InvalidInput, RefusedForSafety, Unavailable
from xorj.supervisor.lock import HeldLock, is_held
from xorj.supervisor.process import Life, ProcessState
from xorj.supervisor.runtime_folder import private_folder, runtime_folder

MARKER = "xorj.json"
LAYOUT = 1
# what processes that run alone may have made before `up` saw the folder
KNOWN = frozenset({MARKER, "postgres", "localnet", "lake", "logs", "run", "keys"})
BIRTH_TOLERANCE_S = 1.0


class Phase(Enum):
    """Where the whole is in its life."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Running:
    """What a supervisor says of itself: its process, where its pages are, and its processes."""

    pid: int
    born_s: float
    phase: Phase
    port_offset: int
    address: str
    processes: Mapping[str, Life]
    cause: str = ""

    @property
    def is_alive(self) -> bool:
        """True while that very process runs; its number alone may have been given out again."""
        try:
            process = psutil.Process(self.pid)
            return abs(process.create_time() - self.born_s) < BIRTH_TOLERANCE_S and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The paths in one folder."""

    path: Path

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def sockets(self) -> Path:
        """`run`, or a short folder for it where a unix socket's path would be too long."""
        return runtime_folder(self.run)

    def adopt(self) -> None:
        """Makes the folder ours, with what stands in it.

        Raises RefusedForSafety for one that holds something else, Unavailable for one that this user may not write.
        """
        try:
            self.require_adoptable()
            if not self.path.exists():
                self.path.mkdir(mode=0o700, parents=True)
                if os.geteuid() == 0:
                    # where root has no user namespaces PostgreSQL runs as another account, which has to pass; it cannot look around
                    self.path.chmod(0o711)
            if not self.is_ours:
                (self.path / MARKER).write_text(json.dumps({"made_by": "xorj", "layout": LAYOUT}) + "\n")
            for folder in (self.logs, self.keys, self.run, self.sockets):
                private_folder(folder)
        except OSError as error:
            raise Unavailable(f"the data folder {self.path}", f"{error.filename}: {error.strerror}") from error

    def require_adoptable(self) -> None:
        """Raises what `adopt` would raise, and changes nothing."""
        if self.path.exists() and not self.path.is_dir():
            raise InvalidInput("--data-dir", given=str(self.path), rule="a folder")
        if self.path.exists() and not self.is_ours:
            strange = sorted({entry.name for entry in self.path.iterdir()} - KNOWN)
            if strange:
                raise RefusedForSafety(f"{self.path} holds {', '.join(strange[:3])}, which XORJ did not make; give an empty or new folder")

    @property
    def is_ours(self) -> bool:
        try:
            found = json.loads((self.path / MARKER).read_text())
        except (OSError, ValueError):
            return False
        return isinstance(found, dict) and found.get("made_by") == "xorj"

    def lock(self) -> HeldLock:
        """Held by the one supervisor of the folder. Raises RefusedForSafety naming the other one."""
        return HeldLock(self.run / "lock", f"the data folder {self.path}", "; ./xorj status shows it, ./xorj down stops it")

    def empty(self) -> None:
        """Deletes everything in it. Raises RefusedForSafety for a folder that is not ours, or on which something runs."""
        if not self.path.exists():
            return
        if not self.is_ours:
            raise RefusedForSafety(f"{self.path} was not made by XORJ (it has no {MARKER}); nothing was deleted")
        private_folder(self.run)
        lock = self.lock()
        try:
            # a server and a chain may run alone, each with its own lock
            for file in [*self.path.glob("*/lock"), *self.path.glob("*/*/lock")]:
                if file.parent != self.run:
                    HeldLock(file, str(file.parent)).release()
            if self.sockets != self.run:
                shutil.rmtree(self.sockets, ignore_errors=True)
            entries = sorted(self.path.iterdir(), key=lambda entry: entry.name == MARKER)
            for entry in entries:
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        finally:
            lock.release()

    def secret(self, name: str, value: str | None = None) -> Path:
        """The 0600 file of a secret in `keys`; made with `value`, or with a random one, when it is not there or differs from `value`."""
        file = self.keys / name
        if not file.exists() or (value is not None and file.read_text() != value):
            _write_private(file, value if value is not None else secrets.token_urlsafe(32))
        return file

    def say(self, running: Running) -> None:
        """Writes what runs, whole or not at all."""
        body = asdict(running) | {"phase": running.phase.value}
        body["processes"] = {name: asdict(life) | {"state": life.state.value} for name, life in running.processes.items()}
        _write_private(self._state, json.dumps(body, indent=1))

    def said(self) -> Running | None:
        """What the last supervisor wrote, alive or not; None when there never was one, or when it cannot be read."""
        try:
            body = json.loads(self._state.read_text())
            lives = {name: Life(**life | {"state": ProcessState(life["state"])}) for name, life in body.pop("processes").items()}
            return replace(Running(**body | {"processes": lives}), phase=Phase(body["phase"]))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def running(self) -> Running | None:
        """The supervisor that runs on the folder now. A copy of a folder speaks of a living one too, but nobody holds the copy's lock."""
        said = self.said()
        return said if said is not None and said.is_alive and is_held(self.run / "lock") else None

    @property
    def _state(self) -> Path:
        return self.run / "supervisor.json"


def this_process() -> tuple[int, float]:
    """Number and birth of this process, as Running wants them."""
    return os.getpid(), psutil.Process().create_time()


def _write_private(file: Path, text: str) -> None:
    fresh = file.with_name(f"{file.name}.{os.getpid()}.{time.monotonic_ns()}.new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as out:
        out.write(text)
    fresh.replace(file)
