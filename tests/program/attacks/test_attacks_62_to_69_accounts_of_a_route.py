"""Attacks 62 to 69: accounts slipped among the router's, signatures carried on, calls back, lamports, duplicates, and too many of them."""

import pytest
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from tests.program.attacks.harness import PAYER, SYSTEM, refused
from tests.program.evil_world import (
    AUTHORITY,
    DESTINATION,
    EVIL,
    FIRST_EXTRA,
    SIGNER,
    SOURCE,
    WITHDRAW_EXCESS_LAMPORTS,
    WRITABLE,
    EvilWorld,
    approve,
    pay_lamports,
    r,
    scribble,
    script,
    seize,
    token_call,
    transfer,
    w,
)
from tests.program.runtimes import account_locks_max
from tests.program.vault_world import RICH, USDC, changed, key

from xorj.router import jupiter_v6
from xorj.vault import accounts, instructions
from xorj.vault.accounts import TOKEN_2022_PROGRAM, token_account_address
from xorj.vault.events import EVENT_TAG, traded

PAY = transfer(FIRST_EXTRA, DESTINATION, 5)


@pytest.fixture
def world() -> EvilWorld:
    return EvilWorld()


def test_attack_62_another_token_account_of_the_vault(world: EvilWorld) -> None:
    unheard = key("unheard").pubkey()
    theirs = {
        "the input": token_account_address(world.vault, world.usdc),
        "the output": token_account_address(world.vault, world.bonk),
        "a third": token_account_address(world.vault, world.wif),
        "a second of the input's mint": world.hold(world.vault, world.usdc, 500 * USDC, at=key("second account").pubkey()),
        "of Token-2022": world.hold(world.vault, unheard, 7, token_program=TOKEN_2022_PROGRAM),
    }
    # With extensions an account is longer and says what it is.
    longer = bytes(world.svm.get_account(theirs["of Token-2022"]).data) + b"\x02" + bytes(20)
    theirs["of Token-2022, with extensions"] = key("extended account").pubkey()
    world.plant(theirs["of Token-2022, with extensions"], longer, TOKEN_2022_PROGRAM)
    for what, account in theirs.items():
        for extra in (w(account), r(account), [*w(world.pot), *r(account)]):
            refused(world, world.attacking(PAY, extra=extra), error="ForbiddenRemainingAccount", what=what)


def test_attack_63_an_account_of_the_vault_program(world: EvilWorld) -> None:
    eve = world.stranger.pubkey()
    world.ok(instructions.initialize_vault(eve))
    hers = accounts.vault_address(eve)
    for account in (world.vault, world.policy, accounts.config_address(), hers, accounts.policy_address(hers)):
        for extra in (w(account), r(account)):
            refused(world, world.attacking(extra=extra), error="ForbiddenRemainingAccount", what=account)
    empty = key("an empty account of the program").pubkey()
    world.plant(empty, b"")
    refused(world, world.attacking(extra=w(empty)), error="ForbiddenRemainingAccount")


def test_attack_64_the_bots_signature_carried_on_to_the_router(world: EvilWorld) -> None:
    """The bot itself is refused by name, before the runtime would say PrivilegeEscalation as it does for every other signer."""
    bot, eve = world.bot.pubkey(), world.stranger.pubkey()
    spend = pay_lamports(FIRST_EXTRA, FIRST_EXTRA + 1, FIRST_EXTRA + 2, 10**6)
    for signed in (AccountMeta(bot, True, True), AccountMeta(bot, False, True), AccountMeta(bot, False, False)):
        trade = world.attacking(spend, extra=[*r(SYSTEM), signed, *w(eve)])
        refused(world, trade, error="ForbiddenRemainingAccount")
    payer = AccountMeta(PAYER.pubkey(), True, True)
    refused(world, world.attacking(spend, extra=[*r(SYSTEM), payer, *w(eve)]), error="PrivilegeEscalation")


def test_attack_65_the_owners_signature_on_the_same_transaction(world: EvilWorld) -> None:
    """The owner, too, is refused by name; another who signs the transaction signs nothing in the route."""
    owner, eve = world.owner.pubkey(), world.stranger.pubkey()
    his = token_account_address(owner, world.usdc)
    spend = (5, [(FIRST_EXTRA, WRITABLE), (FIRST_EXTRA + 1, WRITABLE), (FIRST_EXTRA + 2, SIGNER)], b"\x03" + (USDC).to_bytes(8, "little"))
    co_signed = instructions.pause_vault(owner, owner), instructions.resume_vault(owner)
    trade = world.attacking(spend, extra=[*w(his, world.loot), AccountMeta(owner, True, False)])
    refused(world, *co_signed, trade, error="ForbiddenRemainingAccount")
    admins = world.hold(world.admin.pubkey(), world.usdc, RICH)
    for signer in (world.admin.pubkey(), eve):
        trade = world.attacking(spend, extra=[*w(admins, world.loot), AccountMeta(signer, True, False)])
        refused(world, trade, error="PrivilegeEscalation", what=signer)


def test_attack_66_a_router_that_calls_the_vault_back(world: EvilWorld) -> None:
    own = r(accounts.PROGRAM_ID, accounts.event_authority_address())
    inner = {
        "bot_trade": bytes(world.attacking(extra=[]).data),
        "withdraw": bytes(instructions.withdraw(world.owner.pubkey(), world.usdc, USDC).data),
        "the event's door": EVENT_TAG + bytes(168),
        "nothing": b"",
    }
    for what, data in inner.items():
        for metas in ([], [(FIRST_EXTRA + 1, 0)], [(AUTHORITY, SIGNER), (SOURCE, WRITABLE), (DESTINATION, WRITABLE)]):
            back = (FIRST_EXTRA, metas, data)
            refused(world, world.attacking(back, extra=own), error="ReentrancyNotAllowed", what=what)
    # Through a third program in between it is the same.
    between = key("between").pubkey()
    world.svm.add_program(between, EVIL)
    around = (FIRST_EXTRA, [(FIRST_EXTRA + 1, 0)], bytes(34) + script((0, [], inner["withdraw"])))
    refused(world, world.attacking(around, extra=r(between, accounts.PROGRAM_ID)), error="ReentrancyNotAllowed")


def test_attack_67_lamports_of_the_trade_authority_and_its_accounts(world: EvilWorld) -> None:
    eve = world.stranger.pubkey()
    world.svm.set_account(world.trade, Account(10**9, b"", SYSTEM, False, 0))
    third = world.hold(world.trade, world.wif, 50)
    extra = [*w(world.pot), *r(SYSTEM), *w(eve, third)]

    def trade(*calls: tuple[int, list[tuple[int, int]], bytes]) -> Instruction:
        """The authority is given as writable, so that only the vault's own check stands in the way."""
        given = world.attacking(PAY, *calls, extra=extra)
        metas = [AccountMeta(meta.pubkey, meta.is_signer, meta.is_writable or meta.pubkey == world.trade) for meta in given.accounts]
        return Instruction(given.program_id, given.data, metas)

    for lamports in (1, 10**9):
        refused(world, trade(pay_lamports(FIRST_EXTRA + 1, AUTHORITY, FIRST_EXTRA + 2, lamports)), error="VaultAccountTampered")
    for place in (SOURCE, DESTINATION, FIRST_EXTRA + 3):
        spare = token_call(WITHDRAW_EXCESS_LAMPORTS, place, FIRST_EXTRA + 2)
        refused(world, trade(spare), error="VaultAccountTampered", what=place)
        refused(world, trade(seize(place, FIRST_EXTRA + 2, 1)), error="ExternalAccountLamportSpend", what=place)
        refused(world, trade(scribble(place, bytes(165))), error="ExternalAccountDataModified", what=place)
    refused(world, trade(seize(AUTHORITY, FIRST_EXTRA + 2, 1)), error="ExternalAccountLamportSpend")
    # The authority turned into an account of something else.
    assign = (FIRST_EXTRA + 1, [(AUTHORITY, SIGNER | WRITABLE)], (1).to_bytes(4, "little") + bytes(jupiter_v6.PROGRAM))
    allocate = (FIRST_EXTRA + 1, [(AUTHORITY, SIGNER | WRITABLE)], (8).to_bytes(4, "little") + (8).to_bytes(8, "little"))
    for deed in (assign, allocate):
        refused(world, trade(deed), error="VaultAccountTampered")
    # The vault's own never come near: attacks 62 and 63.
    refused(world, world.attacking(seize(FIRST_EXTRA, FIRST_EXTRA + 1, 1), extra=w(world.vault, eve)), error="ForbiddenRemainingAccount")


def test_attack_68_one_account_twice_with_different_flags(world: EvilWorld) -> None:
    source, eve = token_account_address(world.trade, world.usdc), world.stranger.pubkey()
    extra = [*w(world.pot), *r(source), *w(source), *r(eve)]
    pay = world.attack(PAY, transfer(FIRST_EXTRA + 1, FIRST_EXTRA + 2, 1), extra=extra)
    assert (pay.error, traded(pay.inner)[0].amount_in, traded(pay.inner)[0].amount_out) == (None, 0, 5)
    for place in (FIRST_EXTRA + 1, FIRST_EXTRA + 2):
        refused(world, world.attacking(PAY, approve(place, FIRST_EXTRA + 3), extra=extra), error="VaultAccountTampered")
    # What the vault forwards without a signature stays without one, however often it is named.
    twice = [*w(world.pot), AccountMeta(PAYER.pubkey(), True, True), *r(PAYER.pubkey()), *w(eve), *r(SYSTEM)]
    for place in (FIRST_EXTRA + 1, FIRST_EXTRA + 2):
        spend = pay_lamports(FIRST_EXTRA + 4, place, FIRST_EXTRA + 3, 10**6)
        refused(world, world.attacking(PAY, spend, extra=twice), error="PrivilegeEscalation")
    vaults = token_account_address(world.vault, world.usdc)
    refused(world, changed(world.attacking(PAY, extra=w(world.pot)), "trade_input", vaults), error="InvalidTokenAccount")
    refused(world, world.attacking(PAY, extra=[*w(world.pot), *r(vaults)]), error="ForbiddenRemainingAccount")


@pytest.mark.parametrize("count", [51, 65, 66, 79, 80, 81, 129, 230])
def test_attack_69_more_accounts_than_a_route_has(world: EvilWorld, count: int) -> None:
    trade = world.attacking(PAY, extra=w(world.pot, *[world.loot] * (count - FIRST_EXTRA - 1)))
    assert len(trade.accounts) == 15 + count
    refused(world, trade, error="ForbiddenRemainingAccount")
    # As many different ones as there are no locks for.
    different = [key(f"account {n}").pubkey() for n in range(count - FIRST_EXTRA - 1)]
    trade = world.attacking(PAY, extra=w(world.pot, *different))
    locks = {PAYER.pubkey()} | {meta.pubkey for meta in trade.accounts}
    error = "ForbiddenRemainingAccount" if len(locks) <= account_locks_max() else "TooManyAccountLocks"
    refused(world, trade, error=error)
    most = world.attack(PAY, extra=w(world.pot, *[world.loot] * (50 - FIRST_EXTRA - 1)))
    assert most.error is None
