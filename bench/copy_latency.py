"""`./xorj bench copy-latency`: from a leader's trade seen to our own transaction handed to the network, on the real local chain with the
real trade-bot, signer, router and database, each a process. A leader buys again and again; every buy is copied into one vault.

Times are the trade-bot's own, from its log: `leader_trade_seen` to `transaction_sent` of the intent that copies it. What the chain takes
until it is confirmed is not in them. The stages between them end with the decision's transaction, the message's transaction (reserved,
quoted, checked, simulated), the signer's signature, and the sending. CPU is that of each process over the whole run for one copy, idle
work included, which is measured before the first trade and stands beside it. p99 must be under 1 s. The exit code says whether it was, and
whether nine of ten trades were copied. On a busy machine the figures tell of the machine: the load stands beside them.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil
from solders.pubkey import Pubkey
from sqlalchemy import func, select, text
from tests.fakes.copy_chain import ANA, BEN, BONK, USDC, VAULT, CopyChain, Wallet, opens_vault
from tests.fakes.copy_rows import PostgresRows
from tests.fakes.localnet_process import ROOT, free_port

from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres import migrate
from xorj.adapters.postgres.tables import attempts, decisions, follows, intents, leader_trades, vaults
from xorj.demo.tokens import USDC_MINT
from xorj.primitives import ids
from xorj.primitives.errors import Unavailable
from xorj.services.signer import create_key
from xorj.settings import TRADE_BOT_PORT, SignerSettings
from xorj.supervisor.postgres import EmbeddedPostgres
from xorj.supervisor.postgres_programs import installed

TRADES = 80
# Her equity is 10,000 USDC and his 500: a copy of 5 USDC each.
TRADE_RAW = 100 * USDC
PAUSE_S = 0.3
# How long idleness is measured before the first trade.
IDLE_S = 5.0
WITHIN_S = 120.0
P99_MS_MAX = 1_000.0
COPIED_SHARE_MIN = 0.9
STAGES = ("decided", "built", "signed", "sent")


@dataclass(frozen=True)
class Copy:
    """A copy's moments in order: the leader's trade seen, then the end of each of STAGES."""

    at: tuple[datetime, ...]

    @property
    def took_ms(self) -> list[float]:
        """One a stage."""
        return [max(0.0, (later - earlier).total_seconds() * 1_000) for earlier, later in zip(self.at, self.at[1:], strict=False)]

    @property
    def whole_ms(self) -> float:
        return (self.at[-1] - self.at[0]).total_seconds() * 1_000


@dataclass(frozen=True)
class Run:
    copies: list[Copy]
    told: "Told"


@contextmanager
def service(name: str, folder: Path, environment: dict[str, str]) -> Iterator[psutil.Process]:
    """One of our processes, its log in the folder; killed at the end."""
    with (folder / f"{name}.log").open("wb") as log:
        started = subprocess.Popen([sys.executable, "-m", "xorj", "run", name], env=environment, stdout=log, stderr=log, cwd=ROOT)
    try:
        yield psutil.Process(started.pid)
    finally:
        started.send_signal(signal.SIGKILL)
        started.wait()


async def until(engine: Any, what: str, query: Any, wanted: int = 1) -> None:
    """Until a count reaches what is wanted. Raises Unavailable."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        async with engine.connect() as connection:
            if int((await connection.execute(query)).scalar_one()) >= wanted:
                return
        if time.monotonic() > deadline:
            raise Unavailable("bench", f"not within {WITHIN_S:.0f} s: {what}")
        await asyncio.sleep(0.05)


@dataclass(frozen=True)
class Row:
    """What the database says of one copy; `signature` is that of the leader's trade."""

    intent_id: str
    signature: str
    decided: datetime
    built: datetime
    own_signature: str


@dataclass(frozen=True)
class Told:
    """What was copied, how often each rule decided, and what it took; `cpu_idle_ms` a second."""

    rows: list[Row]
    rules: dict[str, int]
    cpu_ms: dict[str, float]
    cpu_idle_ms: dict[str, float]
    transactions: int


class Meter:
    """CPU of processes in ms, by name, and the time passed, from now on."""

    def __init__(self, processes: dict[str, psutil.Process]) -> None:
        self._processes, self._began = processes, time.monotonic()
        self._before = {name: self._cpu_ms(process) for name, process in processes.items()}

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def read(self) -> dict[str, float]:
        return {name: self._cpu_ms(process) - self._before[name] for name, process in self._processes.items()}

    def a_second(self) -> dict[str, float]:
        return {name: used / self.seconds for name, used in self.read().items()}

    def _cpu_ms(self, process: psutil.Process) -> float:
        used = process.cpu_times()
        return float(used.user + used.system) * 1_000


async def copies(chain: CopyChain, url: str, bot: str, trades: int, pause_s: float, processes: dict[str, psutil.Process]) -> Told:
    """Lets the leader trade; what became of each trade, how often each rule decided, and what it took."""
    engine = postgres.create(url, application="bench", connections_min=1, connections_max=4)
    rows, ana, ben = PostgresRows(engine), Wallet(chain, ANA), Wallet(chain, BEN)
    await rows.user(ids.Wallet(str(BEN.pubkey())))
    await rows.ranking([ids.Wallet(str(ANA.pubkey()))])
    ben.sends(*opens_vault(Pubkey.from_string(bot)))
    await until(engine, "the vault's row", select(func.count()).where(vaults.c.bot_authority == bot))
    await rows.order(ids.Address(str(VAULT)), allocation_bps=10_000)
    await until(engine, "a follow", select(func.count()).select_from(follows))
    resting = Meter(processes)
    await asyncio.sleep(IDLE_S)
    idle, meter, before = resting.a_second(), Meter(processes), await _transactions(engine)
    for _ in range(trades):
        ana.swaps(USDC_MINT, BONK, TRADE_RAW)
        await asyncio.sleep(pause_s)
    await until(engine, "every trade decided", select(func.count()).select_from(decisions), trades)
    copied = select(func.count()).select_from(intents).where(intents.c.state.in_(("settled", "reverted", "abandoned", "cancelled")))
    async with engine.connect() as connection:
        wanted = int((await connection.execute(select(func.count()).select_from(intents))).scalar_one())
    await until(engine, "every copy ended", copied, wanted)
    used, committed = meter.read(), await _transactions(engine) - before
    query = select(
        intents.c.id,
        leader_trades.c.signature,
        intents.c.created_at,
        attempts.c.created_at.label("built"),
        attempts.c.signature.label("own"),
    ).where(
        decisions.c.id == intents.c.decision_id,
        leader_trades.c.id == decisions.c.leader_trade_id,
        attempts.c.intent_id == intents.c.id,
        attempts.c.number == 1,
    )
    async with engine.connect() as connection:
        found = [Row(row.id, row.signature, row.created_at, row.built, row.own) for row in await connection.execute(query)]
        by_rule = select(decisions.c.outcome, decisions.c.rule, func.count().label("number")).group_by(
            decisions.c.outcome, decisions.c.rule
        )
        rules = {f"{row.outcome}: {row.rule}": int(row.number) for row in await connection.execute(by_rule)}
    await engine.dispose()
    return Told(found, rules, used, idle, committed)


async def _transactions(engine: Any) -> int:
    """Committed in this database so far, as its statistics know."""
    query = text("select xact_commit from pg_stat_database where datname = current_database()")
    async with engine.connect() as connection:
        return int((await connection.execute(query)).scalar_one())


def moments(log: Path, event: str, key: str) -> dict[str, datetime]:
    """When an event of a log was first told, by one of its fields."""
    told: dict[str, datetime] = {}
    for line in log.read_text().splitlines():
        said = json.loads(line) if line.startswith("{") else {}
        if said.get("event") == event:
            told.setdefault(said[key], datetime.fromisoformat(said["timestamp"]))
    return told


def run(trades: int, pause_s: float) -> Run:
    """Copies in the order of how long they took."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="xorj-latency-")))
        folder.chmod(0o711)
        binaries = next(one.folder for one in installed() if one.origin == "wheel")
        database = stack.enter_context(EmbeddedPostgres(folder / "postgres", binaries=binaries))
        migrate.upgrade(database.url)
        chain = stack.enter_context(CopyChain(folder / "chain", slot_ms=200))
        environment = os.environ | {
            "XORJ_DATA_DIR": str(folder / "data"),
            "XORJ_RPC_URLS": chain.rpc_url,
            "XORJ_RPC_WEBSOCKET_URL": chain.websocket_url,
            "XORJ_JUPITER_URL": chain.jupiter_url,
            "XORJ_DATABASE_URL": database.url,
            "XORJ_SERVICE_TOKEN": "for-this-bench-alone-0123456789",
            "XORJ_PORT_OFFSET": str(free_port() - TRADE_BOT_PORT),
            "XORJ_LOG_FORMAT": "json",
        }
        (folder / "data").mkdir(mode=0o700)
        bot = create_key(SignerSettings(data_dir=folder / "data"))
        Wallet(chain, BEN).call("requestAirdrop", bot, 10**10)
        processes = {name: stack.enter_context(service(name, folder, environment)) for name in ("signer", "trade-bot")}
        told = asyncio.run(copies(chain, database.url, bot, trades, pause_s, processes))
        seen = moments(folder / "trade-bot.log", "leader_trade_seen", "signature")
        sent = moments(folder / "trade-bot.log", "transaction_sent", "intent_id")
        signed = moments(folder / "signer.log", "message_signed", "signature")
    known = [row for row in told.rows if row.signature in seen and row.intent_id in sent and row.own_signature in signed]
    made = [Copy((seen[row.signature], row.decided, row.built, signed[row.own_signature], sent[row.intent_id])) for row in known]
    return Run(sorted(made, key=lambda copy: copy.whole_ms), told)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="xorj bench copy-latency", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object instead of a sentence")
    parser.add_argument("--trades", type=int, default=TRADES)
    parser.add_argument("--pause-s", type=float, default=PAUSE_S, help="between two trades of the leader")
    chosen = parser.parse_args(arguments)
    done = run(chosen.trades, chosen.pause_s)
    if len(done.copies) < 2:
        raise Unavailable("bench", f"{len(done.copies)} copies were made; decided: {done.told.rules}")
    report = reported(done, chosen.trades)
    print(json.dumps(report, indent=2) if chosen.json else sentence(report))
    return 0 if report["held"] else 1


def reported(done: Run, trades: int) -> dict[str, Any]:
    took, number = [copy.whole_ms for copy in done.copies], len(done.copies)
    by_stage = list(zip(*(copy.took_ms for copy in done.copies), strict=True))
    p50, p99 = (quantiles(took, n=100, method="inclusive")[cut] for cut in (49, 98))
    return {
        "leader_trades": trades,
        "decided": done.told.rules,
        "copies_measured": number,
        "p50_ms": p50,
        "p99_ms": p99,
        "max_ms": took[-1],
        "p99_ms_max": P99_MS_MAX,
        "stages_p50_ms": {name: median(each) for name, each in zip(STAGES, by_stage, strict=True)},
        "stages_p99_ms": {name: quantiles(each, n=100, method="inclusive")[98] for name, each in zip(STAGES, by_stage, strict=True)},
        "cpu_ms_a_copy": {name: used / number for name, used in done.told.cpu_ms.items()},
        "cpu_idle_ms_a_second": done.told.cpu_idle_ms,
        "database_transactions_a_copy": done.told.transactions / number,
        "load_1_minute": os.getloadavg()[0],
        "held": number >= trades * COPIED_SHARE_MIN and p99 <= P99_MS_MAX,
    }


def sentence(report: dict[str, Any]) -> str:
    words = (
        "seen to sent: p50 {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms, worst {max_ms:.1f} ms over {copies_measured} of {leader_trades} copies; "
        "load {load_1_minute:.1f}"
    )
    stages = [f"  {name:8} p50 {report['stages_p50_ms'][name]:8.1f} ms   p99 {report['stages_p99_ms'][name]:8.1f} ms" for name in STAGES]
    cpu = ", ".join(f"{name} {used:.1f} ms" for name, used in report["cpu_ms_a_copy"].items())
    idle = ", ".join(f"{name} {used:.1f} ms" for name, used in report["cpu_idle_ms_a_second"].items())
    took = f"  CPU a copy: {cpu}; idle a second: {idle}; {report['database_transactions_a_copy']:.1f} database transactions a copy"
    return "\n".join([f"{words.format(**report)}; {'held' if report['held'] else 'NOT HELD'}", *stages, took])


if __name__ == "__main__":
    sys.exit(main())
