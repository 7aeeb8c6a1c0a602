"""FIFO lots of one asset, exact. Used by performance.pnl, and as the slow reference of the kernel's tests."""

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Lot:
    """`quantity_raw` base units that together cost `cost` USD at `time`, in unix seconds."""

    quantity_raw: int
    cost: Fraction
    time: int = 0


@dataclass(frozen=True, slots=True)
class Closing:
    """What one sale closed: matched proceeds and cost in USD, the cost times its age, and the quantity that no known lot covers."""

    proceeds: Fraction
    cost: Fraction
    cost_seconds: Fraction
    unmatched_raw: int

    @property
    def pnl(self) -> Fraction:
        return self.proceeds - self.cost


@dataclass(frozen=True, slots=True)
class Lots:
    """Open lots, oldest first."""

    open: tuple[Lot, ...] = field(default=())

    @property
    def quantity_raw(self) -> int:
        return sum(lot.quantity_raw for lot in self.open)

    @property
    def cost(self) -> Fraction:
        return sum((lot.cost for lot in self.open), Fraction(0))


def buy(lots: Lots, quantity_raw: int, cost: Fraction, time: int = 0) -> Lots:
    """Adds the newest lot. Raises ValueError when quantity_raw <= 0 or cost < 0."""
    if quantity_raw <= 0 or cost < 0:
        raise ValueError("a lot has a quantity above zero and a cost of at least zero")
    return Lots((*lots.open, Lot(quantity_raw, cost, time)))


def sell(lots: Lots, quantity_raw: int, proceeds: Fraction, time: int = 0) -> tuple[Lots, Closing]:
    """Closes the oldest lots first. Proceeds are split pro rata between matched and unmatched quantity.

    Raises ValueError when quantity_raw <= 0 or proceeds < 0.
    """
    if quantity_raw <= 0 or proceeds < 0:
        raise ValueError("a sale has a quantity above zero and proceeds of at least zero")
    kept, taken = _take(lots, quantity_raw)
    matched_raw = sum(lot.quantity_raw for lot in taken)
    cost = sum((lot.cost for lot in taken), Fraction(0))
    cost_seconds = sum((lot.cost * (time - lot.time) for lot in taken), Fraction(0))
    return kept, Closing(proceeds * matched_raw / quantity_raw, cost, cost_seconds, quantity_raw - matched_raw)


def move_out(lots: Lots, quantity_raw: int) -> tuple[Lots, Fraction]:
    """Takes the oldest lots along at cost, as far as there are any; returns that cost. Raises ValueError when quantity_raw <= 0."""
    if quantity_raw <= 0:
        raise ValueError("what moves out has a quantity above zero")
    kept, taken = _take(lots, quantity_raw)
    return kept, sum((lot.cost for lot in taken), Fraction(0))


def _take(lots: Lots, quantity_raw: int) -> tuple[Lots, list[Lot]]:
    """The lots that are left and those that were taken, the last of either perhaps a part of one."""
    kept, taken, left = list(lots.open), list[Lot](), quantity_raw
    while left and kept:
        lot = kept.pop(0)
        part = min(left, lot.quantity_raw)
        share = lot.cost * part / lot.quantity_raw
        taken.append(Lot(part, share, lot.time))
        left -= part
        if part < lot.quantity_raw:
            kept.insert(0, Lot(lot.quantity_raw - part, lot.cost - share, lot.time))
    return Lots(tuple(kept)), taken
