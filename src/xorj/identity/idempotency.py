"""What a key that a caller gave to one wish says when it comes again. Stored by adapters/postgres/idempotency, used by the gateway."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fresh:
    """Nobody has used this key: do it, then finish."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """It was done before, with this answer."""

    status_code: int
    body: Any


@dataclass(frozen=True, slots=True)
class Underway:
    """Somebody is doing it now."""


@dataclass(frozen=True, slots=True)
class OtherRequest:
    """The key was used for another request."""


Begun = Fresh | Replayed | Underway | OtherRequest
