"""What a supervised process is: its command, what it needs first, and how one sees that it is ready. Pure; used by supervisor.processes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path


@dataclass(frozen=True, slots=True)
class HttpReady:
    """Ready when the address answers 200; `socket` is a unix socket to ask it on instead of TCP."""

    url: str
    socket: Path | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """One process. `needs` are names that must be ready (or, one-shot, finished) before it starts.

    A one-shot process ends by itself; any other is ready by `ready`, and by having been started where that is None. `environment` is
    what this process alone is told, beside what all are.
    """

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    ready: HttpReady | None = None
    one_shot: bool = False
    ports: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


class ProcessState(Enum):
    """Where a process is in its life. FINISHED is a one-shot's good end; FAILED means that it is not started again."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    UNREADY = "not ready"
    RESTARTING = "restarting"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def satisfies(self) -> bool:
        """True when those that need it may start."""
        return self in {ProcessState.READY, ProcessState.FINISHED}


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of one process now. `pid` is None while it does not run; times are unix seconds."""

    state: ProcessState
    since_s: float
    pid: int | None = None
    started_s: float | None = None
    restarts: int = 0
    cause: str = ""
    one_shot: bool = False

    @property
    def is_well(self) -> bool:
        """True when nobody needs to look at it: it serves, or it is a one-shot that has not failed."""
        return self.state.satisfies or (self.one_shot and self.state is not ProcessState.FAILED)


def require_order(processes: Sequence[Process], *, others: frozenset[str] = frozenset()) -> None:
    """Raises ValueError when a name stands twice, is needed and missing, or needs itself over others; `others` run elsewhere."""
    names = [process.name for process in processes]
    if len(set(names)) != len(names):
        raise ValueError(f"a process is declared twice: {names}")
    started = set(others)
    waiting = list(processes)
    while waiting:
        able = [process for process in waiting if set(process.needs) <= started]
        if not able:
            raise ValueError(f"these can never start: {', '.join(f'{one.name} needs {one.needs}' for one in waiting)}")
        started |= {process.name for process in able}
        waiting = [process for process in waiting if process not in able]
