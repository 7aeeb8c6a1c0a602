"""What became of an attempt, from evidence alone: settled, reverted, provably dead, in contradiction, or unknown. Pure; rules I4 and I5.

"Not found" is never an answer. Death needs expiry at finalized height (or the vault's own deadline) and absence by two methods, from
enough independent providers, with none contradicting and the vault's nonce unused at a later finalized slot. A nonce that a finalized
burn of ours has used up is a proof by itself: the vault lets no trade have it any more, and would have refused the burn after a trade.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xorj.chain.transactions import Commitment, EpochInfo, SignatureStatus
from xorj.execution.attempt import Attempt, Outstanding, gap_at_build
from xorj.execution.bounds import Bounds
from xorj.execution.brake import Brake, BrakeKind
from xorj.execution.timing import is_refused_for_its_slot
from xorj.primitives.ids import LOCAL_GENESIS, Signature, Slot
from xorj.vault.accounts import NonceState

INDEPENDENT_PROVIDERS_MIN = 2


def providers_needed(genesis: str) -> int:
    """How many independent providers a terminal verdict needs. One suffices on the local chain alone."""
    return 1 if genesis == LOCAL_GENESIS else INDEPENDENT_PROVIDERS_MIN


@dataclass(frozen=True, slots=True)
class Absence:
    """What one provider said beyond the status, asked in one conversation after expiry. All of it at finalized."""

    epoch: EpochInfo
    is_blockhash_valid: bool
    blockhash_slot: Slot
    has_transaction: bool
    first_available_block: Slot


@dataclass(frozen=True, slots=True)
class Witness:
    """One provider's answer. `status` None means not known to it, as of `status_slot`; `absence` was only asked for when it mattered."""

    provider: str
    status_slot: Slot
    status: SignatureStatus | None
    absence: Absence | None = None


@dataclass(frozen=True, slots=True)
class NonceWord:
    """The vault's own word on the attempt's nonce at one finalized slot. `is_epoch_current` is False after another grant."""

    slot: Slot
    state: NonceState
    is_epoch_current: bool

    @property
    def is_unused(self) -> bool:
        """Nothing with this nonce has taken effect: the bit is clear, or the vault would refuse it for ever."""
        return self.state in (NonceState.FREE, NonceState.TOO_FAR)


@dataclass(frozen=True, slots=True)
class Burned:
    """A finalized transaction of ours that used up the nonce of a trade in doubt, without a trade."""

    signature: Signature
    slot: Slot


@dataclass(frozen=True, slots=True)
class FinalOk:
    slot: Slot


@dataclass(frozen=True, slots=True)
class FinalError:
    """It landed and failed. `is_untimely`: for its slot alone, so that another attempt may be made."""

    slot: Slot
    error: str
    is_untimely: bool = False


@dataclass(frozen=True, slots=True)
class Dead:
    """It never landed and never will. `proof` says which expiry was proven, and where."""

    proof: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing is proven. `seen` is the strongest observation so far."""

    detail: str
    seen: Commitment | None = None
    slot: Slot | None = None


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Providers, or provider and vault, say what cannot be true together. A person decides."""

    detail: str


Verdict = FinalOk | FinalError | Dead | Unknown | Contradiction


@dataclass(frozen=True, slots=True)
class _Landed:
    """Finalized by enough providers, all of them with this slot and error."""

    slot: Slot
    error: str | None


def judge(
    attempt: Attempt, said: Sequence[Witness], nonce: NonceWord | None, *, needed: int, bounds: Bounds, burned: Burned | None = None
) -> Verdict:
    """The verdict on one attempt. Unreachable providers are simply not among `said`."""
    found = _seen(said, needed=needed)
    if isinstance(found, _Landed):
        if burned is not None and found.error is None:
            return Contradiction(f"successful in slot {found.slot}, yet its nonce was burned in slot {burned.slot} by {burned.signature}")
        return _final(attempt, found, nonce)
    if found is not None:
        return found
    if burned is not None:
        return Dead(f"its nonce {attempt.nonce} was burned at finalized slot {burned.slot} by {burned.signature}")
    return _death(attempt, said, nonce, needed=needed, bounds=bounds)


def judge_brake(brake: Brake, said: Sequence[Witness], nonce: NonceWord | None, *, needed: int, bounds: Bounds) -> Verdict:
    """The verdict on a brake. Doing one twice is doing it once, so its death needs no word of the vault; that a burn worked does."""
    found = _seen(said, needed=needed)
    if isinstance(found, _Landed):
        if brake.kind is BrakeKind.BURN and found.error is None:
            return _vouched(found.slot, nonce)
        return FinalOk(found.slot) if found.error is None else FinalError(found.slot, found.error)
    if found is not None:
        return found
    doubts = _doubts(brake, said, needed=needed, bounds=bounds)
    return Unknown(doubts) if doubts else Dead(f"expired by height, absent from {_names(said)}")


def _seen(said: Sequence[Witness], *, needed: int) -> _Landed | Contradiction | Unknown | None:
    """What the providers know of the signature; None when nobody has seen it."""
    finalized = [one.status for one in said if one.status is not None and one.status.commitment is Commitment.FINALIZED]
    outcomes = {(status.slot, status.error) for status in finalized}
    if len(outcomes) > 1:
        return Contradiction(f"finalized differently: {sorted(map(str, outcomes))}")
    if len(finalized) >= needed:
        return _Landed(finalized[0].slot, finalized[0].error)
    seen = max((one.status for one in said if one.status is not None), key=lambda status: status.commitment.rank, default=None)
    return None if seen is None else Unknown("seen, not final by enough providers", seen.commitment, seen.slot)


def may_have_expired(attempt: Outstanding, finalized: EpochInfo, bounds: Bounds) -> bool:
    """Whether it is worth asking for a death proof."""
    return finalized.slot > attempt.deadline_slot or finalized.block_height > attempt.last_valid_block_height + bounds.death_margin_blocks


def _final(attempt: Attempt, landed: _Landed, nonce: NonceWord | None) -> Verdict:
    if landed.error is not None:
        return FinalError(landed.slot, landed.error, is_untimely=is_refused_for_its_slot(attempt, landed.slot, landed.error))
    return _vouched(landed.slot, nonce)


def _vouched(slot: Slot, nonce: NonceWord | None) -> FinalOk | Unknown | Contradiction:
    """Success by the providers, held against the vault's word at or after that slot."""
    if nonce is None or nonce.slot < slot:
        return Unknown("final, the vault has not been read since", Commitment.FINALIZED, slot)
    if nonce.is_epoch_current and nonce.is_unused:
        return Contradiction(f"providers call it successful in slot {slot}, the vault's nonce is {nonce.state}")
    return FinalOk(slot)


def _death(attempt: Attempt, said: Sequence[Witness], nonce: NonceWord | None, *, needed: int, bounds: Bounds) -> Verdict:
    if doubts := _doubts(attempt, said, needed=needed, bounds=bounds):
        return Unknown(doubts)
    proven = [one.absence for one in said if one.absence is not None]
    latest = max(absence.epoch.slot for absence in proven)
    if nonce is None or nonce.slot < latest:
        return Unknown("the vault has not been read since the proof")
    if nonce.is_epoch_current and nonce.state is NonceState.USED:
        return Contradiction(f"absent everywhere, yet the vault's nonce {attempt.nonce} is used")
    by = "deadline" if all(absence.epoch.slot > attempt.deadline_slot for absence in proven) else "height"
    return Dead(f"{by} passed at finalized slot {latest}, absent from {_names(said)}")


def _doubts(one: Outstanding, said: Sequence[Witness], *, needed: int, bounds: Bounds) -> str:
    """Why the providers' words do not prove that it never landed; empty when they do."""
    objections = [f"{each.provider}: {why}" for each in said if (why := objection_to_death(one, each, bounds)) is not None]
    if objections:
        return "; ".join(objections)
    return f"{len(said)} of {needed} providers answered" if len(said) < needed else ""


def _names(said: Sequence[Witness]) -> str:
    return ", ".join(sorted(one.provider for one in said))


def objection_to_death(attempt: Outstanding, one: Witness, bounds: Bounds) -> str | None:
    """Why this provider's word does not prove that the attempt never landed; None when it does."""
    absence = one.absence
    if one.status is not None:
        return "knows the signature"
    if absence is None:
        return "was not asked for a proof"
    if absence.has_transaction:
        return "has the transaction, though no status of it"
    if absence.first_available_block > attempt.built_slot:
        return f"its history begins at {absence.first_available_block}, after {attempt.built_slot}"
    if (why := _implausible_height(attempt, absence.epoch, bounds)) is not None:
        return why
    if absence.epoch.slot > attempt.deadline_slot:
        return None
    if absence.epoch.block_height <= attempt.last_valid_block_height + bounds.death_margin_blocks:
        return "not expired at finalized"
    if absence.is_blockhash_valid or absence.blockhash_slot <= attempt.built_slot:
        return "its blockhash is still accepted"
    return None


def _implausible_height(attempt: Outstanding, epoch: EpochInfo, bounds: Bounds) -> str | None:
    """A gateway has been seen to answer the slot as the height. The gap between them only grows, by skipped slots."""
    gap, passed = epoch.slot - epoch.block_height, epoch.slot - attempt.built_slot
    built = gap_at_build(attempt)
    least, most = built - bounds.height_band_slots, built + max(0, passed) + bounds.height_band_slots
    return None if least <= gap <= most else f"height {epoch.block_height} does not fit slot {epoch.slot}"
