"""What one transaction was for one wallet. Produced by the decoder, kept in the lake, read by performance and copying."""

from dataclasses import dataclass
from enum import StrEnum

from xorj.primitives.amounts import TokenAmount
from xorj.primitives.ids import Address, Signature, Slot, Wallet


@dataclass(frozen=True, slots=True, order=True)
class OrderKey:
    """The only order of events: never the time. `instruction_index` counts a wallet's swaps inside one transaction."""

    slot: Slot
    transaction_index: int
    instruction_index: int


@dataclass(frozen=True, slots=True)
class Swap:
    """The wallet gave `input` and got `output`, both its own balance changes without network fee, tip and rent.

    Native and wrapped SOL are one asset under SOL's mint. `programs` are the known swap programs that ran, outermost first.
    `network_fee_lamports` is None where the source does not tell it; an input too small for the pool brings an output of 0. `venue_fees`
    are those that a router or an order's keeper says it took: already in the amounts, which are what the wallet gave and got.
    """

    wallet: Wallet
    signature: Signature
    order: OrderKey
    block_time: int
    input: TokenAmount
    output: TokenAmount
    network_fee_lamports: int | None
    tip_lamports: int
    programs: tuple[Address, ...]
    venue_fees: tuple[TokenAmount, ...] = ()

    def __post_init__(self) -> None:
        if self.input.raw == 0 or self.input.mint == self.output.mint:
            raise ValueError("a swap gives some of one token for another")


class NotASwapKind(StrEnum):
    """Why a transaction that was understood is not a swap."""

    FAILED = "failed"
    TRANSFER = "transfer"
    LIQUIDITY = "lp"
    STAKE = "stake"
    LEND = "lend"
    MINT = "mint"
    BURN = "burn"
    ORDER_OPEN = "order_open"
    ORDER_CANCEL = "order_cancel"
    ARBITRAGE = "arbitrage"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class NotASwap:
    """Understood, and no swap of this wallet."""

    kind: NotASwapKind


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Not understood. Counted by reason, never guessed and never silent."""

    reason: str


Outcome = tuple[Swap, ...] | NotASwap | Undecodable


def outcome_name(outcome: Outcome) -> str:
    """How outcomes are counted and stored."""
    if isinstance(outcome, Undecodable):
        return "undecodable"
    return "not_a_swap" if isinstance(outcome, NotASwap) else "swap"
