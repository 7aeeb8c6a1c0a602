"""What a wallet is when it is no trader: told by the command `swaps coverage`. Pure.

Neither becomes a leader by it: arbitrage is no swap, so that an account that lives on it has no record to be ranked by.
"""

from collections.abc import Sequence
from enum import StrEnum

from solders.pubkey import Pubkey

from xorj.swaps.record import Record
from xorj.swaps.swap import NotASwap, NotASwapKind


class AccountMark(StrEnum):
    """INTERNAL is an account that a program made, a pool or a vault; ARBITRAGE one that made round trips more often than swaps."""

    INTERNAL = "internal"
    ARBITRAGE = "arbitrage"


def account_mark(records: Sequence[Record]) -> AccountMark | None:
    """The mark of the one wallet whose records these are, None of a trader's. Raises ValueError when there are none."""
    if not records:
        raise ValueError("no records, no mark")
    if not Pubkey.from_string(records[0].wallet).is_on_curve():
        return AccountMark.INTERNAL
    round_trips = sum(one.outcome == NotASwap(NotASwapKind.ARBITRAGE) for one in records)
    swaps = sum(isinstance(one.outcome, tuple) for one in records)
    return AccountMark.ARBITRAGE if round_trips > swaps else None
