"""The folder of an embedded PostgreSQL: who holds it, what is in it, and whose the pid in it is. Used by supervisor.postgres.

`data/` is the cluster, `run/` has the socket (or a short folder elsewhere), `password` is the superuser's for TCP, `lock` is held by
the supervisor for as long as it lives.
"""

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from xorj.primitives.errors import RefusedForSafety, Unavailable
from xorj.supervisor.postgres_account import Account
from xorj.supervisor.postgres_programs import PostgresPrograms
from xorj.supervisor.runtime_folder import runtime_folder

SUPERUSER = "xorj"
INITDB_TIMEOUT_S = 300
CAUSE_CHARACTERS_MAX = 400


@dataclass(frozen=True, slots=True)
class ClusterFolder:
    """The paths in one folder."""

    path: Path

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def sockets(self) -> Path:
        return runtime_folder(self.path / "run")

    @property
    def password(self) -> Path:
        return self.path / "password"

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def major(self) -> int | None:
        """The major version that made the data, None when there is none yet. Raises RefusedForSafety for a folder of something else."""
        if not self.data.exists():
            return None
        try:
            text = (self.data / "PG_VERSION").read_text().strip()
        except OSError as error:
            raise RefusedForSafety(f"{self.data} is not a PostgreSQL data folder: PG_VERSION: {error.strerror}") from error
        found = re.match(r"\d+", text)
        if found is None:
            raise RefusedForSafety(f"{self.data} is not a PostgreSQL data folder: PG_VERSION says {text[:40]!r}")
        return int(found[0])


@dataclass(frozen=True, slots=True)
class Nobody:
    """No live process has the pid that the pid file names."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """A live process has the pid, and it is not a server of this folder: the number was given out again."""

    pid: int


@dataclass(frozen=True, slots=True)
class Server:
    """A live server of this folder."""

    pid: int


Holder = Nobody | Stranger | Server


def holder(folder: ClusterFolder) -> Holder:
    """Whose the pid in postmaster.pid is. Only looks; nothing here signals or deletes anything."""
    pid = pid_in(folder)
    if pid is None:
        return Nobody()
    try:
        process = psutil.Process(pid)
        # a zombie has ended, though its number still answers
        if process.status() != psutil.STATUS_ZOMBIE and _is_postgres(process) and Path(process.cwd()).samefile(folder.data):
            return Server(pid)
    except psutil.NoSuchProcess:
        return Nobody()
    except (psutil.AccessDenied, OSError):
        # not ours to look at, so not ours to have started: the server ignores such a pid by itself
        return Nobody()
    return Stranger(pid)


def pid_in(folder: ClusterFolder) -> int | None:
    """The first line of postmaster.pid, None when there is no file or no number in it."""
    try:
        first = folder.pid_file.read_text(errors="replace").partition("\n")[0].strip()
    except OSError:
        return None
    return int(first) if first.isdecimal() else None


def initialise(folder: ClusterFolder, programs: PostgresPrograms, account: Account) -> None:
    """Makes the cluster, whole or not at all. Raises Unavailable with the cause, a full disk among them."""
    fresh = folder.path / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    _write_password(folder, account)
    if account.owner is not None:
        os.chown(fresh, account.owner, -1)
    options = ["-U", SUPERUSER, "-E", "UTF8", "--locale=C", "--data-checksums", "--auth-local=trust", "--auth-host=scram-sha-256"]
    command = [*account.prefix, str(programs.initdb), "-D", str(fresh), *options, f"--pwfile={folder.password}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, timeout=INITDB_TIMEOUT_S, env=environment(), cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable("PostgreSQL", f"initdb did not run: {error}") from error
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise Unavailable("PostgreSQL", f"initdb failed: {cause(done.stderr + done.stdout)}")
    fresh.rename(folder.data)


def environment() -> dict[str, str]:
    """What the programs are told: nothing of ours, and none of PG's own variables, which would redirect them."""
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C", "TZ": "UTC"}


def cause(text: str) -> str:
    """The line of a program's output that says why it ended, with the lines that explain it."""
    lines = [re.sub(r"^\d{4}-\d\d-\d\d [\d:.]+ \S+ \[\d+\] ", "", line.strip()) for line in text.splitlines() if line.strip()]
    if not lines:
        return "it said nothing"
    telling = [i for i, line in enumerate(lines) if re.search(r"\b(FATAL|PANIC)\b|error:|could not|No space left|cannot|denied", line)]
    at = telling[-1] if telling else len(lines) - 1
    before = lines[at - 1 : at] if "contains errors" in lines[at] else []
    after = [line for line in lines[at + 1 : at + 3] if line.startswith(("DETAIL:", "HINT:"))]
    return " ".join([*before, lines[at], *after])[:CAUSE_CHARACTERS_MAX]


def _write_password(folder: ClusterFolder, account: Account) -> None:
    folder.password.unlink(missing_ok=True)
    fd = os.open(folder.password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(secrets.token_hex(24))
    if account.owner is not None:
        os.chown(folder.password, account.owner, -1)


def _is_postgres(process: psutil.Process) -> bool:
    name: Callable[[], str] = process.name
    return name().startswith("postgres") or Path(process.exe()).name == "postgres"
