"""A wish to trade, unique by its cause, and the states it goes through. Written by copying, owned by execution from then on."""

from dataclasses import dataclass
from enum import StrEnum

from xorj.copying.decision import Side
from xorj.primitives.ids import Address, Mint, Slot, UserId, Wallet


class IntentState(StrEnum):
    """NEW and RESERVED have no message, IN_FLIGHT may have an effect, QUARANTINED waits for a person; the rest are ends."""

    NEW = "new"
    RESERVED = "reserved"
    IN_FLIGHT = "in_flight"
    SETTLED = "settled"
    REVERTED = "reverted"
    ABANDONED = "abandoned"
    CANCELLED = "cancelled"
    QUARANTINED = "quarantined"

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL

    @property
    def is_open(self) -> bool:
        return self in OPEN


OPEN = frozenset((IntentState.NEW, IntentState.RESERVED, IntentState.IN_FLIGHT))
TERMINAL = frozenset((IntentState.SETTLED, IntentState.REVERTED, IntentState.ABANDONED, IntentState.CANCELLED))

# What may follow what. QUARANTINED leaves by evidence alone.
_NEXT: dict[IntentState, frozenset[IntentState]] = {
    IntentState.NEW: frozenset((IntentState.RESERVED, IntentState.CANCELLED)),
    IntentState.RESERVED: frozenset((IntentState.IN_FLIGHT, IntentState.CANCELLED)),
    IntentState.IN_FLIGHT: frozenset(
        (IntentState.RESERVED, IntentState.SETTLED, IntentState.REVERTED, IntentState.ABANDONED, IntentState.QUARANTINED)
    ),
    IntentState.QUARANTINED: frozenset((IntentState.SETTLED, IntentState.REVERTED, IntentState.ABANDONED)),
}


def may_become(state: IntentState, following: IntentState) -> bool:
    """Whether the state machine has this transition."""
    return following in _NEXT.get(state, frozenset())


@dataclass(frozen=True, slots=True)
class Intent:
    """`amount_in_raw` was fixed when it was planned and never changes. `nonce` and `bot_epoch` are set from RESERVED on."""

    id: str
    user_id: UserId
    vault: Address
    owner: Wallet
    base_mint: Mint
    leader: Wallet | None
    side: Side
    input_mint: Mint
    output_mint: Mint
    amount_in_raw: int
    slippage_bps: int
    state: IntentState
    reason: str | None
    nonce: int | None
    bot_epoch: int | None
    created_slot: Slot
    expires_slot: Slot
    attempts_count: int
    version: int

    @property
    def token_mint(self) -> Mint:
        """The leg that is not the base mint."""
        return self.output_mint if self.side is Side.BUY else self.input_mint
