"""What our rows say has landed, held against what one provider shows of the bot's history. Used by sweep_chain; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from xorj.chain.transactions import SignatureInfo
from xorj.primitives.ids import Signature, Slot


@dataclass(frozen=True, slots=True)
class Landing:
    """An attempt whose end was booked from finality: it landed in `slot`, with the chain's `error` or None."""

    signature: Signature
    slot: Slot
    error: str | None


@dataclass(frozen=True, slots=True)
class Swept:
    """The newest transaction of the bot up to which one provider's history has been matched with rows."""

    signature: Signature
    slot: Slot


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One provider's history and our rows say what cannot be true together."""

    signature: Signature
    detail: str


def disagreements(shown: Sequence[SignatureInfo], booked: Sequence[Landing]) -> list[Disagreement]:
    """`booked` are all landings within the slots that `shown` covers. A history is ordered: what lies below its newest row and is not
    shown is denied, not late."""
    rows = {row.signature: row for row in shown}
    found: list[Disagreement] = []
    for landing in booked:
        row = rows.get(landing.signature)
        if row is None:
            found.append(Disagreement(landing.signature, f"landed in slot {landing.slot}, not shown up to slot {shown[-1].slot}"))
        elif (row.slot, row.error) != (landing.slot, landing.error):
            found.append(
                Disagreement(landing.signature, f"booked {_words(landing.slot, landing.error)}, shown {_words(row.slot, row.error)}")
            )
    return found


def _words(slot: Slot, error: str | None) -> str:
    return f"in slot {slot} {'with success' if error is None else error}"
