"""Calls that race each other within a slot or a transaction: trade against policy, grant, pause, closing, and itself."""

from dataclasses import replace

import pytest
from solders.instruction import Instruction
from solders.system_program import TransferParams, transfer
from tests.program.attacks.harness import SYSTEM, refused
from tests.program.vault_world import DAY, SLOT, USDC, VaultWorld

from xorj.vault import accounts, instructions

DEEP = 10**15
TIGHT = 10 * USDC


@pytest.fixture
def world() -> VaultWorld:
    return VaultWorld().with_bot().with_market(DEEP, DEEP)


@pytest.fixture
def tight() -> VaultWorld:
    """A bot that may spend 10 USDC a trade."""
    return VaultWorld().with_bot(spend_per_trade=TIGHT).with_market(DEEP, DEEP)


def loosen(world: VaultWorld) -> Instruction:
    return instructions.set_policy(world.owner.pubkey(), spend_per_trade=2 * TIGHT)


# A loosening against a trade


def test_a_loosening_and_a_trade_in_one_transaction(tight: VaultWorld) -> None:
    big = tight.buy(2 * TIGHT)
    refused(tight, loosen(tight), big, error="TradeLimitExceeded")
    refused(tight, big, loosen(tight), error="TradeLimitExceeded")
    refused(tight, loosen(tight), loosen(tight), big, error="TradeLimitExceeded")


def test_a_loosening_and_a_trade_in_one_slot(tight: VaultWorld) -> None:
    tight.ok(loosen(tight))
    refused(tight, tight.buy(2 * TIGHT), error="TradeLimitExceeded")
    due = tight.now + DAY
    tight.at(tight.slot + 1, due - 1)
    refused(tight, tight.buy(2 * TIGHT), error="TradeLimitExceeded")
    tight.at(tight.slot + 1, due)
    tight.ok(tight.buy(2 * TIGHT))


def test_a_loosening_in_the_second_it_matures(tight: VaultWorld) -> None:
    """What comes first in the slot decides; a tightening is never late, a loosening never early."""
    tight.ok(loosen(tight))
    tight.at(tight.slot + 1, tight.now + DAY)
    tighten = instructions.set_policy(tight.owner.pubkey(), spend_per_trade=TIGHT)
    refused(tight, tighten, tight.buy(2 * TIGHT), error="TradeLimitExceeded")
    tight.ok(tight.buy(2 * TIGHT), tighten)
    refused(tight, tight.buy(2 * TIGHT), error="TradeLimitExceeded")


def test_a_loosening_with_a_clock_that_steps_back(tight: VaultWorld) -> None:
    tight.ok(loosen(tight))
    due = tight.now + DAY
    tight.at(tight.slot + 1, due)
    tight.ok(tight.buy(2 * TIGHT))
    # It has come into force with that trade and stays.
    tight.at(tight.slot + 1, due - 100)
    tight.ok(tight.buy(2 * TIGHT))


def test_a_pin_and_a_buy_of_it_in_one_transaction() -> None:
    world = VaultWorld().with_bot(mint_mode=accounts.ALLOWLIST).with_market(DEEP, DEEP)
    pin = instructions.set_policy(world.owner.pubkey(), pin=[world.bonk])
    refused(world, pin, world.buy(USDC), error="MintNotAllowed")
    world.ok(pin)
    world.later(seconds=DAY - 1)
    refused(world, world.buy(USDC), error="MintNotAllowed")
    # Taking it off and putting it on again starts the clock again; being listed already does not.
    world.later(seconds=1)
    refused(world, instructions.set_policy(world.owner.pubkey(), unpin=[world.bonk]), pin, world.buy(USDC), error="MintNotAllowed")
    world.ok(pin, world.buy(USDC))


def test_a_loosening_of_the_mode_does_not_let_a_waiting_pin_through_early() -> None:
    world = VaultWorld().with_bot(mint_mode=accounts.ALLOWLIST).with_market(DEEP, DEEP)
    owner = world.owner.pubkey()
    world.ok(instructions.set_policy(owner, mint_mode=accounts.ANY_MINT))
    world.later(seconds=DAY - 10)
    world.ok(instructions.set_policy(owner, pin=[world.bonk]))
    refused(world, world.buy(USDC), error="MintNotAllowed")
    world.later(seconds=10)
    world.ok(world.buy(USDC))
    world.ok(instructions.set_policy(owner, mint_mode=accounts.ALLOWLIST))
    refused(world, world.buy(USDC), error="MintNotAllowed")


# A grant against a trade


def test_a_trade_in_the_slot_of_the_grant() -> None:
    world = VaultWorld().with_vault().with_market(DEEP, DEEP)
    owner, bot = world.owner.pubkey(), world.bot.pubkey()
    world.ok(instructions.set_policy(owner, mint_mode=accounts.ANY_MINT))
    grant = instructions.grant_bot_authority(owner, bot)
    early = world.trade_of(world.usdc, world.bonk, USDC, guard=world.guard(bot_epoch=SLOT))
    refused(world, grant, early, error="EpochTooYoung")
    world.ok(grant)
    refused(world, early, error="EpochTooYoung")
    refused(world, instructions.burn_nonce(bot, owner, world.guard()), error="EpochTooYoung")
    # The owner's own burn is not held back.
    world.ok(instructions.burn_nonce(owner, owner, world.guard()))
    world.at(world.slot - 1, world.now)
    refused(world, early, error="EpochTooYoung", what="nor in a slot before it")
    world.at(SLOT + 1, world.now)
    world.ok(early)


def test_a_grant_between_building_and_landing(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    old = world.buy(USDC)
    again = instructions.revoke_bot_authority(owner), instructions.grant_bot_authority(owner, world.bot.pubkey())
    refused(world, *again, old, error="EpochTooYoung")
    world.ok(*again)
    world.later()
    refused(world, old, error="BotEpochMismatch")
    for epoch in (0, SLOT, world.read_policy().bot_epoch - 1, world.read_policy().bot_epoch + 1, 2**64 - 1):
        trade = world.trade_of(world.usdc, world.bonk, USDC, guard=world.guard(bot_epoch=epoch))
        refused(world, trade, error="BotEpochMismatch", what=epoch)
    world.ok(world.buy(USDC))


# A pause against a trade


@pytest.mark.parametrize("by", ["owner", "bot"])
def test_a_pause_and_a_trade_in_one_transaction(world: VaultWorld, by: str) -> None:
    owner = world.owner.pubkey()
    who = owner if by == "owner" else world.bot.pubkey()
    pause, resume = instructions.pause_vault(who, owner), instructions.resume_vault(owner)
    refused(world, pause, world.buy(USDC), error="VaultPaused")
    world.ok(pause, resume, world.buy(USDC))
    world.ok(world.buy(USDC), pause)
    refused(world, world.buy(USDC), error="VaultPaused")


def test_a_pause_of_the_program_and_a_trade_in_one_transaction(world: VaultWorld) -> None:
    pause = instructions.update_config(world.guardian.pubkey(), paused=True)
    refused(world, pause, world.buy(USDC), error="ProgramPaused")
    refused(world, pause, instructions.deposit(world.owner.pubkey(), world.usdc, USDC), error="ProgramPaused")
    world.ok(world.buy(USDC), pause)
    world.ok(instructions.withdraw(world.owner.pubkey(), world.usdc, USDC))


# A trade against itself


def test_two_trades_with_one_nonce_in_one_transaction(world: VaultWorld) -> None:
    guard = world.guard()
    one = world.trade_of(world.usdc, world.bonk, USDC, guard=guard)
    other = world.trade_of(world.usdc, world.wif, USDC, guard=guard)
    for pair in ((one, one), (one, other), (other, one)):
        refused(world, *pair, error="NonceUsed")
    burn = instructions.burn_nonce(world.bot.pubkey(), world.owner.pubkey(), guard)
    refused(world, burn, one, error="NonceUsed")
    refused(world, one, burn, error="NonceUsed")
    refused(world, burn, burn, error="NonceUsed")
    world.ok(one)


# Closing and making anew against an old trade


def made_anew(world: VaultWorld) -> list[Instruction]:
    """Closes the vault and makes it again as it was, bot and all."""
    owner = world.owner.pubkey()
    return [
        instructions.revoke_bot_authority(owner),
        instructions.close_vault(owner),
        instructions.initialize_vault(owner),
        instructions.set_policy(owner, mint_mode=accounts.ANY_MINT, spend_per_trade_bps=10_000, spend_per_day_bps=10_000),
        instructions.deposit(owner, world.usdc, 100 * USDC),
        instructions.grant_bot_authority(owner, world.bot.pubkey()),
    ]


def test_an_old_trade_that_has_landed_never_lands_in_the_vault_made_anew(world: VaultWorld) -> None:
    """The new vault has an empty window; only the epoch keeps the old trade out."""
    old = world.buy(USDC)
    world.ok(old)
    world.ok(*made_anew(world))
    assert world.read_policy().nonce_base == world.read_policy().nonce_bitmap == 0
    refused(world, old, error="EpochTooYoung")
    world.later()
    refused(world, old, error="BotEpochMismatch")
    world.ok(world.buy(USDC))


def test_an_old_trade_that_is_still_on_its_way_never_lands_in_the_vault_made_anew(world: VaultWorld) -> None:
    old = world.buy(USDC)
    world.later()
    refused(world, *made_anew(world), old, error="EpochTooYoung")
    world.ok(*made_anew(world))
    world.later()
    refused(world, old, error="BotEpochMismatch")


def test_a_vault_made_anew_within_the_slot_of_its_grant_repeats_the_epoch_and_no_effect() -> None:
    """The epoch is the same, so the trade is good once: nothing can have landed under that epoch before."""
    world = VaultWorld().with_vault().with_market(DEEP, DEEP)
    owner = world.owner.pubkey()
    world.ok(instructions.set_policy(owner, mint_mode=accounts.ANY_MINT), instructions.grant_bot_authority(owner, world.bot.pubkey()))
    signed = world.buy(USDC)
    refused(world, signed, error="EpochTooYoung")
    for _ in range(2):
        world.ok(*made_anew(world))
        refused(world, signed, error="EpochTooYoung")
    assert world.read_policy().bot_epoch == SLOT
    world.later()
    world.ok(signed)
    refused(world, signed, error="NonceUsed")
    # Landed, then closed and made anew within that slot: a new epoch.
    world.ok(*made_anew(world))
    refused(world, signed, error="EpochTooYoung")
    world.later()
    refused(world, signed, error="BotEpochMismatch")


def test_burning_in_the_old_vault_says_nothing_about_the_new_one(world: VaultWorld) -> None:
    guard = world.guard()
    world.ok(instructions.burn_nonce(world.owner.pubkey(), world.owner.pubkey(), guard))
    world.ok(*made_anew(world))
    world.later()
    refused(world, world.trade_of(world.usdc, world.bonk, USDC, guard=guard), error="BotEpochMismatch")
    fresh = replace(guard, bot_epoch=world.read_policy().bot_epoch)
    world.ok(world.trade_of(world.usdc, world.bonk, USDC, guard=fresh))


def test_closing_with_a_bot_set_is_refused_whatever_comes_with_it(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    close = instructions.close_vault(owner)
    refused(world, close, error="VaultNotClosable")
    refused(world, world.buy(USDC), close, error="VaultNotClosable")
    refused(world, instructions.pause_vault(owner, owner), close, error="VaultNotClosable")
    refused(world, instructions.revoke_bot_authority(owner), close, world.buy(USDC), error="AccountNotInitialized")
    refused(world, instructions.revoke_bot_authority(owner), close, close, error="AccountNotInitialized")


def test_lamports_sent_to_a_closed_vault_revive_nothing(world: VaultWorld) -> None:
    """Within the transaction that closes it as after it: what stands there is an empty account of the system's."""
    owner = world.owner.pubkey()
    gifts = [
        transfer(TransferParams(from_pubkey=world.stranger.pubkey(), to_pubkey=address, lamports=10**8))
        for address in (world.vault, world.policy)
    ]
    world.ok(instructions.revoke_bot_authority(owner))
    out = instructions.withdraw(owner, world.usdc, USDC)
    refused(world, instructions.close_vault(owner), *gifts, out, error="AccountOwnedByWrongProgram")
    world.ok(instructions.close_vault(owner), *gifts)
    for address in (world.vault, world.policy):
        account = world.svm.get_account(address)
        assert (account.owner, bytes(account.data), account.lamports) == (SYSTEM, b"", 10**8)
    refused(world, out, error="AccountOwnedByWrongProgram")
    world.ok(instructions.initialize_vault(owner), out)
    assert world.read_vault().total_deposited == 0
