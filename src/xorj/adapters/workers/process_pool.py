"""Tasks on processes of this machine. Implements Workers; built by the CLI and by benches."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from types import TracebackType
from typing import Self, TypeVar

from xorj.primitives.errors import Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")

# a task that kills its worker so often would kill every other one too
DEATHS_MAX = 3
IN_FLIGHT_PER_PROCESS = 2


class ProcessPool:
    """`processes` fresh interpreters, kept from one map to the next until closed. After a worker's death new ones go on where they were."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._drop()

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """The results in the order of the items. Raises Unavailable when workers died more than DEATHS_MAX times over the same ones."""
        left, deaths = deque(items), 0
        while left:
            before = len(left)
            try:
                yield from self._until_a_death(function, left)
            except BrokenProcessPool as error:
                self._drop()
                deaths = deaths + 1 if len(left) == before else 1
                if deaths > DEATHS_MAX:
                    raise Unavailable("process pool", f"{deaths} workers died over the same tasks") from error

    def _until_a_death(self, function: Callable[[Item], Result], left: deque[Item]) -> Iterator[Result]:
        """Takes from `left` what is done, one by one. Raises BrokenProcessPool when a worker died."""
        if self._executor is None:
            self._executor = ProcessPoolExecutor(self._processes, mp_context=get_context("spawn"))
        running: deque[Future[Result]] = deque()
        waiting = iter(tuple(left))
        while left:
            while len(running) < self._processes * IN_FLIGHT_PER_PROCESS and (item := next(waiting, None)) is not None:
                running.append(self._executor.submit(function, item))
            result = running.popleft().result()
            left.popleft()
            yield result

    def _drop(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)
            self._executor = None
