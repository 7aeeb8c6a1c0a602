"""initialize_vault, deposit and withdraw: money comes in from its owner under the cap, and goes out to its owner whatever else holds."""

import pytest
from solders.pubkey import Pubkey
from solders.token.state import TokenAccountState
from tests.program.vault_world import DAY, NOW, USDC, VaultWorld, changed, key

from xorj.vault import accounts, instructions
from xorj.vault.accounts import ASSOCIATED_TOKEN_PROGRAM, TOKEN_2022_PROGRAM, token_account_address
from xorj.vault.events import Deposited, Withdrawn, parse_logs

SYSTEM = Pubkey.default()


@pytest.fixture
def world() -> VaultWorld:
    return VaultWorld().with_vault(deposit=0)


def deposit(world: VaultWorld, amount: int) -> str | None:
    return world.send(instructions.deposit(world.owner.pubkey(), world.usdc, amount)).error


def withdraw(world: VaultWorld, amount: int, mint: Pubkey | None = None) -> str | None:
    return world.send(instructions.withdraw(world.owner.pubkey(), mint or world.usdc, amount)).error


# initialize_vault


def test_a_new_vault_belongs_to_its_signer_and_has_safe_defaults() -> None:
    world = VaultWorld().with_config()
    world.ok(instructions.initialize_vault(world.owner.pubkey()))
    vault, policy = world.read_vault(), world.read_policy()
    assert vault == accounts.VaultAccount(world.owner.pubkey(), 0, None, True, NOW, vault.bump)
    assert len(world.svm.get_account(world.vault).data) == accounts.VAULT_BYTES
    assert (policy.vault, policy.base_mint, policy.trade_authority) == (world.vault, world.usdc, world.trade)
    assert policy.stored == accounts.Limits(100 * USDC, 500 * USDC, 200 * USDC, 1_000, 5_000, 2_000, 0, accounts.ALLOWLIST)
    assert (policy.paused, policy.was_granted, policy.nonce_base, policy.loosening_delay) == (False, False, 0, DAY)
    assert all(slot.is_free for slot in policy.slots)


def test_a_vault_is_made_once_and_only_where_its_owner_belongs() -> None:
    world = VaultWorld().with_config()
    good = instructions.initialize_vault(world.owner.pubkey())
    others = accounts.vault_address(world.stranger.pubkey())
    assert world.send(changed(good, "vault", others)).error == "ConstraintSeeds"
    assert world.send(changed(good, "policy", accounts.policy_address(others))).error == "ConstraintSeeds"
    assert world.send(changed(good, "system_program", world.usdc)).error == "InvalidProgramId"
    assert world.send(changed(good, "owner", signer=False), payer=world.stranger).error == "AccountNotSigner"
    world.ok(good)
    assert world.send(good).error == "AccountDiscriminatorAlreadySet"


@pytest.mark.parametrize("lamports", [1, 10**6, 10**10])
def test_lamports_that_a_stranger_sent_ahead_stop_nobody(lamports: int) -> None:
    world = VaultWorld().with_config()
    for address in (world.vault, world.policy):
        world.svm.airdrop(address, max(lamports, 890_880))
    world.ok(instructions.initialize_vault(world.owner.pubkey()))
    assert world.read_vault().owner == world.owner.pubkey()
    assert world.svm.get_account(world.policy).lamports >= world.svm.minimum_balance_for_rent_exemption(accounts.POLICY_BYTES)


# deposit


def test_a_deposit_moves_the_base_mint_and_is_counted_and_told(world: VaultWorld) -> None:
    done = world.ok(instructions.deposit(world.owner.pubkey(), world.usdc, 300 * USDC))
    assert (world.balance(world.vault, world.usdc), world.balance(world.owner.pubkey(), world.usdc)) == (300 * USDC, 9_700 * USDC)
    assert world.read_vault().total_deposited == 300 * USDC
    assert parse_logs(done.logs) == [Deposited(world.vault, world.owner.pubkey(), world.usdc, 300 * USDC, 300 * USDC, NOW)]


def test_the_cap_is_reached_exactly_and_never_passed(world: VaultWorld) -> None:
    assert deposit(world, 400 * USDC) is None
    assert deposit(world, 600 * USDC + 1) == "DepositCapExceeded"
    assert deposit(world, 600 * USDC) is None
    assert deposit(world, 1) == "DepositCapExceeded"
    assert deposit(world, 2**64 - 1) == "MathOverflow"
    assert world.read_vault().total_deposited == 1_000 * USDC


def test_a_lower_configured_cap_counts_at_once(world: VaultWorld) -> None:
    world.ok(instructions.update_config(world.admin.pubkey(), vault_cap=50 * USDC))
    assert deposit(world, 50 * USDC + 1) == "DepositCapExceeded"
    assert deposit(world, 50 * USDC) is None


def test_a_gift_to_the_vault_is_no_deposit(world: VaultWorld) -> None:
    world.hold(world.vault, world.usdc, 5_000 * USDC)
    assert world.read_vault().total_deposited == 0
    assert deposit(world, 1_000 * USDC) is None


def test_deposits_that_are_refused(world: VaultWorld) -> None:
    good = instructions.deposit(world.owner.pubkey(), world.usdc, USDC)
    stranger = world.stranger.pubkey()
    fake = key("fake usdc").pubkey()
    world.plant_mint(fake)
    cases = {
        "zero": (instructions.deposit(world.owner.pubkey(), world.usdc, 0), "InvalidAmount"),
        "another mint": (changed(good, "base_mint", fake), "InvalidMint"),
        "another's vault account": (changed(good, "vault_token", world.hold(stranger, world.usdc, 0)), "InvalidTokenAccount"),
        "vault account of another mint": (
            changed(good, "vault_token", token_account_address(world.vault, world.bonk)),
            "InvalidTokenAccount",
        ),
        "another's money": (changed(good, "owner_token", world.hold(stranger, world.usdc, USDC)), "InvalidTokenAccount"),
        "from the vault to itself": (changed(good, "owner_token", token_account_address(world.vault, world.usdc)), "InvalidTokenAccount"),
        "another token program": (changed(good, "token_program", TOKEN_2022_PROGRAM), "InvalidProgramId"),
        "another owner": (changed(good, "owner", stranger), "ConstraintHasOne"),
        "unsigned": (changed(good, "owner", signer=False), "AccountNotSigner"),
    }
    for case, (instruction, error) in cases.items():
        assert world.send(instruction).error == error, case
    assert world.read_vault().total_deposited == 0


@pytest.mark.parametrize("tampered", [{"delegate": key("eve").pubkey()}, {"close_authority": key("eve").pubkey()}], ids=str)
def test_nothing_is_put_into_a_vault_account_that_another_key_can_empty(world: VaultWorld, tampered: dict[str, Pubkey]) -> None:
    world.hold(world.vault, world.usdc, 0, **tampered)
    assert deposit(world, USDC) == "VaultAccountTampered"


def test_neither_a_paused_program_nor_a_deactivated_vault_takes_deposits(world: VaultWorld) -> None:
    world.ok(instructions.update_config(world.guardian.pubkey(), paused=True))
    assert deposit(world, USDC) == "ProgramPaused"
    world.ok(instructions.update_config(world.admin.pubkey(), paused=False))
    world.ok(instructions.deactivate_vault(world.owner.pubkey()))
    assert deposit(world, USDC) == "VaultInactive"


# withdraw


def test_a_withdrawal_goes_to_the_owner_and_is_counted_and_told(world: VaultWorld) -> None:
    deposit(world, 300 * USDC)
    done = world.ok(instructions.withdraw(world.owner.pubkey(), world.usdc, 100 * USDC))
    assert world.balance(world.owner.pubkey(), world.usdc) == 9_800 * USDC
    assert world.read_vault().total_deposited == 200 * USDC
    assert parse_logs(done.logs) == [Withdrawn(world.vault, world.owner.pubkey(), world.usdc, 100 * USDC, 200 * USDC, NOW)]


def test_profit_can_be_withdrawn_and_the_count_ends_at_zero(world: VaultWorld) -> None:
    deposit(world, 300 * USDC)
    world.hold(world.vault, world.usdc, 450 * USDC)
    assert withdraw(world, 450 * USDC) is None
    assert world.read_vault().total_deposited == 0


def test_every_mint_comes_out_also_one_the_policy_never_heard_of(world: VaultWorld) -> None:
    unheard = key("unheard").pubkey()
    world.plant_mint(unheard)
    for mint in (world.bonk, unheard):
        world.hold(world.owner.pubkey(), mint, 0)
        world.hold(world.vault, mint, 7)
        assert withdraw(world, 7, mint) is None
        assert world.balance(world.owner.pubkey(), mint) == 7
    assert world.read_vault().total_deposited == 0


def test_a_mint_of_token_2022_comes_out_too(world: VaultWorld) -> None:
    mint, owner = key("new usdc").pubkey(), world.owner.pubkey()
    world.plant_mint(mint, token_program=TOKEN_2022_PROGRAM)
    vault_token = world.hold(world.vault, mint, 9, token_program=TOKEN_2022_PROGRAM)
    owner_token = world.hold(owner, mint, 0, token_program=TOKEN_2022_PROGRAM)
    world.ok(instructions.withdraw(owner, mint, 9, token_program=TOKEN_2022_PROGRAM))
    assert (world.amount(vault_token), world.amount(owner_token)) == (0, 9)


def test_nothing_gates_the_way_out() -> None:
    world = VaultWorld().with_bot()
    world.ok(instructions.pause_vault(world.bot.pubkey(), world.owner.pubkey()))
    world.ok(instructions.update_config(world.guardian.pubkey(), paused=True))
    assert withdraw(world, 100 * USDC) is None
    world.plant(accounts.config_address(), b"not a config any more")
    assert withdraw(world, 100 * USDC) is None
    world.ok(instructions.revoke_bot_authority(world.owner.pubkey()))
    world.ok(instructions.deactivate_vault(world.owner.pubkey()))
    assert withdraw(world, 300 * USDC) is None
    world.ok(instructions.close_vault(world.owner.pubkey()))


def test_withdrawals_that_are_refused(world: VaultWorld) -> None:
    deposit(world, 300 * USDC)
    owner, stranger = world.owner.pubkey(), world.stranger.pubkey()
    good = instructions.withdraw(owner, world.usdc, USDC)
    fake = key("fake program").pubkey()
    cases = {
        "more than there is": (instructions.withdraw(owner, world.usdc, 300 * USDC + 1), "InsufficientVaultBalance"),
        "zero": (instructions.withdraw(owner, world.usdc, 0), "InvalidAmount"),
        "to somebody else": (changed(good, "owner_token", world.hold(stranger, world.usdc, 0)), "InvalidTokenAccount"),
        "to an account of another mint": (changed(good, "owner_token", token_account_address(owner, world.bonk)), "InvalidTokenAccount"),
        "another mint than the accounts'": (changed(good, "mint", world.bonk), "InvalidTokenAccount"),
        "no mint": (changed(good, "mint", owner), "InvalidMint"),
        "a program that only says it pays": (changed(good, "token_program", fake), "InvalidProgramId"),
        "the associated token program": (changed(good, "token_program", ASSOCIATED_TOKEN_PROGRAM), "InvalidProgramId"),
        "by a stranger": (changed(good, "owner", stranger), "ConstraintHasOne"),
        "unsigned": (changed(good, "owner", signer=False), "AccountNotSigner"),
        "another's policy": (changed(good, "policy", key("eve's policy").pubkey()), "AccountNotInitialized"),
    }
    for case, (instruction, error) in cases.items():
        assert world.send(instruction).error == error, case
    assert world.balance(world.vault, world.usdc) == 300 * USDC


def test_a_strangers_own_vault_opens_no_other(world: VaultWorld) -> None:
    deposit(world, 300 * USDC)
    stranger = world.stranger.pubkey()
    world.ok(instructions.initialize_vault(stranger))
    theirs = instructions.withdraw(stranger, world.usdc, USDC, owner_token=world.hold(stranger, world.usdc, 0))
    assert world.send(changed(theirs, "vault_token", token_account_address(world.vault, world.usdc))).error == "InvalidTokenAccount"
    assert world.send(changed(theirs, "policy", world.policy)).error == "ConstraintHasOne"


def test_a_frozen_account_fails_in_the_token_program_and_changes_nothing(world: VaultWorld) -> None:
    deposit(world, 300 * USDC)
    world.hold(world.vault, world.usdc, 300 * USDC, state=TokenAccountState.Frozen)
    before = world.state_of([world.vault, world.policy])
    assert withdraw(world, USDC) == "Custom(17)"
    assert world.state_of([world.vault, world.policy]) == before
