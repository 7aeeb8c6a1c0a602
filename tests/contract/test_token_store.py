"""Names of traded tokens: asked once, kept, and harmless whatever their makers wrote."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.made_swaps import mint, swap

from xorj.adapters.postgres.tables import token_metadata
from xorj.adapters.postgres.tokens import NAME_CHARACTERS_MAX, PostgresTokens
from xorj.prices.listing import TokenListing
from xorj.primitives.ids import LOCAL_GENESIS, Address, Mint
from xorj.swaps.discover_tokens import discover_tokens

pytestmark = pytest.mark.database
TOKEN_PROGRAM = Address("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
SWAPS = [swap("ana", "1 SOL", "9 BONK", slot=1), swap("ana", "9 BONK", "8 WIF", slot=2)]


TOKEN_2022 = Address("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")


class KnownTokens:
    """Implements TokenList: knows BONK and SOL, not WIF."""

    def __init__(self, symbol: str = "BONK") -> None:
        self.asked: list[Mint] = []
        self._known = {mint(name): listing(name, symbol if name == "BONK" else name) for name in ("BONK", "SOL")}

    async def listings(self, mints: Sequence[Mint]) -> dict[Mint, TokenListing]:
        self.asked += mints
        return {one: self._known[one] for one in mints if one in self._known}


def listing(name: str, symbol: str) -> TokenListing:
    return TokenListing(mint(name), symbol, f"{symbol} token", 6, TOKEN_PROGRAM, is_verified=name == "SOL")


async def names(engine: AsyncEngine) -> dict[str, str]:
    async with engine.begin() as connection:
        return {row.mint: row.symbol for row in await connection.execute(select(token_metadata))}


async def test_traded_tokens_are_named_once_and_unknown_ones_asked_again(engine: AsyncEngine) -> None:
    store, tokens = PostgresTokens(engine, LOCAL_GENESIS), KnownTokens()
    assert await discover_tokens(SWAPS, tokens, store) == 2
    assert await names(engine) == {mint("BONK"): "BONK", mint("SOL"): "SOL"}
    tokens.asked.clear()
    assert await discover_tokens(SWAPS, tokens, store) == 0
    assert tokens.asked == [mint("WIF")]


async def test_nothing_is_asked_when_every_token_has_a_name(engine: AsyncEngine) -> None:
    store, tokens = PostgresTokens(engine, LOCAL_GENESIS), KnownTokens()
    await store.store([listing("BONK", "BONK"), listing("SOL", "SOL"), listing("WIF", "WIF")])
    assert await discover_tokens(SWAPS, tokens, store) == 0
    assert tokens.asked == []


async def test_a_name_is_replaced_by_a_newer_one(engine: AsyncEngine) -> None:
    store = PostgresTokens(engine, LOCAL_GENESIS)
    for symbol in ("OLD", "NEW"):
        await store.store([listing("BONK", symbol)])
    assert await names(engine) == {mint("BONK"): "NEW"}


async def test_what_a_tokens_maker_wrote_is_cut_and_cleaned(engine: AsyncEngine) -> None:
    await PostgresTokens(engine, LOCAL_GENESIS).store([listing("BONK", "B\x00ON\u202eK" + "x" * 500)])
    async with engine.begin() as connection:
        row = (await connection.execute(select(token_metadata))).one()
    assert row.symbol.startswith("BONKx")
    assert len(row.symbol) == 32
    assert len(row.name) <= NAME_CHARACTERS_MAX


async def test_tokens_of_another_program_are_unfit_to_be_bought(engine: AsyncEngine) -> None:
    store = PostgresTokens(engine, LOCAL_GENESIS)
    await store.store([listing("BONK", "BONK"), replace(listing("WIF", "WIF"), token_program=TOKEN_2022)])
    assert await store.unfit() == {mint("WIF")}
