"""Attacks 15 to 32: money that goes in where it should not, or comes out to whom it should not."""

import pytest
from solders.pubkey import Pubkey
from solders.token.state import TokenAccountState
from tests.program.attacks.harness import refused
from tests.program.evil_world import EVIL
from tests.program.vault_world import RICH, USDC, VaultWorld, changed, key

from xorj.vault import accounts, instructions
from xorj.vault.accounts import ASSOCIATED_TOKEN_PROGRAM, TOKEN_2022_PROGRAM, token_account_address
from xorj.vault.events import traded

U64_MAX = 2**64 - 1


@pytest.fixture
def world() -> VaultWorld:
    """Ana has deposited 300 USDC."""
    return VaultWorld().with_vault(deposit=300 * USDC)


@pytest.fixture
def trading() -> VaultWorld:
    return VaultWorld().with_bot().with_market()


@pytest.fixture
def fake_token_program(world: VaultWorld) -> Pubkey:
    """A program that stands at no token program's address; that it would report success changes nothing."""
    fake = key("fake token program").pubkey()
    world.svm.add_program(fake, EVIL)
    return fake


# deposit


def test_attack_15_a_deposit_by_somebody_else(world: VaultWorld) -> None:
    good = instructions.deposit(world.owner.pubkey(), world.usdc, USDC)
    for who in (world.stranger.pubkey(), world.bot.pubkey(), world.admin.pubkey()):
        refused(world, changed(good, "owner", who), error="ConstraintHasOne", what=who)
    refused(world, changed(good, "owner", signer=False), error="AccountNotSigner")


def test_attack_16_a_deposit_of_nothing(world: VaultWorld) -> None:
    refused(world, instructions.deposit(world.owner.pubkey(), world.usdc, 0), error="InvalidAmount")


def test_attack_17_a_deposit_of_a_made_up_mint(world: VaultWorld) -> None:
    fake, owner = key("fake usdc").pubkey(), world.owner.pubkey()
    world.plant_mint(fake)
    for holder in (owner, world.vault):
        world.hold(holder, fake, 1_000 * USDC)
    refused(world, instructions.deposit(owner, fake, USDC), error="InvalidMint")
    refused(world, changed(instructions.deposit(owner, world.usdc, USDC), "base_mint", fake), error="InvalidMint")


def test_attack_18_a_vault_account_that_is_the_attackers(world: VaultWorld) -> None:
    good = instructions.deposit(world.owner.pubkey(), world.usdc, USDC)
    theirs = world.hold(world.stranger.pubkey(), world.usdc, 0)
    for account in (theirs, token_account_address(world.vault, world.bonk), token_account_address(world.trade, world.usdc), world.usdc):
        refused(world, changed(good, "vault_token", account), error="InvalidTokenAccount", what=account)
    theirs = world.hold(world.stranger.pubkey(), world.usdc, RICH)
    refused(world, changed(good, "owner_token", theirs), error="InvalidTokenAccount")


def test_attack_19_a_deposit_from_an_account_to_itself(world: VaultWorld) -> None:
    good = instructions.deposit(world.owner.pubkey(), world.usdc, USDC)
    of_vault, of_owner = (token_account_address(holder, world.usdc) for holder in (world.vault, world.owner.pubkey()))
    refused(world, changed(good, "owner_token", of_vault), error="InvalidTokenAccount")
    refused(world, changed(good, "vault_token", of_owner), error="InvalidTokenAccount")


def test_attack_20_a_token_program_that_only_says_it_pays(world: VaultWorld, fake_token_program: Pubkey) -> None:
    owner = world.owner.pubkey()
    for good in (instructions.deposit(owner, world.usdc, USDC), instructions.withdraw(owner, world.usdc, USDC)):
        for program in (fake_token_program, ASSOCIATED_TOKEN_PROGRAM, accounts.PROGRAM_ID):
            refused(world, changed(good, "token_program", program), error="InvalidProgramId", what=program)
    refused(world, changed(instructions.deposit(owner, world.usdc, USDC), "token_program", TOKEN_2022_PROGRAM), error="InvalidProgramId")


def test_attack_21_one_unit_above_the_cap(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    refused(world, instructions.deposit(owner, world.usdc, 700 * USDC + 1), error="DepositCapExceeded")
    world.ok(instructions.deposit(owner, world.usdc, 700 * USDC))
    assert world.read_vault().total_deposited == 1_000 * USDC
    refused(world, instructions.deposit(owner, world.usdc, 1), error="DepositCapExceeded")
    # A cap that was lowered later counts at once.
    world.ok(instructions.update_config(world.admin.pubkey(), vault_cap=50 * USDC))
    world.ok(instructions.withdraw(owner, world.usdc, 951 * USDC))
    refused(world, instructions.deposit(owner, world.usdc, USDC + 1), error="DepositCapExceeded")
    world.ok(instructions.deposit(owner, world.usdc, USDC))


def test_attack_22_a_deposit_that_would_wrap_the_count(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    world.hold(owner, world.usdc, U64_MAX)
    refused(world, instructions.deposit(owner, world.usdc, U64_MAX), error="MathOverflow")
    refused(world, instructions.deposit(owner, world.usdc, U64_MAX - 300 * USDC), error="DepositCapExceeded", what="does not wrap yet")


def test_attack_23_a_deposit_into_a_deactivated_vault(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    world.ok(instructions.deactivate_vault(owner))
    refused(world, instructions.deposit(owner, world.usdc, USDC), error="VaultInactive")


def test_attack_24_a_gift_is_no_deposit_and_blocks_none(world: VaultWorld) -> None:
    world.hold(world.vault, world.usdc, 5_000 * USDC)
    assert world.read_vault().total_deposited == 300 * USDC
    world.ok(instructions.deposit(world.owner.pubkey(), world.usdc, 700 * USDC))
    assert (world.read_vault().total_deposited, world.balance(world.vault, world.usdc)) == (1_000 * USDC, 5_700 * USDC)


# withdraw


def test_attack_25_a_withdrawal_by_anybody_but_the_owner(trading: VaultWorld) -> None:
    good = instructions.withdraw(trading.owner.pubkey(), trading.usdc, USDC)
    for who in (trading.bot.pubkey(), trading.stranger.pubkey(), trading.admin.pubkey()):
        own = changed(good, "owner_token", trading.hold(who, trading.usdc, 0))
        refused(trading, changed(own, "owner", who), error="ConstraintHasOne", what=who)
    refused(trading, changed(good, "owner", signer=False), error="AccountNotSigner")


def test_attack_26_a_withdrawal_of_more_than_there_is(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    for amount in (300 * USDC + 1, U64_MAX):
        refused(world, instructions.withdraw(owner, world.usdc, amount), error="InsufficientVaultBalance", what=amount)
    refused(world, instructions.withdraw(owner, world.bonk, 1), error="InsufficientVaultBalance")


def test_attack_27_a_withdrawal_of_nothing(world: VaultWorld) -> None:
    refused(world, instructions.withdraw(world.owner.pubkey(), world.usdc, 0), error="InvalidAmount")


def test_attack_28_a_withdrawal_to_an_account_of_another_mint_or_owner(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    good = instructions.withdraw(owner, world.usdc, USDC)
    cases = {
        "a stranger's": changed(good, "owner_token", world.hold(world.stranger.pubkey(), world.usdc, 0)),
        "another mint's": changed(good, "owner_token", token_account_address(owner, world.bonk)),
        "the vault's own": changed(good, "owner_token", token_account_address(world.vault, world.usdc)),
        "the trade authority's": changed(good, "owner_token", token_account_address(world.trade, world.usdc)),
        "no token account": changed(good, "owner_token", world.stranger.pubkey()),
        "another mint than the accounts'": changed(good, "mint", world.bonk),
    }
    for case, instruction in cases.items():
        refused(world, instruction, error="InvalidTokenAccount", what=case)
    refused(world, changed(good, "mint", owner), error="InvalidMint")
    closed = world.hold(owner, world.usdc, 0, at=key("uninitialized").pubkey(), state=TokenAccountState.Uninitialized)
    refused(world, changed(good, "owner_token", closed), error="InvalidTokenAccount")


def test_attack_29_another_users_tokens_through_ones_own_vault(world: VaultWorld) -> None:
    """The research file expects ConstraintSeeds; the vault account is known by its stored owner, so the token account is what is wrong."""
    eve = world.stranger.pubkey()
    world.ok(instructions.initialize_vault(eve))
    loot = world.hold(eve, world.usdc, 0)
    own = instructions.withdraw(eve, world.usdc, USDC, owner_token=loot)
    anas = token_account_address(world.vault, world.usdc)
    refused(world, changed(own, "vault_token", anas), error="InvalidTokenAccount")
    refused(world, changed(changed(own, "vault", world.vault), "vault_token", anas), error="ConstraintHasOne")
    refused(world, changed(changed(own, "policy", world.policy), "vault_token", anas), error="ConstraintHasOne")


def test_attack_30_nothing_is_trapped_by_deactivation(trading: VaultWorld) -> None:
    owner = trading.owner.pubkey()
    trading.ok(trading.buy(50 * USDC), trading.buy(50 * USDC, trading.wif))
    trading.ok(instructions.deactivate_vault(owner), instructions.update_config(trading.guardian.pubkey(), paused=True))
    for mint in (trading.usdc, trading.bonk, trading.wif):
        held, had = trading.balance(trading.vault, mint), trading.balance(owner, mint)
        assert held > 0
        trading.ok(instructions.withdraw(owner, mint, held))
        assert (trading.balance(trading.vault, mint), trading.balance(owner, mint)) == (0, had + held)


def test_attack_31_profit_beyond_what_was_deposited_comes_out(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    world.hold(world.vault, world.usdc, 450 * USDC)
    world.ok(instructions.withdraw(owner, world.usdc, 299 * USDC))
    assert world.read_vault().total_deposited == USDC
    world.ok(instructions.withdraw(owner, world.usdc, 151 * USDC))
    assert (world.read_vault().total_deposited, world.balance(world.vault, world.usdc)) == (0, 0)


def test_attack_32_a_withdrawal_in_the_transaction_of_a_trade_is_exact(trading: VaultWorld) -> None:
    owner = trading.owner.pubkey()
    done = trading.ok(trading.buy(USDC), instructions.withdraw(owner, trading.usdc, 499 * USDC))
    bought = traded(done.inner)[0].amount_out
    assert (trading.balance(trading.vault, trading.usdc), trading.balance(trading.vault, trading.bonk)) == (0, bought)
    assert (trading.balance(owner, trading.usdc), trading.read_vault().total_deposited) == (9_999 * USDC, USDC)
    out = instructions.withdraw(owner, trading.bonk, bought)
    refused(trading, out, trading.sell(bought), error="InsufficientVaultBalance", what="first the owner, then the bot")
    refused(trading, trading.sell(bought), out, error="InsufficientVaultBalance", what="first the bot, then the owner")
