"""How often one caller may ask. Counted by adapters/rate_limits, held by the gateway."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`requests` in each window of `seconds`; `name` keeps counts of different limits apart."""

    name: str
    requests: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one request leaves of its limit. `reset_seconds` until the window begins anew."""

    allowed: bool
    limit: RateLimit
    remaining: int
    reset_seconds: int
