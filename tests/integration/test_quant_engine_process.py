"""The quant engine as a process on a real local chain and a real PostgreSQL: it ranks who trades, survives being killed, stops in time."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx2
import pytest
from solders.pubkey import Pubkey
from tests.fakes.copy_chain import ANA, BEN, BONK, USDC, WIF, CopyChain, Wallet
from tests.fakes.eventually import eventually
from tests.fakes.localnet_process import ROOT, free_port
from tests.fakes.made_swaps import swapped

from xorj.adapters.lake.delta_lake import DeltaLake
from xorj.demo.tokens import USDC_MINT
from xorj.primitives.ids import LOCAL_GENESIS
from xorj.settings import QUANT_ENGINE_PORT
from xorj.swaps.swap import Swap
from xorj.trust.eligibility import TRADES_MIN

pytestmark = [pytest.mark.database, pytest.mark.slow]

TOKEN = "for-this-test-alone-0123456789"
STOPS_WITHIN_S = 5.0
TOKEN_UNITS = 10**5
# each time is two trades
TIMES_TO_BE_RANKED = TRADES_MIN // 2


@dataclass
class Engine:
    """What is around a quant engine, and how to ask it."""

    chain: CopyChain
    environment: dict[str, str]
    port: int
    ana: Wallet
    ben: Wallet

    @property
    def lake(self) -> DeltaLake:
        return DeltaLake(Path(self.environment["XORJ_DATA_DIR"]) / "lake", LOCAL_GENESIS)

    @contextmanager
    def runs(self) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen([sys.executable, "-m", "xorj", "run", "quant-engine"], cwd=ROOT, env=self.environment)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(timeout=20)

    def answer(self, method: str, path: str, *, token: str = TOKEN) -> httpx2.Response:
        return httpx2.request(method, f"http://127.0.0.1:{self.port}{path}", headers={"authorization": f"Bearer {token}"}, timeout=10)

    def ranking(self) -> list[dict[str, Any]]:
        with suppress(httpx2.TransportError):
            found: list[dict[str, Any]] = self.answer("GET", "/internal/trader-rankings").json()
            return found
        return []

    def ranks(self, *wallets: Pubkey, trades: int = 0) -> list[dict[str, Any]]:
        """The ranking, once it holds these wallets and as many trades in all."""
        wanted = {str(wallet) for wallet in wallets}

        def found() -> list[dict[str, Any]]:
            ranking = self.ranking()
            counted = sum(row["performance_metrics"]["trade_count"] for row in ranking)
            return ranking if wanted <= {row["wallet_address"] for row in ranking} and counted >= trades else []

        return eventually(found, f"a ranking of {len(wanted)} wallets with {trades} trades", within_s=90)

    def trades_of_receipt(self, wallet: Pubkey) -> int | None:
        """What the wallet's explanation counts, None as long as no run has scored it."""
        answer = self.answer("GET", f"/internal/trader-rankings/{wallet}")
        return int(answer.json()["receipt"]["inputs"]["trades"]) if answer.status_code == HTTPStatus.OK else None

    def has_read(self, trades: int) -> bool:
        return len(self.swaps()) >= trades

    def swaps(self) -> list[Swap]:
        return asyncio.run(self.lake.swaps())


@pytest.fixture
def engine_around(tmp_path: Path, database_url: str) -> Iterator[Engine]:
    with CopyChain(tmp_path / "chain") as chain:
        port = free_port()
        environment = os.environ | {
            "PYTHONPATH": str(ROOT / "src"),
            "XORJ_DATA_DIR": str(tmp_path),
            "XORJ_RPC_URLS": chain.rpc_url,
            "XORJ_JUPITER_URL": chain.jupiter_url,
            "XORJ_DATABASE_URL": database_url,
            "XORJ_DATABASE_CONNECTIONS_MIN": "1",
            "XORJ_SERVICE_TOKEN": TOKEN,
            "XORJ_SCORING_EVERY_S": "1",
            "XORJ_ALLOW_UNSCORED": "true",
            # records of minutes have no trust score
            "XORJ_TRUST_MODEL": "v1",
            "XORJ_PORT_OFFSET": str(port - QUANT_ENGINE_PORT),
        }
        yield Engine(chain, environment, port, Wallet(chain, ANA), Wallet(chain, BEN))


def there_and_back(wallet: Wallet, mint: Pubkey, usdc: int, *, times: int) -> None:
    """Buys for so many dollars, sells most of it; a token is worth a dollar."""
    for number in range(times):
        # a little more each time, or the chain would take the second for the first sent again
        wallet.swaps(USDC_MINT, mint, usdc * USDC + number)
        wallet.swaps(mint, USDC_MINT, usdc * TOKEN_UNITS * 9 // 10 + number)


def test_who_trades_is_ranked_explained_and_named(engine_around: Engine) -> None:
    there_and_back(engine_around.ana, BONK, 1_000, times=TIMES_TO_BE_RANKED)
    with engine_around.runs():
        (ana,) = engine_around.ranks(ANA.pubkey(), trades=TRADES_MIN)
        assert ana["rank"] == 1
        assert -5 < ana["performance_metrics"]["total_return"] < 0  # percent: fees, and the price that he moves himself
        assert engine_around.answer("GET", "/readyz").json()["status"] == "ok"
        # ranks are fresh before the next scoring run has made a receipt of them
        eventually(lambda: engine_around.trades_of_receipt(ANA.pubkey()) == TRADES_MIN, "a receipt of all trades", within_s=90)
        there_and_back(engine_around.ben, WIF, 50, times=TIMES_TO_BE_RANKED)
        assert len(engine_around.ranks(ANA.pubkey(), BEN.pubkey(), trades=2 * TRADES_MIN)) == 2
        run = engine_around.answer("POST", "/internal/scoring-runs")
        assert (run.status_code, run.json()["traders_ranked"]) == (201, 2)
        price = engine_around.answer("GET", f"/internal/market-data?mint={BONK}").json()
        assert [row["mint"] for row in price] == [str(BONK)]
        # a rebuild of all books from the lake finds what they hold
        compared = engine_around.answer("POST", "/internal/book-comparisons")
        assert (compared.status_code, compared.json()) == (201, {"differing": []})


def test_a_stranger_and_bad_input_get_a_clear_answer(engine_around: Engine) -> None:
    with engine_around.runs():
        eventually(lambda: _ready(engine_around), "the engine is ready", within_s=60)
        answers = {
            engine_around.answer("GET", "/internal/trader-rankings", token="guessed").status_code: 401,
            engine_around.answer("GET", "/internal/trader-rankings?limit=0").status_code: 422,
            engine_around.answer("GET", f"/internal/trader-rankings/{BEN.pubkey()}").status_code: 404,
            engine_around.answer("POST", "/internal/scoring-runs").status_code: 409,
        }
        assert all(given == expected for given, expected in answers.items()), answers
        assert engine_around.answer("GET", "/internal/trader-rankings/0OIl").status_code == 422
        assert engine_around.answer("GET", "/internal/market-data?mint=abc").status_code == 422
        assert engine_around.ranking() == []


def test_killed_at_any_moment_it_goes_on_with_every_swap_once(engine_around: Engine) -> None:
    # the same chain as two providers, so that history comes through the pool
    url = engine_around.environment["XORJ_RPC_URLS"]
    engine_around.environment |= {"XORJ_RPC_URLS": f"{url},{url}/", "XORJ_RPC_ALLOWANCES": "2:1000, 1:1000"}
    for times, trades in ((1, 2), (TIMES_TO_BE_RANKED - 1, TRADES_MIN)):
        there_and_back(engine_around.ana, BONK, 100, times=times)
        with engine_around.runs() as process:
            eventually(partial(engine_around.has_read, trades), "swaps are in the lake", within_s=90)
            process.send_signal(signal.SIGKILL)
    with engine_around.runs():
        engine_around.ranks(ANA.pubkey(), trades=TRADES_MIN)
    swaps = engine_around.swaps()
    assert len({swap.signature for swap in swaps}) == len(swaps) == TRADES_MIN


def test_it_stops_in_time_and_waits_for_a_chain_that_is_not_there(engine_around: Engine) -> None:
    engine_around.chain.__exit__()
    with engine_around.runs() as process:
        eventually(lambda: _alive(engine_around), "the engine answers", within_s=60)
        assert engine_around.answer("GET", "/readyz").status_code == 503
        engine_around.chain.__enter__()
        eventually(lambda: _ready(engine_around), "the engine is ready", within_s=60)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=STOPS_WITHIN_S) == 0
        assert time.monotonic() - began < STOPS_WITHIN_S


def test_a_lake_of_another_chain_is_refused(engine_around: Engine) -> None:
    folder = Path(engine_around.environment["XORJ_DATA_DIR"]) / "lake"
    records = [swapped("ana", "1 SOL", "9 USDC", slot=1)]
    asyncio.run(DeltaLake(folder, "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d").commit(records, {}))
    with engine_around.runs() as process:
        assert process.wait(timeout=60) == 3


def _alive(engine: Engine) -> bool:
    with suppress(httpx2.TransportError):
        return engine.answer("GET", "/livez").status_code == 200
    return False


def _ready(engine: Engine) -> bool:
    with suppress(httpx2.TransportError):
        return engine.answer("GET", "/readyz").status_code == 200
    return False
