"""The guard at its edges: nonces around the window, deadlines, and clocks that run back or stand on the edge of an hour."""

import pytest
from tests.program.attacks.harness import refused
from tests.program.vault_world import DAY, HOUR, NOW, USDC, VaultWorld

from xorj.vault import accounts, instructions
from xorj.vault.instructions import Guard

U64_MAX = 2**64 - 1
BASE = 256


@pytest.fixture
def world() -> VaultWorld:
    return VaultWorld().with_bot().with_market(10**15, 10**15)


def guard(world: VaultWorld, nonce: int, deadline_slot: int | None = None) -> Guard:
    return Guard(nonce, world.read_policy().bot_epoch, world.slot + 100 if deadline_slot is None else deadline_slot)


def burn(world: VaultWorld, nonce: int) -> None:
    world.ok(instructions.burn_nonce(world.owner.pubkey(), world.owner.pubkey(), guard(world, nonce)))


def with_base(world: VaultWorld, base: int) -> None:
    """A policy whose window stands where no test could bring it by calls alone."""
    account = world.svm.get_account(world.policy)
    at = accounts.POLICY_OFFSETS["nonce_base"]
    data = bytes(account.data)
    world.plant(world.policy, data[:at] + base.to_bytes(8, "little") + data[at + 8 :], lamports=account.lamports)


AROUND = [
    # nonce, error, base afterwards
    (BASE - 1, "NonceTooOld", BASE),
    (BASE, None, BASE),
    (BASE + 255, "NonceUsed", BASE),
    (BASE + 256, None, BASE + 1),
    (BASE + 511, None, BASE + 256),
    (BASE + 512, "NonceTooFar", BASE),
    (2**63, "NonceTooFar", BASE),
    (U64_MAX, "NonceTooFar", BASE),
    (0, "NonceTooOld", BASE),
]


@pytest.mark.parametrize(("nonce", "error", "base"), AROUND)
@pytest.mark.parametrize("by", ["trade", "burn"])
def test_nonces_around_the_window(world: VaultWorld, nonce: int, error: str | None, base: int, by: str) -> None:
    """The window stands at 256 with its last nonce used."""
    burn(world, 511)
    assert world.read_policy().nonce_base == BASE
    given = guard(world, nonce)
    call = (
        world.trade_of(world.usdc, world.bonk, USDC, guard=given)
        if by == "trade"
        else instructions.burn_nonce(world.bot.pubkey(), world.owner.pubkey(), given)
    )
    if error is None:
        world.ok(call)
        used = "NonceTooOld" if nonce < base else "NonceUsed"
        refused(world, call, error=used, what="once is enough")
    else:
        refused(world, call, error=error)
    assert world.read_policy().nonce_base == base


def test_the_far_end_of_the_numbers_does_not_wrap(world: VaultWorld) -> None:
    for base, nonce in ((U64_MAX - 255, U64_MAX), (U64_MAX - 300, U64_MAX), (U64_MAX - 511, U64_MAX), (2**63 - 1, 2**63)):
        with_base(world, base)
        trade = world.trade_of(world.usdc, world.bonk, USDC, guard=guard(world, nonce))
        world.ok(trade)
        refused(world, trade, error="NonceUsed")
        assert world.read_policy().nonce_base == max(base, nonce - 255)
        for low in (0, base - 1):
            refused(world, world.trade_of(world.usdc, world.bonk, USDC, guard=guard(world, low)), error="NonceTooOld")
        account = bytearray(bytes(world.svm.get_account(world.policy).data))
        at = accounts.POLICY_OFFSETS["nonce_bitmap"]
        account[at : at + 32] = bytes(32)
        world.plant(world.policy, bytes(account))


@pytest.mark.parametrize(
    ("ahead", "error"),
    [(0, None), (1, None), (512, None), (-1, "DeadlinePassed"), (513, "DeadlinePassed")],
    ids=["equal", "one ahead", "512 ahead", "one past", "513 ahead"],
)
def test_deadlines(world: VaultWorld, ahead: int, error: str | None) -> None:
    given = guard(world, 1, world.slot + ahead)
    trade = world.trade_of(world.usdc, world.bonk, USDC, guard=given)
    burning = instructions.burn_nonce(world.bot.pubkey(), world.owner.pubkey(), given)
    if error:
        refused(world, trade, error=error)
        refused(world, burning, error=error)
    else:
        world.ok(trade)


def test_deadlines_at_the_ends_of_the_numbers(world: VaultWorld) -> None:
    for deadline in (0, U64_MAX, 2**63, world.slot + 512 + 2**32):
        refused(world, world.trade_of(world.usdc, world.bonk, USDC, guard=guard(world, 1, deadline)), error="DeadlinePassed", what=deadline)


def test_a_deadline_passes_while_the_trade_waits(world: VaultWorld) -> None:
    trade = world.trade_of(world.usdc, world.bonk, USDC, guard=guard(world, 1, world.slot + 3))
    world.later(slots=4)
    refused(world, trade, error="DeadlinePassed")


# The clock


def spending(cap: int = 100 * USDC) -> VaultWorld:
    """A vault that may spend `cap` a day, at the first second of an hour."""
    world = VaultWorld().with_bot(spend_per_day=cap).with_market(10**15, 10**15)
    world.at(world.slot, NOW - NOW % HOUR + HOUR)
    return world


@pytest.mark.parametrize("back", [1, HOUR, 24 * HOUR, 25 * HOUR, 30 * DAY, NOW + HOUR, NOW + 2 * HOUR])
def test_a_clock_that_runs_back_gives_no_room(back: int) -> None:
    world = spending()
    world.ok(world.buy(60 * USDC))
    newest = world.read_policy().window_hour
    world.later(seconds=-back)
    refused(world, world.buy(40 * USDC + 1), error="SpendLimitExceeded")
    world.ok(world.buy(40 * USDC))
    policy = world.read_policy()
    assert (policy.window_hour, policy.spent_in_day(world.now)) == (newest, 100 * USDC)
    # And forwards again to where it was: both still count.
    world.later(seconds=back + 24 * HOUR)
    refused(world, world.buy(1), error="SpendLimitExceeded")
    world.later(seconds=HOUR)
    world.ok(world.buy(100 * USDC))


@pytest.mark.parametrize(
    ("first", "second", "error"),
    [
        (0, 24 * HOUR, "SpendLimitExceeded"),
        (0, 25 * HOUR - 1, "SpendLimitExceeded"),
        (0, 25 * HOUR, None),
        (HOUR - 1, 25 * HOUR - 1, "SpendLimitExceeded"),
        (HOUR - 1, 25 * HOUR, None),
        (HOUR, 25 * HOUR, "SpendLimitExceeded"),
        (0, 1_000 * DAY, "BotExpired"),
    ],
)
def test_the_day_at_and_over_the_edges_of_hours(first: int, second: int, error: str | None) -> None:
    """A buy counts for at least 24 and less than 25 hours, whichever second of its hour it falls in."""
    world = spending()
    start = world.now
    world.at(world.slot, start + first)
    world.ok(world.buy(100 * USDC))
    world.at(world.slot + 1, start + second)
    if error:
        refused(world, world.buy(1_000), error=error)
    else:
        world.ok(world.buy(100 * USDC))


def test_a_thief_who_waits_for_the_edge_of_an_hour_gains_nothing() -> None:
    world = spending()
    start = world.now
    world.at(world.slot, start + HOUR - 1)
    world.ok(world.buy(50 * USDC))
    world.later(seconds=1)
    world.ok(world.buy(50 * USDC))
    spent = []
    for hour in range(1, 52):
        world.at(world.slot + 1, start + HOUR * hour + HOUR - 1)
        before = world.balance(world.vault, world.usdc)
        while world.send(world.buy(10 * USDC)).error is None:
            pass
        spent.append(before - world.balance(world.vault, world.usdc))
    assert all(sum(spent[at : at + 24]) <= 100 * USDC for at in range(len(spent))), spent


def test_an_expired_bot_is_not_revived_by_a_clock_that_steps_back_across_its_end(world: VaultWorld) -> None:
    """Block time may wobble by seconds; the stored end is what counts, and it is exclusive."""
    ends = world.read_policy().stored.bot_expires_at
    world.at(world.slot + 1, ends)
    refused(world, world.buy(USDC), error="BotExpired")
    world.at(world.slot + 1, ends - 1)
    world.ok(world.buy(USDC))
