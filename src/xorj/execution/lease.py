"""The right to act: one holder at a time, told apart by an epoch that only grows. Every write of execution is fenced by it."""

from dataclasses import dataclass

from xorj.primitives.errors import RefusedForSafety, XorjError

# Judged by the database's clock. The holder stops acting at half of it by its own monotonic clock.
LEASE_SECONDS = 6.0
RENEW_SECONDS = 1.0
NAME = "trade-bot"


@dataclass(frozen=True, slots=True)
class Lease:
    """`epoch` fences: a write under an epoch that is not the lease's newest changes nothing."""

    name: str
    holder: str
    epoch: int


@dataclass(frozen=True, slots=True)
class HeldByOther:
    """Somebody else's lease has not run out. `seconds_left` by the database's clock."""

    holder: str
    seconds_left: float


class Deposed(RefusedForSafety):
    """Somebody else has the lease now; this process must stop acting."""

    def __init__(self, epoch: int) -> None:
        super().__init__(f"lease epoch {epoch} is no longer the newest; another process acts now")


class ChangedElsewhere(XorjError):
    """The row is not in the state that this step starts from: somebody, maybe an earlier try of ours, moved it on. Read it again."""

    def __init__(self, row: str, found: str) -> None:
        super().__init__(f"{row} is {found}")
