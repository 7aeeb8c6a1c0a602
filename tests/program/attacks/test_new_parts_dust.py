"""Dust and residue: tokens in the trade authority's accounts before, between and inside trades, and what a route strands there."""

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.token.state import TokenAccountState
from tests.program.attacks.harness import refused
from tests.program.evil_world import DESTINATION, FIRST_EXTRA, SOURCE, EvilWorld, approve, close, transfer, w
from tests.program.vault_world import USDC, VaultWorld, changed, key

from xorj.market import local_amm
from xorj.vault import instructions
from xorj.vault.accounts import TOKEN_PROGRAM, token_account_address
from xorj.vault.events import traded

RESERVE = 100_000 * USDC


@pytest.fixture
def world() -> VaultWorld:
    return VaultWorld().with_bot().with_market(RESERVE, RESERVE)


@pytest.fixture
def evil() -> EvilWorld:
    return EvilWorld()


def gift(world: VaultWorld, mint: Pubkey, amount: int, to: Pubkey) -> Instruction:
    """Eve sends tokens of her own to an account."""
    eve = world.stranger.pubkey()
    metas = [AccountMeta(token_account_address(eve, mint), False, True), AccountMeta(to, False, True), AccountMeta(eve, True, False)]
    return Instruction(TOKEN_PROGRAM, b"\x03" + amount.to_bytes(8, "little"), metas)


def with_gifts(world: VaultWorld) -> tuple[Pubkey, Pubkey]:
    """Eve holds both mints; the trade authority's accounts of them."""
    for mint in (world.usdc, world.bonk):
        world.hold(world.stranger.pubkey(), mint, 10**9)
    return token_account_address(world.trade, world.usdc), token_account_address(world.trade, world.bonk)


def test_dust_before_a_trade_goes_to_the_vault_and_counts_as_nothing(world: VaultWorld) -> None:
    trade_input, trade_output = with_gifts(world)
    pays = local_amm.amount_out(RESERVE, RESERVE, 100 * USDC)
    dust = gift(world, world.usdc, 12_345, trade_input), gift(world, world.bonk, 999, trade_output)
    refused(world, *dust, world.trade_of(world.usdc, world.bonk, 100 * USDC, minimum=pays + 1), error="SlippageExceeded")
    done = world.ok(*dust, world.trade_of(world.usdc, world.bonk, 100 * USDC, minimum=pays))
    (event,) = traded(done.inner)
    assert (event.amount_in, event.amount_out) == (100 * USDC, pays)
    assert world.balance(world.vault, world.usdc) == 400 * USDC + 12_345
    assert world.balance(world.vault, world.bonk) == pays + 999
    slot = world.read_policy().slot_of(world.bonk)
    assert slot is not None
    assert (slot.units, slot.base_cost) == (pays, 100 * USDC), "nobody knows the cost of a gift"


def test_more_dust_than_the_trade_pays_blocks_no_trade(world: VaultWorld) -> None:
    """What the output held before the trade was swept away; the router owes it to nobody."""
    _, trade_output = with_gifts(world)
    pays = local_amm.amount_out(RESERVE, RESERVE, USDC)
    dust = 10**8
    assert dust > pays
    (event,) = traded(world.ok(gift(world, world.bonk, dust, trade_output), world.buy(USDC)).inner)
    assert event.amount_out == pays
    assert world.balance(world.vault, world.bonk) == pays + dust


def test_dust_between_two_trades_of_one_transaction(world: VaultWorld) -> None:
    trade_input, trade_output = with_gifts(world)
    between = gift(world, world.usdc, 77, trade_input), gift(world, world.bonk, 88, trade_output)
    done = world.ok(world.buy(USDC), *between, world.buy(USDC))
    first, second = traded(done.inner)
    assert (first.amount_in, second.amount_in) == (USDC, USDC)
    assert world.balance(world.vault, world.usdc) == 498 * USDC + 77
    assert world.balance(world.vault, world.bonk) == first.amount_out + second.amount_out + 88


def test_dust_after_the_last_trade_is_the_owners_to_recover(world: VaultWorld) -> None:
    trade_input, _ = with_gifts(world)
    world.ok(world.buy(USDC), gift(world, world.usdc, 77, trade_input))
    world.ok(instructions.recover_trade_account(world.owner.pubkey(), world.usdc))
    assert (world.balance(world.trade, world.usdc), world.balance(world.vault, world.usdc)) == (0, 499 * USDC + 77)


@pytest.mark.parametrize("returned", [1, USDC - 1, USDC, USDC + 5])
def test_what_a_router_puts_back_inside_a_trade_was_not_spent(evil: EvilWorld, returned: int) -> None:
    """Also more than it was given: then nothing was spent and the vault is the richer. The budget was charged for all of it."""
    purse = evil.hold(evil.stranger.pubkey(), evil.usdc, 10 * USDC, delegate=evil.trade)
    calls = (transfer(SOURCE, FIRST_EXTRA, USDC), transfer(FIRST_EXTRA + 2, SOURCE, returned), transfer(FIRST_EXTRA + 1, DESTINATION, 5))
    loot = evil.hold(evil.stranger.pubkey(), evil.usdc, 0, at=key("another purse").pubkey())
    done = evil.ok(evil.attacking(*calls, extra=w(loot, evil.pot, purse)))
    assert traded(done.inner)[0].amount_in == max(0, USDC - returned)
    assert evil.balance(evil.vault, evil.usdc) == 499 * USDC + returned
    policy = evil.read_policy()
    slot = policy.slot_of(evil.bonk)
    assert slot is not None
    assert (slot.units, slot.base_cost, policy.spent_in_day(evil.now)) == (5, max(0, USDC - returned), USDC)


@pytest.mark.parametrize("mint_of", ["input", "output", "neither"])
def test_residue_in_a_third_account_of_the_trade_authority_stays_the_owners(evil: EvilWorld, mint_of: str) -> None:
    """The minimum still holds; what was stranded can be neither taken by the next route nor kept from the owner."""
    mint = {"input": evil.usdc, "output": evil.bonk, "neither": evil.wif}[mint_of]
    third = evil.hold(evil.trade, mint, 0, at=key("a third account").pubkey())
    eves = evil.hold(evil.stranger.pubkey(), mint, 10**6, at=key("eve's purse").pubkey(), delegate=evil.trade)
    extra = w(third, evil.pot, eves)
    strand = transfer(SOURCE, FIRST_EXTRA, USDC) if mint_of == "input" else transfer(FIRST_EXTRA + 2, FIRST_EXTRA, 10**6)
    refused(evil, evil.attacking(strand, extra=extra), error="SlippageExceeded")
    evil.ok(evil.attacking(strand, transfer(FIRST_EXTRA + 1, DESTINATION, 5), extra=extra))
    assert evil.amount(third) == USDC == 10**6
    pay = transfer(FIRST_EXTRA + 1, DESTINATION, 5)
    for theft in ((transfer(FIRST_EXTRA, FIRST_EXTRA + 2, 1),), (approve(FIRST_EXTRA, FIRST_EXTRA + 1),)):
        refused(evil, evil.attacking(pay, *theft, extra=extra), error="VaultAccountTampered")
    refused(evil, evil.attacking(pay, close(FIRST_EXTRA, FIRST_EXTRA + 2), extra=extra), error="Custom(11)")
    held = evil.balance(evil.vault, mint)
    evil.ok(changed(instructions.recover_trade_account(evil.owner.pubkey(), mint), "trade_token", third))
    assert (evil.amount(third), evil.balance(evil.vault, mint)) == (0, held + 10**6)


def test_a_third_account_in_the_trades_own_place_is_swept_first(evil: EvilWorld) -> None:
    third = evil.hold(evil.trade, evil.usdc, 40 * USDC, at=key("a third account").pubkey())
    trade = changed(evil.attacking(transfer(SOURCE, FIRST_EXTRA, 41 * USDC), extra=w(evil.loot)), "trade_input", third)
    metas = list(trade.accounts)
    metas[15 + SOURCE] = AccountMeta(third, False, True)
    refused(evil, Instruction(trade.program_id, trade.data, metas), error="Custom(1)", what="one trade's money is all there is to take")


def test_a_frozen_third_account_blocks_no_trade(evil: EvilWorld) -> None:
    frozen = evil.hold(evil.trade, evil.wif, 7, state=TokenAccountState.Frozen)
    done = evil.attack(transfer(FIRST_EXTRA, DESTINATION, 5), extra=w(evil.pot, frozen))
    assert done.error is None
