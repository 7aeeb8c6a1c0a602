"""Every instruction called wrongly in every way a table can name, and in many that dice name: a code each time, never a panic.

Nothing moves unless what was put in an account's place is that account.
"""

from random import Random

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from tests.program.attacks.harness import PAYER, ROUNDS, SYSTEM, attempted, refused
from tests.program.good_calls import NAMES, good, ready_for, roles_of, with_data
from tests.program.vault_world import PROGRAM_DATA, USDC, Outcome, VaultWorld, changed, key

from xorj.router import jupiter_v6
from xorj.vault import accounts, instructions
from xorj.vault.accounts import PROGRAM_ID, TOKEN_2022_PROGRAM, TOKEN_PROGRAM, token_account_address
from xorj.vault.interface import ERRORS, FRAMEWORK_ERRORS, INSTRUCTIONS

OWN_CODES = {name for name, _ in ERRORS} | set(FRAMEWORK_ERRORS.values())
BREAKS = ("panicked", "Access violation", "access violation", "unsupported BPF", "stack")
RANDOM_CALLS = 60 * ROUNDS
# The runtime itself takes no more in one instruction.
ACCOUNTS_MAX = 255
# Whom a grant names and who pays for the config may be anybody.
ANYBODY = {("grant_bot_authority", "bot_authority"), ("initialize_config", "payer")}
# An authority may be either of two, and a config any mint of the right kind; everything else has one right account.
EITHER = {
    ("pause_vault", "authority"): ("owner", "bot"),
    ("burn_nonce", "authority"): ("owner", "bot"),
    ("initialize_config", "base_mint"): ("base mint", "other mint"),
}


def kinds(world: VaultWorld) -> dict[str, Pubkey]:
    """What can be put in an account's place, by what it is."""
    eve, bot = world.stranger.pubkey(), world.bot.pubkey()
    found = {
        "nobody": key("nobody").pubkey(),
        "owner": world.owner.pubkey(),
        "bot": bot,
        "eve": eve,
        "fee payer": PAYER.pubkey(),
        "vault": world.vault,
        "policy": world.policy,
        "config": accounts.config_address(),
        "trade authority": world.trade,
        "eve's vault": accounts.vault_address(eve),
        "eve's policy": accounts.policy_address(accounts.vault_address(eve)),
        "base mint": world.usdc,
        "other mint": world.bonk,
        "system program": SYSTEM,
        "token program": TOKEN_PROGRAM,
        "token-2022 program": TOKEN_2022_PROGRAM,
        "own program": PROGRAM_ID,
        "router": jupiter_v6.PROGRAM,
        "program data": PROGRAM_DATA,
        "event authority": accounts.event_authority_address(),
        "clock": Pubkey.from_string("SysvarC1ock11111111111111111111111111111111"),
    }
    for whose, holder in (("vault", world.vault), ("trade authority", world.trade), ("eve", eve), ("owner", world.owner.pubkey())):
        for mint in (world.usdc, world.bonk):
            address = token_account_address(holder, mint)
            if world.amount(address) == 0:
                world.hold(holder, mint, USDC)
            found[f"{whose}'s {'base' if mint == world.usdc else 'other'} tokens"] = address
    found["vault's tokens of token-2022"] = world.hold(world.vault, world.usdc, USDC, token_program=TOKEN_2022_PROGRAM)
    for length in (0, 7, 91, 165, 229, 1_692):
        for whose, program in (("own", PROGRAM_ID), ("token program's", TOKEN_PROGRAM)):
            found[f"{length} odd bytes, {whose}"] = key(f"{length} bytes of {whose}").pubkey()
            world.plant(found[f"{length} odd bytes, {whose}"], b"\xff" * length, program)
    return found


def with_eves_vault(name: str) -> VaultWorld:
    world = ready_for(name)
    if name not in ("initialize_config", "initialize_vault"):
        eve = world.stranger.pubkey()
        world.ok(instructions.initialize_vault(eve), instructions.grant_bot_authority(eve, world.bot.pubkey()))
    return world


def is_a_code(done: Outcome) -> bool:
    return done.error in OWN_CODES and not any(word in line for line in done.logs for word in BREAKS)


def was_refused_by_another(done: Outcome) -> bool:
    """The router or the token program said no, with its own code."""
    return any(" failed: " in line and str(PROGRAM_ID) not in line for line in done.logs)


@pytest.mark.parametrize("name", NAMES)
def test_every_account_replaced_by_every_kind(name: str) -> None:
    world = with_eves_vault(name)
    stand_ins = kinds(world)
    signers = {world.owner.pubkey(), world.bot.pubkey(), world.stranger.pubkey(), world.admin.pubkey(), PAYER.pubkey()}
    call = good(world, name)
    for place, role in enumerate(roles_of(name)):
        if (name, role) in ANYBODY:
            continue
        right = {call.accounts[place].pubkey} | {stand_ins[kind] for kind in EITHER.get((name, role), ())}
        for kind, address in stand_ins.items():
            if address in right:
                continue
            replaced = changed(call, role, address)
            if address not in signers:
                replaced = changed(replaced, role, signer=False)
            done, moved = attempted(world, replaced)
            assert is_a_code(done), (role, kind, done)
            assert moved == [], (role, kind, done.error)


@pytest.mark.parametrize("name", NAMES)
def test_data_cut_at_every_length_and_extended(name: str) -> None:
    world = ready_for(name)
    call = good(world, name)
    data = bytes(call.data)
    for length in (*range(len(data)), len(data) + 1, len(data) + 8, 1_000):
        error = "InstructionFallbackNotFound" if length < 8 else "InstructionDidNotDeserialize"
        refused(world, with_data(call, data[:length] + bytes(max(0, length - len(data)))), error=error, what=length)


@pytest.mark.parametrize("name", NAMES)
def test_every_flag_dropped(name: str) -> None:
    world = ready_for(name)
    call = good(world, name)
    interface = next(each for each in INSTRUCTIONS if each.name == name)
    for place, role in enumerate(interface.accounts):
        address = call.accounts[place].pubkey
        for flag, error in (("signer", "AccountNotSigner"), ("writable", "ConstraintMut")):
            if not (role.is_signer if flag == "signer" else role.is_writable):
                continue
            metas = [
                AccountMeta(
                    meta.pubkey,
                    meta.is_signer and not (flag == "signer" and meta.pubkey == address),
                    meta.is_writable and not (flag == "writable" and meta.pubkey == address),
                )
                for meta in call.accounts
            ]
            refused(world, Instruction(PROGRAM_ID, call.data, metas), error=error, what=(role.name, flag))


@pytest.mark.parametrize("name", NAMES)
def test_whatever_dice_make_of_it(name: str) -> None:
    """Random arguments, places, flags, repetitions and lengths. What is refused moves nothing; nothing panics."""
    dice, world = Random(name), with_eves_vault(name)
    pool = list(kinds(world).values())
    signers = {world.owner.pubkey(), world.bot.pubkey(), world.stranger.pubkey(), PAYER.pubkey()}
    call = good(world, name)
    for _ in range(RANDOM_CALLS):
        data, metas = bytes(call.data), list(call.accounts)
        if dice.random() < 0.5:
            at = dice.randrange(8, len(data) + 1)
            data = data[:at] + dice.randbytes(len(data) - at + dice.choice((0, 0, 0, 1, 40)))
        for _ in range(dice.randrange(4)):
            deed = dice.randrange(5)
            place = dice.randrange(len(metas)) if metas else 0
            if deed == 0:
                metas = metas[: place + 1]
            elif deed == 1:
                metas[place] = dice.choice(metas)
            elif deed == 2:
                address = dice.choice(pool)
                metas[place] = AccountMeta(address, address in signers and dice.random() < 0.8, dice.random() < 0.8)
            elif deed == 3:
                dice.shuffle(metas)
            else:
                metas += [dice.choice(metas)] * dice.choice((1, 60, 100))
        done, moved = attempted(world, Instruction(PROGRAM_ID, data, metas[:ACCOUNTS_MAX]))
        if done.error is None:
            world = with_eves_vault(name)
            kinds(world)
            continue
        assert moved == [], (done, metas)
        assert not any(word in line for line in done.logs for word in BREAKS), done
        assert done.error in OWN_CODES or was_refused_by_another(done), (done, metas)
