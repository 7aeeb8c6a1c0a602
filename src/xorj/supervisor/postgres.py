"""PostgreSQL as a child of ours: started in the foreground, watched, restarted, stopped. Used by `./xorj up`, the demo and the tests.

A signal goes only to the child that we started and have not yet reaped. A pid file is read, never trusted and never deleted.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from xorj.primitives.errors import RefusedForSafety, Unavailable
from xorj.supervisor import log_files, postgres_folder, postgres_programs
from xorj.supervisor.backoff import Backoff, GiveUp
from xorj.supervisor.death import death_signal
from xorj.supervisor.lock import HeldLock
from xorj.supervisor.postgres_account import Account, account_for, reachable, require_entry
from xorj.supervisor.postgres_folder import SUPERUSER, ClusterFolder, Server, Stranger
from xorj.supervisor.postgres_programs import PostgresPrograms
from xorj.supervisor.runtime_folder import leave, private_folder

CONNECTIONS_MAX = 250
START_TIMEOUT_S = 120.0
PROGRESS_EVERY_S = 3.0
STOP_FAST_TIMEOUT_S = 3.0
STOP_IMMEDIATE_TIMEOUT_S = 1.0
POLL_S = 0.05
PREDECESSOR_TIMEOUT_S = 60.0
STILL_ENDING_DELAY_S = 0.2
SOCKET_PORT = 5432
DATABASE = "xorj"
# a killed server's last children take a moment to notice; until then its shared memory is in use
STILL_ENDING = ("is still in use", "pre-existing shared memory block")


class ServerState(Enum):
    """Where a server is in its life, for `status` and for whoever waits."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    FAILED = "failed"
    STOPPED = "stopped"


class EmbeddedPostgres:
    """One server on one folder. `with EmbeddedPostgres(folder) as server: connect(server.url)`.

    It listens on a unix socket in a folder of mode 0700 only; with `tcp_port` also on 127.0.0.1, with a password (scram).
    """

    def __init__(
        self,
        folder: Path,
        *,
        binaries: Path | None = None,
        tcp_port: int | None = None,
        log: Path | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`folder` is made if missing and becomes this server's own; `binaries` is a `bin` folder, without it the machine's choice.

        What the server says goes to `log`, by default `server.log` in the folder; `progress` is told what takes long and what went wrong.
        """
        self._folder = ClusterFolder(Path(os.path.abspath(folder)))  # noqa: PTH100 - resolve() would follow links
        self._binaries, self._tcp_port, self._progress = binaries, tcp_port, progress
        self.log = log or self._folder.path / "server.log"
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._transition = threading.Lock()
        self._thread: threading.Thread | None = None
        self._lock: HeldLock | None = None
        self._state, self._cause = ServerState.STOPPED, ""
        self.pid: int | None = None
        self.restarts = 0
        self.programs: PostgresPrograms | None = None

    @property
    def url(self) -> str:
        """For the database `xorj`, over the unix socket; no password, the socket's folder is closed to others."""
        return f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(str(self._folder.sockets), safe='')}&port={self._port}"

    @property
    def tcp_url(self) -> str:
        """For the database `xorj`, over TCP with its password. Raises RefusedForSafety when TCP was not asked for."""
        if self._tcp_port is None:
            raise RefusedForSafety("this PostgreSQL listens on its unix socket only")
        return f"postgresql://{SUPERUSER}:{self._folder.password.read_text()}@127.0.0.1:{self._tcp_port}/{DATABASE}"

    @property
    def state(self) -> ServerState:
        return self._state

    @property
    def cause(self) -> str:
        """Why the server failed or was restarted last; empty when it never was."""
        return self._cause

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when the server answers. Raises Unavailable with the cause, RefusedForSafety when the folder may not be used."""
        with self._transition:
            if self._lock is not None:
                raise RefusedForSafety(f"the PostgreSQL server of {self._folder.path} is running already")
            self._stopping.clear()
            try:
                self._prepare()
                self._start_thread()
                self._make_database()
            except (OSError, psycopg.Error) as error:
                self._shut()
                raise Unavailable("PostgreSQL", str(error)) from error
            except BaseException:
                self._shut()
                raise

    def stop(self) -> None:
        """Ends the server in order, within 5 s; afterwards another may open the folder. Ends a start that is under way, too."""
        self._stopping.set()
        with self._transition:
            self._shut()

    def _shut(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._lock is not None:
            leave(self._folder.sockets)
            self._lock.release()
            self._lock = None
        self._state = ServerState.STOPPED

    def _start_thread(self) -> None:
        """One thread starts, watches and signals the server: the parent-death signal follows the thread that started it."""
        self._set(ServerState.STARTING)
        self._thread = threading.Thread(target=self._run, name="postgres", daemon=True)
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._state is not ServerState.STARTING)
        if self._state is not ServerState.READY:
            raise Unavailable("PostgreSQL", self._cause if self._state is ServerState.FAILED else "it was stopped while it started")

    @property
    def _port(self) -> int:
        return self._tcp_port or SOCKET_PORT

    def _prepare(self) -> None:
        """Takes the folder, makes what is missing in it."""
        self._folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = HeldLock(self._folder.path / "lock", f"the PostgreSQL folder {self._folder.path}")
        self._account = account_for(self._folder.data)
        self._wait_for_predecessor()
        programs = self._choose()
        require_entry(self._hand_over(self._account), self._account)
        self.programs = reachable(programs, self._account)
        private_folder(self._folder.sockets, self._account.owner)
        if self._folder.major() is None:
            self._progress(f"making the database with {self.programs}")
            postgres_folder.initialise(self._folder, self.programs, self._account)

    def _choose(self) -> PostgresPrograms:
        candidates = [postgres_programs.given(self._binaries)] if self._binaries is not None else postgres_programs.installed()
        return postgres_programs.choose(candidates, self._folder.major())

    def _hand_over(self, account: Account) -> Path:
        """Gives folder and data to the account that runs the server; nothing when that is us."""
        path, data = self._folder.path, self._folder.data
        if account.owner is not None:
            os.chown(path, account.owner, -1)
            if data.exists() and data.stat().st_uid != account.owner:
                for one in (data, *data.rglob("*")):
                    os.chown(one, account.owner, -1, follow_symlinks=False)
        return path

    def _wait_for_predecessor(self) -> None:
        """A server whose supervisor was killed is shutting down by itself. It is given time and never a signal."""
        deadline = time.monotonic() + PREDECESSOR_TIMEOUT_S
        told = False
        while isinstance(found := postgres_folder.holder(self._folder), Server) and not self._stopping.is_set():
            if time.monotonic() > deadline:
                raise RefusedForSafety(
                    f"a PostgreSQL server that this command did not start (process {found.pid}) runs on {self._folder.data}; "
                    f"stop it: kill -INT {found.pid}"
                )
            if not told:
                self._progress(f"waiting for the earlier PostgreSQL server (process {found.pid}) to end")
                told = True
            self._stopping.wait(POLL_S)

    def _run(self) -> None:
        """Keeps a server running until told to stop; the only code that starts it, signals it and reaps it."""
        backoff = Backoff()
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._live()
            except (OSError, Unavailable) as error:
                self._cause = error.cause if isinstance(error, Unavailable) else str(error)
            if self._stopping.is_set():
                break
            delay = backoff.after(time.monotonic() - began)
            if self._state is ServerState.STARTING or isinstance(delay, GiveUp):
                self._set(ServerState.FAILED)
                return
            self._set(ServerState.RESTARTING)
            self._progress(f"PostgreSQL ended ({self._cause}); starting it again in {delay:.1f} s")
            self.restarts += 1
            self._stopping.wait(delay)
        self._set(ServerState.STOPPED)

    def _live(self) -> None:
        """One life of the server, from its start to its end. Raises Unavailable with the cause when that end was not asked for."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            offset = self.log.stat().st_size if self.log.exists() else 0
            process = self._launch()
            try:
                ready = self._wait_until_ready(process, deadline)
                if ready:
                    self.pid = process.pid
                    self._set(ServerState.READY)
                    while process.poll() is None and not self._stopping.is_set():
                        self._stopping.wait(POLL_S)
            finally:
                self.pid = None
                ended = process.poll()
                _end(process)
            if self._stopping.is_set():
                return
            said = log_files.since(self.log, offset)
            if ended is None:
                raise Unavailable("PostgreSQL", f"it did not answer within {START_TIMEOUT_S:.0f} s; its log is {self.log}")
            if not ready and any(words in said for words in STILL_ENDING) and time.monotonic() < deadline:
                self._stopping.wait(STILL_ENDING_DELAY_S)
                continue
            killed = f"killed by {signal.Signals(-ended).name}" if ended < 0 else postgres_folder.cause(said)
            raise Unavailable("PostgreSQL", killed)

    def _launch(self) -> subprocess.Popen[bytes]:
        assert self.programs is not None
        environment = postgres_folder.environment()
        found = postgres_folder.holder(self._folder)
        if isinstance(found, Stranger):
            # The number in a dead server's pid file now belongs to another program. The server asks whether that number is alive,
            # and skips its own grandparent's: so the stranger is called that, and is left alone.
            environment["PG_GRANDPARENT_PID"] = str(found.pid)
        command = [
            *self._account.prefix,
            *death_signal(signal.SIGINT),
            str(self.programs.postgres),
            "-D",
            str(self._folder.data),
            *self._settings(),
        ]
        with log_files.open_log(self.log) as log:
            # a session of its own: Ctrl-C at the terminal must not reach the server before those who use it have ended
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd="/", start_new_session=True
            )

    def _settings(self) -> list[str]:
        sockets = str(self._folder.sockets).replace('"', '""')
        settings = {
            "unix_socket_directories": f'"{sockets}"',
            "unix_socket_permissions": "0700",
            "listen_addresses": "127.0.0.1" if self._tcp_port is not None else "",
            "port": self._port,
            "max_connections": CONNECTIONS_MAX,
            "password_encryption": "scram-sha-256",
            "max_wal_size": "256MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "logging_collector": "off",
            "cluster_name": "xorj",
            "jit": "off",
        }
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _wait_until_ready(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        """True when our child answers; False when it ended, the time is over or a stop was asked for."""
        began = told = time.monotonic()
        while process.poll() is None and (now := time.monotonic()) < deadline and not self._stopping.is_set():
            # after a kill the old file still says ready, so only a file that names our own child counts
            if postgres_folder.pid_in(self._folder) == process.pid and self._answers():
                return True
            if now - told > PROGRESS_EVERY_S:
                told = now
                self._progress(f"waiting for PostgreSQL ({now - began:.0f} s; recovering after a crash takes longer)")
            self._stopping.wait(POLL_S)
        return False

    def _answers(self) -> bool:
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self._folder.sockets), port=self._port, user=SUPERUSER, dbname=database, connect_timeout=5, autocommit=True
        )

    def _make_database(self) -> None:
        with self._connect("postgres") as connection:
            there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if there is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _set(self, state: ServerState) -> None:
        with self._changed:
            self._state = state
            self._changed.notify_all()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends our child and reaps it: in order, then at once (recovered on the next start), then by force."""
    for number, timeout_s in ((signal.SIGINT, STOP_FAST_TIMEOUT_S), (signal.SIGQUIT, STOP_IMMEDIATE_TIMEOUT_S)):
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    process.wait()
