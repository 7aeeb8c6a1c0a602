"""Attacks 1 to 14: making a vault that is not one's own, and accounts, data and flags that are not what they are said to be."""

from hashlib import sha256

import pytest
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from tests.program.attacks.harness import PAYER, SYSTEM, refused
from tests.program.good_calls import NAMES, good, roles_of, with_data
from tests.program.vault_world import VaultWorld, changed, key

from xorj.vault import accounts, instructions
from xorj.vault.accounts import PROGRAM_ID
from xorj.vault.interface import INSTRUCTIONS

OURS = [(each.name, role.name) for each in INSTRUCTIONS for role in each.accounts if role.name in ("vault", "policy", "config")]
# These two make the account: attacks 2 to 4 are theirs.
OURS = [(name, role) for name, role in OURS if not (name == "initialize_vault" and role != "config") and name != "initialize_config"]
IDS = ["-".join(pair) for pair in OURS]
OF_VAULT = [name for name, role in OURS if role == "vault"]


@pytest.fixture(scope="module")
def world() -> VaultWorld:
    """Shared: what is refused changes nothing."""
    return VaultWorld().with_bot().with_market()


@pytest.fixture
def bare() -> VaultWorld:
    """Config, and no vault yet."""
    return VaultWorld().with_config()


def right_account(world: VaultWorld, role: str) -> Pubkey:
    return {"vault": world.vault, "policy": world.policy, "config": accounts.config_address()}[role]


def planted(world: VaultWorld, data: bytes, owner: Pubkey = PROGRAM_ID) -> Pubkey:
    copy = key("copy of an account").pubkey()
    world.plant(copy, data, owner)
    return copy


def test_attack_01_a_vault_for_an_owner_who_did_not_sign(bare: VaultWorld) -> None:
    good_one = instructions.initialize_vault(bare.owner.pubkey())
    refused(bare, changed(good_one, "owner", signer=False), error="AccountNotSigner")


def test_attack_02_a_vault_at_anothers_address(bare: VaultWorld) -> None:
    good_one = instructions.initialize_vault(bare.stranger.pubkey())
    refused(bare, changed(good_one, "vault", bare.vault), error="ConstraintSeeds")
    refused(bare, changed(good_one, "policy", bare.policy), error="ConstraintSeeds")
    both = changed(changed(good_one, "vault", bare.vault), "policy", bare.policy)
    refused(bare, both, error="ConstraintSeeds")


def test_attack_03_a_vault_at_an_address_of_another_bump(bare: VaultWorld) -> None:
    def others(seeds: list[bytes]) -> list[Pubkey]:
        """Every address of these seeds but the canonical one, as the runtime derives them."""
        _, canonical = Pubkey.find_program_address(seeds, PROGRAM_ID)
        ends = (bytes([bump]) + bytes(PROGRAM_ID) + b"ProgramDerivedAddress" for bump in range(canonical))
        found = (Pubkey.from_bytes(sha256(b"".join(seeds) + end).digest()) for end in ends)
        return [address for address in found if not address.is_on_curve()]

    owner = bare.owner.pubkey()
    good_one = instructions.initialize_vault(owner)
    seeds = {"vault": [b"vault", bytes(owner)], "policy": [b"policy", bytes(bare.vault)]}
    for role in ("vault", "policy"):
        for address in others(seeds[role])[:5]:
            refused(bare, changed(good_one, role, address), error="ConstraintSeeds", what=address)


def test_attack_04_a_vault_made_twice(bare: VaultWorld) -> None:
    twice = instructions.initialize_vault(bare.owner.pubkey())
    refused(bare, twice, twice, error="AccountDiscriminatorAlreadySet")
    bare.ok(twice)
    refused(bare, twice, error="AccountDiscriminatorAlreadySet")


@pytest.mark.parametrize("which", ["vault", "policy", "both"])
@pytest.mark.parametrize("lamports", [1, 10**6, 10**10])
def test_attack_05_lamports_sent_ahead_stop_nobody(bare: VaultWorld, which: str, lamports: int) -> None:
    ahead = {"vault": [bare.vault], "policy": [bare.policy], "both": [bare.vault, bare.policy]}[which]
    for address in ahead:
        bare.svm.set_account(address, Account(lamports, b"", SYSTEM, False, 0))
    bare.ok(instructions.initialize_vault(bare.owner.pubkey()))
    assert (bare.read_vault().owner, bare.read_policy().vault) == (bare.owner.pubkey(), bare.vault)
    for address, size in ((bare.vault, accounts.VAULT_BYTES), (bare.policy, accounts.POLICY_BYTES)):
        account = bare.svm.get_account(address)
        least = bare.svm.minimum_balance_for_rent_exemption(size)
        assert (account.owner, len(account.data)) == (PROGRAM_ID, size)
        assert account.lamports == (max(lamports, least) if address in ahead else least)


def test_attack_06_a_system_program_that_is_none(bare: VaultWorld) -> None:
    good_one = instructions.initialize_vault(bare.owner.pubkey())
    for fake in (key("fake system").pubkey(), PROGRAM_ID, accounts.TOKEN_PROGRAM):
        refused(bare, changed(good_one, "system_program", fake), error="InvalidProgramId")


@pytest.mark.parametrize(("name", "role"), OURS, ids=IDS)
def test_attack_07_the_right_bytes_of_another_program(world: VaultWorld, name: str, role: str) -> None:
    data = bytes(world.svm.get_account(right_account(world, role)).data)
    for owner in (SYSTEM, accounts.TOKEN_PROGRAM, key("another program").pubkey()):
        forged = changed(good(world, name), role, planted(world, data, owner))
        refused(world, forged, error="AccountOwnedByWrongProgram", what=owner)


@pytest.mark.parametrize(("name", "role"), OURS, ids=IDS)
def test_attack_08_an_account_of_another_kind(world: VaultWorld, name: str, role: str) -> None:
    for other in {"vault", "policy", "config"} - {role}:
        # As it is, and dressed up to the length of what it stands for.
        bytes_of = {each: bytes(world.svm.get_account(right_account(world, each)).data) for each in (role, other)}
        dressed = bytes_of[other][:8] + bytes_of[role][8:]
        for data in (bytes_of[other], dressed, bytes(8) + dressed[8:]):
            forged = changed(good(world, name), role, planted(world, data))
            refused(world, forged, error="AccountDiscriminatorMismatch", what=other)


def test_attack_09_an_account_of_another_length(world: VaultWorld) -> None:
    for name, role in OURS:
        data = bytes(world.svm.get_account(right_account(world, role)).data)
        every = range(len(data)) if (name, role) == ("withdraw", "vault") else (0, 7, 8, len(data) - 1)
        for length in (*every, len(data) + 1):
            content = data[:length] if length <= len(data) else data + b"\0"
            error = "AccountDiscriminatorNotFound" if length < 8 else "AccountDidNotDeserialize"
            forged = changed(good(world, name), role, planted(world, content))
            refused(world, forged, error=error, what=(name, role, length))


@pytest.mark.parametrize("name", OF_VAULT)
@pytest.mark.parametrize("value", [2, 0x80, 0xFF])
def test_attack_10_flags_that_are_neither_yes_nor_no(world: VaultWorld, name: str, value: int) -> None:
    with_bot = bytes(world.svm.get_account(world.vault).data)
    without = with_bot[:48] + b"\0" + with_bot[81:] + bytes(32)
    cases = {
        "bot's flag": with_bot[:48] + bytes([value]) + with_bot[49:],
        "bot's flag, before what could be activity": without[:48] + bytes([value]) + without[49:],
        "activity, with a bot": with_bot[:81] + bytes([value]) + with_bot[82:],
        "activity, without a bot": without[:49] + bytes([value]) + without[50:],
    }
    for case, data in cases.items():
        forged = changed(good(world, name), "vault", planted(world, data))
        refused(world, forged, error="AccountDidNotDeserialize", what=case)


def test_attack_11_an_instruction_nobody_knows(world: VaultWorld) -> None:
    known = bytes(good(world, "withdraw").data)
    metas = good(world, "withdraw").accounts
    for data in (*(known[:length] for length in range(8)), b"\xff" * 8, b"\xff" * 100, known[::-1], known[1:], bytes(1_000)):
        for given in ([], metas):
            refused(world, Instruction(PROGRAM_ID, data, given), error="InstructionFallbackNotFound", what=data)


@pytest.mark.parametrize("name", NAMES)
def test_attack_12_arguments_cut_short_or_too_long(world: VaultWorld, name: str) -> None:
    instruction = good(world, name)
    data = bytes(instruction.data)
    wrong = [data[:length] for length in range(8, len(data))] + [data + b"\0", data + data[8:] + b"\1", data + bytes(300)]
    if name == "bot_trade":
        # The vector's length stands after two amounts: one more and one less than there is, and far beyond.
        length = int.from_bytes(data[24:28], "little")
        wrong += [data[:24] + value.to_bytes(4, "little") + data[28:] for value in (0, length - 1, length + 1, 2**31, 2**32 - 1)]
    if name == "set_policy":
        # Two vectors at the end: one mint on the first, none on the second.
        at = len(data) - 4 - 32 - 4
        wrong += [data[:at] + value.to_bytes(4, "little") + data[at + 4 :] for value in (2, 2**27, 2**27 + 1, 2**32 - 1)]
        wrong += [data[:8] + b"\2" + data[9:]]
    if name == "update_config":
        wrong += [data[:8] + b"\2" + data[9:], data[:8] + b"\xff" + data[9:]]
    for each in wrong:
        refused(world, with_data(instruction, each), error="InstructionDidNotDeserialize", what=each.hex())


@pytest.mark.parametrize("name", NAMES)
def test_attack_13_too_few_accounts(world: VaultWorld, name: str) -> None:
    instruction = good(world, name)
    for count in range(len(roles_of(name))):
        short = Instruction(PROGRAM_ID, instruction.data, instruction.accounts[:count])
        refused(world, short, error="AccountNotEnoughKeys", what=count)


WRITABLE = [(each.name, role.name) for each in INSTRUCTIONS for role in each.accounts if role.is_writable]


@pytest.mark.parametrize(("name", "role"), WRITABLE, ids=["-".join(pair) for pair in WRITABLE])
def test_attack_14_what_is_written_is_given_to_be_read(world: VaultWorld, name: str, role: str) -> None:
    given = changed(good(world, name), role, writable=False)
    (read_only,) = {meta.pubkey for meta, each in zip(given.accounts, roles_of(name), strict=False) if each == role}
    assert read_only != PAYER.pubkey()
    # A transaction has one flag for an account, so it is taken from the router's accounts too.
    metas = [AccountMeta(meta.pubkey, meta.is_signer, meta.is_writable and meta.pubkey != read_only) for meta in given.accounts]
    refused(world, Instruction(given.program_id, given.data, metas), error="ConstraintMut")
