"""The budgets: what the bot may spend in a trade and in a day, what its sales may lose in a day, and which mints it may hold."""

import pytest
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


def test_a_listed_mint_stays_on_the_list_when_it_is_sold_out() -> None:
    world = VaultWorld().with_bot(mint_mode=accounts.ALLOWLIST, pin=[key("bonk").pubkey()]).with_market()
    world.ok(world.buy(10 * USDC))
    world.ok(world.sell(world.balance(world.vault, world.bonk)))
    slot = world.read_policy().slot_of(world.bonk)
    assert slot is not None
    assert (slot.units, slot.base_cost, slot.is_pinned(world.now)) == (0, 0, True)
    world.ok(world.buy(10 * USDC))


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
