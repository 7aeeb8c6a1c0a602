"""Checks that no other test would miss: each was found by `./xorj program mutate`. States that trades cannot reach are planted."""

import pytest
from solders.account import Account
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.token.state import Mint, TokenAccountState
from tests.program.evil_world import DESTINATION, FIRST_EXTRA, EvilWorld, script, transfer, w
from tests.program.vault_world import DAY, HOUR, RICH, USDC, VaultWorld, key

from xorj.router import jupiter_v6
from xorj.vault import accounts, instructions
from xorj.vault.accounts import POLICY_OFFSETS, TOKEN_PROGRAM, Pending

U64_MAX = 2**64 - 1


@pytest.fixture
def world() -> VaultWorld:
    return VaultWorld().with_bot().with_market()


def write(world: VaultWorld, offset: int, data: bytes) -> None:
    """Into the policy, as if the program had."""
    policy = world.svm.get_account(world.policy)
    changed = bytes(policy.data[:offset]) + data + bytes(policy.data[offset + len(data) :])
    world.svm.set_account(world.policy, Account(policy.lamports, changed, policy.owner, False, 0))


def number(value: int) -> bytes:
    return value.to_bytes(8, "little")


def holding(world: VaultWorld, units: int, cost: int) -> None:
    """The first slot holds BONK, and so does the vault."""
    world.hold(world.vault, world.bonk, units)
    write(world, POLICY_OFFSETS["slots"], bytes(world.bonk) + number(1) + number(units) + number(cost))


def position(world: VaultWorld) -> tuple[int, int]:
    slot = world.read_policy().slot_of(world.bonk)
    return (slot.units, slot.base_cost) if slot else (0, 0)


# Costs are exact, whatever the amounts: the target has no arithmetic of 128 bits


@pytest.mark.parametrize(
    ("units", "cost", "taken"),
    [
        (3, 10, 1),
        (10**12, 10**9, 10**12 - 1),
        (2**40, 2**40, 2**39 + 1),
        (2**63 + 5, 2**63 + 7, 2**62 + 3),
        (2**63 + 5, U64_MAX, 2**63 + 4),
        (U64_MAX, U64_MAX, U64_MAX - 1),
        (U64_MAX, U64_MAX - 1, 2**63),
        (2**33, 2**62, 2**32 + 7),
        (2**32 + 1, 2**32 - 1, 2**32),
    ],
)
def test_what_the_owner_takes_leaves_the_larger_part_of_the_cost(world: VaultWorld, units: int, cost: int, taken: int) -> None:
    holding(world, units, cost)
    world.ok(instructions.withdraw(world.owner.pubkey(), world.bonk, taken))
    assert position(world) == (units - taken, cost - cost * taken // units)


@pytest.mark.parametrize(("units", "cost", "sold"), [(7_000, 100_001, 1_000), (2**50, 2**50 - 1, 2**20 + 1), (10**12, 10**9, 10**6)])
def test_what_is_sold_bears_the_rounding(world: VaultWorld, units: int, cost: int, sold: int) -> None:
    holding(world, units, cost)
    world.ok(world.sell(sold))
    assert position(world) == (units - sold, cost - -(-cost * sold // units))


# Sums that do not fit are refused


def test_a_day_that_does_not_fit_64_bits(world: VaultWorld) -> None:
    world.ok(world.buy(USDC))
    hour = world.read_policy().window_hour
    write(world, POLICY_OFFSETS["spend_buckets"] + 8 * ((hour - 1) % 25), number(U64_MAX))
    assert world.send(world.buy(USDC)).error == "MathOverflow"


@pytest.mark.parametrize("field", ["units", "cost"])
def test_a_position_that_does_not_fit_64_bits(world: VaultWorld, field: str) -> None:
    holding(world, U64_MAX if field == "units" else 1, U64_MAX if field == "cost" else 1)
    world.hold(world.vault, world.bonk, 0)
    assert world.send(world.buy(USDC)).error == "MathOverflow"


def test_lamports_that_do_not_fit_64_bits(world: VaultWorld) -> None:
    world.ok(instructions.revoke_bot_authority(world.owner.pubkey()))
    world.plant(world.owner.pubkey(), b"", instructions.SYSTEM_PROGRAM, U64_MAX - 1)
    assert world.send(instructions.close_vault(world.owner.pubkey())).error == "MathOverflow"


# Exactly at the border


def test_the_bot_ends_at_the_second_it_expires(world: VaultWorld) -> None:
    end = world.read_policy().stored.bot_expires_at
    world.at(world.slot + 1, end)
    assert world.send(world.buy(USDC)).error == "BotExpired"
    world.at(world.slot + 1, end - 1)
    assert world.send(world.buy(USDC)).error is None


def test_a_limit_set_to_what_it_is_ends_a_loosening(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    world.ok(instructions.set_policy(owner, spend_per_trade=70 * USDC))
    world.ok(instructions.set_policy(owner, spend_per_trade=80 * USDC))
    assert world.read_policy().pending == {"spend_per_trade": Pending(world.now + DAY, 80 * USDC)}
    world.ok(instructions.set_policy(owner, spend_per_trade=70 * USDC))
    assert world.read_policy().pending == {}


def test_a_loosening_counts_from_its_very_second(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    world.ok(instructions.set_policy(owner, spend_per_trade=USDC))
    world.ok(instructions.set_policy(owner, spend_per_trade=2 * USDC))
    began = world.now
    world.at(world.slot + 1, began + DAY - 1)
    assert world.send(world.buy(2 * USDC)).error == "TradeLimitExceeded"
    world.at(world.slot + 1, began + DAY)
    assert world.send(world.buy(2 * USDC)).error is None


def test_a_router_is_on_again_from_its_very_second(world: VaultWorld) -> None:
    for routers in (0, 1):
        world.ok(instructions.update_config(world.admin.pubkey(), routers=routers))
    began = world.now
    world.at(world.slot + 1, began + DAY - 1)
    assert world.send(world.buy(USDC)).error == "RouterNotAllowed"
    world.at(world.slot + 1, began + DAY)
    assert world.send(world.buy(USDC)).error is None


def test_a_mint_on_the_list_from_later_on_is_neither_bought_nor_sold_before(world: VaultWorld) -> None:
    owner = world.owner.pubkey()
    world.ok(instructions.set_policy(owner, mint_mode=accounts.ALLOWLIST))
    world.ok(instructions.set_policy(owner, pin=[world.wif]))
    world.hold(world.vault, world.wif, USDC)
    began = world.now
    world.at(world.slot + 1, began + DAY - 1)
    assert world.send(world.buy(USDC, world.wif)).error == "MintNotAllowed"
    assert world.send(world.sell(USDC, world.wif)).error == "MintNotAllowed"
    world.at(world.slot + 1, began + DAY)
    assert world.send(world.sell(USDC, world.wif)).error is None
    assert world.send(world.buy(USDC, world.wif)).error is None


@pytest.mark.parametrize("what", ["pin", "unpin"])
def test_sixteen_mints_a_call_and_no_more(what: str) -> None:
    world = VaultWorld().with_vault()
    mints = [key(f"mint {n}").pubkey() for n in range(17)]
    few, many = (instructions.set_policy(world.owner.pubkey(), **{what: given}) for given in (mints[:16], mints))  # type: ignore[arg-type]  # by name
    assert world.send(many).error == "PolicyValueInvalid"
    assert world.send(few).error is None


@pytest.mark.parametrize(("length", "error"), [(1_024, None), (1_025, "RouteDataMalformed")])
def test_route_data_of_1024_bytes(length: int, error: str | None) -> None:
    world = EvilWorld()
    data = world.evil_data(transfer(FIRST_EXTRA, DESTINATION, 5))
    padded = data + bytes(length - len(data))
    assert world.send(world.trade_of(world.usdc, world.bonk, USDC, route_data=padded, steps=w(world.pot))).error == error


def test_a_plan_of_one_byte_is_a_plan() -> None:
    world = EvilWorld()
    head = world.evil_data()[:34]
    for plan, error in ((b"", "RouteDataMalformed"), (script(), "SlippageExceeded")):
        assert world.send(world.trade_of(world.usdc, world.bonk, USDC, route_data=head + plan, steps=[])).error == error
    shared = jupiter_v6.SHARED_ACCOUNTS_ROUTE_V2 + b"\x00" + head[8:]
    assert world.send(world.trade_of(world.usdc, world.bonk, USDC, route_data=shared, steps=[])).error == "RouteDataMalformed"


# Accounts that are not what they look like


def test_a_token_account_that_nobody_initialized(world: VaultWorld) -> None:
    world.hold(world.owner.pubkey(), world.usdc, USDC, state=TokenAccountState.Uninitialized)
    assert world.send(instructions.deposit(world.owner.pubkey(), world.usdc, USDC)).error == "InvalidTokenAccount"


def test_a_mint_that_nobody_initialized(world: VaultWorld) -> None:
    world.plant(world.usdc, bytes(Mint(None, 10**18, 6, False, None)), TOKEN_PROGRAM)
    assert world.send(instructions.withdraw(world.owner.pubkey(), world.usdc, USDC)).error == "InvalidMint"


def test_a_mint_of_a_program_that_is_none_of_tokens(world: VaultWorld) -> None:
    world.plant(world.usdc, bytes(Mint(None, 10**18, 6, True, None)), key("a program").pubkey())
    assert world.send(instructions.withdraw(world.owner.pubkey(), world.usdc, USDC)).error == "InvalidMint"


def test_a_mint_of_another_length(world: VaultWorld) -> None:
    world.plant(world.usdc, bytes(Mint(None, 10**18, 6, True, None)) + b"\x00", TOKEN_PROGRAM)
    assert world.send(instructions.withdraw(world.owner.pubkey(), world.usdc, USDC)).error == "InvalidMint"


def test_without_the_system_program_the_trade_authoritys_lamports_stay(world: VaultWorld) -> None:
    world.hold(world.trade, world.bonk, 5)
    world.plant(world.trade, b"", instructions.SYSTEM_PROGRAM, RICH)
    whole = instructions.recover_trade_account(world.owner.pubkey(), world.bonk)
    world.ok(Instruction(whole.program_id, whole.data, whole.accounts[:7]))
    assert (world.balance(world.vault, world.bonk), world.svm.get_balance(world.trade)) == (5, RICH)
    world.ok(whole)
    assert world.svm.get_balance(world.trade) in (0, None)


def test_a_day_later_the_hours_before_still_count(world: VaultWorld) -> None:
    world.ok(instructions.set_policy(world.owner.pubkey(), spend_per_day=10 * USDC))
    world.ok(world.buy(6 * USDC))
    for _ in range(24):
        world.later(seconds=HOUR)
        assert world.send(world.buy(6 * USDC)).error == "SpendLimitExceeded"
    world.later(seconds=HOUR)
    world.ok(world.buy(6 * USDC))


def test_mints_that_begin_alike_are_not_the_same(world: VaultWorld) -> None:
    one, other = (Pubkey.from_bytes(bytes(world.bonk)[:8] + bytes([n]) * 24) for n in (1, 2))
    world.ok(instructions.set_policy(world.owner.pubkey(), pin=[one, other]))
    assert [slot.mint for slot in world.read_policy().slots if not slot.is_free] == [one, other]
    world.ok(instructions.set_policy(world.owner.pubkey(), unpin=[other]))
    assert [slot.mint for slot in world.read_policy().slots if not slot.is_free] == [one]
