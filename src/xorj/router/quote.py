"""A route as the router offers it: amounts, price impact, and the raw instruction. Built by adapters/jupiter, checked by execution."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from solders.instruction import Instruction

from xorj.primitives.ids import Address, Mint, Slot


@dataclass(frozen=True, slots=True)
class RouteQuote:
    """`out_amount_min` is the router's own floor; `price_impact_fraction` is 0.01 for one percent."""

    input_mint: Mint
    output_mint: Mint
    in_amount: int
    out_amount: int
    out_amount_min: int
    slippage_bps: int
    price_impact_fraction: float
    swap_instruction: Instruction
    setup_instructions: tuple[Instruction, ...] = ()
    lookup_tables: Mapping[Address, tuple[Address, ...]] = field(default_factory=dict)
    context_slot: Slot | None = None


@dataclass(frozen=True, slots=True)
class NoRoute:
    """The router knows no way from one mint to the other for this amount; `detail` is its own word."""

    detail: str
