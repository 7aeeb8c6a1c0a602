"""A token as a token list describes it. Used where people read names instead of mints, never for a decision about money."""

from dataclasses import dataclass

from xorj.primitives.ids import Address, Mint


@dataclass(frozen=True, slots=True)
class TokenListing:
    """`symbol` and `name` are whatever the token's maker wrote; only `is_verified` says that somebody looked."""

    mint: Mint
    symbol: str
    name: str
    decimals: int
    token_program: Address
    is_verified: bool
