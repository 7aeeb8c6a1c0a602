"""Names for the tokens that were traded, from the token list, for people who read names instead of mints. Run by the quant engine."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from xorj.prices.listing import TokenListing
from xorj.prices.ports import TokenList
from xorj.primitives.ids import Mint
from xorj.swaps.swap import Swap

TOKENS_PER_PASS_MAX = 500


class TokenStore(Protocol):
    async def unnamed(self, mints: Sequence[Mint]) -> list[Mint]:
        """Those of `mints` that have no name yet. Raises Unavailable."""

    async def store(self, listings: Sequence[TokenListing]) -> None:
        """Adds or replaces names. Raises Unavailable."""


async def discover_tokens(swaps: Iterable[Swap], tokens: TokenList, store: TokenStore) -> int:
    """Asks the list for every traded token without a name; returns how many it knew. Those it does not know are asked again next time."""
    traded = dict.fromkeys(Mint(leg.mint) for swap in swaps for leg in (swap.input, swap.output))
    wanted = (await store.unnamed(list(traded)))[:TOKENS_PER_PASS_MAX]
    if not wanted:
        return 0
    listings = list((await tokens.listings(wanted)).values())
    await store.store(listings)
    return len(listings)
