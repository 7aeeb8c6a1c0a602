"""initialize_vault, deposit and withdraw: money comes in from its owner under the cap, and goes out to its owner whatever else holds."""

from collections.abc import Callable

import pytest
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tests.program.vault_world import DAY, NOW, USDC, VaultWorld, changed, key

from xorj.vault import accounts, instructions
from xorj.vault.accounts import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, token_account_address
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


# deposit


def test_a_deposit_moves_the_base_mint_and_is_counted_and_told(world: VaultWorld) -> None:
    done = world.ok(instructions.deposit(world.owner.pubkey(), world.usdc, 300 * USDC))
    assert (world.balance(world.vault, world.usdc), world.balance(world.owner.pubkey(), world.usdc)) == (300 * USDC, 9_700 * USDC)
    assert world.read_vault().total_deposited == 300 * USDC
    assert parse_logs(done.logs) == [Deposited(world.vault, world.owner.pubkey(), world.usdc, 300 * USDC, 300 * USDC, NOW)]


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


@pytest.mark.parametrize(
    ("role", "make", "kind", "error"),
    [
        ("vault_token", instructions.deposit, 2, "InvalidTokenAccount"),
        ("vault_token", instructions.withdraw, 2, "InvalidTokenAccount"),
        ("mint", instructions.withdraw, 1, "InvalidMint"),
    ],
)
def test_a_multisig_is_no_token_account_and_no_mint(role: str, make: Callable[..., Instruction], kind: int, error: str) -> None:
    """Its bytes are keys that its maker chose: they may look like whatever they like, the byte that tells kinds apart too."""
    world = VaultWorld().with_vault()
    made = make(world.owner.pubkey(), world.usdc, USDC)
    looks_like = world.usdc if role == "mint" else token_account_address(world.vault, world.usdc)
    multisig = bytearray(355)
    data = bytes(world.svm.get_account(looks_like).data)
    multisig[: len(data)] = data
    multisig[165] = kind
    world.plant(key("multisig").pubkey(), bytes(multisig), TOKEN_PROGRAM)
    assert world.send(changed(made, role, key("multisig").pubkey())).error == error
    world.plant(key("multisig").pubkey(), data, TOKEN_PROGRAM)
    assert world.send(changed(made, role, key("multisig").pubkey())).error != error
