"""The tables of known programs: real addresses, each in one role, and no instruction that could be taken for another."""

import pytest
from solders.pubkey import Pubkey

from xorj.primitives.ids import Address
from xorj.swaps.programs import (
    EVENT_TAG,
    JUPITER_V6,
    LENDING_PROGRAMS,
    LIQUIDITY_PROGRAMS,
    ROUTERS,
    STAKE_PROGRAMS,
    SWAP_PROGRAMS,
    discriminator,
)
from xorj.swaps.tip_accounts import TIP_ACCOUNTS

TABLES = {
    "swap": SWAP_PROGRAMS.keys(),
    "stake": STAKE_PROGRAMS.keys(),
    "lending": LENDING_PROGRAMS.keys(),
    "liquidity": LIQUIDITY_PROGRAMS.keys(),
    "tips": TIP_ACCOUNTS,
}
# as they stand in the programs' published interfaces
PUBLISHED = {
    "swap": "f8c69e91e17587c8",
    "swap_v2": "2b04ed0b1ac91e62",
    "swap2": "414b3f4ceb5b5b88",
    "buy": "66063d1201daebea",
    "sell": "33e685a4017f83ad",
    "swap_base_input": "8fbe5adac41e33de",
    "route_v2": "bb64facc31c4af14",
    "shared_accounts_route": "c1209b3341d69c81",
    "exact_out_route": "d033ef977b2bed5c",
    "fill": "a860b7a35c0a28a0",
}


@pytest.mark.parametrize("table", TABLES)
def test_every_address_is_32_bytes_in_base58(table: str) -> None:
    for address in TABLES[table]:
        assert str(Pubkey.from_string(address)) == address


def test_no_address_stands_in_two_tables() -> None:
    every = [address for table in TABLES.values() for address in table]
    assert len(every) == len(set(every))


def test_names_are_told_apart() -> None:
    names = [row.name for row in SWAP_PROGRAMS.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("name", "published"), PUBLISHED.items())
def test_an_instruction_is_known_by_the_hash_of_its_name(name: str, published: str) -> None:
    assert discriminator(name).hex() == published


def test_an_event_is_no_swap_and_neither_is_a_deposit() -> None:
    whirlpool = SWAP_PROGRAMS[Address("whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc")]
    assert whirlpool.is_swap(discriminator("swap_v2") + b"rest")
    assert not whirlpool.is_swap(discriminator("increase_liquidity"))
    assert not any(row.is_swap(EVENT_TAG + b"anything") for row in SWAP_PROGRAMS.values())
    assert (whirlpool.pool_slot(discriminator("swap")), whirlpool.pool_slot(discriminator("swap_v2"))) == (2, 4)


def test_routers_are_those_that_trade_through_others() -> None:
    assert JUPITER_V6 in ROUTERS
    assert Address("675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8") not in ROUTERS
