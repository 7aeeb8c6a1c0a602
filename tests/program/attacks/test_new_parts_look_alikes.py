"""Accounts, policies, routes and vaults that look like the right ones."""

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from solders.token.state import TokenAccountState
from tests.program.attacks.harness import refused
from tests.program.evil_world import DESTINATION, FIRST_EXTRA, SOURCE, EvilWorld, transfer, w
from tests.program.good_calls import good
from tests.program.vault_world import DAY, USDC, VaultWorld, changed, key

from xorj.market import local_amm
from xorj.router import jupiter_v6
from xorj.vault import accounts, instructions
from xorj.vault.accounts import PROGRAM_ID, token_account_address
from xorj.vault.events import traded
from xorj.vault.interface import INSTRUCTIONS, POSITION_SLOTS

RESERVE = 10**15
WITH_POLICY = [each.name for each in INSTRUCTIONS if "policy" in [role.name for role in each.accounts] and each.name != "initialize_vault"]


@pytest.fixture
def world() -> VaultWorld:
    return VaultWorld().with_bot().with_market(RESERVE, RESERVE)


def eves_vault(world: VaultWorld) -> tuple[Pubkey, Pubkey]:
    """Eve has a vault with the widest policy there is, and the same bot."""
    eve = world.stranger.pubkey()
    world.ok(
        instructions.initialize_vault(eve),
        instructions.set_policy(
            eve, mint_mode=accounts.ANY_MINT, spend_per_trade=2**64 - 1, spend_per_day=2**64 - 1, loss_per_day=2**64 - 1
        ),
        instructions.grant_bot_authority(eve, world.bot.pubkey()),
    )
    world.later()
    vault = accounts.vault_address(eve)
    return vault, accounts.policy_address(vault)


# Look-alikes


@pytest.mark.parametrize("name", WITH_POLICY)
def test_the_policy_of_another_vault(world: VaultWorld, name: str) -> None:
    vault, policy = eves_vault(world)
    refused(world, changed(good(world, name), "policy", policy), error="ConstraintHasOne")
    # Her vault with Ana's policy, by the owner or bot of either.
    refused(world, changed(good(world, name), "vault", vault), error="ConstraintHasOne")
    by_eve = changed(good(world, name), "vault", vault)
    if "owner" in [role.name for each in INSTRUCTIONS if each.name == name for role in each.accounts]:
        refused(world, changed(by_eve, "owner", world.stranger.pubkey()), error="ConstraintHasOne")


def test_the_trade_authority_of_another_vault(world: VaultWorld) -> None:
    vault, _ = eves_vault(world)
    hers = accounts.trade_authority_address(vault)
    for mint in (world.usdc, world.bonk):
        world.hold(hers, mint, 0)
    refused(world, changed(world.buy(USDC), "trade_authority", hers), error="ConstraintSeeds")
    refused(world, changed(world.buy(USDC), "trade_input", token_account_address(hers, world.usdc)), error="InvalidTokenAccount")
    owner = world.owner.pubkey()
    recover = instructions.recover_trade_account(owner, world.usdc)
    theirs = changed(changed(recover, "trade_authority", hers), "trade_token", token_account_address(hers, world.usdc))
    refused(world, theirs, error="ConstraintSeeds")
    closing = instructions.close_token_account(owner, world.wif, of_trade_authority=True)
    world.hold(hers, world.wif, 0)
    theirs = changed(changed(closing, "authority", hers), "token_account", token_account_address(hers, world.wif))
    refused(world, theirs, error="ConstraintSeeds")


@pytest.mark.parametrize(
    ("role", "size"), [("config", accounts.CONFIG_BYTES), ("policy", accounts.POLICY_BYTES), ("vault", accounts.VAULT_BYTES)]
)
def test_an_account_that_a_stranger_makes_for_the_program(world: VaultWorld, role: str, size: int) -> None:
    """Anybody can have the system program make an account that ours owns. It holds zeroes, and nobody but us can write to it."""
    eve, look_alike = world.stranger, key("look-alike account")
    made = create_account(
        CreateAccountParams(from_pubkey=eve.pubkey(), to_pubkey=look_alike.pubkey(), lamports=10**8, space=size, owner=PROGRAM_ID)
    )
    world.ok(made, signers=[look_alike])
    for interface in INSTRUCTIONS:
        roles = [each.name for each in interface.accounts]
        if role not in roles or interface.name == "initialize_config" or (interface.name == "initialize_vault" and role != "config"):
            continue
        forged = changed(good(world, interface.name), role, look_alike.pubkey())
        refused(world, forged, error="AccountDiscriminatorMismatch", what=interface.name)
    owner = world.owner.pubkey()
    for place in ("vault", "policy"):
        forged = changed(instructions.initialize_vault(owner), place, look_alike.pubkey())
        refused(world, forged, error="ConstraintSeeds")


def test_a_config_or_policy_copied_to_another_program(world: VaultWorld) -> None:
    """Byte for byte, but open: the widest caps, no pause. Owned by somebody's program it is nothing."""
    for role, right in (("config", accounts.config_address()), ("policy", world.policy)):
        copy, eves_program = key(f"copied {role}").pubkey(), key("eve's program").pubkey()
        world.plant(copy, bytes(world.svm.get_account(right).data), eves_program)
        refused(world, changed(world.buy(USDC), role, copy), error="AccountOwnedByWrongProgram", what=role)


# Routes


def test_bytes_appended_to_the_route_reach_the_router_and_move_no_check() -> None:
    """Older routes carried their amounts at the tail: an appended tail of that form is not what the vault reads."""
    world = EvilWorld()
    tail = (500 * USDC).to_bytes(8, "little") + (1).to_bytes(8, "little") + (50).to_bytes(2, "little") + b"\xff"
    pay = (transfer(SOURCE, FIRST_EXTRA, USDC), transfer(FIRST_EXTRA + 1, DESTINATION, 5))
    extra = w(world.loot, world.pot)

    def appended(*calls: tuple[int, list[tuple[int, int]], bytes], amount: int = USDC) -> Instruction:
        return world.trade_of(world.usdc, world.bonk, amount, route_data=world.evil_data(*calls) + tail, steps=extra)

    assert traded(world.ok(appended(*pay)).inner)[0].amount_in == USDC
    refused(world, appended(transfer(SOURCE, FIRST_EXTRA, 500 * USDC), pay[1]), error="Custom(1)")
    refused(world, appended(*pay, amount=500 * USDC), error="RouteAmountMismatch")


def test_an_honest_router_refuses_what_is_appended(world: VaultWorld) -> None:
    data = jupiter_v6.encode_route(USDC, 1, 0, [jupiter_v6.RouteStep()])
    for tail in (b"\0", bytes(19), data):
        refused(world, world.trade_of(world.usdc, world.bonk, USDC, route_data=data + tail), error="InvalidInstructionData")


def in_slot(trade: Instruction, slot: int, address: Pubkey) -> Instruction:
    metas = list(trade.accounts)
    metas[15 + slot] = AccountMeta(address, False, True)
    return Instruction(trade.program_id, trade.data, metas)


def test_slot_seven_of_the_route_naming_anybody_elses_account(world: VaultWorld) -> None:
    """There the router would deliver instead of at the destination."""
    eve = world.stranger.pubkey()
    others = {
        "a stranger's": world.hold(eve, world.bonk, 0),
        "the bot's": world.hold(world.bot.pubkey(), world.bonk, 0),
        "the owner's": token_account_address(world.owner.pubkey(), world.bonk),
        "the vault's": token_account_address(world.vault, world.bonk),
        "another of the trade authority": world.hold(world.trade, world.bonk, 0, at=key("another account").pubkey()),
        "the trade's input": token_account_address(world.trade, world.usdc),
        "a stranger": eve,
        "no account": Pubkey.default(),
        "the pool program": local_amm.PROGRAM,
    }
    for what, address in others.items():
        refused(world, in_slot(world.buy(USDC), 7, address), error="RouteDataMalformed", what=what)
    world.ok(in_slot(world.buy(USDC), 7, token_account_address(world.trade, world.bonk)))


@pytest.mark.parametrize("slot", [0, 1, 2, 3, 4, 5, 6, 9])
def test_every_pinned_slot_of_the_route(world: VaultWorld, slot: int) -> None:
    other = world.hold(world.stranger.pubkey(), world.bonk, 0)
    refused(world, in_slot(world.buy(USDC), slot, other), error="RouteDataMalformed")


@pytest.mark.parametrize("slot", [1, 2, 5, 6, 7, 8, 9, 11])
def test_every_pinned_slot_of_the_shared_route(world: VaultWorld, slot: int) -> None:
    other = world.hold(world.stranger.pubkey(), world.bonk, 0)
    refused(world, in_slot(world.shared_route(USDC, shared_id=5), slot, other), error="RouteDataMalformed")


@pytest.mark.parametrize("shared", [False, True], ids=["route_v2", "shared route"])
def test_one_route_with_the_accounts_of_the_other(world: VaultWorld, shared: bool) -> None:
    own, through_shared = world.buy(USDC), world.shared_route(USDC, shared_id=5)
    head, tail = (through_shared, own) if shared else (own, through_shared)
    mixed = Instruction(PROGRAM_ID, head.data, [*head.accounts[:15], *tail.accounts[15:]])
    refused(world, mixed, error="RouteDataMalformed")


# Slots of the policy


def test_all_slots_taken_in_mode_any() -> None:
    """A thief fills every slot with dust: held mints still trade, a new one has no place, and the owner makes one by taking dust out."""
    world = EvilWorld()
    mints = [key(f"dust mint {n}").pubkey() for n in range(POSITION_SLOTS + 1)]

    def buy_dust(mint: Pubkey) -> Instruction:
        for holder in (world.vault, world.trade, world.owner.pubkey()):
            if not world.svm.get_account(token_account_address(holder, mint)):
                world.hold(holder, mint, 0)
        pot = world.hold(world.stranger.pubkey(), mint, 10**6, delegate=world.trade)
        return world.trade_of(
            world.usdc, mint, 1_000, route_data=world.evil_data(transfer(FIRST_EXTRA, DESTINATION, 1), amount_in=1_000), steps=w(pot)
        )

    for mint in mints[:POSITION_SLOTS]:
        world.plant_mint(mint)
        world.ok(buy_dust(mint))
    last = mints[POSITION_SLOTS]
    world.plant_mint(last)
    refused(world, buy_dust(last), error="NoFreeSlot")
    refused(world, instructions.set_policy(world.owner.pubkey(), pin=[last]), error="NoFreeSlot")
    world.ok(buy_dust(mints[3]))
    world.ok(instructions.withdraw(world.owner.pubkey(), mints[0], 1))
    world.ok(buy_dust(last))


def test_a_pinned_mint_taken_off_the_list_while_it_is_held() -> None:
    world = VaultWorld().with_bot(mint_mode=accounts.ALLOWLIST, pin=[key("bonk").pubkey()]).with_market(RESERVE, RESERVE)
    owner = world.owner.pubkey()
    world.ok(world.buy(10 * USDC))
    unpin = instructions.set_policy(owner, unpin=[world.bonk])
    refused(world, unpin, world.buy(USDC), error="MintNotAllowed")
    world.ok(unpin)
    refused(world, world.buy(USDC), error="MintNotAllowed")
    held = world.balance(world.vault, world.bonk)
    world.ok(world.sell(held // 2))
    # Held, it keeps its slot and its cost; pinned again, it waits like any other.
    slot = world.read_policy().slot_of(world.bonk)
    assert slot is not None
    assert (slot.units, slot.base_cost, slot.pinned_from) == (held - held // 2, 10 * USDC - -(-10 * USDC * (held // 2) // held), 0)
    world.ok(instructions.set_policy(owner, pin=[world.bonk]))
    refused(world, world.buy(USDC), error="MintNotAllowed")
    world.ok(unpin, world.sell(held - held // 2))
    assert world.read_policy().slot_of(world.bonk) is None
    world.hold(world.vault, world.bonk, 5)
    refused(world, world.sell(5), error="MintNotAllowed", what="sold out and off the list: what comes later is a gift")
    world.later(seconds=DAY)
    refused(world, world.buy(USDC), error="MintNotAllowed")


# A vault made anew


def test_a_vault_made_anew_reaches_accounts_that_held_dust(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    world.ok(world.buy(10 * USDC), instructions.revoke_bot_authority(owner), instructions.close_vault(owner))
    held = {mint: world.balance(world.vault, mint) for mint in (world.usdc, world.bonk)}
    for call in (instructions.withdraw(owner, world.usdc, 1), instructions.recover_trade_account(owner, world.usdc)):
        refused(world, call, error="AccountNotInitialized", what="without a vault nothing moves")
    world.hold(world.vault, world.usdc, held[world.usdc] + 7)
    world.hold(world.trade, world.bonk, 9)
    world.ok(instructions.initialize_vault(owner))
    assert world.read_vault().total_deposited == 0, "what lay there was never deposited"
    assert all(slot.is_free for slot in world.read_policy().slots)
    world.ok(instructions.recover_trade_account(owner, world.bonk))
    world.ok(instructions.withdraw(owner, world.usdc, held[world.usdc] + 7), instructions.withdraw(owner, world.bonk, held[world.bonk] + 9))
    world.ok(*(instructions.close_token_account(owner, mint, of_trade_authority=of) for mint in held for of in (False, True)))


def test_a_vault_made_anew_reaches_an_account_that_was_frozen(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    frozen = world.hold(world.vault, world.bonk, 50, state=TokenAccountState.Frozen)
    out = instructions.withdraw(owner, world.bonk, 50)
    refused(world, out, error="Custom(17)")
    world.ok(instructions.revoke_bot_authority(owner), instructions.close_vault(owner))
    assert world.amount(frozen) == 50
    world.ok(instructions.initialize_vault(owner))
    refused(world, out, error="Custom(17)", what="still frozen")
    world.hold(world.vault, world.bonk, 50)
    world.ok(out)
