"""`swaps backfill`, `watch` and `coverage` from the command line, on providers over real HTTP: what is read, from when, and who told it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from rich.console import Console
from tests.fakes.carried_over import carried_over
from tests.fakes.chain_history import ChainHistory
from tests.fakes.history_provider import HistoryProvider, served
from tests.fakes.made_swaps import FIRST_DAY_S, wallet
from tests.fakes.made_transactions import Made, swap_transaction

from xorj.cli.app import EXIT_OK, EXIT_USAGE, run
from xorj.cli.ingest_progress import IngestProgress, asked_progress, first_ingestion_ended
from xorj.observability import metrics
from xorj.swaps.ingest_swaps import Progress

ANA = wallet("ana")
DAY_SLOTS = 86_400
Start = Callable[..., tuple[int, str, str]]

# a swap a day, and a transfer that only names her token account
WHOLE = carried_over(
    [
        *(swap_transaction("ana", "1 SOL", "9 USDC", slot=1 + day * DAY_SLOTS) for day in range(6)),
        Made(payer="somebody", slot=2 * DAY_SLOTS + 500).moves("ana", "USDC", "0", "50").done(),
    ]
)


@pytest.fixture
def start(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    monkeypatch.setenv("XORJ_DATA_DIR", str(tmp_path))

    def started(*arguments: str | Path) -> tuple[int, str, str]:
        code = run([str(one) for one in arguments])
        out, err = capfd.readouterr()
        return code, out, " ".join(err.split())

    return started


@pytest.fixture
def provider() -> Iterator[str]:
    with served(HistoryProvider(ChainHistory(WHOLE))) as url:
        yield url


def day(number: int) -> str:
    return datetime.fromtimestamp(FIRST_DAY_S + number * DAY_SLOTS, UTC).strftime("%Y-%m-%d")


def coverage(start: Start) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(start("swaps", "coverage", ANA, "--json")[1])
    return found


def test_a_wallet_is_read_from_a_day_on_and_then_from_its_first_transaction(start: Start, provider: str) -> None:
    code, out, err = start("swaps", "backfill", ANA, "--rpc-url", provider, "--since", day(4))
    assert code == EXIT_OK, err
    assert out.startswith("2 transactions were new")
    found = coverage(start)
    assert (found["records"], found["slots"]["first"] > 3 * DAY_SLOTS, found["gaps"], found["holes"]) == (2, True, [], [])
    assert start("swaps", "backfill", ANA, "--rpc-url", provider)[1].startswith("5 transactions were new, 1 of them not listed at first")
    found = coverage(start)
    assert (found["records"], found["slots"], found["gaps"]) == (7, {"first": 1, "last": 1 + 5 * DAY_SLOTS}, [])
    assert found["sources"] == {"provider 1": [{"first": 1, "last": 1 + 5 * DAY_SLOTS}]}
    assert "told by provider 1" in start("swaps", "coverage", ANA)[1]
    assert start("swaps", "backfill", ANA, "--rpc-url", provider)[1].startswith("0 transactions were new")


def test_what_one_provider_hides_the_other_tells_and_who_hides_both_has_a_gap(start: Start, provider: str, tmp_path: Path) -> None:
    with served(HistoryProvider(ChainHistory([one for one in WHOLE if one.slot != 1 + DAY_SLOTS]))) as short:
        code, out, err = start("swaps", "backfill", ANA, "--rpc-url", f"{short},{provider}")
        assert (code, "a gap" in out) == (EXIT_OK, False), err
        assert coverage(start)["records"] == 7
    hidden = [one for one in WHOLE if one.slot != 1 + DAY_SLOTS]
    with served(HistoryProvider(ChainHistory(hidden))) as url:
        code, out, _ = start("swaps", "backfill", ANA, "--rpc-url", url, "--lake", tmp_path / "another")
    assert (code, f"a gap in {ANA}" in out) == (EXIT_OK, True)


def test_what_cannot_be_used_is_named(start: Start, provider: str) -> None:
    code, _, err = start("swaps", "backfill", ANA, "--rpc-url", provider, "--since", "yesterday")
    assert (code, "YYYY-MM-DD" in err) == (EXIT_USAGE, True)
    assert start("swaps", "backfill", "nobody", "--rpc-url", provider)[0] == EXIT_USAGE


def test_wallets_are_watched_listed_and_left(start: Start, tmp_path: Path) -> None:
    ben = wallet("ben")
    assert start("swaps", "watch", ANA, ben)[1].startswith("2 wallets")
    assert start("swaps", "watch", ANA)[1].startswith("0 wallets")
    assert start("swaps", "watched")[1].split() == sorted([ANA, ben])
    assert start("swaps", "unwatch", ben, wallet("cem"))[1].startswith("1 wallets")
    assert start("swaps", "watched")[1].split() == [ANA]
    assert start("swaps", "watch", "nonsense")[0] == EXIT_USAGE
    assert start("swaps", "watched", "--data-dir", tmp_path / "nowhere")[0] == EXIT_USAGE
    (tmp_path / "watched-wallets.txt").write_text("no wallet\n")
    code, _, err = start("swaps", "watched")
    assert (code, "line 1" in err) == (1, True)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_has_a_bar_with_rate_and_gaps_and_a_pipe_plain_lines(terminal: bool) -> None:
    out = StringIO()
    progress = IngestProgress(Console(file=out, force_terminal=terminal, width=160), "history")
    with progress.shown():
        progress.tell(Progress(pages=3, read=50, to_read=100, gaps=2))
    if not terminal:
        assert out.getvalue() == ""
        progress.line(Progress(pages=3, read=50, to_read=100, gaps=2))
    text = out.getvalue()
    assert all(part in text for part in ("history", "50", "100", "/s", "3 pages", "2 gaps"))
    assert ("\x1b[" in text) is terminal


def test_the_first_ingestion_is_told_by_the_quant_engines_metrics() -> None:
    text = "xorj_ingest_read_transactions 50.0\nxorj_ingest_to_read_transactions 100.0\nxorj_ingest_gaps_wallets 2.0\n"
    with answering(text) as url:
        told = asked_progress(url)
    assert told == Progress(pages=0, read=50, to_read=100, gaps=2)
    assert not first_ingestion_ended(told)
    metrics.INGEST_PAGES.inc(3)
    with answering(generate_latest().decode()) as url:
        assert first_ingestion_ended(asked_progress(url))
    assert asked_progress(url) is None
    assert not first_ingestion_ended(None)


@contextmanager
def answering(text: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
