"""bot_trade: one swap through an allowed router, measured, booked and told; and every refusal that comes before a token moves."""

import pytest
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from tests.program.vault_world import RICH, USDC, VaultWorld, changed

from xorj.market import local_amm
from xorj.router import jupiter_v6
from xorj.vault import instructions
from xorj.vault.accounts import TOKEN_PROGRAM, token_account_address
from xorj.vault.events import TradeExecuted, parse_logs, traded

RESERVE = 100_000 * USDC


@pytest.fixture
def world() -> VaultWorld:
    return VaultWorld().with_bot().with_market(RESERVE, RESERVE)


def route(amount_in: int, quoted: int = 1, **changes: int) -> bytes:
    """route_v2 with one byte of the head changed: platform_fee, positive_slippage."""
    data = bytearray(jupiter_v6.encode_route(amount_in, quoted, 0, [jupiter_v6.RouteStep()]))
    for name, at in (("platform_fee", 26), ("positive_slippage", 28)):
        data[at] = changes.get(name, 0)
    return bytes(data)


def test_a_buy_moves_books_and_tells_what_was_measured(world: VaultWorld) -> None:
    pays = local_amm.amount_out(RESERVE, RESERVE, 100 * USDC)
    done = world.ok(world.trade_of(world.usdc, world.bonk, 100 * USDC, minimum=pays))
    assert (world.balance(world.vault, world.usdc), world.balance(world.vault, world.bonk)) == (400 * USDC, pays)
    assert (world.balance(world.trade, world.usdc), world.balance(world.trade, world.bonk)) == (0, 0)
    slot = world.read_policy().slot_of(world.bonk)
    assert slot is not None
    assert (slot.units, slot.base_cost) == (pays, 100 * USDC)
    bot = world.bot.pubkey()
    event = TradeExecuted(world.vault, bot, world.usdc, world.bonk, 100 * USDC, pays, pays, world.now)
    assert parse_logs(done.logs) == [event]
    assert traded(done.inner) == [event]


def test_a_sale_brings_the_base_mint_back_and_frees_the_slot(world: VaultWorld) -> None:
    world.ok(world.buy(100 * USDC))
    held = world.balance(world.vault, world.bonk)
    world.ok(world.sell(held))
    assert world.read_policy().slot_of(world.bonk) is None
    assert world.balance(world.vault, world.bonk) == 0
    assert world.balance(world.vault, world.usdc) < 500 * USDC
    lost = 500 * USDC - world.balance(world.vault, world.usdc)
    assert world.read_policy().lost_in_day(world.now) == lost


def test_deposits_do_not_change_by_trading(world: VaultWorld) -> None:
    world.ok(world.buy(100 * USDC))
    assert world.read_vault().total_deposited == 500 * USDC


def test_the_routers_own_floor_fails_with_its_number(world: VaultWorld) -> None:
    pays = local_amm.amount_out(RESERVE, RESERVE, 100 * USDC)
    data = jupiter_v6.encode_route(100 * USDC, pays + 1, 0, [jupiter_v6.RouteStep()])
    failed = world.send(world.trade_of(world.usdc, world.bonk, 100 * USDC, route_data=data))
    assert f"Program {jupiter_v6.PROGRAM} failed: custom program error: 0x1771" in failed.logs


def test_two_hops_pass_through_an_account_of_the_trade_authority(world: VaultWorld) -> None:
    pool = local_amm.pool_of(world.bonk, world.wif)
    for mint in (world.bonk, world.wif):
        world.hold(pool.address, mint, RESERVE)
    world.ok(local_amm.initialize_pool(world.admin.pubkey(), pool))
    data = jupiter_v6.encode_route(USDC, 1, 0, [jupiter_v6.RouteStep(), jupiter_v6.RouteStep(input_index=1, output_index=2)])
    steps = [*world.hop(world.usdc, world.bonk), *world.hop(world.bonk, world.wif)]
    done = world.ok(world.trade_of(world.usdc, world.wif, USDC, route_data=data, steps=steps))
    assert traded(done.inner)[0].amount_out == world.balance(world.vault, world.wif) > 0
    assert world.balance(world.trade, world.bonk) == 0


def test_several_trades_in_one_transaction(world: VaultWorld) -> None:
    world.ok(world.buy(USDC), world.buy(USDC, world.wif))
    assert world.balance(world.vault, world.usdc) == 498 * USDC


# Who, and when


def test_the_stops_hold_every_trade(world: VaultWorld) -> None:
    owner, admin = world.owner.pubkey(), world.admin.pubkey()
    world.ok(instructions.update_config(world.guardian.pubkey(), paused=True))
    assert world.send(world.buy(USDC)).error == "ProgramPaused"
    world.ok(instructions.pause_vault(world.bot.pubkey(), owner))
    assert world.send(world.buy(USDC)).error == "VaultPaused"
    world.ok(instructions.resume_vault(owner), instructions.update_config(admin, paused=False))
    assert world.send(world.buy(USDC)).error is None


def test_the_bots_time_ends(world: VaultWorld) -> None:
    ends = world.read_policy().stored.bot_expires_at
    world.later(seconds=ends - world.now - 1)
    assert world.send(world.buy(USDC)).error is None
    world.later(seconds=1)
    assert world.send(world.buy(USDC)).error == "BotExpired"


# What


def test_one_leg_is_the_base_mint_and_the_other_is_not(world: VaultWorld) -> None:
    assert world.send(world.trade_of(world.bonk, world.wif, USDC)).error == "BaseLegRequired"
    assert world.send(world.trade_of(world.usdc, world.usdc, USDC, steps=[])).error == "SameMint"


# Through which router, with what


EXACT_OUT = bytes.fromhex("d033ef977b2bed5c")


def moved(instruction: Instruction, slot: int, key: Pubkey) -> Instruction:
    """Another account in one of the router's slots."""
    metas = list(instruction.accounts)
    metas[15 + slot] = AccountMeta(key, False, metas[15 + slot].is_writable)
    return Instruction(instruction.program_id, instruction.data, metas)


def test_the_shared_route_is_pinned_too(world: VaultWorld) -> None:
    data = jupiter_v6.encode_route(USDC, 1, 0, [jupiter_v6.RouteStep()], shared_id=5)
    good = world.trade_of(world.usdc, world.bonk, USDC, route_data=data)
    assert world.send(good).error == "RouteDataMalformed", "the accounts stand in route_v2's order"
    shared = world.shared_route(USDC, shared_id=5)
    pays = local_amm.amount_out(RESERVE, RESERVE, USDC)
    assert traded(world.ok(shared).inner)[0].amount_out == pays
    other = world.hold(world.stranger.pubkey(), world.bonk, 0)
    for slot in (1, 2, 5, 6, 7, 8, 9, 11):
        assert world.send(moved(world.shared_route(USDC, shared_id=5), slot, other)).error == "RouteDataMalformed", slot


def test_too_few_accounts_of_the_router(world: VaultWorld) -> None:
    good = world.buy(USDC)
    for count in (15, 24):
        short = Instruction(good.program_id, good.data, good.accounts[:count])
        assert world.send(short).error == "AccountNotEnoughKeys", count


# Which token accounts


def test_the_vaults_and_the_trade_authoritys_own_token_accounts(world: VaultWorld) -> None:
    theirs = {mint: world.hold(world.stranger.pubkey(), mint, RICH) for mint in (world.usdc, world.bonk)}
    good = world.buy(USDC)
    for role, mint in (
        ("vault_input", world.usdc),
        ("vault_output", world.bonk),
        ("trade_input", world.usdc),
        ("trade_output", world.bonk),
    ):
        assert world.send(changed(good, role, theirs[mint])).error == "InvalidTokenAccount", role
        wrong = token_account_address(world.vault if role.startswith("vault") else world.trade, world.wif)
        assert world.send(changed(good, role, wrong)).error == "InvalidTokenAccount", role
    assert world.send(changed(good, "trade_authority", world.stranger.pubkey())).error == "ConstraintSeeds"
    assert world.send(changed(good, "event_authority", world.stranger.pubkey())).error == "ConstraintSeeds"
    assert world.send(changed(good, "program", world.stranger.pubkey())).error == "InvalidProgramId"
    assert world.send(changed(good, "token_program", world.stranger.pubkey())).error == "InvalidProgramId"


def test_a_token_account_must_be_initialized(world: VaultWorld) -> None:
    address = token_account_address(world.vault, world.bonk)
    world.svm.set_account(address, Account(RICH, bytes(165), TOKEN_PROGRAM, False, 0))
    assert world.send(world.buy(USDC)).error == "InvalidTokenAccount"
