"""The clocks a workflow may be given. Safety decisions take ChainClock; WallClock is for sessions and logs (ADR 0015)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from xorj.primitives.ids import Slot

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class ChainTime:
    """One reading of the chain's own clock: slot, block height of that slot, block time in unix seconds."""

    slot: Slot
    block_height: int
    unix_seconds: int


class ChainClock(Protocol):
    async def now(self) -> ChainTime:
        """The newest confirmed slot and its block time. Raises Unavailable."""


class WallClock(Protocol):
    def now(self) -> datetime:
        """The present moment in UTC, timezone-aware."""
