"""What has become of everything that is open, from the chain. The same rounds at start-up, after a crash and while trading.

`settle_open_attempts` asks every provider and books what is proven; `reconcile` does that, sweeps the chain, and says which vaults must not
trade. Called by execute_under_lease.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from xorj.chain.transactions import Commitment
from xorj.copying.situation import Stopped
from xorj.execution.ask_providers import Views, finalized_transaction, is_final_anywhere, nonce_word, views, witnesses
from xorj.execution.attempt import Attempt, AttemptState, Outstanding
from xorj.execution.desk import Desk
from xorj.execution.execute_intents import Waiting, send, sign_and_send
from xorj.execution.fill import Failure, cost_of, fill_of
from xorj.execution.intent import Intent, IntentState
from xorj.execution.lease import ChangedElsewhere, Lease
from xorj.execution.ports import LedgerAudit, Moment
from xorj.execution.settlement import (
    Burned,
    Contradiction,
    Dead,
    FinalError,
    FinalOk,
    Unknown,
    Verdict,
    Witness,
    judge,
    providers_needed,
)
from xorj.execution.sweep_chain import sweep
from xorj.observability import logging, metrics
from xorj.primitives.errors import RefusedForSafety, Unavailable
from xorj.primitives.ids import Address, Slot

log = logging.get("reconciler")

RESEND_SLOTS = 8
# Bytes that would land this close to their deadline are left to die by proof: landing late costs the fee and an attempt.
LAST_SEND_SLOTS = 6
NONE_BUSY: frozenset[str] = frozenset()


@dataclass(slots=True)
class Round:
    """What one round came to, by verdict, and what is still open."""

    verdicts: Counter[str] = field(default_factory=Counter)
    open_attempts: int = 0
    in_doubt: int = 0


@dataclass(slots=True)
class Resends:
    """When this process last sent the bytes of trades and brakes. Losing it costs a repeated send, which is harmless."""

    slots: dict[str, Slot] = field(default_factory=dict)

    def is_due(self, attempt: Outstanding, now: Slot) -> bool:
        last = self.slots.get(attempt.id)
        return last is None or now - last >= RESEND_SLOTS

    def note(self, attempt: Outstanding, now: Slot) -> None:
        # what was sent longer ago is due as if it had never been sent
        self.slots = {key: slot for key, slot in self.slots.items() if now - slot < RESEND_SLOTS} | {attempt.id: now}


async def require_chain(desk: Desk) -> None:
    """Every provider must be on the chain that the database belongs to. Raises RefusedForSafety, Unavailable."""
    for provider in desk.providers:
        found = await provider.statuses.genesis_hash()
        if found != desk.genesis:
            raise RefusedForSafety(f"provider {provider.name} is on the chain with genesis {found}, not {desk.genesis}")


async def reconcile(
    desk: Desk, lease: Lease, audit: LedgerAudit, resends: Resends, busy: Collection[str] = NONE_BUSY
) -> dict[Address, str]:
    """Settles, sweeps, and compares the ledger; the vaults that must not trade, each with why. Raises BrokenInvariant on a stray effect."""
    await settle_open_attempts(desk, lease, resends, busy)
    await sweep(desk, lease)
    halted = await audit()
    for vault, difference in halted.items():
        log.error("vault_halted", vault=vault, difference=difference)
    return halted


async def settle_open_attempts(desk: Desk, lease: Lease, resends: Resends, busy: Collection[str] = NONE_BUSY) -> Round:
    """One round over every live attempt but those of `busy` intents that are not signed yet. Unreachable providers have no voice."""
    opened = await desk.stores.attempts.open_attempts()
    outcome = Round(open_attempts=len(opened))
    mine = [(attempt, intent) for attempt, intent in opened if attempt.state is AttemptState.SIGNED or attempt.intent_id not in busy]
    if not mine:
        return outcome
    seen = await views(desk, [attempt.signature for attempt, _ in mine if attempt.signature is not None])
    # Read before the verdicts: a burn that is booked meanwhile is for the next round.
    burned = await desk.stores.stops.burned([attempt.id for attempt, _ in mine])
    now = (await desk.clock.now()).slot
    for attempt, intent in mine:
        try:
            verdict = await _settle(desk, lease, attempt, intent, seen, burned.get(attempt.id), now)
            if isinstance(verdict, Unknown):
                await _go_on(desk, lease, attempt, verdict, resends, now)
        except (Unavailable, ChangedElsewhere) as error:
            log.warning("attempt_not_judged", attempt_id=attempt.id, error=str(error))
            continue
        outcome.verdicts[type(verdict).__name__] += 1
        outcome.in_doubt += intent.state is IntentState.QUARANTINED or isinstance(verdict, Contradiction)
        outcome.open_attempts -= isinstance(verdict, FinalOk | FinalError | Dead)
    return outcome


async def _settle(desk: Desk, lease: Lease, attempt: Attempt, intent: Intent, seen: Views, burned: Burned | None, now: Slot) -> Verdict:
    """Judges one attempt and books a terminal verdict."""
    said = await witnesses(desk, attempt, seen)
    needs_vault = is_final_anywhere(said) or any(one.absence for one in said)
    nonce = await nonce_word(desk, intent.vault, attempt.nonce, attempt.bot_epoch) if needs_vault else None
    verdict = judge(attempt, said, nonce, needed=providers_needed(desk.genesis), bounds=desk.bounds, burned=burned)
    match verdict:
        case FinalOk():
            await _book_success(desk, lease, attempt, intent, said)
        case FinalError():
            await _book_failure(desk, lease, attempt, intent, verdict, said, now)
        case Dead():
            await _bury(desk, lease, attempt, intent, verdict, said, is_over=burned is not None or _is_over(desk, intent, now))
        case Contradiction():
            await _doubt(desk, lease, attempt, intent, verdict, said)
        case Unknown() if now > attempt.deadline_slot + desk.bounds.doubt_slots_max:
            await _doubt(desk, lease, attempt, intent, verdict, said)
        case Unknown():
            await _observe(desk, attempt, verdict)
    return verdict


async def _go_on(desk: Desk, lease: Lease, attempt: Attempt, verdict: Unknown, resends: Resends, now: Slot) -> None:
    """What may still be done for an attempt without a verdict: sign it, or send its bytes once more. Nothing while stopped or too late."""
    is_late = now + LAST_SEND_SLOTS > attempt.deadline_slot
    if verdict.seen is not None or is_late or isinstance(await desk.kill_switch.state(), Stopped):
        return
    if attempt.state is AttemptState.BUILT:
        step = await sign_and_send(desk, lease, attempt)
        if isinstance(step, Waiting):
            log.info("attempt_waits", attempt_id=attempt.id, reason=step.reason)
    elif resends.is_due(attempt, now):
        await send(desk, attempt)
        resends.note(attempt, now)


async def _book_success(desk: Desk, lease: Lease, attempt: Attempt, intent: Intent, said: Sequence[Witness]) -> None:
    transaction = await finalized_transaction(desk, attempt)
    fill = fill_of(intent, attempt, transaction)
    await desk.checkpoint(Moment.FINALIZED, intent.id)
    await desk.stores.settlements.settle(lease, attempt, intent, fill, said)
    metrics.EXECUTIONS.labels("settled").inc()
    log.info("intent_settled", intent_id=intent.id, signature=attempt.signature, slot=fill.slot, output_raw=fill.output_raw)
    await desk.checkpoint(Moment.SETTLED, intent.id)


async def _book_failure(
    desk: Desk, lease: Lease, attempt: Attempt, intent: Intent, verdict: FinalError, said: Sequence[Witness], now: Slot
) -> None:
    """Ends the intent, unless it failed for its slot alone and the intent still lives."""
    ends = not verdict.is_untimely or _is_over(desk, intent, now)
    cost = cost_of(await finalized_transaction(desk, attempt))
    await desk.checkpoint(Moment.FINALIZED, intent.id)
    await desk.stores.settlements.revert(lease, attempt, intent, Failure(verdict.slot, verdict.error, cost), said, ends=ends)
    if ends:
        metrics.EXECUTIONS.labels("reverted").inc()
    log.info("attempt_failed", intent_id=intent.id, signature=attempt.signature, slot=verdict.slot, error=verdict.error, ends=ends)
    await desk.checkpoint(Moment.SETTLED, intent.id)


def _is_over(desk: Desk, intent: Intent, now: Slot) -> bool:
    """Whether an intent whose attempt came to nothing gets no other one."""
    return intent.attempts_count >= desk.bounds.attempts_max or now > intent.expires_slot or intent.state is IntentState.QUARANTINED


async def _bury(desk: Desk, lease: Lease, attempt: Attempt, intent: Intent, dead: Dead, said: Sequence[Witness], *, is_over: bool) -> None:
    """Where the nonce was burned no other attempt can be made: all attempts of an intent have the same nonce."""
    await desk.stores.settlements.bury(lease, attempt, intent, dead.proof, said, ends=is_over)
    if is_over:
        metrics.EXECUTIONS.labels("abandoned").inc()
    log.info("attempt_died", intent_id=intent.id, attempt_id=attempt.id, proof=dead.proof, ends=is_over)


async def _doubt(desk: Desk, lease: Lease, attempt: Attempt, intent: Intent, verdict: Verdict, said: Sequence[Witness]) -> None:
    if intent.state is not IntentState.QUARANTINED:
        await desk.stores.settlements.doubt(lease, attempt, intent, verdict, said)
        metrics.EXECUTIONS.labels("quarantined").inc()
        log.error("intent_quarantined", intent_id=intent.id, attempt_id=attempt.id, verdict=str(verdict))


async def _observe(desk: Desk, attempt: Attempt, verdict: Unknown) -> None:
    if verdict.seen is None or verdict.slot is None or verdict.seen is attempt.seen_commitment:
        return
    await desk.stores.attempts.observe(attempt, verdict.seen, verdict.slot)
    moment = {Commitment.PROCESSED: Moment.SEEN, Commitment.CONFIRMED: Moment.CONFIRMED}.get(verdict.seen, Moment.FINALIZED)
    await desk.checkpoint(moment, attempt.intent_id)
