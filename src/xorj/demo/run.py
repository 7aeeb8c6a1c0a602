"""The main job headless: everything started, copies settled, the bot drained, every invariant checked from chain and database.

Called by cli/demo, which gives the launch that is ready to start. Nothing here trusts the bot: it reads rows and chain itself.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres.bot_controls import PostgresBotControls
from xorj.adapters.solana_rpc.clock import NodeClock
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.chain.transactions import SignatureStatus
from xorj.demo.books import Books, Progress, read_attempt, read_books, read_progress
from xorj.demo.chain_sweep import sweep
from xorj.demo.kill_bot import BotKiller, Witnessed
from xorj.demo.leaders import villain_wallets
from xorj.demo.memory import family_mib
from xorj.demo.recording import Recording
from xorj.demo.replay_check import FILL_ERROR_BPS_MAX, fill_errors_bps, percentile_95
from xorj.demo.report import Replayed, Report
from xorj.demo.verdict import EXITS_LEAST, SETTLED_LEAST, Verdict, judge
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Signature
from xorj.supervisor.launch import Launch

COPIES_TIMEOUT_S = 300.0
DRAIN_TIMEOUT_S = 90.0
VERDICT_TIMEOUT_S = 30.0
POLL_S = 0.25
# of a recording's rows; those that gave nothing are not played
PLAYED_SHARE_LEAST = 0.99
MEMORY_EVERY_S = 5.0

Tell = Callable[[str], None]


@dataclass(slots=True)
class DemoRun:
    """One run; `began_s` is time.monotonic() when the command was called, `killer` is None when nothing is to be killed."""

    launch: Launch
    database_url: str
    rpc_url: str
    seed: int
    began_s: float
    tell: Tell
    killer: BotKiller | None = None
    recording: Recording | None = None
    copies_timeout_s: float = COPIES_TIMEOUT_S
    _memory_mib: float = 0.0
    _first_copy_s: float | None = None
    _faults: list[str] = field(default_factory=list)

    async def report(self) -> Report:
        """Starts what the launch holds and returns what was found. The caller stops it. Raises Unavailable when it cannot start."""
        self.launch.start(lambda name, life: self.tell(f"{name}: {life.state.value}{f' ({life.cause})' if life.cause else ''}"))
        await self._serving()
        engine = postgres.create(self.database_url, application="demo", connections_min=1, connections_max=3)
        memory = asyncio.create_task(self._watch_memory())
        try:
            async with SolanaNode(self.rpc_url) as node:
                return await self._prove(engine, node)
        finally:
            memory.cancel()
            await engine.dispose()

    async def _prove(self, engine: AsyncEngine, node: SolanaNode) -> Report:
        controls, killer = PostgresBotControls(engine), self.killer
        await controls.drain(False)
        killing = asyncio.create_task(killer.run(lambda intent: _witness(engine, node, intent))) if killer is not None else None
        await self._copies_settle(engine, node, await read_progress(engine))
        if killing is not None:
            killing.cancel()
        self.tell("draining: nothing new is planned, what is open is settled")
        await controls.drain(True)
        await self._settled(engine)
        books, verdict = await self._judged(engine, node)
        replayed = await self._replayed(node, books)
        return Report(
            mode="demo" if self.recording is None else "replay",
            seed=self.seed,
            model=books.model,
            chain_genesis=await node.genesis_hash(),
            books=books,
            verdict=verdict,
            first_copy_s=self._first_copy_s,
            total_s=time.monotonic() - self.began_s,
            memory_mib=max(self._memory_mib, await asyncio.to_thread(family_mib)),
            kills=killer.kills if killer is not None else (),
            replayed=replayed,
            faults=tuple(self._faults),
        )

    async def _serving(self) -> None:
        while not self.launch.supervisor.serves:
            if (failed := self.launch.supervisor.hopeless) is not None:
                raise Unavailable(failed, self.launch.supervisor.lives[failed].cause)
            await asyncio.sleep(POLL_S)
        self.tell(f"everything is ready after {time.monotonic() - self.began_s:.0f} s")

    async def _copies_settle(self, engine: AsyncEngine, node: SolanaNode, before: Progress) -> None:
        """Until enough copies, an exit among them, have settled since the start, all kills are done, and a recording has been played."""
        deadline, told = time.monotonic() + self.copies_timeout_s, Progress()
        while time.monotonic() < deadline:
            now = (await read_progress(engine)).since(before)
            if now.settled and self._first_copy_s is None:
                self._first_copy_s = time.monotonic() - self.began_s
            if now != told:
                self.tell(f"copies settled: {now.settled}, exits among them: {now.settled_exits}, open: {now.unsettled}")
                told = now
            enough = now.settled >= SETTLED_LEAST and now.settled_exits >= EXITS_LEAST
            if enough and (self.killer is None or self.killer.is_done) and await self._is_played(node):
                return
            await asyncio.sleep(POLL_S)
        killed = "" if self.killer is None else f", {len(self.killer.kills)} of 3 kills done"
        self._faults.append(f"after {self.copies_timeout_s:.0f} s: {told.settled} copies settled, {told.settled_exits} exits{killed}")

    async def _is_played(self, node: SolanaNode) -> bool:
        """True where nothing is replayed, or when block time has passed the recording's last swap."""
        return self.recording is None or (await NodeClock(node).now()).unix_seconds > self.recording.rows[-1].block_time

    async def _settled(self, engine: AsyncEngine) -> None:
        """Until no intent is open for a while: what was planned as the drain began may come last."""
        deadline, quiet = time.monotonic() + DRAIN_TIMEOUT_S, 0
        while time.monotonic() < deadline and quiet < 8:
            quiet = quiet + 1 if (await read_progress(engine)).unsettled == 0 else 0
            await asyncio.sleep(POLL_S)

    async def _judged(self, engine: AsyncEngine, node: SolanaNode) -> tuple[Books, Verdict]:
        """The ledger follows the chain's finality, so that a departure counts only when it stays."""
        deadline = time.monotonic() + VERDICT_TIMEOUT_S
        while True:
            books = await read_books(engine)
            verdict = judge(books, await sweep(node, books.vaults), villain_wallets(self.seed))
            if verdict.ok or time.monotonic() > deadline:
                return books, verdict
            await asyncio.sleep(1.0)

    async def _replayed(self, node: SolanaNode, books: Books) -> Replayed | None:
        if self.recording is None:
            return None
        errors = await fill_errors_bps(node, self.recording.rows)
        self.tell(f"{len(errors)} of {len(self.recording.rows)} recorded swaps were played")
        if len(errors) < PLAYED_SHARE_LEAST * len(self.recording.rows):
            self._faults.append(f"only {len(errors)} of {len(self.recording.rows)} recorded swaps were played")
        error = percentile_95(errors)
        if error > FILL_ERROR_BPS_MAX:
            self._faults.append(f"fills are {error:.1f} bps off at the 95th percentile, at most {FILL_ERROR_BPS_MAX} are allowed")
        return Replayed(error, books.copy_delay_s_p50)

    async def _watch_memory(self) -> None:
        while True:
            self._memory_mib = max(self._memory_mib, await asyncio.to_thread(family_mib))
            await asyncio.sleep(MEMORY_EVERY_S)


async def _witness(engine: AsyncEngine, node: SolanaNode, intent_id: str) -> Witnessed:
    attempt = await read_attempt(engine, intent_id)
    if attempt is None:
        return Witnessed("none", None, None)
    status: SignatureStatus | None = None
    if attempt.signature is not None:
        _, (status,) = await node.statuses([Signature(attempt.signature)])
    return Witnessed(attempt.state, attempt.seen_commitment, status)
