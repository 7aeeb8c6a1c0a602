"""A transaction of the bot that only takes power away: it pauses a vault, or burns the nonce of a trade in doubt. Pure.

A stop must not wait for what is in flight to land or to die by itself. A brake is stored, signed, sent and settled by the rules of an
attempt: its message is committed before it is signed, its bytes before they are sent, and its end needs proof.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from xorj.chain.transactions import Blockhash
from xorj.execution.attempt import AttemptState
from xorj.execution.fill import Cost
from xorj.primitives.ids import Address, Signature, Slot, Wallet
from xorj.vault.accounts import NonceState, VaultAccount, VaultPolicy

# The tries for one subject. A brake that failed this often is left alone; the trade then dies by its own deadline.
TRIES_MAX = 5
# Nothing but its blockhash ends a brake: pausing has no deadline, and a burn that came too late costs a fee that must be booked.
NEVER = Slot(2**62)


class BrakeKind(StrEnum):
    PAUSE = "pause"
    BURN = "burn"


@dataclass(frozen=True, slots=True)
class InDoubt:
    """The trade whose nonce is to be burned. After `deadline_slot` the vault refuses it anyway."""

    attempt_id: str
    intent_id: str
    nonce: int
    bot_epoch: int
    deadline_slot: Slot


@dataclass(frozen=True, slots=True)
class Wanted:
    """A brake that a stop in force asks for. `stop` numbers the kill switch's moves; `number` is 1 for the first try.

    Without a trade in doubt the vault is to be paused.
    """

    vault: Address
    owner: Wallet
    stop: int
    reason: str
    number: int
    trade: InDoubt | None = None

    @property
    def kind(self) -> BrakeKind:
        return BrakeKind.PAUSE if self.trade is None else BrakeKind.BURN

    @property
    def subject(self) -> str:
        """What at most one brake at a time is under way for: one trade, or one vault in one stop."""
        return f"{self.vault}:{self.stop}" if self.trade is None else self.trade.attempt_id

    @property
    def id(self) -> str:
        """The same for the same try, so that a repeated write is seen as one."""
        return sha256(f"brake:{self.kind}:{self.subject}:{self.number}".encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class BrakeDraft:
    """A whole message, ready to be stored. Nothing about it changes afterwards."""

    message: bytes
    blockhash: Blockhash


@dataclass(frozen=True, slots=True)
class BrakeEnding:
    """`slot` and `cost` None where it never landed; `detail` is the chain's error, or the proof of death."""

    slot: Slot | None = None
    detail: str | None = None
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Brake:
    """One transaction. `attempt_id` and the nonce are those of the trade in doubt, None where a vault is paused."""

    id: str
    kind: BrakeKind
    vault: Address
    attempt_id: str | None
    nonce: int | None
    bot_epoch: int | None
    state: AttemptState
    message: bytes
    blockhash: str
    last_valid_block_height: int
    built_slot: Slot
    signature: Signature | None
    transaction: bytes | None
    version: int

    @property
    def deadline_slot(self) -> Slot:
        return NEVER


def needless(wanted: Wanted, vault: VaultAccount, policy: VaultPolicy, bot: str, now: Slot) -> str | None:
    """Why this brake would change nothing; None when it would."""
    if str(vault.bot_authority) != bot:
        return "the vault has no such bot any more, so no trade of it can land"
    if wanted.trade is None:
        return "the vault is paused" if policy.paused else None
    if now > wanted.trade.deadline_slot:
        return f"the trade's deadline {wanted.trade.deadline_slot} is over"
    if policy.bot_epoch != wanted.trade.bot_epoch:
        return "another grant has made the trade void"
    state = policy.nonce_state(wanted.trade.nonce)
    return None if state is NonceState.FREE else f"the nonce {wanted.trade.nonce} is {state}"
