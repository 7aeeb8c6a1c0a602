"""The largest route that counts fits one transaction: bytes and account locks, measured on transactions that land.

`--log-cli-level=INFO` prints them; `tests/program/largest_route.py` says what the route is.
"""

import logging

import pytest
from tests.program.largest_route import BYTES_MAX, BYTES_MAX_OF_VERSION_1, LOCKS_MAX, TwoHops, TwoHopsOfVersion1

from xorj.vault.events import traded


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
