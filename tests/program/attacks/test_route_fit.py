"""The largest route that counts fits one transaction: bytes and account locks, measured on transactions that land.

`--log-cli-level=INFO` prints them; `tests/program/largest_route.py` says what the route is.
"""

import logging

import pytest
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.instruction import AccountMeta, Instruction
from tests.program.evil_world import SIGNER, EvilWorld, script, transfer
from tests.program.largest_route import (
    BYTES_MAX,
    BYTES_MAX_OF_VERSION_1,
    LOCKS_MAX,
    SHARED_ID,
    UNITS_MAX,
    Tabled,
    TwoHops,
    TwoHopsOfVersion1,
)
from tests.program.vault_world import USDC, key

from xorj.router.jupiter_v6 import PROGRAM, SHARED_ROUTE_PREFIX_ACCOUNTS, encode_route
from xorj.vault.accounts import TOKEN_PROGRAM, token_account_address
from xorj.vault.events import traded

# Places among the router's accounts, in the shared route's order.
SHARED_AUTHORITY, SHARED_DESTINATION, SHARED_TOKENS = 1, 5, 8


class ManyAccounts(Tabled, EvilWorld):
    """A router that needs 40 accounts of which none is the vault's, beside those that the vault pins."""

    def trade_through(self, own: int) -> Instruction:
        pay = transfer(SHARED_ROUTE_PREFIX_ACCOUNTS, SHARED_DESTINATION, 777)
        # The script stands where route_v2's steps begin, one byte earlier than here: the number of its calls is the count's last byte.
        calls = script((SHARED_TOKENS, [*pay[1][:2], (SHARED_AUTHORITY, SIGNER)], pay[2]))
        data = encode_route(USDC, 1, 0, [], shared_id=SHARED_ID)[:31] + bytes(3) + calls
        good = self.trade_of(self.usdc, self.bonk, USDC, route_data=data, steps=[])
        new = [key(f"the router's own {n}").pubkey() for n in range(own - 1)]
        theirs = [AccountMeta(address, False, place % 2 == 0) for place, address in enumerate(new)]
        source, destination = (AccountMeta(token_account_address(self.trade, mint), False, True) for mint in (self.usdc, self.bonk))
        plain = [AccountMeta(each, False, False) for each in (self.usdc, self.bonk, TOKEN_PROGRAM, TOKEN_PROGRAM)]
        authority, router = AccountMeta(self.trade, False, False), AccountMeta(PROGRAM, False, False)
        fixed = [theirs[0], authority, source, theirs[1], theirs[2], destination, *plain, theirs[3], router]
        return Instruction(good.program_id, good.data, [*good.accounts[:15], *fixed, AccountMeta(self.pot, False, True), *theirs[4:]])


def told(what: str, size: int, bytes_max: int, locks: int) -> None:
    logging.getLogger(__name__).info("%s: %d of %d bytes, %d of %d account locks", what, size, bytes_max, locks, LOCKS_MAX)


@pytest.mark.parametrize("count", [28, 40, 50])
def test_the_largest_route_with_lookup_tables(count: int) -> None:
    """28 is what the two steps need, 40 what a real route of two hops has, 50 what the vault lets through."""
    world = TwoHops()
    trade = world.trade_through(count)
    world.lays_out_tables(trade[-1])
    size, locks = world.measured(trade)
    told(f"v0, {count} router accounts, three tables", size, BYTES_MAX, locks)
    assert size <= BYTES_MAX
    assert locks <= LOCKS_MAX
    done = world.send(*trade, payer=world.bot)
    assert done.error is None, done.logs
    assert traded(done.inner)[0].amount_out == world.balance(world.vault, world.wif) > 0


@pytest.mark.parametrize("count", [28, 40, 50])
def test_the_largest_route_of_version_1(count: int) -> None:
    world = TwoHopsOfVersion1()
    trade = world.trade_through(count)
    size, locks = world.measured(trade)
    told(f"v1, {count} router accounts, no table", size, BYTES_MAX_OF_VERSION_1, locks)
    assert size <= BYTES_MAX_OF_VERSION_1
    assert locks <= LOCKS_MAX
    done = world.send(*trade, payer=world.bot)
    assert done.error is None, done.logs
    assert traded(done.inner)[0].amount_out > 0


def test_forty_accounts_that_are_all_the_routers_own() -> None:
    """48 accounts of the router, 40 of them in its two tables alone: more than a route through two venues of many accounts has."""
    world = ManyAccounts()
    call = world.trade_through(own=40)
    trade = [set_compute_unit_limit(UNITS_MAX), set_compute_unit_price(10_000), call]
    world.lays_out_tables(call)
    assert [len(table.addresses) for table in world.tables][1:] == [20, 20]
    size, locks = world.measured(trade)
    told("v0, 40 accounts of the router's alone, three tables", size, BYTES_MAX, locks)
    assert size <= BYTES_MAX
    assert locks <= LOCKS_MAX
    done = world.send(*trade, payer=world.bot)
    assert done.error is None, done.logs
    assert traded(done.inner)[0].amount_out == 777


def test_what_our_own_table_saves() -> None:
    """Without it the vault's fixed accounts stand in the transaction with 32 bytes each; the route still fits."""
    world = TwoHops()
    trade = world.trade_through(50)
    world.lays_out_tables(trade[-1])
    with_ours, locks = world.measured(trade)
    world.tables = world.tables[1:]
    without, same_locks = world.measured(trade)
    told("v0, 50 router accounts, the router's tables alone", without, BYTES_MAX, same_locks)
    assert locks == same_locks
    assert with_ours + 300 < without <= BYTES_MAX
