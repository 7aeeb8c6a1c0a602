"""Who may act for a vault: grant, revoke, pause, resume, deactivate, close. The bot may stop itself; everything else is the owner's."""

from collections.abc import Callable

import pytest
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tests.program.vault_world import NOW, SLOT, USDC, VaultWorld, changed, key

from xorj.vault import instructions
from xorj.vault.events import AuthorityChanged, VaultDeactivated, VaultPaused, parse_logs
from xorj.vault.interface import BOT_LIFETIME_SECONDS


@pytest.fixture
def world() -> VaultWorld:
    return VaultWorld().with_vault()


@pytest.fixture
def trading() -> VaultWorld:
    return VaultWorld().with_bot().with_market()


def grant(world: VaultWorld, bot: Pubkey | None = None) -> Instruction:
    return instructions.grant_bot_authority(world.owner.pubkey(), bot or world.bot.pubkey())


# grant


def test_a_grant_names_the_bot_its_epoch_and_its_end(world: VaultWorld) -> None:
    done = world.ok(grant(world))
    vault, policy = world.read_vault(), world.read_policy()
    expires_at = NOW + BOT_LIFETIME_SECONDS
    assert (vault.bot_authority, policy.bot_epoch, policy.was_granted) == (world.bot.pubkey(), SLOT, True)
    assert policy.stored.bot_expires_at == expires_at
    assert parse_logs(done.logs) == [AuthorityChanged(world.vault, None, world.bot.pubkey(), SLOT, expires_at, NOW)]


def test_an_end_that_the_owner_has_set_ahead_stands(world: VaultWorld) -> None:
    world.ok(instructions.set_policy(world.owner.pubkey(), bot_expires_at=NOW + 60))
    world.ok(grant(world))
    assert world.read_policy().stored.bot_expires_at == NOW + 60


def test_an_end_that_has_passed_gives_way_to_the_usual_one(world: VaultWorld) -> None:
    world.ok(instructions.set_policy(world.owner.pubkey(), bot_expires_at=NOW + 60))
    world.later(seconds=61)
    world.ok(grant(world))
    assert world.read_policy().stored.bot_expires_at == NOW + 61 + BOT_LIFETIME_SECONDS


# revoke


def test_a_revoked_bot_is_gone_from_the_account_to_the_last_byte(trading: VaultWorld) -> None:
    epoch = trading.read_policy().bot_epoch
    done = trading.ok(instructions.revoke_bot_authority(trading.owner.pubkey()))
    data = bytes(trading.svm.get_account(trading.vault).data)
    assert trading.read_vault().bot_authority is None
    assert bytes(trading.bot.pubkey()) not in data
    assert data[59:] == bytes(32)
    assert parse_logs(done.logs) == [AuthorityChanged(trading.vault, trading.bot.pubkey(), None, epoch, 0, trading.now)]
    assert trading.read_policy().stored.bot_expires_at == 0
    assert trading.send(trading.buy(USDC)).error == "BotAuthorityNotSet"


# pause and resume


def test_bot_and_owner_pause_and_only_the_owner_resumes(trading: VaultWorld) -> None:
    owner = trading.owner.pubkey()
    for who in (trading.bot.pubkey(), owner):
        done = trading.ok(instructions.pause_vault(who, owner))
        assert parse_logs(done.logs) == [VaultPaused(trading.vault, who, True, trading.now)]
        assert trading.send(trading.buy(USDC)).error == "VaultPaused"
        assert trading.send(changed(instructions.resume_vault(owner), "owner", trading.bot.pubkey())).error == "ConstraintHasOne"
        done = trading.ok(instructions.resume_vault(owner))
        assert parse_logs(done.logs) == [VaultPaused(trading.vault, owner, False, trading.now)]
        assert trading.send(trading.buy(USDC)).error is None


def test_pausing_twice_is_pausing(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    for _ in range(2):
        world.ok(instructions.pause_vault(owner, owner))
    assert world.read_policy().paused


def test_a_stranger_pauses_nothing(trading: VaultWorld) -> None:
    owner = trading.owner.pubkey()
    assert trading.send(instructions.pause_vault(trading.stranger.pubkey(), owner)).error == "Unauthorized"
    assert trading.send(changed(instructions.pause_vault(owner, owner), "authority", signer=False)).error == "AccountNotSigner"


def test_a_revoked_bot_pauses_nothing(trading: VaultWorld) -> None:
    trading.ok(instructions.revoke_bot_authority(trading.owner.pubkey()))
    assert trading.send(instructions.pause_vault(trading.bot.pubkey(), trading.owner.pubkey())).error == "Unauthorized"


# deactivate


def test_deactivation_ends_trading_and_clears_the_bot(trading: VaultWorld) -> None:
    owner, bot = trading.owner.pubkey(), trading.bot.pubkey()
    epoch = trading.read_policy().bot_epoch
    done = trading.ok(instructions.deactivate_vault(owner))
    vault = trading.read_vault()
    assert (vault.is_active, vault.bot_authority, vault.total_deposited) == (False, None, 500 * USDC)
    assert parse_logs(done.logs) == [
        AuthorityChanged(trading.vault, bot, None, epoch, 0, trading.now),
        VaultDeactivated(trading.vault, owner, trading.now),
    ]
    assert trading.send(trading.buy(USDC)).error == "VaultInactive"
    assert trading.send(instructions.deactivate_vault(owner)).error == "VaultAlreadyInactive"


def test_deactivation_without_a_bot_says_only_that(world: VaultWorld) -> None:
    done = world.ok(instructions.deactivate_vault(world.owner.pubkey()))
    assert parse_logs(done.logs) == [VaultDeactivated(world.vault, world.owner.pubkey(), NOW)]


# close


def test_closing_returns_every_lamport_and_is_refused_while_a_bot_is_set(trading: VaultWorld) -> None:
    owner = trading.owner.pubkey()
    assert trading.send(instructions.close_vault(owner)).error == "VaultNotClosable"
    trading.ok(instructions.revoke_bot_authority(owner))
    held = sum(trading.svm.get_account(each).lamports for each in (owner, trading.vault, trading.policy))
    trading.ok(instructions.close_vault(owner))
    assert trading.svm.get_account(owner).lamports == held
    assert not any(account and account.lamports for account in map(trading.svm.get_account, (trading.vault, trading.policy)))


def test_a_closed_vault_is_made_anew_and_reaches_its_tokens_again(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    world.ok(instructions.close_vault(owner))
    assert world.send(instructions.withdraw(owner, world.usdc, USDC)).error in {"AccountNotInitialized", "AccountOwnedByWrongProgram"}
    world.ok(instructions.initialize_vault(owner))
    world.ok(instructions.withdraw(owner, world.usdc, 500 * USDC))
    assert world.balance(owner, world.usdc) == 10_000 * USDC


def test_a_vault_cannot_be_used_after_it_was_closed_in_the_same_transaction(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    done = world.send(instructions.close_vault(owner), instructions.withdraw(owner, world.usdc, USDC))
    assert done.error in {"AccountNotInitialized", "AccountOwnedByWrongProgram"}
    assert world.read_vault().total_deposited == 500 * USDC


Owners = Callable[[Pubkey], Instruction]
OWNERS: list[Owners] = [
    instructions.revoke_bot_authority,
    instructions.deactivate_vault,
    instructions.resume_vault,
    instructions.close_vault,
    instructions.set_policy,
    lambda owner: instructions.close_token_account(owner, key("usdc").pubkey()),
    lambda owner: instructions.recover_trade_account(owner, key("usdc").pubkey()),
]


@pytest.mark.parametrize("make", OWNERS, ids=["revoke", "deactivate", "resume", "close", "policy", "close token account", "recover"])
def test_what_is_the_owners_takes_no_other_signature(trading: VaultWorld, make: Owners) -> None:
    good = make(trading.owner.pubkey())
    for who in (trading.bot.pubkey(), trading.stranger.pubkey()):
        assert trading.send(changed(good, "owner", who)).error == "ConstraintHasOne"
    assert trading.send(changed(good, "owner", signer=False)).error == "AccountNotSigner"
