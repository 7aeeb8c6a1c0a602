"""One transaction for an intent. Its message is stored before it is signed, its bytes before they are sent."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

from xorj.chain.transactions import Blockhash, Commitment
from xorj.primitives.ids import Signature, Slot

# Blocks for which a blockhash is accepted.
BLOCKHASH_LIFE_BLOCKS = 150


class AttemptState(StrEnum):
    """BUILT may have been signed by a signer whose answer was lost; SIGNED may have been sent; the rest are ends."""

    BUILT = "built"
    SIGNED = "signed"
    FINAL_OK = "final_ok"
    FINAL_ERR = "final_err"
    DEAD = "dead"

    @property
    def is_live(self) -> bool:
        return self in (AttemptState.BUILT, AttemptState.SIGNED)


@dataclass(frozen=True, slots=True)
class Draft:
    """A whole message, ready to be stored. Nothing about it changes afterwards."""

    message: bytes
    quote_hash: str
    minimum_out_raw: int
    quoted_out_raw: int
    input_decimals: int
    blockhash: Blockhash
    deadline_slot: Slot


@dataclass(frozen=True, slots=True)
class Attempt:
    """`seen_commitment` is what a provider said last: an observation, never a state."""

    id: str
    intent_id: str
    number: int
    state: AttemptState
    message: bytes
    minimum_out_raw: int
    blockhash: str
    last_valid_block_height: int
    built_slot: Slot
    deadline_slot: Slot
    nonce: int
    bot_epoch: int
    lease_epoch: int
    signature: Signature | None
    transaction: bytes | None
    seen_commitment: Commitment | None
    version: int


class Outstanding(Protocol):
    """What is asked about on the chain: an attempt, or a brake. Both are stored, signed, sent and settled by the same rules."""

    @property
    def id(self) -> str: ...
    @property
    def signature(self) -> Signature | None: ...
    @property
    def transaction(self) -> bytes | None: ...
    @property
    def blockhash(self) -> str: ...
    @property
    def last_valid_block_height(self) -> int: ...
    @property
    def built_slot(self) -> Slot: ...
    @property
    def deadline_slot(self) -> Slot:
        """It cannot have an effect after this slot, whatever its blockhash says."""
        ...


def gap_at_build(one: Outstanding) -> int:
    """Slots minus block height when it was built: skipped slots since genesis, which only ever grow."""
    return one.built_slot - (one.last_valid_block_height - BLOCKHASH_LIFE_BLOCKS)


def attempt_id(intent_id: str, number: int) -> str:
    """The same for the same intent and number, so that a repeated write is seen as one."""
    return sha256(f"attempt:{intent_id}:{number}".encode()).hexdigest()[:40]
