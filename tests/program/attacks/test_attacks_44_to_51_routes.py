"""Attacks 44 to 51: programs that are no router, routes that are not the trade's, and amounts that are none."""

from hashlib import sha256

import pytest
from solders.instruction import AccountMeta
from tests.program.attacks.harness import SYSTEM, refused
from tests.program.program_files import program
from tests.program.vault_world import DAY, USDC, VaultWorld, key

from xorj.router import jupiter_v6
from xorj.vault import accounts, instructions
from xorj.vault.accounts import ASSOCIATED_TOKEN_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM

ONE_STEP = [jupiter_v6.RouteStep()]


@pytest.fixture
def world() -> VaultWorld:
    return VaultWorld().with_bot().with_market()


def route(shared_id: int | None = None, *, in_amount: int = USDC, **fields: tuple[int, bytes]) -> bytes:
    """Either route, with bytes written over some of its fields: the place in route_v2 and what goes there."""
    data = bytearray(jupiter_v6.encode_route(in_amount, 1, 0, ONE_STEP, shared_id=shared_id))
    for at, value in fields.values():
        start = at + (shared_id is not None)
        data[start : start + len(value)] = value
    return bytes(data)


@pytest.mark.parametrize("file", ["local_router", "evil_router"])
def test_attack_44_a_router_that_is_not_on_the_list(world: VaultWorld, file: str) -> None:
    look_alike = key("look-alike").pubkey()
    world.svm.add_program(look_alike, program(file))
    for router in (look_alike, key("no program at all").pubkey()):
        refused(world, world.trade_of(world.usdc, world.bonk, USDC, router=router), error="RouterNotAllowed")
    # The right one, switched off: at once; and switched on again: only after a day.
    admin = world.admin.pubkey()
    world.ok(instructions.update_config(admin, routers=0))
    refused(world, world.buy(USDC), error="RouterNotAllowed")
    world.ok(instructions.update_config(admin, routers=1))
    world.later(seconds=DAY - 1)
    refused(world, world.buy(USDC), error="RouterNotAllowed")
    world.later(seconds=1)
    world.ok(world.buy(USDC))


def test_attack_45_a_program_that_moves_tokens_as_router(world: VaultWorld) -> None:
    for router in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM, SYSTEM, ASSOCIATED_TOKEN_PROGRAM, accounts.PROGRAM_ID, world.vault):
        refused(world, world.trade_of(world.usdc, world.bonk, USDC, router=router), error="RouterNotAllowed", what=router)


@pytest.mark.parametrize("shared_id", [None, 3], ids=["route_v2", "shared route"])
def test_attack_46_route_data_that_is_too_short_or_too_long(world: VaultWorld, shared_id: int | None) -> None:
    whole = route(shared_id)
    plan_bytes = 5
    no_plan = [whole[:length] for length in range(len(whole) - plan_bytes + 1)]
    no_steps = route(shared_id, steps=(30, bytes(4)))
    for data in (*no_plan, no_steps, whole + bytes(1_025 - len(whole)), whole + bytes(10_240 - len(whole))):
        refused(world, world.trade_of(world.usdc, world.bonk, USDC, route_data=data), error="RouteDataMalformed", what=len(data))


FORBIDDEN = (
    "route",
    "shared_accounts_route",
    "exact_out_route",
    "exact_out_route_v2",
    "shared_accounts_exact_out_route",
    "shared_accounts_exact_out_route_v2",
    "route_with_token_ledger",
    "shared_accounts_route_with_token_ledger",
    "set_token_ledger",
    "create_open_orders",
    "create_token_account",
    "create_token_ledger",
    "claim",
    "claim_token",
    "close_token",
)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_attack_47_another_instruction_of_the_router(world: VaultWorld, name: str) -> None:
    data = sha256(f"global:{name}".encode()).digest()[:8] + route()[8:]
    refused(world, world.trade_of(world.usdc, world.bonk, USDC, route_data=data), error="RouteNotAllowed")
    assert data[:8] not in (jupiter_v6.ROUTE_V2, jupiter_v6.SHARED_ACCOUNTS_ROUTE_V2)


@pytest.mark.parametrize("shared_id", [None, 3], ids=["route_v2", "shared route"])
def test_attack_48_a_route_for_another_amount(world: VaultWorld, shared_id: int | None) -> None:
    for amount in (0, USDC - 1, USDC + 1, 500 * USDC, 2**64 - 1):
        data = route(shared_id, in_amount=amount)
        refused(world, world.trade_of(world.usdc, world.bonk, USDC, route_data=data), error="RouteAmountMismatch", what=amount)


@pytest.mark.parametrize("shared_id", [None, 3], ids=["route_v2", "shared route"])
def test_attack_49_a_fee_for_the_attacker(world: VaultWorld, shared_id: int | None) -> None:
    """The vault pins slot 7 too, where the fee account of an older route stood."""
    fee_account = AccountMeta(world.hold(world.stranger.pubkey(), world.bonk, 0), False, True)
    steps = [*world.hop(world.usdc, world.bonk), fee_account]
    for field, at in (("platform_fee_bps", 26), ("positive_slippage_bps", 28)):
        for value in (1, 100, 256, 10_000, 65_535):
            data = route(shared_id, fee=(at, value.to_bytes(2, "little")))
            trade = world.trade_of(world.usdc, world.bonk, USDC, route_data=data, steps=steps)
            refused(world, trade, error="RouteDataMalformed", what=(field, value))


def test_attack_50_an_amount_of_nothing_or_of_more_than_there_is(world: VaultWorld) -> None:
    refused(world, world.trade_of(world.usdc, world.bonk, 0), error="InvalidAmount")
    refused(world, world.trade_of(world.bonk, world.usdc, 0), error="InvalidAmount")
    world.ok(world.buy(100 * USDC))
    held = world.balance(world.vault, world.bonk)
    for amount in (held + 1, 2**64 - 1):
        refused(world, world.sell(amount), error="InsufficientVaultBalance", what=amount)
    # Deposits that the owner took out in kind, so that the cap still lets the amount through.
    world.hold(world.vault, world.usdc, 10 * USDC)
    refused(world, world.buy(10 * USDC + 1), error="InsufficientVaultBalance")
    # Beyond what was ever deposited the budget answers first.
    refused(world, world.buy(500 * USDC + 1), error="TradeLimitExceeded")


def test_attack_51_a_minimum_of_nothing(world: VaultWorld) -> None:
    refused(world, world.trade_of(world.usdc, world.bonk, USDC, minimum=0), error="ZeroMinimumOut")
    world.ok(world.buy(USDC))
    refused(world, world.trade_of(world.bonk, world.usdc, 1_000, minimum=0), error="ZeroMinimumOut")
