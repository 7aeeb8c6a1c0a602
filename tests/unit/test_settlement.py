"""What evidence proves about an attempt, case by case: rules I4 (death needs proof) and I5 (the end needs finality)."""

from dataclasses import replace

import pytest

from xorj.chain.transactions import Commitment, EpochInfo, SignatureStatus
from xorj.execution.attempt import Attempt, AttemptState, gap_at_build
from xorj.execution.bounds import Bounds
from xorj.execution.settlement import (
    Absence,
    Contradiction,
    Dead,
    FinalError,
    FinalOk,
    NonceWord,
    Unknown,
    Verdict,
    Witness,
    judge,
    may_have_expired,
    providers_needed,
)
from xorj.primitives.ids import LOCAL_GENESIS, Signature, Slot
from xorj.vault.accounts import NonceState

BOUNDS = Bounds()
GAP = 1_000  # slots skipped since genesis
BUILT, DEADLINE = Slot(5_000), Slot(5_040)
LAST_HEIGHT = 5_000 - GAP + 150
ATTEMPT = Attempt(
    id="attempt",
    intent_id="intent",
    number=1,
    state=AttemptState.SIGNED,
    message=b"message",
    minimum_out_raw=1,
    blockhash="blockhash",
    last_valid_block_height=LAST_HEIGHT,
    built_slot=BUILT,
    deadline_slot=DEADLINE,
    nonce=3,
    bot_epoch=7,
    lease_epoch=1,
    signature=Signature("signature"),
    transaction=b"transaction",
    seen_commitment=None,
    version=1,
)


def at(slot: int, *, skipped: int = 0) -> EpochInfo:
    return EpochInfo(Slot(slot), slot - GAP - skipped)


def proof(slot: int = DEADLINE + 1, **changes: object) -> Absence:
    """What a provider says after the deadline when it never heard of the transaction."""
    plain = Absence(at(slot), False, Slot(slot), False, Slot(0))
    return replace(plain, **changes)  # type: ignore[arg-type]  # named fields


def says(name: str = "one", status: SignatureStatus | None = None, absence: Absence | None = None) -> Witness:
    return Witness(name, Slot(6_000), status, absence)


def landed(slot: int = 5_010, commitment: Commitment = Commitment.FINALIZED, error: str | None = None) -> SignatureStatus:
    return SignatureStatus(Slot(slot), commitment, error)


def word(state: NonceState, slot: int = 6_000, *, current: bool = True) -> NonceWord:
    return NonceWord(Slot(slot), state, current)


FREE, USED = word(NonceState.FREE), word(NonceState.USED)
LATE = proof(BUILT + 200, epoch=at(BUILT + 200))

CASES: dict[str, tuple[list[Witness], NonceWord | None, type[Verdict]]] = {
    "finalized by both, nonce used": ([says("a", landed()), says("b", landed())], USED, FinalOk),
    "finalized by both, nonce too old to tell": ([says("a", landed()), says("b", landed())], word(NonceState.TOO_OLD), FinalOk),
    "finalized by both, another grant since": ([says("a", landed()), says("b", landed())], word(NonceState.FREE, current=False), FinalOk),
    "finalized by both, the vault says no": ([says("a", landed()), says("b", landed())], FREE, Contradiction),
    "finalized by both, the vault not read": ([says("a", landed()), says("b", landed())], None, Unknown),
    "finalized by both, the vault read before": ([says("a", landed()), says("b", landed())], word(NonceState.USED, 5_009), Unknown),
    "failed by both": ([says("a", landed(error="e")), says("b", landed(error="e"))], None, FinalError),
    "finalized by one of two": ([says("a", landed()), says("b")], USED, Unknown),
    "confirmed by both": (
        [says("a", landed(commitment=Commitment.CONFIRMED)), says("b", landed(commitment=Commitment.CONFIRMED))],
        USED,
        Unknown,
    ),
    "in two slots": ([says("a", landed(5_010)), says("b", landed(5_011))], USED, Contradiction),
    "good and bad": ([says("a", landed()), says("b", landed(error="e"))], USED, Contradiction),
    "nobody knows, nobody proved": ([says("a"), says("b")], FREE, Unknown),
    "dead by the deadline": ([says("a", absence=proof()), says("b", absence=proof())], FREE, Dead),
    "dead by the height": ([says("a", absence=LATE), says("b", absence=LATE)], FREE, Dead),
    "dead, the nonce too old to tell": ([says("a", absence=proof()), says("b", absence=proof())], word(NonceState.TOO_OLD), Dead),
    "one proof of two": ([says("a", absence=proof()), says("b")], FREE, Unknown),
    "one provider of two": ([says("a", absence=proof())], FREE, Unknown),
    "no provider": ([], FREE, Unknown),
    "seen by one, absent at another": ([says("a", absence=proof()), says("b", landed(commitment=Commitment.PROCESSED))], FREE, Unknown),
    "absent, but the transaction is there": (
        [says("a", absence=proof()), says("b", absence=proof(has_transaction=True))],
        FREE,
        Unknown,
    ),
    "absent, but the history begins too late": (
        [says("a", absence=proof()), says("b", absence=proof(first_available_block=Slot(BUILT + 1)))],
        FREE,
        Unknown,
    ),
    "absent, the vault not read": ([says("a", absence=proof()), says("b", absence=proof())], None, Unknown),
    "absent, the vault read before the proof": (
        [says("a", absence=proof()), says("b", absence=proof())],
        word(NonceState.FREE, DEADLINE),
        Unknown,
    ),
    "absent, yet the nonce is used": ([says("a", absence=proof()), says("b", absence=proof())], USED, Contradiction),
    "absent, the nonce used under another grant": (
        [says("a", absence=proof()), says("b", absence=proof())],
        word(NonceState.USED, current=False),
        Dead,
    ),
    "at the deadline, not past it": ([says("a", absence=proof(DEADLINE)), says("b", absence=proof(DEADLINE))], FREE, Unknown),
    "the slot given out as the height": (
        [says("a", absence=proof()), says("b", absence=proof(epoch=EpochInfo(Slot(DEADLINE + 1), DEADLINE + 1)))],
        FREE,
        Unknown,
    ),
    "a height that fell back": (
        [says("a", absence=proof()), says("b", absence=proof(epoch=EpochInfo(Slot(DEADLINE + 1), 10)))],
        FREE,
        Unknown,
    ),
}


@pytest.mark.parametrize(("said", "nonce", "expected"), CASES.values(), ids=CASES)
def test_two_providers(said: list[Witness], nonce: NonceWord | None, expected: type[Verdict]) -> None:
    assert type(judge(ATTEMPT, said, nonce, needed=2, bounds=BOUNDS)) is expected


def beyond_the_deadline(**changes: object) -> Verdict:
    """An attempt whose deadline is far, so that only the height can prove its death."""
    attempt = replace(ATTEMPT, deadline_slot=Slot(10_000))
    absence = replace(LATE, **changes)  # type: ignore[arg-type]  # named fields
    return judge(attempt, [says(absence=absence)], FREE, needed=1, bounds=BOUNDS)


def test_the_height_alone_proves_death_when_everything_else_agrees() -> None:
    assert isinstance(beyond_the_deadline(), Dead)
    assert isinstance(beyond_the_deadline(is_blockhash_valid=True), Unknown)
    assert isinstance(beyond_the_deadline(blockhash_slot=BUILT), Unknown)
    just = BUILT + 150 + BOUNDS.death_margin_blocks
    assert isinstance(beyond_the_deadline(epoch=at(just)), Unknown), "the margin belongs to life"
    assert isinstance(beyond_the_deadline(epoch=at(just + 1)), Dead)


def test_skipped_slots_since_the_signature_are_no_lie() -> None:
    slot = BUILT + 400
    verdict = judge(ATTEMPT, [says(absence=proof(slot, epoch=at(slot, skipped=100)))], FREE, needed=1, bounds=BOUNDS)
    assert isinstance(verdict, Dead)


def test_one_provider_suffices_on_the_local_chain_alone() -> None:
    assert providers_needed(LOCAL_GENESIS) == 1
    assert providers_needed("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d") == 2
    assert isinstance(judge(ATTEMPT, [says(status=landed())], USED, needed=1, bounds=BOUNDS), FinalOk)


def test_the_strongest_observation_is_kept() -> None:
    said = [says("a", landed(commitment=Commitment.PROCESSED)), says("b", landed(commitment=Commitment.CONFIRMED))]
    verdict = judge(ATTEMPT, said, None, needed=2, bounds=BOUNDS)
    assert isinstance(verdict, Unknown)
    assert (verdict.seen, verdict.slot) == (Commitment.CONFIRMED, 5_010)


def test_expiry_is_worth_asking_about_after_deadline_or_height() -> None:
    assert not may_have_expired(ATTEMPT, at(DEADLINE), BOUNDS)
    assert may_have_expired(ATTEMPT, at(DEADLINE + 1), BOUNDS)
    assert may_have_expired(replace(ATTEMPT, deadline_slot=Slot(10_000)), at(BUILT + 160), BOUNDS)


def test_the_gap_is_what_was_skipped_when_it_was_built() -> None:
    assert gap_at_build(ATTEMPT) == GAP
