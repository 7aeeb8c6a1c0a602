"""What every instruction checks before it acts: its data to the byte, its accounts by number, flags, owner, kind and links."""

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from tests.program.vault_world import DAY, USDC, VaultWorld, changed, key

from xorj.vault import accounts, instructions
from xorj.vault.accounts import PROGRAM_ID
from xorj.vault.interface import ACCOUNTS, INSTRUCTIONS

NAMES = [interface.name for interface in INSTRUCTIONS]
CODES = {name: structure.discriminator for structure in ACCOUNTS for name in [structure.name]}


@pytest.fixture(scope="module")
def world() -> VaultWorld:
    return VaultWorld().with_bot().with_market()


def good(world: VaultWorld, name: str) -> Instruction:
    """An instruction that would be accepted, or refused only for the state it meets."""
    owner, bot, admin = world.owner.pubkey(), world.bot.pubkey(), world.admin.pubkey()
    if name == "initialize_config":
        return instructions.initialize_config(admin, admin, world.usdc, admin=admin, guardian=admin, vault_cap=1, loosening_delay_s=DAY)
    made = {
        "update_config": lambda: instructions.update_config(
            admin, vault_cap=1, guardian=admin, loosening_delay_s=DAY, paused=True, routers=1
        ),
        "accept_admin": lambda: instructions.accept_admin(admin),
        "initialize_vault": lambda: instructions.initialize_vault(world.stranger.pubkey()),
        "deposit": lambda: instructions.deposit(owner, world.usdc, USDC),
        "withdraw": lambda: instructions.withdraw(owner, world.usdc, USDC),
        "grant_bot_authority": lambda: instructions.grant_bot_authority(owner, bot),
        "revoke_bot_authority": lambda: instructions.revoke_bot_authority(owner),
        "bot_trade": lambda: world.buy(USDC),
        "deactivate_vault": lambda: instructions.deactivate_vault(owner),
        "set_policy": lambda: instructions.set_policy(owner, spend_per_day=1, loss_per_day_bps=1, pin=[world.wif]),
        "pause_vault": lambda: instructions.pause_vault(owner, owner),
        "resume_vault": lambda: instructions.resume_vault(owner),
        "burn_nonce": lambda: instructions.burn_nonce(owner, owner, world.guard()),
        "recover_trade_account": lambda: instructions.recover_trade_account(owner, world.usdc),
        "close_token_account": lambda: instructions.close_token_account(owner, world.wif),
        "close_vault": lambda: instructions.close_vault(owner),
    }
    return made[name]()


def roles_of(name: str) -> list[str]:
    return [role.name for role in next(each for each in INSTRUCTIONS if each.name == name).accounts]


def with_data(instruction: Instruction, data: bytes) -> Instruction:
    return Instruction(instruction.program_id, data, instruction.accounts)


@pytest.mark.parametrize("data", [b"", b"\x01" * 7, b"\xff" * 8, b"\xff" * 100], ids=len)
def test_an_instruction_nobody_knows(world: VaultWorld, data: bytes) -> None:
    assert world.send(Instruction(PROGRAM_ID, data, [])).error == "InstructionFallbackNotFound"


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_read_to_the_byte(world: VaultWorld, name: str) -> None:
    instruction = good(world, name)
    data = bytes(instruction.data)
    assert world.send(with_data(instruction, data + b"\0")).error == "InstructionDidNotDeserialize"
    for length in range(8, len(data)):
        assert world.send(with_data(instruction, data[:length])).error == "InstructionDidNotDeserialize", length


@pytest.mark.parametrize("name", NAMES)
def test_every_account_is_needed(world: VaultWorld, name: str) -> None:
    instruction = good(world, name)
    for count in range(len(roles_of(name))):
        short = Instruction(PROGRAM_ID, instruction.data, instruction.accounts[:count])
        assert world.send(short).error == "AccountNotEnoughKeys", count


WRITABLE = [(each.name, role.name) for each in INSTRUCTIONS for role in each.accounts if role.is_writable]


@pytest.mark.parametrize(("name", "role"), WRITABLE, ids=["-".join(pair) for pair in WRITABLE])
def test_what_is_written_must_be_writable(world: VaultWorld, name: str, role: str) -> None:
    # The payer of the fee is writable in every instruction, so the fee is somebody else's here.
    payer = key("fee payer")
    world.svm.airdrop(payer.pubkey(), 10**9)
    given = changed(good(world, name), role, writable=False)
    (read_only,) = {meta.pubkey for meta, each in zip(given.accounts, roles_of(name), strict=False) if each == role}
    # A transaction has one flag for an account, so it is taken from the router's accounts too.
    metas = [AccountMeta(meta.pubkey, meta.is_signer, meta.is_writable and meta.pubkey != read_only) for meta in given.accounts]
    assert world.send(Instruction(given.program_id, given.data, metas), payer=payer).error == "ConstraintMut"


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


OF_VAULT = [(each.name, role.name) for each in INSTRUCTIONS for role in each.accounts if role.name in ("vault", "policy")]
OF_VAULT = [(name, role) for name, role in OF_VAULT if name != "initialize_vault"]


@pytest.mark.parametrize(("name", "role"), OF_VAULT, ids=["-".join(pair) for pair in OF_VAULT])
def test_an_account_of_ours_is_known_by_owner_kind_length_and_content(world: VaultWorld, name: str, role: str) -> None:
    right = world.vault if role == "vault" else world.policy
    data = bytes(world.svm.get_account(right).data)
    copy = key(f"copy of {role}").pubkey()
    other_kind = CODES["Config"]
    assert other_kind
    instruction = changed(good(world, name), role, copy)
    cases = {
        "absent": (None, PROGRAM_ID, "AccountNotInitialized"),
        "the right bytes of another program": (data, Pubkey.default(), "AccountOwnedByWrongProgram"),
        "empty": (b"", PROGRAM_ID, "AccountDiscriminatorNotFound"),
        "seven bytes": (data[:7], PROGRAM_ID, "AccountDiscriminatorNotFound"),
        "another kind": (other_kind + data[8:], PROGRAM_ID, "AccountDiscriminatorMismatch"),
        "too short": (data[:-1], PROGRAM_ID, "AccountDidNotDeserialize"),
        "too long": (data + b"\0", PROGRAM_ID, "AccountDidNotDeserialize"),
    }
    if role == "vault":
        cases["a flag of 2"] = (data[:48] + b"\x02" + data[49:], PROGRAM_ID, "AccountDidNotDeserialize")
        cases["an activity of 2"] = (data[:81] + b"\x02" + data[82:], PROGRAM_ID, "AccountDidNotDeserialize")
    for case, (content, owner, error) in cases.items():
        world.plant(copy, content or b"", owner, lamports=0 if content is None else 10**9)
        assert world.send(instruction).error == error, case


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
