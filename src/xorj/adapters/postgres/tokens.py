"""Names and decimals of tokens. Implements TokenStore of xorj.swaps.discover_tokens; built by the quant engine."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.postgres.tables import token_metadata
from xorj.adapters.postgres.transactions import transaction
from xorj.market.token_screen import TOKEN_PROGRAM
from xorj.prices.listing import TokenListing
from xorj.primitives.ids import Mint

# whoever made a token wrote its texts, of whatever length
SYMBOL_CHARACTERS_MAX, NAME_CHARACTERS_MAX = 32, 128


class PostgresTokens:
    """Implements TokenStore for one chain."""

    def __init__(self, engine: AsyncEngine, genesis: str) -> None:
        self._engine, self._genesis = engine, genesis

    async def unnamed(self, mints: Sequence[Mint]) -> list[Mint]:
        query = select(token_metadata.c.mint).where(token_metadata.c.mint.in_(mints))
        async with transaction(self._engine) as connection:
            known = set((await connection.execute(query)).scalars())
        return [mint for mint in mints if mint not in known]

    async def unfit(self) -> frozenset[Mint]:
        """Known mints that no vault may buy: those of another token program than the classic one. Raises Unavailable."""
        query = select(token_metadata.c.mint).where(
            token_metadata.c.genesis_hash == self._genesis, token_metadata.c.token_program != TOKEN_PROGRAM
        )
        async with transaction(self._engine) as connection:
            return frozenset(Mint(mint) for mint in (await connection.execute(query)).scalars())

    async def store(self, listings: Sequence[TokenListing]) -> None:
        if not listings:
            return
        rows = [
            {
                "mint": listing.mint,
                "genesis_hash": self._genesis,
                "symbol": _shown(listing.symbol, SYMBOL_CHARACTERS_MAX),
                "name": _shown(listing.name, NAME_CHARACTERS_MAX),
                "decimals": listing.decimals,
                "token_program": listing.token_program,
                "is_verified": listing.is_verified,
            }
            for listing in listings
        ]
        adding = insert(token_metadata).values(rows)
        replaced = {name: adding.excluded[name] for name in ("symbol", "name", "decimals", "token_program", "is_verified")}
        async with transaction(self._engine) as connection:
            await connection.execute(adding.on_conflict_do_update(index_elements=["mint"], set_=replaced | {"updated_at": func.now()}))


def _shown(text: str, longest: int) -> str:
    """Without characters that are not for printing, at most `longest` of them."""
    return "".join(character for character in text if character.isprintable())[:longest]
