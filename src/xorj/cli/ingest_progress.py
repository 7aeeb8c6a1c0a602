"""How an ingestion looks: a bar with rate, remaining time and gaps on a terminal, a line every few seconds elsewhere.

Used by `swaps backfill`, which is told by its own ingestion, and by `up`, which asks the quant engine's metrics for the first one.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from xorj.swaps.ingest_swaps import Progress

LINE_EVERY_S = 5.0
ASK_TIMEOUT_S = 1.0
READ, TO_READ, GAPS, PAGES = (
    "xorj_ingest_read_transactions",
    "xorj_ingest_to_read_transactions",
    "xorj_ingest_gaps_wallets",
    "xorj_ingest_pages_total",
)


class IngestProgress:
    """Told again and again how far it is; shows it as the output allows."""

    def __init__(self, console: Console, what: str) -> None:
        self._console, self._what = console, what
        self._began_s = self._told_s = time.monotonic()
        self._bar: Bar | None = None
        self._task = TaskID(0)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """While inside, a terminal has the bar; afterwards it stays as it was last."""
        if not self._console.is_terminal:
            yield
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
        with Bar(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=self._console) as self._bar:
            self._task = self._bar.add_task(self._what, total=None, rate="")
            yield
        self._bar = None

    def tell(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._bar is not None:
            self._bar.update(self._task, completed=progress.read, total=progress.to_read or None, rate=self._rate(progress, now))
        elif not self._console.is_terminal and now - self._told_s >= LINE_EVERY_S:
            self._told_s = now
            self.line(progress)

    def line(self, progress: Progress) -> None:
        told = f"{self._what}: {progress.read} of {progress.to_read} transactions, {self._rate(progress, time.monotonic())}"
        self._console.print(told, highlight=False, markup=False, soft_wrap=True)

    def _rate(self, progress: Progress, now: float) -> str:
        per_s = progress.read / max(now - self._began_s, 1e-9)
        left_s = (progress.to_read - progress.read) / per_s if per_s else 0.0
        remaining = f", {left_s:.0f} s left" if self._bar is None and progress.to_read > progress.read and per_s else ""
        return f"{per_s:.0f}/s{remaining}, {progress.pages} pages, {progress.gaps} gaps"


def first_ingestion_ended(progress: Progress | None) -> bool:
    """Whether the quant engine has been through a first pass: it counts pages at a pass's end."""
    return progress is not None and progress.pages > 0


def asked_progress(metrics_url: str) -> Progress | None:
    """What a quant engine says of the ingestion that is under way, None where it does not answer."""
    try:
        text = httpx2.get(metrics_url, timeout=ASK_TIMEOUT_S, trust_env=False).text
        found = {sample.name: sample.value for one in text_string_to_metric_families(text) for sample in one.samples}
    except (httpx2.HTTPError, ValueError):
        return None
    return Progress(*(int(found.get(name, 0)) for name in (PAGES, READ, TO_READ, GAPS)))
