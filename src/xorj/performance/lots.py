"""FIFO lots of one asset, exact. Used by performance.pnl, and as the slow reference of the kernel's tests."""

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Lot:
    """`quantity_raw` base units that together cost `cost` USD."""

    quantity_raw: int
    cost: Fraction


@dataclass(frozen=True, slots=True)
class Closing:
    """What one sale closed: matched proceeds and cost in USD, and the quantity that no known lot covers."""

    proceeds: Fraction
    cost: Fraction
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


def buy(lots: Lots, quantity_raw: int, cost: Fraction) -> Lots:
    """Adds the newest lot. Raises ValueError when quantity_raw <= 0 or cost < 0."""
    if quantity_raw <= 0 or cost < 0:
        raise ValueError("a lot has a quantity above zero and a cost of at least zero")
    return Lots((*lots.open, Lot(quantity_raw, cost)))


def sell(lots: Lots, quantity_raw: int, proceeds: Fraction) -> tuple[Lots, Closing]:
    """Closes the oldest lots first. Proceeds are split pro rata between matched and unmatched quantity.

    Raises ValueError when quantity_raw <= 0 or proceeds < 0.
    """
    if quantity_raw <= 0 or proceeds < 0:
        raise ValueError("a sale has a quantity above zero and proceeds of at least zero")
    left, cost, kept = quantity_raw, Fraction(0), list(lots.open)
    while left and kept:
        lot = kept.pop(0)
        taken = min(left, lot.quantity_raw)
        share = lot.cost * taken / lot.quantity_raw
        cost += share
        left -= taken
        if taken < lot.quantity_raw:
            kept.insert(0, Lot(lot.quantity_raw - taken, lot.cost - share))
    matched = proceeds * (quantity_raw - left) / quantity_raw
    return Lots(tuple(kept)), Closing(proceeds=matched, cost=cost, unmatched_raw=left)
