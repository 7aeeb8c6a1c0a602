"""Who must sign what, and which policy and config go with a vault. What else every instruction checks: attacks 7 to 14."""

import pytest
from tests.program.good_calls import good
from tests.program.vault_world import VaultWorld, changed, key

from xorj.vault import accounts, instructions
from xorj.vault.interface import INSTRUCTIONS


@pytest.fixture(scope="module")
def world() -> VaultWorld:
    return VaultWorld().with_bot().with_market()


SIGNERS = [(each.name, role.name) for each in INSTRUCTIONS for role in each.accounts if role.is_signer]


@pytest.mark.parametrize(("name", "role"), SIGNERS, ids=["-".join(pair) for pair in SIGNERS])
def test_who_must_sign_has_signed(world: VaultWorld, name: str, role: str) -> None:
    payer = key("fee payer")
    world.svm.airdrop(payer.pubkey(), 10**9)
    instruction = good(world, name)
    if name == "initialize_config":
        # Both signers are the same key here; the other role's flag would make this one a signer too.
        eve = world.stranger.pubkey()
        instruction = changed(instruction, role, eve)
    assert world.send(changed(instruction, role, signer=False), payer=payer).error == "AccountNotSigner"


@pytest.mark.parametrize("role", ["vault", "policy"])
def test_an_account_that_is_not_there_is_said_to_be_missing(world: VaultWorld, role: str) -> None:
    names = [each.name for each in INSTRUCTIONS if role in [one.name for one in each.accounts] and each.name != "initialize_vault"]
    for name in names:
        assert world.send(changed(good(world, name), role, key("nobody").pubkey())).error == "AccountNotInitialized", name


def test_a_policy_belongs_to_its_vault(world: VaultWorld) -> None:
    stranger = world.stranger.pubkey()
    other = VaultWorld().with_config()
    for each in (world.owner.pubkey(), stranger):
        other.ok(instructions.initialize_vault(each))
    theirs = accounts.policy_address(accounts.vault_address(stranger))
    for name in ("withdraw", "set_policy", "grant_bot_authority", "pause_vault", "close_vault"):
        instruction = changed(good(world, name), "policy", theirs)
        assert other.send(instruction).error == "ConstraintHasOne", name


def test_a_config_is_known_by_owner_and_kind(world: VaultWorld) -> None:
    for name in ("deposit", "bot_trade", "initialize_vault"):
        assert world.send(changed(good(world, name), "config", world.vault)).error == "AccountDiscriminatorMismatch", name
        assert world.send(changed(good(world, name), "config", world.usdc)).error == "AccountOwnedByWrongProgram", name
