"""Execution's stores in memory, with the rules of the real ones: lease epochs, compare-and-set, one live attempt, one fill.

The contract suites run on these and on PostgreSQL, so that they cannot drift apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from xorj.chain.transactions import Commitment
from xorj.copying.situation import Running, Stopped, Switch
from xorj.execution.attempt import Attempt, AttemptState, Draft, attempt_id
from xorj.execution.brake import TRIES_MAX, Brake, BrakeDraft, BrakeEnding, BrakeKind, InDoubt, Wanted
from xorj.execution.fill import Cost, Failure, Fill
from xorj.execution.intent import Intent, IntentState, may_become
from xorj.execution.landing import Disagreement, Landing, Swept
from xorj.execution.lease import NAME, ChangedElsewhere, Deposed, HeldByOther, Lease
from xorj.execution.rejected import Rejected
from xorj.execution.settlement import Burned, Verdict, Witness
from xorj.primitives.errors import BrokenInvariant
from xorj.primitives.ids import Address, Signature, Slot, UserId
from xorj.vault.interface import NONCE_WINDOW

HOLDING = (IntentState.RESERVED, IntentState.IN_FLIGHT, IntentState.QUARANTINED)


@dataclass
class Memory:
    """What survives a process: the database."""

    epoch: int = 0
    holder: str = ""
    is_free: bool = True
    stopped: str | None = None
    stop: int = 0
    is_paused: bool = False
    ended: set[str] = field(default_factory=set)
    brakes: dict[str, Brake] = field(default_factory=dict)
    brake_ends: dict[str, BrakeEnding] = field(default_factory=dict)
    subjects: dict[str, tuple[BrakeKind, str]] = field(default_factory=dict)
    intents: dict[str, Intent] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    seen_slots: dict[str, Slot] = field(default_factory=dict)
    costs: dict[str, tuple[Slot, Cost]] = field(default_factory=dict)
    fills: dict[str, Fill] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    cursors: dict[tuple[Address, str], Swept] = field(default_factory=dict)
    outbox: list[tuple[str, str]] = field(default_factory=list)
    evidence: list[tuple[str, str]] = field(default_factory=list)

    def require(self, lease: Lease) -> None:
        if lease.epoch != self.epoch:
            raise Deposed(lease.epoch)

    def move(self, found: Intent, **changes: object) -> Intent:
        moved = replace(found, version=found.version + 1, **changes)  # type: ignore[arg-type]  # the fields of Intent
        self.intents[found.id] = moved
        return moved

    def require_intent(self, expected: Intent, following: IntentState) -> Intent:
        found = self.intents[expected.id]
        if (found.version, found.state) != (expected.version, expected.state):
            raise ChangedElsewhere(f"intent {expected.id}", found.state)
        if not may_become(found.state, following):
            raise BrokenInvariant("an intent cannot go that way", state=found.state, following=following)
        return found


class FakeLeases:
    """Time does not pass here: a lease runs out when `lapse` says so."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def take(self, holder: str) -> Lease | HeldByOther:
        memory = self._memory
        if not memory.is_free and memory.holder != holder:
            return HeldByOther(memory.holder, 1.0)
        memory.epoch, memory.holder, memory.is_free = memory.epoch + 1, holder, False
        return Lease(NAME, holder, memory.epoch)

    async def renew(self, lease: Lease) -> bool:
        return lease.epoch == self._memory.epoch

    async def release(self, lease: Lease) -> None:
        if lease.epoch == self._memory.epoch:
            self._memory.is_free = True

    def lapse(self) -> None:
        self._memory.is_free = True


class FakeKillSwitch:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def state(self) -> Switch:
        return Running() if self._memory.stopped is None else Stopped(self._memory.stopped)

    async def stop(self, reason: str, *, actor: str) -> None:
        self._memory.stop += self._memory.stopped is None
        self._memory.stopped = self._memory.stopped or reason

    async def release(self, reason: str, *, actor: str) -> None:
        self._memory.stop += self._memory.stopped is not None
        self._memory.stopped = None


class FakeIntents:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def open_intents(self, *, limit: int = 64) -> list[Intent]:
        live = {attempt.intent_id for attempt in self._memory.attempts.values() if attempt.state.is_live}
        found = [
            intent
            for intent in self._memory.intents.values()
            if intent.state in (IntentState.NEW, IntentState.RESERVED) and intent.id not in live
        ]
        return sorted(found, key=lambda intent: intent.created_slot)[:limit]

    async def find(self, intent_id: str) -> Intent | None:
        return self._memory.intents.get(intent_id)

    async def reserve(
        self, lease: Lease, intent: Intent, *, nonce_min: int, bot_epoch: int, held_raw: int, slot: Slot
    ) -> Intent | Rejected:
        memory = self._memory
        memory.require(lease)
        found = memory.intents[intent.id]
        if found.state is IntentState.RESERVED and found.version == intent.version + 1:
            return found
        found = memory.require_intent(intent, IntentState.RESERVED)
        others = [one for one in memory.intents.values() if one.vault == intent.vault and one.id != intent.id]
        holding = [one for one in others if one.state in HOLDING]
        spoken_for = sum(one.amount_in_raw for one in holding if one.input_mint == intent.input_mint and not self._is_gone(one, slot))
        if held_raw - spoken_for < intent.amount_in_raw:
            return Rejected("balance_reserved", f"{held_raw} held, {spoken_for} spoken for", is_final=False)
        of_grant = [one for one in others if one.bot_epoch == bot_epoch and one.nonce is not None]
        nonce = max([nonce_min, *(one.nonce + 1 for one in of_grant if one.nonce is not None)])
        living = [one.nonce for one in of_grant if one.nonce is not None and one.state in HOLDING]
        if living and nonce - min(living) >= NONCE_WINDOW:
            return Rejected("nonce_window", f"{nonce}", is_final=False)
        return memory.move(found, state=IntentState.RESERVED, nonce=nonce, bot_epoch=bot_epoch)

    async def end(self, lease: Lease, intent: Intent, state: IntentState, reason: str) -> Intent:
        memory = self._memory
        memory.require(lease)
        found = memory.intents[intent.id]
        if found.state is state and found.reason == reason:
            return found
        memory.require_intent(intent, state)
        given_back = {} if found.attempts_count else {"nonce": None, "bot_epoch": None}
        memory.outbox.append((f"intent_{state.value}", intent.id))
        return memory.move(found, state=state, reason=reason, **given_back)

    async def spent_lamports(self, user: UserId, since_slot: Slot) -> int:
        costs = [cost for slot, cost in self._memory.costs.values() if slot >= since_slot]
        return sum(cost.fee_lamports + cost.rent_lamports for cost in costs)

    def _is_gone(self, intent: Intent, slot: Slot) -> bool:
        """Whether a balance read at `slot` already misses what this intent took."""
        if intent.state is IntentState.QUARANTINED:
            return False
        landed = (Commitment.CONFIRMED, Commitment.FINALIZED)
        return any(
            attempt.intent_id == intent.id
            and attempt.state.is_live
            and attempt.seen_commitment in landed
            and self._memory.seen_slots[attempt.id] <= slot
            for attempt in self._memory.attempts.values()
        )


class FakeAttempts:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def build(self, lease: Lease, intent: Intent, draft: Draft) -> Attempt:
        memory = self._memory
        memory.require(lease)
        number = intent.attempts_count + 1
        identity, found = attempt_id(intent.id, number), memory.intents[intent.id]
        if found.state is IntentState.IN_FLIGHT and found.version == intent.version + 1:
            if memory.attempts[identity].message != draft.message:
                raise ChangedElsewhere(f"attempt {identity}", "built with another message")
            return memory.attempts[identity]
        found = memory.require_intent(intent, IntentState.IN_FLIGHT)
        assert not any(one.intent_id == intent.id and one.state.is_live for one in memory.attempts.values()), "one live attempt"
        assert found.nonce is not None
        assert found.bot_epoch is not None
        made = Attempt(
            id=identity,
            intent_id=intent.id,
            number=number,
            state=AttemptState.BUILT,
            message=draft.message,
            minimum_out_raw=draft.minimum_out_raw,
            blockhash=draft.blockhash.blockhash,
            last_valid_block_height=draft.blockhash.last_valid_block_height,
            built_slot=draft.blockhash.slot,
            deadline_slot=draft.deadline_slot,
            nonce=found.nonce,
            bot_epoch=found.bot_epoch,
            lease_epoch=lease.epoch,
            signature=None,
            transaction=None,
            seen_commitment=None,
            version=0,
        )
        memory.attempts[identity] = made
        memory.move(found, state=IntentState.IN_FLIGHT, attempts_count=number)
        return made

    async def record_signature(self, lease: Lease, attempt: Attempt, signature: Signature, transaction: bytes) -> Attempt:
        memory = self._memory
        memory.require(lease)
        found = memory.attempts[attempt.id]
        if found.state is AttemptState.SIGNED and found.signature == signature and found.transaction == transaction:
            return found
        if (found.version, found.state) != (attempt.version, attempt.state):
            raise ChangedElsewhere(f"attempt {attempt.id}", found.state)
        return self._move(found, state=AttemptState.SIGNED, signature=signature, transaction=transaction, lease_epoch=lease.epoch)

    async def open_attempts(self, *, limit: int = 256) -> list[tuple[Attempt, Intent]]:
        live = sorted((one for one in self._memory.attempts.values() if one.state.is_live), key=lambda one: (one.built_slot, one.id))
        return [(one, self._memory.intents[one.intent_id]) for one in live[:limit]]

    async def observe(self, attempt: Attempt, seen: Commitment, slot: Slot) -> None:
        found = self._memory.attempts[attempt.id]
        if found.state is AttemptState.SIGNED:
            self._memory.attempts[attempt.id] = replace(found, seen_commitment=seen)
            self._memory.seen_slots[attempt.id] = slot

    async def by_signature(self, signatures: Sequence[Signature]) -> dict[Signature, Attempt]:
        return {one.signature: one for one in self._memory.attempts.values() if one.signature in signatures and one.signature is not None}

    def _move(self, found: Attempt, **changes: object) -> Attempt:
        moved = replace(found, version=found.version + 1, **changes)  # type: ignore[arg-type]  # the fields of Attempt
        self._memory.attempts[found.id] = moved
        return moved


class FakeSettlements:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def settle(self, lease: Lease, attempt: Attempt, intent: Intent, fill: Fill, said: Sequence[Witness]) -> Intent:
        ended = self._end(lease, attempt, intent, AttemptState.FINAL_OK, IntentState.SETTLED, None, said)
        if ended is not None:
            assert attempt.id not in self._memory.fills, "one fill"
            self._memory.fills[attempt.id] = fill
            self._memory.costs[attempt.id] = fill.slot, Cost(fill.fee_lamports, fill.rent_lamports)
        return self._memory.intents[intent.id]

    async def revert(
        self, lease: Lease, attempt: Attempt, intent: Intent, failure: Failure, said: Sequence[Witness], *, ends: bool
    ) -> Intent:
        following = IntentState.REVERTED if ends else IntentState.RESERVED
        if self._end(lease, attempt, intent, AttemptState.FINAL_ERR, following, failure.error, said) is not None:
            self._memory.costs[attempt.id], self._memory.errors[attempt.id] = (failure.slot, failure.cost), failure.error
        return self._memory.intents[intent.id]

    async def bury(self, lease: Lease, attempt: Attempt, intent: Intent, proof: str, said: Sequence[Witness], *, ends: bool) -> Intent:
        self._end(lease, attempt, intent, AttemptState.DEAD, IntentState.ABANDONED if ends else IntentState.RESERVED, proof, said)
        return self._memory.intents[intent.id]

    async def doubt(self, lease: Lease, attempt: Attempt, intent: Intent, verdict: Verdict, said: Sequence[Witness]) -> Intent:
        memory = self._memory
        memory.require(lease)
        found = memory.intents[intent.id]
        if found.state is IntentState.QUARANTINED:
            return found
        memory.require_intent(intent, IntentState.QUARANTINED)
        memory.outbox.append(("intent_quarantined", intent.id))
        memory.evidence += [(attempt.id, "doubt") for _ in said]
        return memory.move(found, state=IntentState.QUARANTINED, reason=str(verdict))

    def _end(
        self,
        lease: Lease,
        attempt: Attempt,
        intent: Intent,
        state: AttemptState,
        following: IntentState,
        reason: str | None,
        said: Sequence[Witness],
    ) -> Intent | None:
        """None when an earlier try of the same step has done it."""
        memory = self._memory
        memory.require(lease)
        found = memory.attempts[attempt.id]
        if found.state is state:
            return None
        if (found.version, found.state) != (attempt.version, attempt.state):
            raise ChangedElsewhere(f"attempt {attempt.id}", found.state)
        owner = memory.require_intent(intent, following)
        memory.attempts[attempt.id] = replace(found, state=state, version=found.version + 1)
        memory.evidence += [(attempt.id, state.value) for _ in said]
        if following.is_terminal:
            memory.outbox.append((f"intent_{following.value}", intent.id))
        return memory.move(owner, state=following, reason=reason)


class FakeSweeps:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def cursor(self, bot: Address, provider: str) -> Swept | None:
        return self._memory.cursors.get((bot, provider))

    async def brakes(self, signatures: Sequence[Signature]) -> frozenset[Signature]:
        known = {one.signature for one in self._memory.brakes.values()}
        return frozenset(one for one in signatures if one in known)

    async def landed(self, *, after: Slot, upto: Slot) -> list[Landing]:
        memory = self._memory
        final = [one for one in memory.attempts.values() if one.state in (AttemptState.FINAL_OK, AttemptState.FINAL_ERR)]
        found = [Landing(one.signature, memory.costs[one.id][0], memory.errors.get(one.id)) for one in final if one.signature is not None]
        return sorted((one for one in found if after < one.slot <= upto), key=lambda one: one.slot)

    async def book_late(self, lease: Lease, signature: Signature, failure: Failure, provider: str) -> bool:
        memory = self._memory
        memory.require(lease)
        (found,) = (one for one in memory.attempts.values() if one.signature == signature)
        if found.state is not AttemptState.DEAD or found.id in memory.costs:
            return False
        memory.costs[found.id], memory.errors[found.id] = (failure.slot, failure.cost), failure.error
        memory.evidence.append((found.id, "late"))
        return True

    async def move(self, lease: Lease, bot: Address, provider: str, swept: Swept, found: Sequence[Disagreement]) -> None:
        self._memory.require(lease)
        self._memory.outbox += [("provider_disagrees", one.signature) for one in found]
        before = self._memory.cursors.get((bot, provider))
        if before is None or before.slot <= swept.slot:
            self._memory.cursors[bot, provider] = swept


class FakeBrakes:
    """Implements StopReader and BrakeStore. `memory.ended` names intents whose follow has ended, `is_paused` is the one vault's row."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def wanted(self, bot: Address, *, limit: int = 256) -> list[Wanted]:
        memory, found = self._memory, list[Wanted]()
        vaults = {(one.vault, one.owner) for one in memory.intents.values()}
        if memory.stopped is not None and not memory.is_paused:
            found += [Wanted(vault, owner, memory.stop, memory.stopped, 1) for vault, owner in sorted(vaults)]
        unseen = (None, Commitment.PROCESSED)
        for attempt in sorted(memory.attempts.values(), key=lambda one: (one.built_slot, one.id)):
            intent = memory.intents[attempt.intent_id]
            is_stopped = memory.stopped is not None or memory.is_paused or intent.id in memory.ended
            if attempt.state.is_live and attempt.seen_commitment in unseen and is_stopped:
                trade = InDoubt(attempt.id, intent.id, attempt.nonce, attempt.bot_epoch, attempt.deadline_slot)
                why = memory.stopped or ("the vault is paused" if memory.is_paused else "the follow has ended")
                found.append(Wanted(intent.vault, intent.owner, memory.stop, why, 1, trade))
        tried = [(one, self._of(one)) for one in found]
        settled = (AttemptState.BUILT, AttemptState.SIGNED, AttemptState.FINAL_OK)
        free = [(one, made) for one, made in tried if len(made) < TRIES_MAX and not any(each.state in settled for each in made)]
        return [replace(one, number=len(made) + 1) for one, made in free][:limit]

    async def burned(self, attempts: Sequence[str]) -> dict[str, Burned]:
        done = [one for one in self._memory.brakes.values() if one.state is AttemptState.FINAL_OK and one.attempt_id in attempts]
        ends = [(one, self._memory.brake_ends[one.id].slot) for one in done]
        return {str(one.attempt_id): Burned(one.signature, slot) for one, slot in ends if one.signature is not None and slot is not None}

    async def has_ended(self, intent_id: str) -> bool:
        return intent_id in self._memory.ended

    async def build(self, lease: Lease, wanted: Wanted, draft: BrakeDraft) -> Brake:
        memory = self._memory
        memory.require(lease)
        made = self._of(wanted)
        if made and made[-1].id == wanted.id and made[-1].message == draft.message:
            return made[-1]
        if len(made) != wanted.number - 1 or any(one.state.is_live for one in made):
            raise ChangedElsewhere(f"brake {wanted.id}", f"preceded by {len(made)} others")
        trade = wanted.trade
        brake = Brake(
            id=wanted.id,
            kind=wanted.kind,
            vault=wanted.vault,
            attempt_id=None if trade is None else trade.attempt_id,
            nonce=None if trade is None else trade.nonce,
            bot_epoch=None if trade is None else trade.bot_epoch,
            state=AttemptState.BUILT,
            message=draft.message,
            blockhash=draft.blockhash.blockhash,
            last_valid_block_height=draft.blockhash.last_valid_block_height,
            built_slot=draft.blockhash.slot,
            signature=None,
            transaction=None,
            version=0,
        )
        memory.brakes[brake.id], memory.subjects[brake.id] = brake, (wanted.kind, wanted.subject)
        return brake

    async def record_signature(self, lease: Lease, brake: Brake, signature: Signature, transaction: bytes) -> Brake:
        memory = self._memory
        memory.require(lease)
        found = memory.brakes[brake.id]
        if found.state is AttemptState.SIGNED and found.signature == signature and found.transaction == transaction:
            return found
        return self._move(found, brake, AttemptState.SIGNED, signature=signature, transaction=transaction)

    async def open_brakes(self, *, limit: int = 256) -> list[Brake]:
        live = [one for one in self._memory.brakes.values() if one.state.is_live]
        return sorted(live, key=lambda one: (one.built_slot, one.id))[:limit]

    async def end(self, lease: Lease, brake: Brake, state: AttemptState, ending: BrakeEnding, said: Sequence[Witness]) -> Brake:
        memory = self._memory
        memory.require(lease)
        found = memory.brakes[brake.id]
        if found.state is state:
            return found
        moved = self._move(found, brake, state)
        memory.brake_ends[brake.id] = ending
        return moved

    def _of(self, wanted: Wanted) -> list[Brake]:
        subject = (wanted.kind, wanted.subject)
        return [one for key, one in self._memory.brakes.items() if self._memory.subjects[key] == subject]

    def _move(self, found: Brake, expected: Brake, state: AttemptState, **changes: object) -> Brake:
        if (found.version, found.state) != (expected.version, expected.state):
            raise ChangedElsewhere(f"brake {found.id}", found.state)
        moved = replace(found, state=state, version=found.version + 1, **changes)  # type: ignore[arg-type]  # the fields of Brake
        self._memory.brakes[found.id] = moved
        return moved
