"""Config: made once by the upgrade authority, changed by the admin, paused by the guardian, and never above what is compiled in."""

from itertools import count

import pytest
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tests.program.vault_world import DAY, LOADER, PROGRAM_DATA, USDC, VaultWorld, changed, key

from xorj.vault import accounts, instructions
from xorj.vault.interface import DEPOSIT_CEILING_RAW


def make(world: VaultWorld, **changes: object) -> str | None:
    admin = world.admin.pubkey()
    values: dict[str, object] = {"admin": admin, "guardian": world.guardian.pubkey(), "vault_cap": 10 * USDC, "loosening_delay_s": DAY}
    instruction = instructions.initialize_config(admin, admin, world.usdc, **values | changes)  # type: ignore[arg-type]  # a table of arguments
    return world.send(instruction).error


@pytest.fixture
def world() -> VaultWorld:
    return VaultWorld().with_config()


def test_the_upgrade_authority_makes_it(world: VaultWorld) -> None:
    config = world.read_config()
    assert (config.admin, config.guardian, config.base_mint) == (world.admin.pubkey(), world.guardian.pubkey(), world.usdc)
    assert (config.paused, config.routers, config.pending_admin, config.loosening_delay) == (False, 1, None, DAY)
    assert config.deposit_cap == 1_000 * USDC == DEPOSIT_CEILING_RAW
    assert make(world) == "AccountDiscriminatorAlreadySet"


def test_nobody_else_is_first() -> None:
    world = VaultWorld()
    admin, eve = world.admin.pubkey(), world.stranger.pubkey()
    good = instructions.initialize_config(admin, admin, world.usdc, admin=eve, guardian=eve, vault_cap=USDC, loosening_delay_s=DAY)
    assert world.send(changed(good, "upgrade_authority", eve)).error == "NotUpgradeAuthority"
    other = VaultWorld()
    other.plant(key("forged").pubkey(), bytes(other.svm.get_account(PROGRAM_DATA).data))
    assert other.send(changed(good, "program_data", key("forged").pubkey())).error == "NotUpgradeAuthority"
    other.plant_upgrade_authority(None)
    assert other.send(good).error == "NotUpgradeAuthority"


@pytest.mark.parametrize("what", ["at another address", "another program's", "cut off", "of another kind", "without an authority"])
def test_only_the_loaders_own_account_of_the_program_names_its_upgrade_authority(what: str) -> None:
    world, forged = VaultWorld(), key("forged").pubkey()
    # an account is followed by zeros: cut off by a byte, it would still be read as naming a key that ends in one
    ends_in_zero = next(one for number in count() if bytes((one := key(f"authority {number}")).pubkey())[-1] == 0)
    world.plant_upgrade_authority(ends_in_zero.pubkey())
    admin, data = ends_in_zero.pubkey(), bytes(world.svm.get_account(PROGRAM_DATA).data)
    payer = world.admin.pubkey()
    good = instructions.initialize_config(payer, admin, world.usdc, admin=admin, guardian=admin, vault_cap=USDC, loosening_delay_s=DAY)
    match what:
        case "at another address":
            world.plant(forged, data, LOADER)
            good = changed(good, "program_data", forged)
        case "another program's":
            world.plant(PROGRAM_DATA, data)
        case "cut off":
            world.plant(PROGRAM_DATA, data[:44], LOADER)
        case "of another kind":
            world.plant(PROGRAM_DATA, b"\x02" + data[1:], LOADER)
        case _:
            world.plant(PROGRAM_DATA, data[:12] + b"\x00" + data[13:], LOADER)
    assert world.send(good, signers=[ends_in_zero]).error == "NotUpgradeAuthority"
    world.plant(PROGRAM_DATA, data, LOADER)
    assert world.send(changed(good, "program_data", PROGRAM_DATA), signers=[ends_in_zero]).error is None


def test_values_that_no_config_may_hold() -> None:
    world = VaultWorld()
    assert make(world, vault_cap=DEPOSIT_CEILING_RAW + 1) == "DepositCapExceeded"
    assert make(world, loosening_delay_s=3_599) == "PolicyValueInvalid"
    assert make(world, loosening_delay_s=90 * DAY + 1) == "PolicyValueInvalid"
    assert make(world, admin=Pubkey.default()) == "PolicyValueInvalid"
    world.plant_mint(world.usdc, decimals=9)
    assert make(world) == "InvalidMint"
    world.plant_mint(world.usdc, token_program=accounts.TOKEN_2022_PROGRAM)
    assert make(world) == "InvalidMint"


def test_it_stands_at_its_one_address() -> None:
    world = VaultWorld()
    admin = world.admin.pubkey()
    good = instructions.initialize_config(admin, admin, world.usdc, admin=admin, guardian=admin, vault_cap=USDC, loosening_delay_s=DAY)
    assert world.send(changed(good, "config", accounts.vault_address(admin))).error == "ConstraintSeeds"
    assert world.send(changed(good, "system_program", world.usdc)).error == "InvalidProgramId"


def update(world: VaultWorld, authority: Pubkey | None = None, **changes: object) -> str | None:
    return world.send(instructions.update_config(authority or world.admin.pubkey(), **changes)).error  # type: ignore[arg-type]  # a table of arguments


def test_the_admin_changes_any_field(world: VaultWorld) -> None:
    eve = world.stranger.pubkey()
    assert update(world, pending_admin=eve, guardian=eve, vault_cap=7, loosening_delay_s=3_600, paused=True, routers=0) is None
    config = world.read_config()
    assert (config.pending_admin, config.guardian, config.vault_cap, config.loosening_delay) == (eve, eve, 7, 3_600)
    assert (config.paused, config.routers, config.admin) == (True, 0, world.admin.pubkey())


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"vault_cap": DEPOSIT_CEILING_RAW + 1}, "DepositCapExceeded"),
        ({"loosening_delay_s": 3_599}, "PolicyValueInvalid"),
        ({"loosening_delay_s": -1}, "PolicyValueInvalid"),
        ({"routers": 2}, "PolicyValueInvalid"),
    ],
    ids=str,
)
def test_the_admin_too_is_bound_by_what_is_compiled_in(world: VaultWorld, changes: dict[str, object], error: str) -> None:
    assert update(world, **changes) == error


def test_the_guardian_pauses_and_nothing_else(world: VaultWorld) -> None:
    guardian = world.guardian.pubkey()
    assert update(world, guardian, paused=True) is None
    assert world.read_config().paused
    for changes in ({"paused": False}, {"vault_cap": 1}, {"paused": True, "vault_cap": 1}, {"pending_admin": guardian}, {}):
        assert update(world, guardian, **changes) == "Unauthorized", changes


def test_the_office_goes_to_a_key_that_takes_it(world: VaultWorld) -> None:
    eve = world.stranger.pubkey()
    assert world.send(instructions.accept_admin(eve)).error == "ConstraintHasOne"
    assert update(world, pending_admin=eve) is None
    assert update(world, eve, vault_cap=1) == "ConstraintHasOne"
    assert world.send(instructions.accept_admin(world.admin.pubkey())).error == "ConstraintHasOne"
    world.ok(instructions.accept_admin(eve))
    assert (world.read_config().admin, world.read_config().pending_admin) == (eve, None)
    assert update(world, vault_cap=1) == "ConstraintHasOne"
    assert update(world, eve, vault_cap=1) is None


def test_a_vault_keeps_the_delay_it_was_made_with(world: VaultWorld) -> None:
    world.ok(instructions.initialize_vault(world.owner.pubkey()))
    assert update(world, loosening_delay_s=3_600) is None
    assert world.read_policy().loosening_delay == DAY


def test_a_ceiling_that_has_come_down_does_not_keep_the_guardian_from_pausing(world: VaultWorld) -> None:
    address = accounts.config_address()
    data, at = bytearray(world.svm.get_account(address).data), accounts.CONFIG_OFFSETS["vault_cap"]
    data[at : at + 8] = (2 * DEPOSIT_CEILING_RAW).to_bytes(8, "little")
    world.plant(address, bytes(data))
    assert world.send(instructions.update_config(world.guardian.pubkey(), paused=True), payer=world.admin).error is None
    assert world.read_config().paused
    assert world.send(instructions.update_config(world.admin.pubkey(), vault_cap=2 * DEPOSIT_CEILING_RAW)).error == "DepositCapExceeded"


def test_a_flag_that_is_neither_is_a_malformed_argument_whoever_gives_it(world: VaultWorld) -> None:
    for authority in (world.admin, world.stranger):
        good = instructions.update_config(authority.pubkey(), paused=True, routers=1)
        data = bytes(good.data)
        assert data[-4:] == b"\x01\x01\x01\x01"
        neither = Instruction(good.program_id, data[:-3] + b"\x02" + data[-2:], list(good.accounts))
        assert world.send(neither).error == "InstructionDidNotDeserialize"
