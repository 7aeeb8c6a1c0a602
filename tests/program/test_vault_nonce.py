"""The guard: every nonce once, under one grant, in time. And burn_nonce, after which a trade in doubt can never land."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.program.vault_world import USDC, VaultWorld, changed

from xorj.vault import instructions
from xorj.vault.accounts import NonceState
from xorj.vault.instructions import Guard


@pytest.fixture
def world() -> VaultWorld:
    return VaultWorld().with_bot().with_market()


def burn(world: VaultWorld, nonce: int, **changes: int) -> str | None:
    guard = replace(Guard(nonce, world.read_policy().bot_epoch, world.slot + 100), **changes)
    return world.send(instructions.burn_nonce(world.owner.pubkey(), world.owner.pubkey(), guard)).error


def buy(world: VaultWorld, guard: Guard) -> str | None:
    return world.send(world.trade_of(world.usdc, world.bonk, USDC, guard=guard)).error


def test_a_trade_lands_once(world: VaultWorld) -> None:
    guard = world.guard()
    assert buy(world, guard) is None
    assert buy(world, guard) == "NonceUsed"
    assert buy(world, replace(guard, nonce=guard.nonce + 1)) is None


def test_a_failed_trade_uses_no_nonce(world: VaultWorld) -> None:
    guard = world.guard()
    assert world.send(world.trade_of(world.usdc, world.bonk, USDC, guard=guard, minimum=10**12)).error == "SlippageExceeded"
    assert world.read_policy().nonce_state(guard.nonce) is NonceState.FREE
    assert buy(world, guard) is None


def test_a_burnt_nonce_can_never_land(world: VaultWorld) -> None:
    guard = world.guard()
    world.ok(instructions.burn_nonce(world.bot.pubkey(), world.owner.pubkey(), guard))
    assert buy(world, guard) == "NonceUsed"


def test_the_window_and_its_borders(world: VaultWorld) -> None:
    assert burn(world, 512) == "NonceTooFar"
    assert burn(world, 255) is None
    assert world.read_policy().nonce_base == 0
    assert burn(world, 256) is None
    assert world.read_policy().nonce_base == 1
    assert burn(world, 0) == "NonceTooOld"
    assert burn(world, 1 + 511) is None
    policy = world.read_policy()
    assert policy.nonce_base == 512 - 255
    assert (policy.nonce_state(256), policy.nonce_state(512), policy.nonce_state(257)) == (
        NonceState.TOO_OLD,
        NonceState.USED,
        NonceState.FREE,
    )
    assert policy.next_nonce() == 513


def test_the_window_survives_another_grant(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    guard = world.guard()
    assert buy(world, guard) is None
    world.ok(instructions.revoke_bot_authority(owner), instructions.grant_bot_authority(owner, world.bot.pubkey()))
    world.later()
    assert buy(world, guard) == "BotEpochMismatch"
    assert buy(world, replace(guard, bot_epoch=world.read_policy().bot_epoch)) == "NonceUsed"


def test_a_nonce_is_burnt_also_while_trading_is_stopped(world: VaultWorld) -> None:
    owner, bot = world.owner.pubkey(), world.bot.pubkey()
    world.ok(instructions.pause_vault(owner, owner), instructions.update_config(world.guardian.pubkey(), paused=True))
    world.later(seconds=40 * 24 * 3_600)
    assert world.send(instructions.burn_nonce(bot, owner, world.guard())).error is None
    world.ok(instructions.revoke_bot_authority(owner))
    assert world.send(instructions.burn_nonce(bot, owner, world.guard())).error == "Unauthorized"
    assert world.send(instructions.burn_nonce(owner, owner, world.guard())).error is None


def test_strangers_burn_nothing(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    assert world.send(instructions.burn_nonce(world.stranger.pubkey(), owner, world.guard())).error == "Unauthorized"
    unsigned = changed(instructions.burn_nonce(owner, owner, world.guard()), "authority", signer=False)
    assert world.send(unsigned).error == "AccountNotSigner"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 900), min_size=1, max_size=30))
def test_the_codec_foretells_what_the_program_says(nonces: list[int]) -> None:
    world = VaultWorld().with_bot()
    used: set[int] = set()
    names = {NonceState.USED: "NonceUsed", NonceState.TOO_OLD: "NonceTooOld", NonceState.TOO_FAR: "NonceTooFar", NonceState.FREE: None}
    for nonce in nonces:
        foretold = names[world.read_policy().nonce_state(nonce)]
        assert burn(world, nonce) == foretold
        assert foretold is not None or nonce not in used
        used |= {nonce} if foretold is None else set()
        assert all(world.read_policy().nonce_state(each) in (NonceState.USED, NonceState.TOO_OLD) for each in used)
