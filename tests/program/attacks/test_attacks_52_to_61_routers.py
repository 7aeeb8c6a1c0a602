"""Attacks 52 to 61: what a hostile router does with the trade authority's signature and the trade's money.

Numbers 59 to 61 are aimed at the trade authority's accounts: the vault's own never reach a router.
"""

import pytest
from solders.pubkey import Pubkey
from tests.program.attacks.harness import refused
from tests.program.evil_world import (
    ACCOUNT_OWNER,
    BURN,
    CLOSE_AUTHORITY,
    DESTINATION,
    FIRST_EXTRA,
    SOURCE,
    Call,
    EvilWorld,
    approve,
    close,
    set_authority,
    token_call,
    transfer,
    w,
)
from tests.program.vault_world import USDC, VaultWorld, changed, key

from xorj.market import local_amm
from xorj.vault.accounts import token_account_address
from xorj.vault.events import traded

RESERVE = 100_000 * USDC
MINT_TO = b"\x07"
KEEP = transfer(SOURCE, FIRST_EXTRA, USDC)
PAY = transfer(FIRST_EXTRA + 1, DESTINATION, 777)


@pytest.fixture
def world() -> EvilWorld:
    return EvilWorld()


@pytest.fixture
def honest() -> VaultWorld:
    return VaultWorld().with_bot().with_market(RESERVE, RESERVE)


def test_attack_52_a_delivery_short_by_one(world: EvilWorld, honest: VaultWorld) -> None:
    accounts = w(world.loot, world.pot)
    refused(world, world.attacking(KEEP, PAY, extra=accounts, minimum=778), error="SlippageExceeded")
    done = world.attack(KEEP, PAY, extra=accounts, minimum=777)
    assert (done.error, traded(done.inner)[0].amount_out, world.balance(world.vault, world.bonk)) == (None, 777, 777)
    pays = local_amm.amount_out(RESERVE, RESERVE, 100 * USDC)
    refused(honest, honest.trade_of(honest.usdc, honest.bonk, 100 * USDC, minimum=pays + 1), error="SlippageExceeded")
    honest.ok(honest.trade_of(honest.usdc, honest.bonk, 100 * USDC, minimum=pays))


@pytest.mark.parametrize("amount", [1, USDC // 2, USDC])
def test_attack_53_taking_the_input_and_keeping_it(world: EvilWorld, amount: int) -> None:
    refused(world, world.attacking(transfer(SOURCE, FIRST_EXTRA, amount), extra=w(world.loot)), error="SlippageExceeded")
    refused(world, world.attacking(extra=[]), error="SlippageExceeded", what="does nothing at all")


def test_attack_54_paying_the_bot_and_claiming_the_world(world: EvilWorld) -> None:
    """The hostile router always returns the largest number there is."""
    elsewhere = world.hold(world.bot.pubkey(), world.bonk, 0)
    pay_elsewhere = transfer(FIRST_EXTRA + 1, FIRST_EXTRA + 2, 10**9)
    done = refused(world, world.attacking(KEEP, pay_elsewhere, extra=w(world.loot, world.pot, elsewhere)), error="SlippageExceeded")
    assert any(line.startswith("Program return: JUP6") and "//////////8=" in line for line in done.logs)


def test_attack_55_taking_more_than_the_trade_gave(world: EvilWorld) -> None:
    """InputOverspent cannot happen: no more than amount_in ever stands where the router reaches."""
    for amount in (USDC + 1, 500 * USDC, 2**64 - 1):
        refused(world, world.attacking(transfer(SOURCE, FIRST_EXTRA, amount), extra=w(world.loot)), error="Custom(1)", what=amount)
    once_more = [KEEP, transfer(SOURCE, FIRST_EXTRA, 1)]
    refused(world, world.attacking(*once_more, extra=w(world.loot)), error="Custom(1)")
    # Dust that stood in the trade account was swept away before.
    world.hold(world.trade, world.usdc, 5)
    refused(world, world.attacking(transfer(SOURCE, FIRST_EXTRA, USDC + 5), extra=w(world.loot)), error="Custom(1)")


def test_attack_56_one_mint_or_one_account_on_both_sides(honest: VaultWorld) -> None:
    for mint in (honest.usdc, honest.bonk):
        refused(honest, honest.trade_of(mint, mint, USDC, steps=[]), error="SameMint")
    good = honest.buy(USDC)
    for role, twin in (("vault_output", "vault_input"), ("trade_output", "trade_input"), ("trade_input", "vault_input")):
        holder = honest.trade if twin == "trade_input" else honest.vault
        same = changed(good, role, token_account_address(holder, honest.usdc))
        refused(honest, same, error="InvalidTokenAccount", what=role)


def test_attack_57_accounts_of_the_right_mint_and_the_wrong_owner(honest: VaultWorld) -> None:
    good = honest.buy(USDC)
    for holder in (honest.stranger.pubkey(), honest.bot.pubkey(), honest.owner.pubkey()):
        for role, mint in (("vault_output", honest.bonk), ("vault_input", honest.usdc)):
            theirs = honest.hold(holder, mint, 10**9)
            refused(honest, changed(good, role, theirs), error="InvalidTokenAccount", what=role)
    for role, mint, holder in (
        ("vault_output", honest.bonk, honest.trade),
        ("trade_output", honest.bonk, honest.vault),
        ("vault_input", honest.usdc, honest.trade),
        ("trade_input", honest.usdc, honest.vault),
    ):
        refused(honest, changed(good, role, token_account_address(holder, mint)), error="InvalidTokenAccount", what=role)


@pytest.mark.parametrize("side", ["input", "output"])
@pytest.mark.parametrize("of", ["vault", "trade"])
@pytest.mark.parametrize("hand", ["delegate", "close_authority"])
def test_attack_58_an_account_on_which_somebody_has_a_hand_already(honest: VaultWorld, side: str, of: str, hand: str) -> None:
    holder = honest.vault if of == "vault" else honest.trade
    mint = honest.usdc if side == "input" else honest.bonk
    held = honest.balance(holder, mint)
    honest.hold(holder, mint, held, **{hand: honest.stranger.pubkey()})
    refused(honest, honest.buy(USDC), error="VaultAccountTampered")


Deeds = dict[str, tuple[Call, ...]]


def hands(world: EvilWorld, place: int) -> Deeds:
    """What gives Eve, or the bot, power over the account at this place."""
    eve, bot = world.stranger.pubkey(), world.bot.pubkey()
    return {
        "approves": (approve(place, FIRST_EXTRA),),
        "sets owner": (set_authority(ACCOUNT_OWNER, place, eve),),
        "sets owner to the bot": (set_authority(ACCOUNT_OWNER, place, bot),),
        "sets owner to the vault": (set_authority(ACCOUNT_OWNER, place, world.vault),),
        "sets close authority": (set_authority(CLOSE_AUTHORITY, place, eve),),
        "sets close authority to the trade authority": (set_authority(CLOSE_AUTHORITY, place, world.trade),),
    }


def places(world: EvilWorld) -> tuple[dict[str, int], list[Pubkey]]:
    """The trade authority's accounts by their places in the route, and what stands there after the fixed ones."""
    third = world.hold(world.trade, world.wif, 50)
    return {"input": SOURCE, "output": DESTINATION, "third": FIRST_EXTRA + 2}, [world.stranger.pubkey(), world.pot, third]


@pytest.mark.parametrize("which", ["input", "output", "third"])
def test_attack_59_a_delegate_on_the_trade_authoritys_accounts(world: EvilWorld, which: str) -> None:
    at, extra = places(world)
    for deed in ("approves",):
        trade = world.attacking(PAY, *hands(world, at[which])[deed], extra=w(*extra))
        refused(world, trade, error="VaultAccountTampered", what=deed)
    for vaults in (world.usdc, world.bonk, world.wif):
        aimed = world.attacking(PAY, approve(FIRST_EXTRA + 2, FIRST_EXTRA), extra=w(*extra[:2], token_account_address(world.vault, vaults)))
        refused(world, aimed, error="ForbiddenRemainingAccount", what="the vault's own")


@pytest.mark.parametrize("which", ["input", "output", "third"])
def test_attack_60_another_owner_or_closer_of_the_trade_authoritys_accounts(world: EvilWorld, which: str) -> None:
    at, extra = places(world)
    for deed, calls in hands(world, at[which]).items():
        if deed != "approves":
            refused(world, world.attacking(PAY, *calls, extra=w(*extra)), error="VaultAccountTampered", what=deed)
    for kind in (ACCOUNT_OWNER, CLOSE_AUTHORITY):
        deed_on_vault = set_authority(kind, FIRST_EXTRA + 2, world.stranger.pubkey())
        aimed = world.attacking(PAY, deed_on_vault, extra=w(*extra[:2], token_account_address(world.vault, world.bonk)))
        refused(world, aimed, error="ForbiddenRemainingAccount", what="the vault's own")


def test_attack_61_closing_an_emptied_account_or_paying_in_made_up_money(world: EvilWorld) -> None:
    eve = world.stranger.pubkey()
    third = world.hold(world.trade, world.wif, 0)
    extra = w(world.loot, world.pot, eve, third)
    closings = {
        "input": (PAY, KEEP, close(SOURCE, FIRST_EXTRA + 2)),
        "output": (KEEP, close(DESTINATION, FIRST_EXTRA + 2)),
        "an empty third": (PAY, close(FIRST_EXTRA + 3, FIRST_EXTRA + 2)),
    }
    for what, calls in closings.items():
        refused(world, world.attacking(*calls, extra=extra), error="VaultAccountTampered", what=what)
    # Burns the input and mints something: not into the output account, which is of the output's mint.
    fake = key("fake bonk").pubkey()
    world.plant_mint(fake)
    fakes = world.hold(world.trade, fake, 0)
    burn = token_call(BURN + USDC.to_bytes(8, "little"), SOURCE, FIRST_EXTRA)
    mint = token_call(MINT_TO + (10**9).to_bytes(8, "little"), FIRST_EXTRA + 1, FIRST_EXTRA + 2)
    burning = world.attacking(burn, extra=w(world.usdc, fake, fakes))
    refused(world, burning, error="SlippageExceeded")
    # The mint's authority is none that the router can sign for.
    refused(world, world.attacking(mint, extra=w(world.usdc, fake, fakes)), error="Custom(4)")
