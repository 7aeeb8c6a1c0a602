"""What was decided for one follower about one leader trade, and why. Made by plan_copies, stored, shown on every page.

`rule` is the rule that decided, in words; `numbers` are those it decided by, JSON-able, raw amounts as strings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from xorj.primitives.amounts import TokenAmount
from xorj.primitives.ids import Mint

RULE_VERSION = 1

# How long a leg may still be started: an entry while its price means something, an exit for as long as it takes to get out.
ENTRY_LIFE_SLOTS = 75
EXIT_LIFE_SLOTS = 4_500

Numbers = Mapping[str, object]


class Side(StrEnum):
    """BUY spends the base mint, SELL gets it back."""

    BUY = "buy"
    SELL = "sell"


@dataclass(frozen=True, slots=True)
class Leg:
    """One vault trade: leg 0 closes or is the only one, leg 1 opens after a close."""

    index: int
    side: Side
    input: TokenAmount
    output_mint: Mint

    @property
    def mint(self) -> Mint:
        """The mint whose position the leg opens or closes."""
        return self.output_mint if self.side is Side.BUY else Mint(self.input.mint)

    @property
    def life_slots(self) -> int:
        return ENTRY_LIFE_SLOTS if self.side is Side.BUY else EXIT_LIFE_SLOTS


@dataclass(frozen=True, slots=True)
class Copied:
    """As sized."""

    legs: tuple[Leg, ...]
    rule: str
    numbers: Numbers = field(default_factory=dict)
    outcome = "copied"


@dataclass(frozen=True, slots=True)
class Resized:
    """Smaller than sized, or only one leg of two, because of `rule`."""

    legs: tuple[Leg, ...]
    rule: str
    numbers: Numbers = field(default_factory=dict)
    outcome = "resized"


@dataclass(frozen=True, slots=True)
class Skipped:
    """Nothing to copy here, or not wanted by this follower."""

    rule: str
    numbers: Numbers = field(default_factory=dict)
    legs: tuple[Leg, ...] = ()
    outcome = "skipped"


@dataclass(frozen=True, slots=True)
class Refused:
    """A rule of safety forbade it."""

    rule: str
    numbers: Numbers = field(default_factory=dict)
    legs: tuple[Leg, ...] = ()
    outcome = "refused"


Decision = Copied | Resized | Skipped | Refused


def joined(close: Decision, opening: Decision) -> Decision:
    """The one decision about a swap between two rank-2 mints: both legs if both are copied, else what remains, with both reasons."""
    numbers = {"close": _reason(close), "open": _reason(opening)}
    legs = close.legs + opening.legs
    if isinstance(close, Copied) and isinstance(opening, Copied):
        return Copied(legs, "close, then open", numbers)
    # The reason that stands in front is that of the leg which was changed or dropped; of two, the one that was to open.
    because = close.rule if isinstance(opening, Copied) else opening.rule
    if legs:
        return Resized(legs, because, numbers)
    if isinstance(close, Refused) or isinstance(opening, Refused):
        return Refused(opening.rule if isinstance(opening, Refused) else close.rule, numbers)
    return Skipped(because, numbers)


def _reason(decision: Decision) -> dict[str, object]:
    return {"outcome": decision.outcome, "rule": decision.rule, **decision.numbers}
