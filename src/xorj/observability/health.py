"""Whether a process can do its work: named checks, asked side by side with a limit of time. Served by http.py under /readyz."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from xorj.observability import logging, metrics

CHECK_SECONDS_MAX = 2.0


class State(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Health:
    """What one check found; `detail` says the cause in words that may be shown to anyone."""

    state: State
    detail: str = ""


OK = Health(State.OK)


def degraded(detail: str) -> Health:
    """Works, but worse than it should: the process stays ready."""
    return Health(State.DEGRADED, detail)


def failed(detail: str) -> Health:
    """Cannot work: the process is not ready."""
    return Health(State.FAILED, detail)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a process needs. `probe` answers its health, or raises, which counts as failed."""

    name: str
    probe: Callable[[], Awaitable[Health]]


@dataclass(frozen=True, slots=True)
class Report:
    """All checks of a process. The worst of them is the process' own state."""

    checks: dict[str, Health]

    @property
    def state(self) -> State:
        states = {health.state for health in self.checks.values()}
        return next((state for state in (State.FAILED, State.DEGRADED) if state in states), State.OK)


async def report(service: str, checks: Sequence[Check]) -> Report:
    """Asks every check at once; none may take longer than CHECK_SECONDS_MAX."""
    answers = await asyncio.gather(*(asyncio.wait_for(check.probe(), CHECK_SECONDS_MAX) for check in checks), return_exceptions=True)
    found = {check.name: _judged(check.name, answer) for check, answer in zip(checks, answers, strict=True)}
    for name, health in found.items():
        metrics.HEALTH_CHECK.labels(service, name).set(health.state is not State.FAILED)
    return Report(found)


def _judged(name: str, answer: Health | BaseException) -> Health:
    if isinstance(answer, Health):
        return answer
    if isinstance(answer, TimeoutError):
        return failed(f"no answer within {CHECK_SECONDS_MAX:g} s")
    if not isinstance(answer, Exception):
        raise answer
    logging.get("health").warning("health_check_failed", check=name, error=f"{type(answer).__name__}: {answer}")
    return failed(f"{type(answer).__name__}; see the log")
