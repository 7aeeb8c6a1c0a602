"""The token list in Jupiter's shape: what the local market calls its mints. Every token of the local chain is worthless."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey

from xorj.localnet.jupiter.pools import PoolBook
from xorj.vault.accounts import TOKEN_PROGRAM

SEARCH_MINTS_MAX = 100
SEARCH_RESULTS_MAX = 20


@dataclass(frozen=True, slots=True)
class ListedToken:
    """A mint with its names; `verified` tokens carry the tag of that name."""

    mint: Pubkey
    symbol: str
    name: str
    decimals: int
    verified: bool = True


class TokenList:
    """Answers the two token queries from the market's own list."""

    def __init__(self, tokens: Iterable[ListedToken], book: PoolBook) -> None:
        self._tokens = {str(token.mint): token for token in tokens}
        self._book = book

    def search(self, query: str) -> list[dict[str, Any]]:
        """By mints, separated by commas, in the order asked; otherwise by a part of symbol or name."""
        wanted = [part.strip() for part in query.split(",") if part.strip()]
        by_mint = [self._tokens[part] for part in wanted if part in self._tokens]
        if by_mint or len(wanted) != 1:
            return self._entries(by_mint)
        text = wanted[0].casefold()
        named = [token for token in self._tokens.values() if text in token.symbol.casefold() or text in token.name.casefold()]
        return self._entries(named[:SEARCH_RESULTS_MAX])

    def tagged(self, tag: str) -> list[dict[str, Any]]:
        return self._entries([token for token in self._tokens.values() if tag in _tags(token)])

    def symbol(self, mint: Pubkey) -> str:
        """What to call a mint, shortened where the list does not know it."""
        token = self._tokens.get(str(mint))
        return token.symbol if token is not None else str(mint)[:4]

    def _entries(self, tokens: Sequence[ListedToken]) -> list[dict[str, Any]]:
        return [self._entry(token) for token in tokens]

    def _entry(self, token: ListedToken) -> dict[str, Any]:
        worth = self._book.worth(token.mint)
        return {
            "id": str(token.mint),
            "name": token.name,
            "symbol": token.symbol,
            "icon": None,
            "decimals": token.decimals,
            "tokenProgram": str(TOKEN_PROGRAM),
            "audit": {"isSus": False, "mintAuthorityDisabled": False, "freezeAuthorityDisabled": True},
            "organicScoreLabel": "high" if token.verified else "low",
            "isVerified": token.verified,
            "tags": _tags(token),
            "usdPrice": float(worth.usd_per_raw * 10**token.decimals) if worth is not None else None,
            "liquidity": float(worth.liquidity_usd) if worth is not None else None,
        }


def _tags(token: ListedToken) -> list[str]:
    return ["verified"] if token.verified else []
