"""Attacks 70 to 80: odd mints and token accounts, stops, clocks, forged events, the config, and running out of compute units."""

import struct
from base64 import b64encode

import pytest
from solders.account import Account
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.token.state import Mint, TokenAccount, TokenAccountState
from tests.program.attacks.harness import SYSTEM, attempted, refused
from tests.program.evil_world import (
    DESTINATION,
    FIRST_EXTRA,
    SOURCE,
    SYNC_NATIVE,
    TOKENS,
    WITHDRAW_EXCESS_LAMPORTS,
    WRITABLE,
    Call,
    EvilWorld,
    close,
    log,
    token_call,
    transfer,
    w,
)
from tests.program.good_calls import NAMES, good, ready_for
from tests.program.vault_world import DAY, NOW, RICH, USDC, VaultWorld, changed, key

from xorj.vault import accounts, instructions
from xorj.vault.accounts import PROGRAM_ID, TOKEN_2022_PROGRAM, TOKEN_PROGRAM, token_account_address
from xorj.vault.events import EVENT_TAG, TradeExecuted, decode_event, parse_logs, traded
from xorj.vault.interface import DEPOSIT_CEILING_RAW, EVENTS

KEEP = transfer(SOURCE, FIRST_EXTRA, USDC)
PAY = transfer(FIRST_EXTRA + 1, DESTINATION, 777)
WRAPPED_SOL = Pubkey.from_string("So11111111111111111111111111111111111111112")
RENT_LAMPORTS = 2_039_280
UNWRAP_LAMPORTS = b"\x2d"


@pytest.fixture
def world() -> VaultWorld:
    return VaultWorld().with_bot().with_market()


@pytest.fixture
def evil() -> EvilWorld:
    return EvilWorld()


# Type and length of what Token-2022 appends to a mint.
EXTENSIONS = {
    "none": None,
    "transfer fee": (1, 108),
    "close authority": (3, 32),
    "confidential transfers": (4, 65),
    "frozen by default": (6, 1),
    "not transferable": (9, 0),
    "interest": (10, 52),
    "permanent delegate": (12, 32),
    "transfer hook": (14, 64),
    "pausable": (26, 33),
}


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_attack_70_a_mint_of_token_2022(world: VaultWorld, extension: str) -> None:
    mint, given = key(f"mint with {extension}").pubkey(), EXTENSIONS[extension]
    data = bytes(Mint(world.admin.pubkey(), 10**18, 6, True, world.admin.pubkey()))
    if given:
        kind, length = given
        data = data + bytes(165 - len(data)) + b"\x01" + struct.pack("<HH", kind, length) + b"\x01" * length
    world.plant(mint, data, TOKEN_2022_PROGRAM)
    for holder in (world.vault, world.trade, world.owner.pubkey()):
        for program in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM):
            world.hold(holder, mint, USDC, token_program=program)
    for trade in (world.trade_of(world.usdc, mint, USDC), world.trade_of(mint, world.usdc, USDC)):
        refused(world, trade, error="UnsupportedTokenProgram", what="as classic")
        refused(world, changed(trade, "token_program", TOKEN_2022_PROGRAM), error="UnsupportedTokenProgram", what="as itself")
    refused(world, instructions.deposit(world.owner.pubkey(), mint, USDC), error="InvalidMint")


@pytest.mark.parametrize("side", ["vault's input", "vault's output", "trade's input", "trade's output"])
def test_attack_71_a_frozen_token_account(world: VaultWorld, side: str) -> None:
    holder = world.vault if side.startswith("vault") else world.trade
    mint = world.usdc if side.endswith("input") else world.bonk
    world.hold(holder, mint, world.balance(holder, mint), state=TokenAccountState.Frozen)
    refused(world, world.buy(USDC), error="Custom(17)")
    if side == "vault's input":
        refused(world, instructions.withdraw(world.owner.pubkey(), world.usdc, USDC), error="Custom(17)")


class WrappedWorld(EvilWorld):
    """BONK's part is played by wrapped SOL, whose accounts' lamports are the tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.sol = WRAPPED_SOL
        self.plant(self.sol, bytes(Mint(None, 0, 9, True, None)), TOKEN_PROGRAM)
        for holder in (self.vault, self.trade):
            self.wrap(holder, 0)
        self.pot = self.wrap(self.stranger.pubkey(), 10**9, delegate=self.trade)
        self.lure = self.wrap(self.stranger.pubkey(), 0, at=key("eve's other wrapped account").pubkey())

    def wrap(self, owner: Pubkey, amount: int, *, at: Pubkey | None = None, spare: int = 0, delegate: Pubkey | None = None) -> Pubkey:
        """Plants a native token account with `spare` lamports that are no tokens."""
        address = at or token_account_address(owner, self.sol)
        token = TokenAccount(
            self.sol, owner, amount, delegate, TokenAccountState.Initialized, RENT_LAMPORTS, amount if delegate else 0, None
        )
        self.plant(address, bytes(token), TOKEN_PROGRAM, lamports=RENT_LAMPORTS + amount + spare)
        return address

    def buying_sol(self, *calls: Call, minimum: int = 1) -> Instruction:
        extra = w(self.loot, self.pot, self.stranger.pubkey(), self.lure)
        return self.trade_of(self.usdc, self.sol, USDC, minimum=minimum, route_data=self.evil_data(*calls), steps=extra)


def test_attack_72_wrapped_sol_and_the_lamports_around_it() -> None:
    world = WrappedWorld()
    eve, lure = FIRST_EXTRA + 2, FIRST_EXTRA + 3
    world.wrap(world.trade, 0, spare=5_000)
    sync: Call = (TOKENS, [(DESTINATION, WRITABLE)], SYNC_NATIVE)
    cases = {
        "counts a stranger's lamports as its delivery": ((KEEP, sync), "VaultAccountTampered"),
        "closes the account with what it has delivered": ((KEEP, PAY, close(DESTINATION, eve)), "VaultAccountTampered"),
        "moves the delivery on before closing": (
            (KEEP, PAY, transfer(DESTINATION, lure, 777), close(DESTINATION, eve)),
            "VaultAccountTampered",
        ),
        "takes the delivery back": ((KEEP, PAY, transfer(DESTINATION, lure, 777)), "SlippageExceeded"),
        "unwraps the delivery to itself": ((KEEP, PAY, token_call(UNWRAP_LAMPORTS + b"\0", DESTINATION, eve)), "SlippageExceeded"),
    }
    for what, (calls, error) in cases.items():
        refused(world, world.buying_sol(*calls, minimum=777), error=error, what=what)
    # The token program itself takes no spare lamports out of a native account.
    spare = token_call(WITHDRAW_EXCESS_LAMPORTS, DESTINATION, eve)
    done, moved = attempted(world, world.buying_sol(KEEP, PAY, spare, minimum=777))
    assert (done.error, moved) == ("Custom(10)", [])
    done = world.ok(world.buying_sol(KEEP, PAY, minimum=777))
    held = world.svm.get_account(token_account_address(world.vault, world.sol))
    assert (traded(done.inner)[0].amount_out, held.lamports) == (777, RENT_LAMPORTS + 777)
    assert world.svm.get_account(token_account_address(world.trade, world.sol)).lamports == RENT_LAMPORTS + 5_000


def test_attack_73_a_deactivation_by_somebody_else_or_twice(world: VaultWorld) -> None:
    good = instructions.deactivate_vault(world.owner.pubkey())
    for who in (world.stranger.pubkey(), world.bot.pubkey(), world.admin.pubkey()):
        refused(world, changed(good, "owner", who), error="ConstraintHasOne", what=who)
    refused(world, changed(good, "owner", signer=False), error="AccountNotSigner")
    refused(world, good, good, error="VaultAlreadyInactive")
    world.ok(good)
    refused(world, good, error="VaultAlreadyInactive")


def test_attack_74_a_deactivation_and_a_trade_in_one_transaction(world: VaultWorld) -> None:
    end = instructions.deactivate_vault(world.owner.pubkey())
    refused(world, end, world.buy(USDC), error="VaultInactive")
    world.ok(world.buy(USDC), end)
    assert (world.read_vault().is_active, world.balance(world.vault, world.usdc)) == (False, 499 * USDC)
    refused(world, world.buy(USDC), error="VaultInactive")


@pytest.mark.parametrize("seconds", [-(2**63), -1, 0, NOW, 2**63 - 1])
def test_attack_75_a_clock_that_is_made_up(seconds: int) -> None:
    """No instruction takes a clock account, so a forged one has nowhere to stand; times come from the runtime's own clock, however odd."""
    world = VaultWorld().with_config()
    forged = Account(RICH, struct.pack("<QqQQq", 0, NOW + DAY, 0, 0, NOW + DAY), SYSTEM, False, 0)
    world.svm.set_account(key("forged clock").pubkey(), forged)
    clock = AccountMeta(key("forged clock").pubkey(), False, False)
    owner, bot = world.owner.pubkey(), world.bot.pubkey()

    def with_clock(good: Instruction) -> Instruction:
        return Instruction(good.program_id, good.data, [*good.accounts, clock])

    world.at(world.slot, seconds)
    world.ok(with_clock(instructions.initialize_vault(owner)))
    assert world.read_vault().created_at == seconds
    done = world.ok(with_clock(instructions.grant_bot_authority(owner, bot)))
    assert [event.timestamp for event in parse_logs(done.logs)] == [seconds]
    if seconds == 2**63 - 1:
        # The bot's time is over at the end of time, as it is counted.
        world.later(seconds=0)
        assert world.read_policy().stored.bot_expires_at == seconds


def event_bytes(world: VaultWorld) -> bytes:
    """A trade that never was, to the byte as the program would tell it."""
    structure = next(each for each in EVENTS if each.name == "TradeExecuted")
    fields = (bytes(world.vault), bytes(world.bot.pubkey()), bytes(world.usdc), bytes(world.bonk))
    return (structure.discriminator or b"") + b"".join(fields) + struct.pack("<QQQq", 1, 10**9, 1, NOW)


def policy_event_bytes(world: VaultWorld) -> bytes:
    """The shortest event there is."""
    structure = next(each for each in EVENTS if each.name == "PolicyChanged")
    return (structure.discriminator or b"") + bytes(world.vault) + struct.pack("<q", NOW)


def test_attack_76_the_routers_copy_of_our_event(evil: EvilWorld) -> None:
    data = event_bytes(evil)
    assert isinstance(decode_event(data), TradeExecuted)
    done = evil.attack(log(data), KEEP, PAY, log(data), extra=w(evil.loot, evil.pot))
    assert done.error is None
    line = f"Program data: {b64encode(data).decode()}"
    assert done.logs.count(line) == 2, "it stands in the log, letter by letter"
    (event,) = parse_logs(done.logs)
    assert isinstance(event, TradeExecuted)
    assert (event.amount_in, event.amount_out, traded(done.inner)) == (USDC, 777, [event])


def test_attack_77_a_log_so_full_that_ours_is_cut_off(evil: EvilWorld) -> None:
    """Wherever the log is cut, also so that a line of the router's own end is lost, nothing of its making is read as ours."""
    forged = [log(event_bytes(evil)), log(policy_event_bytes(evil))]
    calls = [*forged, KEEP, PAY, *forged, log(bytes(200), times=20)]
    found = set()
    for limit in (*range(50, 4_000, 61), 10_000, None):
        evil.svm.with_log_bytes_limit(limit)
        done = evil.attack(*calls, extra=w(evil.loot, evil.pot))
        assert done.error is None
        (event,) = traded(done.inner)
        assert (event.amount_in, event.amount_out) == (USDC, 777), "by self-CPI it is always there"
        read = parse_logs(done.logs)
        assert read in ([], [event]), limit
        found.add(("Log truncated" in done.logs, len(read)))
        evil.later()
    assert found == {(True, 0), (False, 1)}


def test_attack_78_the_events_door_from_outside(evil: EvilWorld) -> None:
    """Signed by somebody else it is the address that is wrong; the event authority itself can sign nothing but our own call."""
    authority = accounts.event_authority_address()
    for data in (EVENT_TAG, EVENT_TAG + bytes(168)):
        refused(evil, Instruction(PROGRAM_ID, data, [AccountMeta(authority, False, False)]), error="AccountNotSigner")
        refused(evil, Instruction(PROGRAM_ID, data, [AccountMeta(evil.bot.pubkey(), True, False)]), error="ConstraintSeeds")
        refused(evil, Instruction(PROGRAM_ID, data, []), error="AccountNotEnoughKeys")
        back: Call = (FIRST_EXTRA, [(FIRST_EXTRA + 1, 0)], data)
        extra = [AccountMeta(each, False, False) for each in (PROGRAM_ID, authority)]
        refused(evil, evil.attacking(back, extra=extra), error="ReentrancyNotAllowed")


def test_attack_79_a_config_above_the_ceiling_or_by_somebody_else(world: VaultWorld) -> None:
    admin, guardian = world.admin.pubkey(), world.guardian.pubkey()
    for cap in (DEPOSIT_CEILING_RAW + 1, 2**64 - 1):
        refused(world, instructions.update_config(admin, vault_cap=cap), error="DepositCapExceeded", what=cap)
    for who in (world.stranger.pubkey(), world.owner.pubkey(), world.bot.pubkey()):
        for changes in ({"paused": True}, {"vault_cap": 1}, {"pending_admin": who}, {"routers": 1}):
            forged = instructions.update_config(who, **changes)  # type: ignore[arg-type]  # a table of arguments
            refused(world, forged, error="ConstraintHasOne", what=(who, changes))
        refused(world, instructions.accept_admin(who), error="ConstraintHasOne")
    for changes in ({"paused": False}, {"vault_cap": 1}, {"pending_admin": guardian}, {"routers": 0}, {"guardian": guardian}):
        by_guardian = instructions.update_config(guardian, **changes)  # type: ignore[arg-type]  # a table of arguments
        refused(world, by_guardian, error="Unauthorized", what=changes)
    refused(world, changed(instructions.update_config(admin, paused=True), "authority", signer=False), error="AccountNotSigner")


EVERY_STEP_UNITS = 500


@pytest.mark.parametrize("name", NAMES)
def test_attack_80_running_out_of_compute_units_anywhere(name: str) -> None:
    """Nothing is left of a call that ran out, at any step of the budget, inside the program or in one that it calls."""
    world = ready_for(name)
    call = good(world, name)
    limit = EVERY_STEP_UNITS
    while True:
        done, moved = attempted(world, set_compute_unit_limit(limit), call)
        if done.error is None:
            break
        # The runtime has two words for it: between two instructions of the program, and in something that the program asked for.
        is_out = done.error == "ComputationalBudgetExceeded" or any("exceeded CUs meter" in line for line in done.logs)
        assert (is_out, moved) == (True, []), (limit, done.logs)
        limit += EVERY_STEP_UNITS
    assert moved
    assert limit - EVERY_STEP_UNITS < done.compute_units <= limit
