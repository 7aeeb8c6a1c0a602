"""A follower's standing order to copy one leader. Read by plan_copies; opened and closed by follow_ranking and the vault follower."""

from dataclasses import dataclass
from enum import StrEnum

from xorj.primitives.ids import Address, Mint, Slot, UserId, Wallet

SLIPPAGE_BPS_DEFAULT = 100
TRADE_MIN_BASE_RAW_DEFAULT = 1_000_000


class FollowMode(StrEnum):
    """EXIT_ONLY mirrors exits of what is held for this leader and opens nothing."""

    COPY = "copy"
    EXIT_ONLY = "exit_only"


@dataclass(frozen=True, slots=True)
class Caps:
    """A follower's own limits in raw units of the vault's base mint, on top of the vault's policy. None: no limit of his own.

    `exposure_max_raw` counts what the positions held for this leader have cost. Caps limit entries, never exits.
    """

    trade_max_raw: int | None = None
    day_max_raw: int | None = None
    exposure_max_raw: int | None = None
    trade_min_raw: int = TRADE_MIN_BASE_RAW_DEFAULT


@dataclass(frozen=True, slots=True)
class Follow:
    """One vault follows one leader from `valid_from_slot` until `valid_to_slot`, which is None while it lasts.

    `allocation_bps` is the share of the vault's equity that this leader may steer. An empty allow list allows what is not blocked.
    """

    id: str
    user_id: UserId
    owner: Wallet
    vault: Address
    leader: Wallet
    allocation_bps: int
    mode: FollowMode
    valid_from_slot: Slot
    valid_to_slot: Slot | None = None
    caps: Caps = Caps()
    allowed_mints: frozenset[Mint] = frozenset()
    blocked_mints: frozenset[Mint] = frozenset()
    slippage_bps: int = SLIPPAGE_BPS_DEFAULT

    def lists_allow(self, mint: Mint) -> bool:
        return mint not in self.blocked_mints and (not self.allowed_mints or mint in self.allowed_mints)
