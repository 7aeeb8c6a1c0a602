"""What became of an attempt, from evidence alone: settled, reverted, provably dead, in contradiction, or unknown. Pure; rules I4 and I5.

"Not found" is never an answer. Death needs expiry at finalized height (or the vault's own deadline) and absence by two methods, from
enough independent providers, with none contradicting and the vault's nonce unused at a later finalized slot.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xorj.chain.transactions import Commitment, EpochInfo, SignatureStatus
from xorj.execution.attempt import Attempt
from xorj.execution.bounds import Bounds
from xorj.execution.timing import is_refused_for_its_slot
from xorj.primitives.ids import LOCAL_GENESIS, Slot
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


def judge(attempt: Attempt, said: Sequence[Witness], nonce: NonceWord | None, *, needed: int, bounds: Bounds) -> Verdict:
    """The verdict on one attempt. Unreachable providers are simply not among `said`."""
    finalized = [(one, one.status) for one in said if one.status is not None and one.status.commitment is Commitment.FINALIZED]
    outcomes = {(status.slot, status.error) for _, status in finalized}
    if len(outcomes) > 1:
        return Contradiction(f"finalized differently: {sorted(map(str, outcomes))}")
    if len(finalized) >= needed:
        slot, error = next(iter(outcomes))
        return _final(attempt, Slot(slot), error, nonce)
    seen = max((one.status for one in said if one.status is not None), key=lambda status: status.commitment.rank, default=None)
    if seen is not None:
        return Unknown("seen, not final by enough providers", seen.commitment, seen.slot)
    return _death(attempt, said, nonce, needed=needed, bounds=bounds)


def may_have_expired(attempt: Attempt, finalized: EpochInfo, bounds: Bounds) -> bool:
    """Whether it is worth asking for a death proof."""
    return finalized.slot > attempt.deadline_slot or finalized.block_height > attempt.last_valid_block_height + bounds.death_margin_blocks


def _final(attempt: Attempt, slot: Slot, error: str | None, nonce: NonceWord | None) -> Verdict:
    """Finality by the providers, held against the vault's word where there is one at or after that slot."""
    if error is not None:
        return FinalError(slot, error, is_untimely=is_refused_for_its_slot(attempt, slot, error))
    if nonce is None or nonce.slot < slot:
        return Unknown("final, the vault has not been read since", Commitment.FINALIZED, slot)
    if nonce.is_epoch_current and nonce.is_unused:
        return Contradiction(f"providers call it successful in slot {slot}, the vault's nonce {attempt.nonce} is {nonce.state}")
    return FinalOk(slot)


def _death(attempt: Attempt, said: Sequence[Witness], nonce: NonceWord | None, *, needed: int, bounds: Bounds) -> Verdict:
    objections = [f"{one.provider}: {why}" for one in said if (why := objection_to_death(attempt, one, bounds)) is not None]
    if objections:
        return Unknown("; ".join(objections))
    if len(said) < needed:
        return Unknown(f"{len(said)} of {needed} providers answered")
    proven = [one.absence for one in said if one.absence is not None]
    latest = max(absence.epoch.slot for absence in proven)
    if nonce is None or nonce.slot < latest:
        return Unknown("the vault has not been read since the proof")
    if nonce.is_epoch_current and nonce.state is NonceState.USED:
        return Contradiction(f"absent everywhere, yet the vault's nonce {attempt.nonce} is used")
    by = "deadline" if all(absence.epoch.slot > attempt.deadline_slot for absence in proven) else "height"
    return Dead(f"{by} passed at finalized slot {latest}, absent from {', '.join(sorted(one.provider for one in said))}")


def objection_to_death(attempt: Attempt, one: Witness, bounds: Bounds) -> str | None:
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


def _implausible_height(attempt: Attempt, epoch: EpochInfo, bounds: Bounds) -> str | None:
    """A gateway has been seen to answer the slot as the height. The gap between them only grows, by skipped slots."""
    gap, passed = epoch.slot - epoch.block_height, epoch.slot - attempt.built_slot
    least, most = attempt.gap_at_build - bounds.height_band_slots, attempt.gap_at_build + max(0, passed) + bounds.height_band_slots
    return None if least <= gap <= most else f"height {epoch.block_height} does not fit slot {epoch.slot}"
