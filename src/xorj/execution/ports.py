"""What execution needs from outside: providers of the chain, a router, a signer, and stores that are fenced by the lease.

Every store method is one transaction, raises Deposed when `lease` is no longer the newest, ChangedElsewhere when the row is not where the
step starts, and Unavailable when the outcome could not be learnt. Repeating a call whose answer was lost is always right.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from xorj.chain.ports import AccountReader, HistoryReader, StatusReader, TransactionSender
from xorj.chain.transactions import Commitment
from xorj.execution.attempt import Attempt, AttemptState, Draft
from xorj.execution.brake import Brake, BrakeDraft, BrakeEnding, Wanted
from xorj.execution.fill import Failure, Fill
from xorj.execution.intent import Intent, IntentState
from xorj.execution.landing import Disagreement, Landing, Swept
from xorj.execution.lease import HeldByOther, Lease
from xorj.execution.rejected import Rejected
from xorj.execution.settlement import Burned, Verdict, Witness
from xorj.primitives.ids import Address, Mint, Signature, Slot, UserId
from xorj.router.quote import NoRoute, RouteQuote

INTENTS_PER_READ_MAX = 64
ATTEMPTS_PER_READ_MAX = 256
BRAKES_PER_READ_MAX = 256


@dataclass(frozen=True, slots=True)
class Provider:
    """One independent source of truth about the chain."""

    name: str
    statuses: StatusReader
    history: HistoryReader
    accounts: AccountReader
    sender: TransactionSender


class Router(Protocol):
    async def quote(
        self, input_mint: Mint, output_mint: Mint, amount_in_raw: int, *, slippage_bps: int, taker: Address, payer: Address, output: Address
    ) -> RouteQuote | NoRoute:
        """A route whose user is `taker`, ending in the token account `output`. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class SignerRefused:
    """The signer's policy forbids the message; asking again gives the same answer unless the chain changes."""

    rule: str
    detail: str


class Signer(Protocol):
    async def sign(self, message: bytes, *, lease_epoch: int) -> Signature | SignerRefused:
        """The signature of the whole message. The same message gives the same signature. Raises Unavailable."""


class LeaseStore(Protocol):
    async def take(self, holder: str) -> Lease | HeldByOther:
        """A new epoch, unless somebody else's lease has not run out."""

    async def renew(self, lease: Lease) -> bool:
        """False when the lease is another's now."""

    async def release(self, lease: Lease) -> None:
        """Lets the next one take it at once."""


class IntentStore(Protocol):
    async def open_intents(self, *, limit: int = INTENTS_PER_READ_MAX) -> list[Intent]:
        """New and reserved intents without a live attempt, oldest first."""

    async def find(self, intent_id: str) -> Intent | None: ...

    async def reserve(
        self, lease: Lease, intent: Intent, *, nonce_min: int, bot_epoch: int, held_raw: int, slot: Slot
    ) -> Intent | Rejected:
        """Takes nonce and amount under the vault's row lock; `held_raw` is the vault's balance of the input mint at `slot`."""

    async def end(self, lease: Lease, intent: Intent, state: IntentState, reason: str) -> Intent:
        """CANCELLED or QUARANTINED or ABANDONED, with what became of it for the outbox."""

    async def spent_lamports(self, user: UserId, since_slot: Slot) -> int:
        """Fees and rent that this user's landed transactions cost since that slot."""


class AttemptStore(Protocol):
    async def build(self, lease: Lease, intent: Intent, draft: Draft) -> Attempt:
        """RESERVED to IN_FLIGHT with a new BUILT attempt: the write before the signature."""

    async def record_signature(self, lease: Lease, attempt: Attempt, signature: Signature, transaction: bytes) -> Attempt:
        """BUILT to SIGNED: the write before the first byte is sent. What comes back was read back as committed."""

    async def open_attempts(self, *, limit: int = ATTEMPTS_PER_READ_MAX) -> list[tuple[Attempt, Intent]]:
        """Live attempts, oldest first, those of quarantined intents too."""

    async def observe(self, attempt: Attempt, seen: Commitment, slot: Slot) -> None:
        """Notes what a provider said; not fenced, because it decides nothing."""

    async def by_signature(self, signatures: Sequence[Signature]) -> dict[Signature, Attempt]:
        """Attempts of those signatures that are ours."""


class SettlementStore(Protocol):
    """The ends of attempts. Each writes evidence, attempt, intent, both projections and the outbox in one transaction."""

    async def settle(self, lease: Lease, attempt: Attempt, intent: Intent, fill: Fill, said: Sequence[Witness]) -> Intent:
        """SIGNED to FINAL_OK and the intent SETTLED, with its fill and the ledger's entries."""

    async def revert(
        self, lease: Lease, attempt: Attempt, intent: Intent, failure: Failure, said: Sequence[Witness], *, ends: bool
    ) -> Intent:
        """SIGNED to FINAL_ERR; nothing changed but the bot's lamports. The intent REVERTED when `ends`, otherwise RESERVED again."""

    async def bury(self, lease: Lease, attempt: Attempt, intent: Intent, proof: str, said: Sequence[Witness], *, ends: bool) -> Intent:
        """To DEAD; the intent ABANDONED when `ends`, otherwise RESERVED for another attempt."""

    async def doubt(self, lease: Lease, attempt: Attempt, intent: Intent, verdict: Verdict, said: Sequence[Witness]) -> Intent:
        """The intent QUARANTINED: its funds stay reserved, its attempt stays as it is."""


class StopReader(Protocol):
    """What the stops in force ask of the bot: the kill switch's, an owner's pause, the end of a follow."""

    async def wanted(self, bot: Address, *, limit: int = BRAKES_PER_READ_MAX) -> list[Wanted]:
        """Brakes that are asked for, not under way and not done, those that pause a vault first."""

    async def burned(self, attempts: Sequence[str]) -> dict[str, Burned]:
        """The burns that are known to have worked, by the attempt whose nonce they used up."""

    async def has_ended(self, intent_id: str) -> bool:
        """Whether the follow that this intent was made for has ended."""


class BrakeStore(Protocol):
    """Fenced and repeatable as every other write of execution."""

    async def build(self, lease: Lease, wanted: Wanted, draft: BrakeDraft) -> Brake:
        """A new BUILT brake: the write before the signature."""

    async def record_signature(self, lease: Lease, brake: Brake, signature: Signature, transaction: bytes) -> Brake:
        """BUILT to SIGNED: the write before the first byte is sent. What comes back was read back as committed."""

    async def open_brakes(self, *, limit: int = BRAKES_PER_READ_MAX) -> list[Brake]:
        """Those without an end, oldest first."""

    async def end(self, lease: Lease, brake: Brake, state: AttemptState, ending: BrakeEnding, said: Sequence[Witness]) -> Brake:
        """To FINAL_OK, FINAL_ERR or DEAD, with who said so and what it cost."""


class SweepStore(Protocol):
    """What matching the chain with rows needs and leaves. A provider is known by its name."""

    async def brakes(self, signatures: Sequence[Signature]) -> frozenset[Signature]:
        """Those of these signatures that are brakes of ours: known, and without a trade to be found in them."""

    async def cursor(self, bot: Address, provider: str) -> Swept | None: ...

    async def landed(self, *, after: Slot, upto: Slot) -> list[Landing]:
        """Attempts that were booked as landed within these slots, in the order of slots."""

    async def book_late(self, lease: Lease, signature: Signature, failure: Failure, provider: str) -> bool:
        """What a DEAD attempt cost that landed and failed after all; it stays DEAD. False when that was booked before."""

    async def move(self, lease: Lease, bot: Address, provider: str, swept: Swept, found: Sequence[Disagreement]) -> None:
        """The cursor, with the outbox's word of each disagreement."""


class StopSwitch(Protocol):
    async def stop(self, reason: str, *, actor: str) -> None:
        """Nobody starts a trade from here on, until a person lets them. Stopping twice is stopping once."""


class Moment(StrEnum):
    """The borders between a durable step and the next effect."""

    CLAIMED = "claimed"
    RESERVED = "reserved"
    QUOTED = "quoted"
    BUILT = "built"
    SIGNATURE_RECEIVED = "signature_received"
    SIGNED = "signed"
    SENT = "sent"
    SEEN = "seen"
    CONFIRMED = "confirmed"
    FINALIZED = "finalized"
    SETTLED = "settled"
    BRAKING = "braking"
    BRAKE_BUILT = "brake_built"
    BRAKE_SIGNED = "brake_signed"
    BRAKE_SENT = "brake_sent"


# A stop is seen and nothing of it is written; then each brake's message, its bytes, and their sending.
BRAKE_MOMENTS = (Moment.BRAKING, Moment.BRAKE_BUILT, Moment.BRAKE_SIGNED, Moment.BRAKE_SENT)
TRADE_MOMENTS = tuple(moment for moment in Moment if moment not in BRAKE_MOMENTS)

# Called at every moment with the id of the intent, or of the brake; does nothing, unless a test or a demonstration wants the process to
# die just there.
Checkpoint = Callable[[Moment, str], Awaitable[None]]


async def pass_by(moment: Moment, intent_id: str) -> None:
    """The checkpoint that lets everything go on."""


# Vaults whose ledger and chain disagree, with the difference in words. Provided by the owner of the ledger.
LedgerAudit = Callable[[], Awaitable[dict[Address, str]]]
