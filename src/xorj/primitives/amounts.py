"""Amounts with their unit: raw token amounts are ints, money is Decimal, and no bare number crosses a function border."""

from dataclasses import dataclass
from decimal import Decimal
from typing import NewType

Lamports = NewType("Lamports", int)
Usd = NewType("Usd", Decimal)
BasisPoints = NewType("BasisPoints", int)

BPS_PER_ONE = 10_000
LAMPORTS_PER_SOL = 1_000_000_000


@dataclass(frozen=True, slots=True)
class TokenAmount:
    """`raw` base units of `mint`. Never negative: a change of balance is its own type."""

    mint: str
    raw: int
    decimals: int

    def __post_init__(self) -> None:
        if self.raw < 0:
            raise ValueError(f"a token amount cannot be negative: {self.raw}")
        if not 0 <= self.decimals <= 18:
            raise ValueError(f"decimals must be 0 to 18: {self.decimals}")

    @property
    def ui(self) -> Decimal:
        """The amount in whole tokens."""
        return Decimal(self.raw).scaleb(-self.decimals)

    def value(self, price: Usd) -> Usd:
        """Worth in USD at `price` USD a whole token."""
        return Usd(self.ui * price)


def share_bps(amount_raw: int, share: int) -> int:
    """`share` basis points of `amount_raw`, rounded down."""
    return amount_raw * share // BPS_PER_ONE
