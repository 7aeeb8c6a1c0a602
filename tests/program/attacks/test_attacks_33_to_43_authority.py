"""Attacks 33 to 43: becoming a vault's bot, staying it, and trading as one that is not."""

import pytest
from solders.pubkey import Pubkey
from tests.program.attacks.harness import refused
from tests.program.vault_world import USDC, VaultWorld, changed, key

from xorj.vault import accounts, instructions


@pytest.fixture
def world() -> VaultWorld:
    """A vault without a bot."""
    return VaultWorld().with_vault()


@pytest.fixture
def trading() -> VaultWorld:
    return VaultWorld().with_bot().with_market()


def test_attack_33_a_grant_by_anybody_but_the_owner(world: VaultWorld) -> None:
    owner, bot = world.owner.pubkey(), world.bot.pubkey()
    good = instructions.grant_bot_authority(owner, bot)
    for who in (world.stranger.pubkey(), bot, world.admin.pubkey()):
        refused(world, changed(good, "owner", who), error="ConstraintHasOne", what=who)
    refused(world, changed(good, "owner", signer=False), error="AccountNotSigner")
    world.ok(good)
    for successor in (world.stranger.pubkey(), bot):
        again = changed(instructions.grant_bot_authority(owner, successor), "owner", bot)
        refused(world, again, error="ConstraintHasOne", what="the bot names its successor")


def test_attack_34_a_bot_that_cannot_be_one(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    for who in (Pubkey.default(), owner, world.vault, world.policy, world.trade):
        refused(world, instructions.grant_bot_authority(owner, who), error="InvalidBotAuthority", what=who)


def test_attack_35_a_second_grant_over_the_first(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    world.ok(instructions.grant_bot_authority(owner, world.bot.pubkey()))
    for who in (world.stranger.pubkey(), world.bot.pubkey(), Pubkey.default()):
        refused(world, instructions.grant_bot_authority(owner, who), error="BotAuthorityAlreadySet", what=who)


def test_attack_36_a_grant_on_a_deactivated_vault(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    world.ok(instructions.deactivate_vault(owner))
    refused(world, instructions.grant_bot_authority(owner, world.bot.pubkey()), error="VaultInactive")


def test_attack_37_a_revocation_of_nobody(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    refused(world, instructions.revoke_bot_authority(owner), error="BotAuthorityNotSet")
    world.ok(instructions.grant_bot_authority(owner, world.bot.pubkey()), instructions.revoke_bot_authority(owner))
    refused(world, instructions.revoke_bot_authority(owner), error="BotAuthorityNotSet")


def test_attack_38_a_trade_after_the_revocation_in_one_transaction(trading: VaultWorld) -> None:
    owner = trading.owner.pubkey()
    refused(trading, instructions.revoke_bot_authority(owner), trading.buy(USDC), error="BotAuthorityNotSet")
    trading.ok(trading.buy(USDC), instructions.revoke_bot_authority(owner))
    refused(trading, trading.buy(USDC), error="BotAuthorityNotSet")


@pytest.mark.parametrize("ended", ["revoked", "deactivated"])
def test_attack_39_the_key_of_an_old_bot_in_the_accounts_tail(trading: VaultWorld, ended: str) -> None:
    owner, bot = trading.owner.pubkey(), trading.bot.pubkey()
    trading.ok(instructions.revoke_bot_authority(owner) if ended == "revoked" else instructions.deactivate_vault(owner))
    data = bytes(trading.svm.get_account(trading.vault).data)
    vault = trading.read_vault()
    assert (len(data), data[59:], vault.bot_authority) == (accounts.VAULT_BYTES, bytes(32), None)
    assert bytes(bot) not in data
    assert (vault.is_active, vault.bump) == (ended == "revoked", accounts.decode_vault(data).bump)
    refused(trading, trading.buy(USDC), error="BotAuthorityNotSet" if ended == "revoked" else "VaultInactive")


def test_attack_40_the_bots_key_without_its_signature(trading: VaultWorld) -> None:
    refused(trading, changed(trading.buy(USDC), "bot_authority", signer=False), error="AccountNotSigner")


def test_attack_41_another_vaults_bot(trading: VaultWorld) -> None:
    eve, her_bot = trading.stranger.pubkey(), key("eve's bot")
    trading.ok(instructions.initialize_vault(eve), signers=[trading.stranger])
    trading.ok(instructions.grant_bot_authority(eve, her_bot.pubkey()))
    trading.later()
    good = trading.buy(USDC)
    refused(trading, changed(good, "bot_authority", her_bot.pubkey()), error="BotAuthorityMismatch", signers=[her_bot])
    for who in (eve, trading.owner.pubkey(), trading.admin.pubkey()):
        refused(trading, changed(good, "bot_authority", who), error="BotAuthorityMismatch", what=who)
    # Her own vault instead of Ana's: the policy is not its.
    hers = changed(changed(good, "bot_authority", her_bot.pubkey()), "vault", accounts.vault_address(eve))
    refused(trading, hers, error="ConstraintHasOne", signers=[her_bot])


def test_attack_42_the_owner_in_the_bots_place(trading: VaultWorld) -> None:
    owner = trading.owner.pubkey()
    good = changed(trading.buy(USDC), "bot_authority", owner)
    refused(trading, good, error="BotAuthorityMismatch", what="while a bot is set")
    trading.ok(instructions.revoke_bot_authority(owner))
    refused(trading, good, error="BotAuthorityNotSet")


def test_attack_43_a_trade_of_a_deactivated_vault(trading: VaultWorld) -> None:
    trading.ok(instructions.deactivate_vault(trading.owner.pubkey()))
    refused(trading, trading.buy(USDC), error="VaultInactive")
