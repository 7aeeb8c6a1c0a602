"""bot_trade through a hostile router: whatever it does with the trade authority's signature, at most `amount_in` of one mint is at stake.

The router is programs/evil_router: it makes the calls that the route's data script. The full hostile suite is larger; these are the walls.
"""

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from tests.program.evil_world import (
    DESTINATION,
    EVIL,
    FIRST_EXTRA,
    SIGNER,
    SOURCE,
    WRITABLE,
    EvilWorld,
    script,
    transfer,
    w,
)
from tests.program.vault_world import USDC, key

from xorj.vault import accounts, instructions
from xorj.vault.accounts import TOKEN_PROGRAM, token_account_address
from xorj.vault.events import traded

SYSTEM = Pubkey.default()


@pytest.fixture
def world() -> EvilWorld:
    return EvilWorld()


# What a router may do


def test_what_it_pays_counts_and_what_it_claims_does_not(world: EvilWorld) -> None:
    pay = [transfer(SOURCE, FIRST_EXTRA, USDC), transfer(FIRST_EXTRA + 1, DESTINATION, 777)]
    assert world.attack(*pay, extra=w(world.loot, world.pot), minimum=778).error == "SlippageExceeded"
    done = world.attack(*pay, extra=w(world.loot, world.pot), minimum=777)
    assert done.error is None
    assert traded(done.inner)[0].amount_out == 777 == world.balance(world.vault, world.bonk)


def test_what_it_leaves_comes_back_and_is_not_counted_as_spent(world: EvilWorld) -> None:
    done = world.attack(transfer(SOURCE, FIRST_EXTRA, 400_000), transfer(FIRST_EXTRA + 1, DESTINATION, 5), extra=w(world.loot, world.pot))
    assert traded(done.inner)[0].amount_in == 400_000
    assert world.balance(world.vault, world.usdc) == 500 * USDC - 400_000
    slot = world.read_policy().slot_of(world.bonk)
    assert slot is not None
    assert slot.base_cost == 400_000


# What it may not


def eves(world: EvilWorld) -> bytes:
    return bytes(world.stranger.pubkey())


def test_emptying_another_account_of_the_trade_authority(world: EvilWorld) -> None:
    left = world.hold(world.trade, world.wif, 50)
    loot = world.hold(world.stranger.pubkey(), world.wif, 0)
    calls = [transfer(FIRST_EXTRA, DESTINATION, 5), transfer(FIRST_EXTRA + 1, FIRST_EXTRA + 2, 1)]
    assert world.attack(*calls, extra=w(world.pot, left, loot)).error == "VaultAccountTampered"


# What is never handed to it


def test_a_trade_is_called_by_no_program(world: EvilWorld) -> None:
    wrapper = key("wrapper").pubkey()
    world.svm.add_program(wrapper, EVIL)
    inner = world.attacking(extra=[])
    metas = list(inner.accounts)
    flags = [(place, meta.is_signer * SIGNER | meta.is_writable * WRITABLE) for place, meta in enumerate(metas)]
    data = bytes(34) + script((14, flags, bytes(inner.data)))
    assert metas[14].pubkey == accounts.PROGRAM_ID
    assert world.send(Instruction(wrapper, data, metas)).error == "CalledByProgram"


# The event's own door


# What is left behind is recovered


def test_what_stands_in_a_trade_account_goes_to_the_vault_and_its_lamports_to_the_owner(world: EvilWorld) -> None:
    owner = world.owner.pubkey()
    world.hold(world.trade, world.bonk, 42, delegate=world.stranger.pubkey())
    world.svm.airdrop(world.trade, 10**9)
    world.ok(instructions.recover_trade_account(owner, world.bonk))
    assert (world.balance(world.trade, world.bonk), world.balance(world.vault, world.bonk)) == (0, 42)
    assert not world.svm.get_account(world.trade)
    cleared = bytes(world.svm.get_account(token_account_address(world.trade, world.bonk)).data)
    assert cleared[72:76] == bytes(4)


def test_empty_token_accounts_of_vault_and_trade_authority_are_closed(world: EvilWorld) -> None:
    owner = world.owner.pubkey()
    assert world.send(instructions.close_token_account(owner, world.usdc)).error == "InvalidAmount"
    for of_trade in (False, True):
        before = world.svm.get_account(owner).lamports
        address = token_account_address(world.trade if of_trade else world.vault, world.wif)
        rent = world.svm.get_account(address).lamports
        world.ok(instructions.close_token_account(owner, world.wif, of_trade_authority=of_trade))
        assert world.svm.get_account(owner).lamports == before + rent
    strangers = world.hold(world.stranger.pubkey(), world.wif, 0)
    theirs = instructions.close_token_account(owner, world.wif)
    metas = list(theirs.accounts)
    metas[2:4] = [AccountMeta(world.stranger.pubkey(), False, False), AccountMeta(strangers, False, True)]
    assert world.send(Instruction(theirs.program_id, theirs.data, metas)).error == "ConstraintSeeds"


def test_the_token_program_is_the_one_that_owns_the_account(world: EvilWorld) -> None:
    good = instructions.close_token_account(world.owner.pubkey(), world.wif)
    metas = [*good.accounts[:4], AccountMeta(accounts.TOKEN_2022_PROGRAM, False, False)]
    assert world.send(Instruction(good.program_id, good.data, metas)).error == "InvalidTokenAccount"
    assert good.accounts[4].pubkey == TOKEN_PROGRAM
