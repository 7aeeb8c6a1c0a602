"""A price of one whole token, with where it came from and how old it is. Used by execution's checks, copying's equity and the pages."""

from dataclasses import dataclass
from decimal import Decimal

from xorj.primitives.amounts import BPS_PER_ONE, Usd
from xorj.primitives.ids import Mint, Slot


@dataclass(frozen=True, slots=True)
class Price:
    """`usd` for one whole token of `mint`, always above zero, as of `slot` (None when the source does not say).

    `confidence_usd` is half the width of the range that the source believes in, `published_at_s` unix seconds; None likewise.
    """

    mint: Mint
    usd: Usd
    decimals: int
    slot: Slot | None
    source: str
    confidence_usd: Usd | None = None
    published_at_s: int | None = None

    def __post_init__(self) -> None:
        if not self.usd.is_finite() or self.usd <= 0:
            raise ValueError(f"a price must be above zero: {self.usd}")
        if self.confidence_usd is not None and (not self.confidence_usd.is_finite() or self.confidence_usd < 0):
            raise ValueError(f"a confidence must not be below zero: {self.confidence_usd}")

    def age_slots(self, now: Slot) -> int | None:
        """How many slots ago it was taken; 0 for a source that is ahead of us, None when unknown."""
        return None if self.slot is None else max(0, now - self.slot)

    def value(self, amount_raw: int) -> Usd:
        """Worth of `amount_raw` base units."""
        return Usd(Decimal(amount_raw).scaleb(-self.decimals) * self.usd)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a witness says that one whole token costs, in USD; it knows no decimals. As of `published_at_s` in unix seconds."""

    mint: Mint
    usd: Usd
    source: str
    published_at_s: int

    def __post_init__(self) -> None:
        if not self.usd.is_finite() or self.usd <= 0:
            raise ValueError(f"a price must be above zero: {self.usd}")

    def of(self, decimals: int) -> Price:
        """The same as a price of a token with so many decimals."""
        return Price(self.mint, self.usd, decimals, None, self.source, published_at_s=self.published_at_s)


def fair_output_raw(amount_in_raw: int, given: Price, wanted: Price) -> int:
    """Base units of `wanted` that `amount_in_raw` of `given` are worth, rounded down: in * p_in / p_out, scaled by the decimals."""
    worth = Decimal(amount_in_raw) * given.usd / wanted.usd
    return int(worth.scaleb(wanted.decimals - given.decimals))


def floor_output_raw(amount_in_raw: int, given: Price, wanted: Price, slippage_bps: int) -> int:
    """The least we accept for `amount_in_raw`: the fair output less `slippage_bps`, rounded down."""
    return fair_output_raw(amount_in_raw, given, wanted) * (BPS_PER_ONE - slippage_bps) // BPS_PER_ONE
