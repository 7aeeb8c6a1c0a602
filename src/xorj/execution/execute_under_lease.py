"""The life of an executing process: take the lease, settle what is open, open the gate, then trade until the lease is lost.

Called by the trade-bot's service as one background task; several replicas may run it, one of them acts.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from xorj.execution.apply_brakes import apply_brakes
from xorj.execution.desk import Desk
from xorj.execution.execute_intents import Sent, execute_intent
from xorj.execution.intent import Intent
from xorj.execution.lease import LEASE_SECONDS, RENEW_SECONDS, ChangedElsewhere, Deposed, Lease
from xorj.execution.ports import LeaseStore, LedgerAudit
from xorj.execution.reconcile_intents import Resends, Round, reconcile, require_chain, settle_open_attempts
from xorj.observability import logging, metrics
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address

log = logging.get("execution")

# Wake-ups come by event; these are for what an event was missed for.
RESCAN_S = 0.5
SETTLE_S = 0.25
BRAKE_S = 1.0
RECONCILE_S = 5.0
TAKE_AGAIN_S = 0.25
AFTER_FAULT_S = 1.0


@dataclass(slots=True)
class Gate:
    """Whether this process may trade, and which vaults may not. Read by health checks and pages; written here alone."""

    lease: Lease | None = None
    is_open: bool = False
    halted: dict[Address, str] = field(default_factory=dict)
    open_attempts: int = 0
    in_doubt: int = 0

    def close(self) -> None:
        self.lease, self.is_open = None, False
        metrics.LEASE_EPOCH.set(0)

    def note(self, outcome: Round) -> None:
        """What the last round over the open attempts came to."""
        self.open_attempts, self.in_doubt = outcome.open_attempts, outcome.in_doubt
        metrics.ATTEMPTS_OPEN.labels("no").set(outcome.open_attempts - outcome.in_doubt)
        metrics.ATTEMPTS_OPEN.labels("yes").set(outcome.in_doubt)


@dataclass(slots=True)
class Wakes:
    """Set `intents` when an intent may be new, `attempts` when one may have moved on; whoever sets them twice sets them once."""

    intents: asyncio.Event = field(default_factory=asyncio.Event)
    attempts: asyncio.Event = field(default_factory=asyncio.Event)


async def execute_under_lease(desk: Desk, leases: LeaseStore, holder: str, audit: LedgerAudit, gate: Gate, wakes: Wakes) -> None:
    """Runs until cancelled. Raises BrokenInvariant and RefusedForSafety, which no retry may paper over."""
    while True:
        try:
            lease = await _taken(leases, holder)
            log.info("lease_taken", epoch=lease.epoch, holder=holder)
            await _act(desk, leases, lease, audit, gate, wakes)
        except (Deposed, Unavailable) as error:
            log.warning("lease_lost", error=str(error))
            await asyncio.sleep(AFTER_FAULT_S)


async def _taken(leases: LeaseStore, holder: str) -> Lease:
    while True:
        found = await leases.take(holder)
        if isinstance(found, Lease):
            return found
        await asyncio.sleep(min(TAKE_AGAIN_S, max(0.01, found.seconds_left)))


async def _act(desk: Desk, leases: LeaseStore, lease: Lease, audit: LedgerAudit, gate: Gate, wakes: Wakes) -> None:
    """Everything that is done under one lease. The first part to fail ends the others."""
    gate.lease = lease
    metrics.LEASE_EPOCH.set(lease.epoch)
    resends, busy = Resends(), set[str]()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_keep(leases, lease), name="lease")
            await _boot(desk, lease, audit, gate, resends)
            group.create_task(_every(BRAKE_S, None, lambda: _braked(desk, lease, resends, wakes)), name="brake")
            group.create_task(_every(RECONCILE_S, None, lambda: _reconciled(desk, lease, audit, gate, resends, busy)), name="reconcile")
            group.create_task(_every(SETTLE_S, wakes.attempts, lambda: _settled(desk, lease, gate, resends, busy)), name="settle")
            group.create_task(_execute(desk, lease, gate, wakes, busy), name="execute")
    except BaseExceptionGroup as group_error:
        raise _worst(group_error) from None
    finally:
        gate.close()
        await _released(leases, lease)


async def _boot(desk: Desk, lease: Lease, audit: LedgerAudit, gate: Gate, resends: Resends) -> None:
    """Nothing new before everything old has an end, or is set aside for a person. What a stop asks for comes before all else."""
    await require_chain(desk)
    while True:
        await apply_brakes(desk, lease, resends)
        outcome = await settle_open_attempts(desk, lease, resends)
        gate.note(outcome)
        if outcome.open_attempts <= outcome.in_doubt:
            break
        await asyncio.sleep(SETTLE_S)
    gate.halted = await reconcile(desk, lease, audit, resends)
    gate.is_open = True
    log.info("gate_opened", epoch=lease.epoch, halted=len(gate.halted))


async def _keep(leases: LeaseStore, lease: Lease) -> None:
    """Renews. Stops acting at half the lease's life by our own clock, before anybody else can have it by the database's."""
    loop = asyncio.get_running_loop()
    renewed = loop.time()
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        started = loop.time()
        try:
            async with asyncio.timeout(max(0.01, renewed + LEASE_SECONDS / 2 - started)):
                if not await leases.renew(lease):
                    raise Deposed(lease.epoch)
            renewed = started
        except (Unavailable, TimeoutError) as error:
            if loop.time() - renewed > LEASE_SECONDS / 2:
                raise Deposed(lease.epoch) from error


async def _execute(desk: Desk, lease: Lease, gate: Gate, wakes: Wakes, busy: set[str]) -> None:
    """Starts every open intent that is not being worked on, a few at a time, oldest first."""
    async with asyncio.TaskGroup() as group:
        while True:
            wakes.intents.clear()
            for intent in await _due(desk, gate, busy):
                if len(busy) >= desk.bounds.intents_at_once_max:
                    break
                busy.add(intent.id)
                group.create_task(_one(desk, lease, intent, wakes, busy), name=f"intent {intent.id}")
            await _woken(wakes.intents, RESCAN_S)


async def _due(desk: Desk, gate: Gate, busy: set[str]) -> list[Intent]:
    try:
        opened = await desk.stores.intents.open_intents()
    except Unavailable as error:
        log.warning("intents_not_read", error=str(error))
        return []
    return [intent for intent in opened if intent.id not in busy and intent.vault not in gate.halted]


async def _one(desk: Desk, lease: Lease, intent: Intent, wakes: Wakes, busy: set[str]) -> None:
    started = asyncio.get_running_loop().time()
    try:
        if isinstance(await execute_intent(desk, lease, intent), Sent):
            metrics.EXECUTION_SECONDS.observe(asyncio.get_running_loop().time() - started)
            wakes.attempts.set()
    except (Unavailable, ChangedElsewhere) as error:
        log.warning("intent_not_executed", intent_id=intent.id, error=str(error))
    finally:
        busy.discard(intent.id)


async def _settled(desk: Desk, lease: Lease, gate: Gate, resends: Resends, busy: set[str]) -> None:
    outcome = await settle_open_attempts(desk, lease, resends, busy)
    gate.note(outcome)


async def _braked(desk: Desk, lease: Lease, resends: Resends, wakes: Wakes) -> None:
    if await apply_brakes(desk, lease, resends):
        wakes.attempts.set()


async def _reconciled(desk: Desk, lease: Lease, audit: LedgerAudit, gate: Gate, resends: Resends, busy: set[str]) -> None:
    gate.halted = await reconcile(desk, lease, audit, resends, busy)


async def _every(seconds: float, wake: asyncio.Event | None, step: Callable[[], Awaitable[None]]) -> None:
    """Repeats a step; a fault of an outside system is waited out, anything else ends the process."""
    while True:
        await (asyncio.sleep(seconds) if wake is None else _woken(wake, seconds))
        try:
            await step()
        except Unavailable as error:
            log.warning("step_not_done", error=str(error))
            await asyncio.sleep(seconds)


async def _woken(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
    event.clear()


async def _released(leases: LeaseStore, lease: Lease) -> None:
    """So that the next one need not wait; it would get the lease anyway when it runs out."""
    try:
        await asyncio.shield(leases.release(lease))
    except Unavailable as error:
        log.info("lease_not_released", error=str(error))


def _worst(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What must not be papered over comes before what may be waited out."""

    def flat(error: BaseException) -> list[BaseException]:
        return [leaf for one in error.exceptions for leaf in flat(one)] if isinstance(error, BaseExceptionGroup) else [error]

    return min(flat(group), key=lambda error: isinstance(error, Deposed | Unavailable))
