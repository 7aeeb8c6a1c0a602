"""The demo's leaders after their history: trading on as blocks pass, and going on where they were after a stop."""

from pathlib import Path

import pytest

from xorj.demo.history import execute_history, market_genesis
from xorj.demo.leaders import Kind
from xorj.demo.live import LiveMarket
from xorj.demo.market import Cast, Market
from xorj.demo.past import Past
from xorj.demo.plans import TICKS_PER_STEP, Season
from xorj.demo.prices import STEPS_PER_DAY
from xorj.demo.tokens import USDC_MINT
from xorj.localnet.bank import Bank
from xorj.localnet.records import Meta
from xorj.router import jupiter_v6

NOW = 1_790_000_000
SHORT = Season(0, STEPS_PER_DAY, live=False, number=0)
BLOCKS_A_MINUTE = 300


class World:
    def __init__(self, folder: Path | None = None) -> None:
        self.cast = Cast.of(1)
        self.bank = Bank.open(folder, market_genesis(self.cast, NOW, SHORT))
        self.past = execute_history(self.bank, self.cast, SHORT)
        self.live = self.begin(self.past)

    def begin(self, past: Past) -> LiveMarket:
        return LiveMarket(Market(self.bank, self.cast), past)

    def blocks_pass(self, count: int) -> int:
        filled = 0
        for _ in range(count):
            self.bank.advance(1, self.bank.unix_seconds)
            filled += self.live.advance()
        return filled


@pytest.fixture
def world() -> World:
    return World()


def test_in_a_minute_many_leaders_trade_and_the_skilled_get_in_and_out(world: World) -> None:
    first = len(world.bank.history)
    world.blocks_pass(BLOCKS_A_MINUTE)
    landed = [world.bank.history.read(ordinal) for ordinal in range(first, len(world.bank.history))]
    assert all(stored.meta.error is None for stored in landed)
    skilled = {str(leader.wallet) for leader in world.cast.leaders if leader.kind is Kind.SKILLED}
    buys = sum(_usdc_change(stored.meta, skilled) < 0 for stored in landed)
    sales = sum(_usdc_change(stored.meta, skilled) > 0 for stored in landed)
    assert buys >= 5
    assert sales >= 5


def _usdc_change(meta: Meta, wallets: set[str]) -> int:
    rows = [(row, sign) for rows, sign in ((meta.post_token_balances, 1), (meta.pre_token_balances, -1)) for row in rows]
    return sum(sign * row.amount_raw for row, sign in rows if row.owner in wallets and row.mint == str(USDC_MINT))


def test_the_pools_follow_the_walk(world: World) -> None:
    world.blocks_pass(20 * TICKS_PER_STEP)
    worth = Market(world.bank, world.cast).book.worth(world.cast.tokens[1].mint)
    assert worth is not None
    step = 120 * STEPS_PER_DAY + 20
    assert float(worth.usd_per_raw * 10**6 * 10**15) == pytest.approx(world.cast.walk.price(step, 1), rel=0.01)


def test_what_was_due_is_done_once(world: World) -> None:
    world.blocks_pass(50)
    landed = len(world.bank.history)
    assert world.live.advance() == 0
    assert len(world.bank.history) == landed


def test_after_a_restart_trading_goes_on_where_it_was(world: World) -> None:
    straight = World()
    world.blocks_pass(400)
    world.live = world.begin(world.past)
    world.blocks_pass(400)
    straight.blocks_pass(800)
    ours, theirs = ([stored.raw for stored in each.bank.history.read_all()] for each in (world, straight))
    assert ours == theirs


def test_leaders_trade_through_the_router(world: World) -> None:
    world.blocks_pass(100)
    router = bytes(jupiter_v6.PROGRAM)
    landed = list(world.bank.history.read_all())
    assert sum(router in stored.raw for stored in landed) > 5
