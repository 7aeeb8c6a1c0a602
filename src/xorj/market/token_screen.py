"""Whether a token may be bought at all: a classic SPL mint whose decimals are known. Used by copying's limits.

Token-2022 is refused as a whole, as the vault program refuses it: a transfer fee or hook can take what a trade has bought.
"""

from dataclasses import dataclass

from xorj.chain.transactions import Account
from xorj.primitives.ids import Address, Mint

TOKEN_PROGRAM = Address("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
MINT_BYTES = 82
_DECIMALS_AT = 44
_INITIALIZED_AT = 45


@dataclass(frozen=True, slots=True)
class ClassicToken:
    """A mint that may be traded."""

    mint: Mint
    decimals: int


@dataclass(frozen=True, slots=True)
class UnfitToken:
    """A mint that may not be bought, and why."""

    mint: Mint
    reason: str


def screen(mint: Mint, account: Account | None) -> ClassicToken | UnfitToken:
    """Judges the mint's account as read from the chain."""
    if account is None:
        return UnfitToken(mint, "there is no such mint")
    if account.owner != TOKEN_PROGRAM:
        return UnfitToken(mint, "not a mint of the classic token program")
    if len(account.data) != MINT_BYTES or account.data[_INITIALIZED_AT] != 1:
        return UnfitToken(mint, "not an initialized mint")
    return ClassicToken(mint, account.data[_DECIMALS_AT])
