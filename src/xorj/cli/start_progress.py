"""How a start looks: a table that changes on a terminal, one line an event in a pipe. Used by `up` and `up --detach`."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from xorj.supervisor.process import Life, ProcessState

COLOURS = {
    ProcessState.READY: "green",
    ProcessState.FINISHED: "green",
    ProcessState.FAILED: "bold red",
    ProcessState.RESTARTING: "yellow",
    ProcessState.UNREADY: "yellow",
    ProcessState.STARTING: "cyan",
}
# In a pipe only what a reader acts on; a table shows the rest.
TOLD = {ProcessState.READY, ProcessState.FINISHED, ProcessState.FAILED, ProcessState.RESTARTING, ProcessState.UNREADY}
CAUSE_CHARACTERS_MAX = 200


class StartProgress:
    """Told again and again what is; shows what changed, as the output allows."""

    def __init__(self, console: Console) -> None:
        self._console, self._began_s = console, time.monotonic()
        self._live: Live | None = None
        self._lives: Mapping[str, Life] = {}

    @contextmanager
    def shown(self) -> Iterator[None]:
        """While inside, a terminal has the table; afterwards it stays as it was last."""
        if not self._console.is_terminal:
            yield
            return
        with Live(get_renderable=lambda: self._table(), console=self._console, refresh_per_second=8) as self._live:
            yield
        self._live = None

    def changes(self, lives: Mapping[str, Life]) -> None:
        """All that is known now; what differs from before is shown. A state lasts longer than the time between two looks."""
        before, self._lives = self._lives, lives
        for name, life in lives.items():
            was = before.get(name)
            is_new = was is None or (was.state, was.restarts) != (life.state, life.restarts)
            if is_new and self._live is None and life.state in TOLD:
                self.line(described(name, life), style=COLOURS.get(life.state, ""))

    def line(self, text: str, style: str = "") -> None:
        stamp = datetime.now(UTC).strftime("%H:%M:%S")
        self._console.print(f"{stamp} {text}", style=style, highlight=False, markup=False, soft_wrap=True)

    def _table(self) -> Table:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for name, life in self._lives.items():
            seconds = f"{time.time() - life.since_s:.0f} s" if life.state in {ProcessState.STARTING, ProcessState.RESTARTING} else ""
            table.add_row(
                name, f"[{COLOURS.get(life.state, 'dim')}]{life.state.value}[/]", seconds, escape(life.cause[:CAUSE_CHARACTERS_MAX])
            )
        table.add_row("", "", f"{time.monotonic() - self._began_s:.0f} s", "")
        return table


def described(name: str, life: Life) -> str:
    """One line about one process."""
    took = (
        f" after {time.time() - life.started_s:.1f} s" if life.state is ProcessState.READY and life.started_s and not life.restarts else ""
    )
    restarts = f" (restart {life.restarts})" if life.restarts else ""
    cause = f": {life.cause[:CAUSE_CHARACTERS_MAX]}" if life.cause else ""
    return f"{name} {life.state.value}{took}{restarts}{cause}"
