"""One message of the outbox, what a delivery may answer, and what follows from the answer. Used by relay_messages; pure.

A message is an event that was committed with its cause. It is delivered at least once; `identity` is the same every time, so that whoever
receives it can tell a repeat.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

# A receiver that says no to one message is asked again this often; one that cannot be reached, for about a week.
REFUSALS_MAX = 5
TRIES_MAX = 2_000
FIRST_WAIT_S = 1.0
WAIT_S_MAX = 300.0


@dataclass(frozen=True, slots=True)
class Message:
    """`tries` counts deliveries that failed so far. What `payload` holds is for anybody whom the operator lets listen: never a secret."""

    id: int
    topic: str
    key: str
    payload: Mapping[str, object]
    created_at: datetime
    tries: int = 0

    @property
    def identity(self) -> str:
        """The idempotency key: from what the row will always be, also told apart from the same number in another database."""
        text = f"{self.id}:{self.topic}:{self.key}:{self.created_at.timestamp():.6f}"
        return f"msg_{sha256(text.encode()).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The receiver says no to this message; it would say so again."""

    detail: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Nothing was learnt about this message: it may have arrived or not."""

    detail: str


Outcome = Delivered | Refused | Unreachable


@dataclass(frozen=True, slots=True)
class Again:
    after_s: float


@dataclass(frozen=True, slots=True)
class GivenUp:
    """No more tries; the row stays for a person to see."""


def after_failure(message: Message, failure: Refused | Unreachable) -> Again | GivenUp:
    """Doubling waits from FIRST_WAIT_S to WAIT_S_MAX seconds, up to the number of tries that the kind of failure deserves."""
    tries = message.tries + 1
    if tries >= (REFUSALS_MAX if isinstance(failure, Refused) else TRIES_MAX):
        return GivenUp()
    return Again(min(WAIT_S_MAX, FIRST_WAIT_S * 2 ** min(message.tries, 30)))
