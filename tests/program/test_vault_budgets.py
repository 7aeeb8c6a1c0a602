"""The budgets: what the bot may spend in a trade and in a day, what its sales may lose in a day, and which mints it may hold."""

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.program.vault_world import HOUR, USDC, VaultWorld, key

from xorj.market import local_amm
from xorj.vault import accounts, instructions
from xorj.vault.interface import POSITION_SLOTS

DEEP = 10**15


def world_with(deposit: int = 500 * USDC, **policy: object) -> VaultWorld:
    return VaultWorld().with_bot(deposit, **policy).with_market(DEEP, DEEP)


# Spending


@pytest.mark.parametrize(
    ("policy", "cap"),
    [({"spend_per_trade": 40 * USDC}, 40 * USDC), ({"spend_per_trade_bps": 1_234}, 61_700_000)],
    ids=["absolute", "share of deposits"],
)
def test_a_trade_spends_up_to_the_smaller_cap(policy: dict[str, object], cap: int) -> None:
    world = world_with(**policy)
    assert world.send(world.buy(cap + 1)).error == "TradeLimitExceeded"
    assert world.send(world.buy(cap)).error is None


@pytest.mark.parametrize(
    ("policy", "cap"),
    [({"spend_per_day": 90 * USDC}, 90 * USDC), ({"spend_per_day_bps": 1_800}, 90 * USDC)],
    ids=["absolute", "share of deposits"],
)
def test_a_day_spends_up_to_the_smaller_cap_and_rolls_by_the_hour(policy: dict[str, object], cap: int) -> None:
    world = world_with(**policy)
    world.ok(world.buy(cap - 10 * USDC))
    world.later(seconds=HOUR)
    assert world.send(world.buy(10 * USDC + 1)).error == "SpendLimitExceeded"
    world.ok(world.buy(10 * USDC))
    assert world.read_policy().spent_in_day(world.now) == cap
    world.later(seconds=23 * HOUR)
    assert world.send(world.buy(1)).error == "SpendLimitExceeded", "24 hours later the first hour still counts"
    world.later(seconds=HOUR)
    assert world.send(world.buy(cap - 10 * USDC + 1)).error == "SpendLimitExceeded"
    world.ok(world.buy(cap - 10 * USDC))


def test_shares_are_of_deposits_not_of_what_lies_in_the_vault() -> None:
    world = world_with(spend_per_trade_bps=1_000)
    world.hold(world.vault, world.usdc, 5_000 * USDC)
    assert world.send(world.buy(50 * USDC + 1)).error == "TradeLimitExceeded"
    world.ok(instructions.withdraw(world.owner.pubkey(), world.usdc, 400 * USDC))
    assert world.send(world.buy(10 * USDC + 1)).error == "TradeLimitExceeded"


def test_a_refused_trade_spends_nothing() -> None:
    world = world_with(spend_per_day=50 * USDC)
    pays = local_amm.amount_out(DEEP, DEEP, 50 * USDC)
    assert world.send(world.trade_of(world.usdc, world.bonk, 50 * USDC, minimum=pays + 1)).error == "SlippageExceeded"
    assert world.send(world.buy(50 * USDC)).error is None


def test_sales_spend_nothing() -> None:
    world = world_with(spend_per_day=50 * USDC, spend_per_trade=50 * USDC)
    world.ok(world.buy(50 * USDC))
    world.hold(world.vault, world.bonk, 10**12)
    assert world.send(world.sell(400 * USDC)).error is None


def test_a_loosened_cap_counts_from_its_hour_on() -> None:
    world = world_with(spend_per_trade=10 * USDC)
    world.ok(instructions.set_policy(world.owner.pubkey(), spend_per_trade=20 * USDC))
    assert world.send(world.buy(20 * USDC)).error == "TradeLimitExceeded"
    world.later(seconds=24 * HOUR)
    assert world.send(world.buy(20 * USDC)).error is None


# Losing


def crashed(world: VaultWorld, times: int) -> None:
    """BONK is worth `times` less than when it was bought."""
    pool = local_amm.pool_of(world.usdc, world.bonk)
    world.hold(pool.address, world.usdc, DEEP // times)


def test_a_sale_below_cost_is_charged_and_refused_beyond_the_cap() -> None:
    world = world_with(loss_per_day=30 * USDC)
    world.ok(world.buy(100 * USDC))
    held = world.balance(world.vault, world.bonk)
    crashed(world, 2)
    assert world.send(world.sell(held)).error == "LossLimitExceeded"
    world.ok(world.sell(held // 2))
    lost = world.read_policy().lost_in_day(world.now)
    assert 25 * USDC < lost < 26 * USDC
    assert world.send(world.sell(held // 4)).error == "LossLimitExceeded"
    world.later(seconds=25 * HOUR)
    assert world.send(world.sell(held // 4)).error is None


def test_the_share_of_the_loss_cap_counts_the_larger_of_deposits_and_cost() -> None:
    world = world_with(loss_per_day_bps=500)
    world.ok(world.buy(100 * USDC))
    crashed(world, 2)
    held = world.balance(world.vault, world.bonk)
    assert world.send(world.sell(held * 52 // 100)).error == "LossLimitExceeded", "26 of 500 are more than 5 percent"
    world.ok(instructions.withdraw(world.owner.pubkey(), world.usdc, 400 * USDC))
    assert world.read_policy().loss_basis(world.read_vault().total_deposited) == 100 * USDC
    assert world.send(world.sell(held // 9)).error == "LossLimitExceeded"
    assert world.send(world.sell(held // 11)).error is None


def test_a_gain_gives_no_room_for_losses() -> None:
    world = world_with(loss_per_day=1)
    world.ok(world.buy(10 * USDC))
    pool = local_amm.pool_of(world.usdc, world.bonk)
    world.hold(pool.address, world.usdc, DEEP * 2)
    world.ok(world.sell(world.balance(world.vault, world.bonk)))
    world.hold(pool.address, world.usdc, DEEP)
    world.ok(world.buy(10 * USDC))
    assert world.send(world.sell(world.balance(world.vault, world.bonk))).error == "LossLimitExceeded"


def test_units_nobody_knows_the_cost_of_are_sold_freely() -> None:
    world = world_with(loss_per_day=0)
    world.hold(world.vault, world.bonk, 10**9)
    assert world.send(world.sell(10**9)).error is None


# Which mints


def test_the_allowlist_lets_only_listed_mints_be_bought() -> None:
    world = world_with(mint_mode=accounts.ALLOWLIST, pin=[key("bonk").pubkey()])
    assert world.send(world.buy(USDC, world.wif)).error == "MintNotAllowed"
    assert world.send(world.buy(USDC, world.bonk)).error is None


def test_a_mint_taken_off_the_list_may_still_be_sold() -> None:
    world = world_with(mint_mode=accounts.ALLOWLIST, pin=[key("bonk").pubkey()])
    world.ok(world.buy(USDC))
    world.ok(instructions.set_policy(world.owner.pubkey(), unpin=[world.bonk]))
    assert world.send(world.buy(USDC)).error == "MintNotAllowed"
    world.ok(world.sell(world.balance(world.vault, world.bonk)))
    world.hold(world.vault, world.wif, 10**6)
    assert world.send(world.sell(10**6, world.wif)).error == "MintNotAllowed", "a gift of an unlisted mint is not the bot's to sell"


def test_any_mint_needs_a_free_slot() -> None:
    world = world_with()
    fillers = [key(f"mint {n}").pubkey() for n in range(POSITION_SLOTS - 1)]
    world.ok(instructions.set_policy(world.owner.pubkey(), pin=fillers))
    world.ok(world.buy(USDC))
    assert world.send(world.buy(USDC, world.wif)).error == "NoFreeSlot"
    world.ok(world.sell(world.balance(world.vault, world.bonk)))
    assert world.send(world.buy(USDC, world.wif)).error is None


def test_what_the_owner_takes_out_leaves_its_slot() -> None:
    world = world_with()
    world.ok(world.buy(100 * USDC))
    held = world.balance(world.vault, world.bonk)
    world.ok(instructions.withdraw(world.owner.pubkey(), world.bonk, held // 2))
    slot = world.read_policy().slot_of(world.bonk)
    assert slot is not None
    assert (slot.units, slot.base_cost) == (held - held // 2, 100 * USDC - 100 * USDC * (held // 2) // held)
    world.ok(instructions.withdraw(world.owner.pubkey(), world.bonk, held - held // 2))
    assert world.read_policy().slot_of(world.bonk) is None


# Against a slow, obvious reference


class Reference(RuleBasedStateMachine):
    """Random buys, sales and hours, beside books that keep every trade for ever and add up what is within 25 hours' buckets."""

    SPEND_DAY, LOSS_DAY, SPEND_TRADE = 120 * USDC, 3 * USDC, 60 * USDC

    def __init__(self) -> None:
        super().__init__()
        self.world = world_with(1_000 * USDC, spend_per_day=self.SPEND_DAY, loss_per_day=self.LOSS_DAY, spend_per_trade=self.SPEND_TRADE)
        self.spent: list[tuple[int, int]] = []
        self.lost: list[tuple[int, int]] = []
        self.units, self.cost = 0, 0
        self.price_halves = 0

    def recent(self, book: list[tuple[int, int]]) -> int:
        return sum(amount for hour, amount in book if hour > self.world.now // HOUR - 25)

    @rule(amount=st.integers(1, 70 * USDC))
    def buy(self, amount: int) -> None:
        held = self.world.balance(self.world.vault, self.world.bonk)
        if amount > self.SPEND_TRADE:
            expected = "TradeLimitExceeded"
        elif self.recent(self.spent) + amount > self.SPEND_DAY:
            expected = "SpendLimitExceeded"
        else:
            expected = None
        # An amount so small that it buys nothing fails in the pool.
        done = self.world.send(self.world.buy(amount))
        if expected is None and done.error == "Custom(4)":
            return
        assert done.error == expected
        if expected is None:
            self.units += self.world.balance(self.world.vault, self.world.bonk) - held
            self.cost += amount
            self.spent.append((self.world.now // HOUR, amount))

    @precondition(lambda self: self.units > 1)
    @rule(share=st.fractions(Fraction(1, 100), 1))
    def sell(self, share: Fraction) -> None:
        units = max(1, int(self.units * share))
        before = self.world.balance(self.world.vault, self.world.usdc)
        cost = -(-self.cost * units // self.units)
        done = self.world.send(self.world.sell(units))
        if done.error == "Custom(4)":
            return
        if done.error is None:
            got = self.world.balance(self.world.vault, self.world.usdc) - before
            self.units, self.cost = self.units - units, self.cost - cost
            self.lost.append((self.world.now // HOUR, max(0, cost - got)))
            assert self.recent(self.lost) <= self.LOSS_DAY
        else:
            assert done.error == "LossLimitExceeded"
            pool = local_amm.pool_of(self.world.usdc, self.world.bonk).address
            reserves = self.world.balance(pool, self.world.bonk), self.world.balance(pool, self.world.usdc)
            assert self.recent(self.lost) + cost - local_amm.amount_out(*reserves, units) > self.LOSS_DAY

    @rule(seconds=st.integers(1, 30 * HOUR))
    def wait(self, seconds: int) -> None:
        # The wait stays within the bot's 30 days.
        if self.world.now + seconds < self.world.read_policy().stored.bot_expires_at:
            self.world.later(seconds=seconds)

    @precondition(lambda self: self.price_halves < 3)
    @rule()
    def crash(self) -> None:
        self.price_halves += 1
        crashed(self.world, 2**self.price_halves)

    @invariant()
    def books_agree(self) -> None:
        policy = self.world.read_policy()
        slot = policy.slot_of(self.world.bonk)
        assert (slot.units, slot.base_cost) == (self.units, self.cost) if slot else self.units == 0
        assert policy.spent_in_day(self.world.now) == self.recent(self.spent)
        assert policy.lost_in_day(self.world.now) == self.recent(self.lost)


TestReference = Reference.TestCase
TestReference.settings = settings(max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
