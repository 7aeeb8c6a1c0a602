"""How fast a provider says that it may be asked, from the headers of its answers. Read by json_rpc.py, kept to by history_pool.py.

Known are `Retry-After` (seconds or a date), the `ratelimit-*` and `x-ratelimit-*` families with a remaining number and a reset (seconds
from now, or unix seconds), and the limits of the public endpoints, which count calls in ten seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

PUBLIC_WINDOW_S = 10.0
# a reset beyond this is no number of seconds from now but a moment
RESET_S_MAX = 1_000_000.0
_REMAINING = ("ratelimit-remaining", "x-ratelimit-remaining", "x-ratelimit-method-remaining", "x-ratelimit-rps-remaining")
_RESET = ("ratelimit-reset", "x-ratelimit-reset")
_LIMITS = ("x-ratelimit-method-limit", "x-ratelimit-rps-limit")


@dataclass(frozen=True, slots=True)
class ToldRate:
    """`per_s` requests a second at most, and none before `pause_s` have passed; None and 0 where nothing was said."""

    per_s: float | None = None
    pause_s: float = 0.0


def told_rate(headers: Mapping[str, str]) -> ToldRate:
    """What the headers say, their names in small letters. What cannot be read says nothing."""
    limits = [limit / PUBLIC_WINDOW_S for name in _LIMITS if (limit := _number(headers.get(name))) is not None and limit > 0]
    return ToldRate(min(limits, default=None), max(0.0, retry_after_s(headers) or 0.0, _until_reset_s(headers)))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by `Retry-After`; a date counts from the answer's own `Date`."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    until, now = _moment_s(text), _moment_s(headers.get("date", ""))
    return None if until is None or now is None else max(0.0, until - now)


def _until_reset_s(headers: Mapping[str, str]) -> float:
    left = [_number(headers.get(name)) for name in _REMAINING]
    if all(one is None or one > 0 for one in left):
        return 0.0
    reset = next((found for name in _RESET if (found := _number(headers.get(name))) is not None), 0.0)
    if reset <= RESET_S_MAX:
        return reset
    now = _moment_s(headers.get("date", ""))
    return 0.0 if now is None else reset - now


def _number(text: str | None) -> float | None:
    stripped = (text or "").strip()
    return float(stripped) if stripped.removeprefix("-").replace(".", "", 1).isdigit() and stripped.isascii() else None


def _moment_s(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None
