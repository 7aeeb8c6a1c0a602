"""Quote rank: decides everywhere whether a swap opens, closes or switches a position; GLOSSARY.md has the ranks."""

from enum import StrEnum

from xorj.primitives.ids import SOL, USDC, USDT, Mint

_RANKS = {USDC: 0, USDT: 0, SOL: 1}
UNQUOTED_RANK = 2


class Direction(StrEnum):
    """What a swap does to the positions of whoever makes it."""

    OPEN = "open"
    CLOSE = "close"
    SWITCH = "switch"
    NEITHER = "neither"


def quote_rank(mint: Mint | str) -> int:
    """0 for USDC and USDT, 1 for SOL, 2 for every other mint."""
    return _RANKS.get(Mint(mint), UNQUOTED_RANK)


def direction(input_mint: Mint | str, output_mint: Mint | str) -> Direction:
    """Input below output opens the output, above it closes the input; two of rank 2 close one and open the other."""
    given, got = quote_rank(input_mint), quote_rank(output_mint)
    if given < got:
        return Direction.OPEN
    if given > got:
        return Direction.CLOSE
    return Direction.SWITCH if given == UNQUOTED_RANK else Direction.NEITHER
