"""Tasks on a Ray cluster, or on a local one. Implements Workers; needs `xorj[cluster]` here and xorj on every node. Built by the CLI."""

import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from xorj.primitives.errors import InvalidInput, Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")

RETRIES_MAX = 3
IN_FLIGHT_PER_CPU = 2
# Ray itself tries for minutes
CONNECT_S = 5.0


class RayCluster:
    """A session with a cluster. `address` is `host:port`, `ray://host:port`, or None for one of this machine alone, as long as this lives.

    Raises InvalidInput without Ray, Unavailable when the cluster cannot be reached.
    """

    def __init__(self, address: str | None, *, processes: int | None = None) -> None:
        if address:
            _reach(address)
        self._ray = _ray()
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        own: dict[str, Any] = {} if address else {"num_cpus": processes, "include_dashboard": False}
        try:
            self._ray.init(address=address or "local", log_to_driver=False, logging_level="error", **own)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise Unavailable(f"Ray at {address or 'this machine'}", str(error).splitlines()[0]) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ray.shutdown()

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """The results in the order of the items. Ray runs the task of a killed worker again, RETRIES_MAX times; then Unavailable."""
        ray = self._ray
        task = ray.remote(max_retries=RETRIES_MAX)(_call)
        shared = ray.put(function)
        most = max(1, int(ray.cluster_resources().get("CPU", 1)) * IN_FLIGHT_PER_CPU)
        waiting, running = iter(items), deque[Any]()
        while True:
            while len(running) < most and (item := next(waiting, None)) is not None:
                running.append(task.remote(shared, item))
            if not running:
                return
            try:
                result: Result = ray.get(running.popleft())
            except ray.exceptions.WorkerCrashedError as error:
                raise Unavailable("Ray", f"a task's worker died more than {RETRIES_MAX} times") from error
            except ray.exceptions.RayTaskError as error:
                raise error.as_instanceof_cause() from error
            yield result


def _reach(address: str) -> None:
    """Raises InvalidInput for what is no address, Unavailable when nobody listens there."""
    parts = urlsplit(address if "://" in address else f"//{address}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.scheme not in ("", "ray"):
        raise InvalidInput("XORJ_RAY_ADDRESS", given=address, rule="host:port or ray://host:port")
    try:
        socket.create_connection((host, port), timeout=CONNECT_S).close()
    except OSError as error:
        raise Unavailable(f"Ray at {address}", str(error)) from error


def _call(function: Callable[[Item], Result], item: Item) -> Result:
    return function(item)


def _ray() -> Any:
    try:
        return import_module("ray")
    except ImportError as error:
        raise InvalidInput("--engine", given="ray", rule="an installation with Ray: pip install 'xorj[cluster]'") from error
