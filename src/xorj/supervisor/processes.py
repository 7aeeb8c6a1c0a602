"""Starts processes in the order of their needs, as parallel as that allows, restarts what ends, and ends everything. Used by up and demo.

Each process has one thread that starts, watches, signals and reaps it: the kernel's parent-death signal follows the thread that
started a child, and a child is signalled only before it is reaped, so its number cannot be another's yet.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2

from xorj.primitives.errors import Unavailable, XorjError
from xorj.supervisor import log_files
from xorj.supervisor.backoff import RESTARTS_IN_A_ROW_MAX, Backoff, GiveUp
from xorj.supervisor.death import death_signal
from xorj.supervisor.postgres import EmbeddedPostgres, ServerState
from xorj.supervisor.process import HttpReady, Life, Process, ProcessState, require_order

DATABASE = "postgres"
POLL_S = 0.05
# the first start of the local chain executes its history
READY_TIMEOUT_S = 300.0
READY_EVERY_S = 0.1
CHECK_EVERY_S = 2.0
ASK_TIMEOUT_S = 2.0
ROTATE_EVERY_S = 1.0
# of a stop: what others need is told to end this late, and whoever still runs is killed this late
TERM_ALL_AFTER_S = 3.5
KILL_AFTER_S = 5.0
ONE_SHOT_RESTARTS_MAX = 3
# The exit codes of wrong usage and of a refusal for safety.
REFUSALS = (2, 3)

OnChange = Callable[[str, Life], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """How one life of a process ended; `cause` is empty after exit code 0. A refusal is not cured by asking again."""

    cause: str
    is_refusal: bool = False


class Supervisor:
    """The declared processes, and the embedded server before them. `on_change` is told what happens, from their threads."""

    def __init__(
        self,
        processes: Sequence[Process],
        *,
        logs: Path,
        environment: Mapping[str, str],
        database: EmbeddedPostgres | None = None,
        on_change: OnChange = lambda _name, _life: None,
    ) -> None:
        """`environment` is everything that the processes see; `logs` is a folder that exists. Raises ValueError for an impossible order."""
        self._processes = {process.name: process for process in processes}
        require_order(processes, others=frozenset({DATABASE} if database is not None else ()))
        self._logs, self._environment, self._database, self._on_change = logs, dict(environment), database, on_change
        now = time.time()
        self._lives = {DATABASE: Life(ProcessState.WAITING, now)} if database is not None else {}
        self._lives |= {one.name: Life(ProcessState.WAITING, now, one_shot=one.one_shot) for one in processes}
        self._keeper: subprocess.Popen[str] | None = None
        self._keeper_told = threading.Lock()
        self._stopping = threading.Event()
        self._stop_asked_s = 0.0
        self._threads = [threading.Thread(target=self._keep, args=(one,), name=one.name, daemon=True) for one in processes]
        if database is not None:
            self._threads.append(threading.Thread(target=self._keep_database, args=(database,), name=DATABASE, daemon=True))
        self._threads.append(threading.Thread(target=self._tend, name="tend", daemon=True))

    @property
    def lives(self) -> dict[str, Life]:
        """What is known of every process now."""
        return dict(self._lives)

    @property
    def serves(self) -> bool:
        """True when every long-running process is ready."""
        return all(life.state.satisfies for life in self.lives.values() if not life.one_shot)

    @property
    def hopeless(self) -> str | None:
        """The name of a process that failed for good and without which the rest cannot serve, None while there is none."""
        for name, life in self.lives.items():
            process = self._processes.get(name)
            needed = any(name in other.needs for other in self._processes.values())
            if life.state is ProcessState.FAILED and (process is None or needed or not process.one_shot):
                return name
        return None

    def start(self) -> None:
        """Returns at once."""
        self._start_keeper()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends everything, in reverse order of need, within 10 s."""
        if not self._stopping.is_set():
            self._stop_asked_s = time.monotonic()
            self._stopping.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        self._end_keeper()

    def _set(self, name: str, state: ProcessState, **facts: object) -> None:
        before = self._lives[name]
        since = before.since_s if state is before.state else time.time()
        self._lives[name] = replace(before, state=state, since_s=since, **facts)  # type: ignore[arg-type]
        if self._lives[name] != before:
            self._on_change(name, self._lives[name])

    def _keep(self, process: Process) -> None:
        """The whole life of one process: wait for what it needs, run it, run it again."""
        while not self._stopping.is_set() and not all(self._lives[need].state.satisfies for need in process.needs):
            time.sleep(POLL_S)
        backoff = Backoff(ONE_SHOT_RESTARTS_MAX if process.one_shot else RESTARTS_IN_A_ROW_MAX)
        while not self._stopping.is_set():
            began = time.monotonic()
            ended = self._live(process)
            if self._stopping.is_set():
                break
            if process.one_shot and not ended.cause:
                self._set(process.name, ProcessState.FINISHED, pid=None, cause="")
                return
            delay = backoff.after(time.monotonic() - began)
            if ended.is_refusal or isinstance(delay, GiveUp):
                self._set(process.name, ProcessState.FAILED, pid=None, cause=ended.cause)
                return
            restarts = self._lives[process.name].restarts + 1
            self._set(process.name, ProcessState.RESTARTING, pid=None, cause=ended.cause or "it ended by itself", restarts=restarts)
            self._stopping.wait(delay)
        self._set(process.name, ProcessState.STOPPED, pid=None)

    def _live(self, process: Process) -> Ended:
        """One life: started, watched until it ends or is to end, reaped with all that it started."""
        log = log_files.log_file(self._logs, process.name)
        offset = log.stat().st_size if log.exists() else 0
        try:
            child = self._spawn(process, log)
        except OSError as error:
            return Ended(f"cannot be started: {error}")
        self._tell_keeper(f"+{child.pid}")
        self._set(process.name, ProcessState.STARTING, pid=child.pid, started_s=time.time())
        late = False
        try:
            late = not self._watch(process, child)
        finally:
            self._end(process, child)
            self._tell_keeper(f"-{child.pid}")
        if late:
            return Ended(f"it was not ready within {READY_TIMEOUT_S:.0f} s")
        return Ended(_cause(child.returncode, log, offset), is_refusal=child.returncode in REFUSALS)

    def _spawn(self, process: Process, log: Path) -> subprocess.Popen[bytes]:
        command = [*death_signal(signal.SIGTERM), *process.command]
        environment = {**self._environment, **process.environment}
        with log_files.open_log(log) as output:
            # a session of its own: Ctrl-C goes to the supervisor alone, which ends its processes in order
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
            )

    def _watch(self, process: Process, child: subprocess.Popen[bytes]) -> bool:
        """Until the child ends or everything is to stop. False when it did not become ready in time."""
        began = time.monotonic()
        with _asker(process.ready) as client:
            while not self._stopping.is_set() and not _has_exited(child):
                state = self._lives[process.name].state
                answer = _answer(client, process.ready) if not process.one_shot else ""
                if not process.one_shot and answer is None:
                    self._set(process.name, ProcessState.READY, cause="")
                elif state in {ProcessState.READY, ProcessState.UNREADY}:
                    self._set(process.name, ProcessState.UNREADY, cause=answer)
                elif not process.one_shot and time.monotonic() - began > READY_TIMEOUT_S:
                    return False
                settled = process.one_shot or self._lives[process.name].state is ProcessState.READY
                pause_s = CHECK_EVERY_S if settled else READY_EVERY_S
                _poll_until(lambda: _has_exited(child) or self._stopping.is_set(), time.monotonic() + pause_s)
        return True

    def _end(self, process: Process, child: subprocess.Popen[bytes]) -> None:
        """Ends the child, and what it left in its group, before it is reaped."""
        begun = self._stop_asked_s if self._stopping.is_set() else time.monotonic()
        if self._stopping.is_set():
            _poll_until(lambda: _has_exited(child) or not self._is_needed(process.name), begun + TERM_ALL_AFTER_S)
        if not _has_exited(child):
            _signal_group(child, signal.SIGTERM)
            _poll_until(lambda: _has_exited(child), begun + KILL_AFTER_S)
        _signal_group(child, signal.SIGKILL)
        child.wait()

    def _is_needed(self, name: str) -> bool:
        """True while a process that needs this one still runs."""
        return any(name in other.needs and self._lives[other.name].pid is not None for other in self._processes.values())

    def _keep_database(self, database: EmbeddedPostgres) -> None:
        self._set(DATABASE, ProcessState.STARTING, started_s=time.time())
        try:
            database.start()
        except XorjError as error:
            cause = error.cause if isinstance(error, Unavailable) else str(error)
            self._set(DATABASE, ProcessState.STOPPED if self._stopping.is_set() else ProcessState.FAILED, cause=cause)
            return
        self._set(DATABASE, ProcessState.READY, pid=database.pid)
        while not self._stopping.is_set() or any(self._lives[name].pid is not None for name in self._processes):
            time.sleep(POLL_S)
            self._show(database)
        database.stop()
        self._set(DATABASE, ProcessState.STOPPED, pid=None)

    def _show(self, database: EmbeddedPostgres) -> None:
        states = {ServerState.READY: ProcessState.READY, ServerState.FAILED: ProcessState.FAILED}
        state = states.get(database.state, ProcessState.RESTARTING)
        cause = "" if state is ProcessState.READY else database.cause
        facts = {"started_s": time.time()} if database.pid not in {None, self._lives[DATABASE].pid} else {}
        self._set(DATABASE, state, pid=database.pid, restarts=database.restarts, cause=cause, **facts)

    def _tend(self) -> None:
        """Keeps the logs small and the keeper alive until everything has ended."""
        while not self._stopping.is_set():
            for name in self._lives:
                # a full disk must not end the watching
                with suppress(OSError):
                    log_files.rotate(log_files.log_file(self._logs, name))
            if self._keeper is not None and self._keeper.poll() is not None:
                self._start_keeper()
            self._stopping.wait(ROTATE_EVERY_S)

    def _start_keeper(self) -> None:
        command = [sys.executable, "-P", "-m", "xorj.supervisor.keeper"]
        with self._keeper_told:
            self._keeper = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, env=self._environment, start_new_session=True)
        for name in self._processes:
            if (pid := self._lives[name].pid) is not None:
                self._tell_keeper(f"+{pid}")

    def _tell_keeper(self, line: str) -> None:
        # a keeper that died is replaced within ROTATE_EVERY_S and told everything anew
        with self._keeper_told, suppress(OSError):
            if self._keeper is not None and self._keeper.stdin is not None:
                self._keeper.stdin.write(line + "\n")
                self._keeper.stdin.flush()

    def _end_keeper(self) -> None:
        if self._keeper is not None and self._keeper.stdin is not None:
            with suppress(OSError):
                self._keeper.stdin.close()
            self._keeper.wait()


def _poll_until(condition: Callable[[], bool], deadline: float) -> None:
    while not condition() and time.monotonic() < deadline:
        time.sleep(POLL_S)


def _has_exited(child: subprocess.Popen[bytes]) -> bool:
    """True when the child has ended; it is left unreaped, so that its number and its group's stay its own."""
    if child.returncode is not None:
        return True
    return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def _cause(code: int, log: Path, offset: int) -> str:
    if code == 0:
        return ""
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    said = [line.strip() for line in log_files.since(log, offset).splitlines() if line.strip()] or ["it said nothing"]
    # our commands end with such a line; other programs with their last
    telling = [line for line in said if line.startswith(("error: ", "refused: "))]
    return f"exit code {code}: {(telling or said)[-1]}"


def _asker(ready: HttpReady | None) -> httpx2.Client:
    transport = httpx2.HTTPTransport(uds=str(ready.socket)) if ready is not None and ready.socket is not None else None
    return httpx2.Client(transport=transport, timeout=ASK_TIMEOUT_S, trust_env=False)


def _answer(client: httpx2.Client, ready: HttpReady | None) -> str | None:
    """None when the process says that it is ready, else why not."""
    if ready is None:
        return None
    try:
        response = client.get(ready.url)
    except httpx2.HTTPError as error:
        return f"{ready.url} does not answer ({type(error).__name__})"
    return None if response.status_code == httpx2.codes.OK else f"{ready.url} answers {response.status_code}: {response.text[:300]}"
