"""set_policy: before the first grant everything acts at once; after it tightening acts at once and loosening waits for the delay."""

import pytest
from solders.pubkey import Pubkey
from tests.program.vault_world import DAY, HOUR, NOW, USDC, VaultWorld, key

from xorj.vault import accounts, instructions
from xorj.vault.events import PolicyChanged, parse_logs
from xorj.vault.interface import POSITION_SLOTS

WIDE = {
    "spend_per_trade": 900 * USDC,
    "spend_per_day": 950 * USDC,
    "loss_per_day": 960 * USDC,
    "spend_per_trade_bps": 9_000,
    "spend_per_day_bps": 9_500,
    "loss_per_day_bps": 9_600,
    "bot_expires_at": NOW + 365 * DAY,
    "mint_mode": accounts.ANY_MINT,
}
NARROW = {
    "spend_per_trade": 1 * USDC,
    "spend_per_day": 2 * USDC,
    "loss_per_day": 3 * USDC,
    "spend_per_trade_bps": 1,
    "spend_per_day_bps": 2,
    "loss_per_day_bps": 3,
    "bot_expires_at": NOW + 60,
    "mint_mode": accounts.ALLOWLIST,
}


@pytest.fixture
def fresh() -> VaultWorld:
    return VaultWorld().with_vault()


@pytest.fixture
def granted() -> VaultWorld:
    world = VaultWorld().with_vault()
    world.ok(instructions.grant_bot_authority(world.owner.pubkey(), world.bot.pubkey()))
    world.later()
    return world


def set_policy(world: VaultWorld, **changes: object) -> str | None:
    return world.send(instructions.set_policy(world.owner.pubkey(), **changes)).error  # type: ignore[arg-type]  # a table of arguments


def test_before_the_first_grant_all_acts_at_once_and_is_told(fresh: VaultWorld) -> None:
    done = fresh.ok(instructions.set_policy(fresh.owner.pubkey(), **WIDE, pin=[fresh.bonk]))
    policy = fresh.read_policy()
    assert policy.stored == accounts.Limits(**WIDE)
    assert policy.pending == {}
    assert policy.slot_of(fresh.bonk).is_pinned(NOW)
    assert parse_logs(done.logs) == [PolicyChanged(fresh.vault, NOW)]


@pytest.mark.parametrize("name", WIDE)
def test_a_loosening_waits_for_the_delay(granted: VaultWorld, name: str) -> None:
    before = getattr(granted.read_policy().stored, name)
    assert set_policy(granted, **{name: WIDE[name]}) is None
    policy = granted.read_policy()
    due = granted.now + DAY
    assert getattr(policy.stored, name) == before
    assert policy.pending == {name: accounts.Pending(due, WIDE[name])}
    assert (getattr(policy.limits(due - 1), name), getattr(policy.limits(due), name)) == (before, WIDE[name])


@pytest.mark.parametrize("name", NARROW)
def test_a_tightening_acts_at_once_and_ends_a_loosening_on_its_way(granted: VaultWorld, name: str) -> None:
    assert set_policy(granted, **{name: WIDE[name]}) is None
    assert set_policy(granted, **{name: NARROW[name]}) is None
    policy = granted.read_policy()
    assert getattr(policy.stored, name) == NARROW[name]
    assert policy.pending == {}


def test_a_loosening_that_is_due_is_stored_by_whatever_comes_next(granted: VaultWorld) -> None:
    set_policy(granted, spend_per_day=WIDE["spend_per_day"])
    granted.later(seconds=DAY)
    assert set_policy(granted, loss_per_day=1) is None
    policy = granted.read_policy()
    assert (policy.stored.spend_per_day, policy.stored.loss_per_day, policy.pending) == (WIDE["spend_per_day"], 1, {})


def test_asking_again_starts_the_clock_again(granted: VaultWorld) -> None:
    set_policy(granted, spend_per_day=900 * USDC)
    granted.later(seconds=DAY - 1)
    set_policy(granted, spend_per_day=901 * USDC)
    assert granted.read_policy().pending["spend_per_day"] == accounts.Pending(granted.now + DAY, 901 * USDC)


def test_what_is_not_given_stays(fresh: VaultWorld) -> None:
    before = fresh.read_policy()
    assert set_policy(fresh) is None
    assert fresh.read_policy() == before


def test_revoking_and_granting_anew_is_no_way_around_the_delay(granted: VaultWorld) -> None:
    granted.ok(instructions.revoke_bot_authority(granted.owner.pubkey()))
    assert set_policy(granted, spend_per_day=900 * USDC) is None
    assert granted.read_policy().stored.spend_per_day == 500 * USDC
    assert "spend_per_day" in granted.read_policy().pending


def test_an_expiry_longer_than_the_usual_waits_also_between_two_bots(granted: VaultWorld) -> None:
    granted.ok(instructions.revoke_bot_authority(granted.owner.pubkey()))
    assert set_policy(granted, bot_expires_at=granted.now + 365 * DAY) is None
    assert granted.read_policy().stored.bot_expires_at == 0
    assert set_policy(granted, bot_expires_at=granted.now + DAY) is None
    assert granted.read_policy().stored.bot_expires_at == granted.now + DAY


def test_an_expiry_that_was_set_is_put_off_like_any_other_limit(granted: VaultWorld) -> None:
    """Also to a time that is nearer than the usual one."""
    soon, later = granted.now + HOUR, granted.now + DAY
    assert set_policy(granted, bot_expires_at=soon) is None
    assert set_policy(granted, bot_expires_at=later) is None
    policy = granted.read_policy()
    assert (policy.stored.bot_expires_at, policy.pending) == (soon, {"bot_expires_at": accounts.Pending(granted.now + DAY, later)})


def test_a_pinned_mint_can_be_bought_after_the_delay_and_unpinned_at_once(granted: VaultWorld) -> None:
    assert set_policy(granted, pin=[granted.bonk]) is None
    policy = granted.read_policy()
    assert (policy.may_buy(granted.bonk, granted.now), policy.may_buy(granted.bonk, granted.now + DAY)) == (False, True)
    granted.later(seconds=DAY)
    assert set_policy(granted, unpin=[granted.bonk]) is None
    assert granted.read_policy().slot_of(granted.bonk) is None


def test_a_mint_that_any_mint_mode_admits_goes_on_the_list_at_once(granted: VaultWorld) -> None:
    granted.ok(instructions.set_policy(granted.owner.pubkey(), mint_mode=accounts.ANY_MINT))
    granted.later(seconds=DAY)
    assert set_policy(granted, pin=[granted.bonk]) is None
    assert granted.read_policy().slot_of(granted.bonk).is_pinned(granted.now)
    assert set_policy(granted, mint_mode=accounts.ALLOWLIST) is None
    assert granted.read_policy().may_buy(granted.bonk, granted.now)


def test_a_loosening_to_any_mint_on_its_way_lists_nothing_at_once(granted: VaultWorld) -> None:
    assert set_policy(granted, mint_mode=accounts.ANY_MINT, pin=[granted.bonk]) is None
    policy = granted.read_policy()
    assert (policy.may_buy(granted.bonk, granted.now), policy.may_buy(granted.bonk, granted.now + DAY)) == (False, True)


def test_mints_that_begin_alike_are_told_apart(fresh: VaultWorld) -> None:
    one = bytes(key("alike").pubkey())
    alike = [Pubkey(one[:-1] + bytes([last])) for last in range(POSITION_SLOTS + 1)]
    assert set_policy(fresh, pin=alike[:POSITION_SLOTS]) is None
    assert set_policy(fresh, unpin=[alike[-1], alike[7]]) is None
    listed = [fresh.read_policy().may_buy(mint, fresh.now) for mint in alike]
    assert listed == [place not in (7, POSITION_SLOTS) for place in range(POSITION_SLOTS + 1)]
    like_the_base = Pubkey(bytes(fresh.usdc)[:-1] + b"\x00")
    like_none = Pubkey(bytes(31) + b"\x01")
    assert set_policy(fresh, pin=[like_the_base], unpin=[alike[0]]) is None
    assert set_policy(fresh, pin=[like_none]) is None
    assert set_policy(fresh, pin=[fresh.bonk]) == "NoFreeSlot"


def test_the_list_has_room_for_sixteen(fresh: VaultWorld) -> None:
    mints = [key(f"mint {n}").pubkey() for n in range(POSITION_SLOTS + 1)]
    assert set_policy(fresh, pin=mints[:POSITION_SLOTS]) is None
    assert set_policy(fresh, pin=mints[POSITION_SLOTS:]) == "NoFreeSlot"
    assert set_policy(fresh, pin=mints[POSITION_SLOTS:], unpin=mints[:1]) is None


def test_each_of_sixteen_is_found_where_it_stands(fresh: VaultWorld) -> None:
    mints = [key(f"mint {n}").pubkey() for n in range(POSITION_SLOTS)]
    assert set_policy(fresh, pin=mints) is None
    for place in range(POSITION_SLOTS):
        assert set_policy(fresh, unpin=[mints[place]]) is None
        policy = fresh.read_policy()
        assert [policy.slot_of(mint) is not None for mint in mints] == [other > place for other in range(POSITION_SLOTS)]


@pytest.mark.parametrize(
    "changes",
    [
        {"spend_per_trade_bps": 10_001},
        {"spend_per_day_bps": 10_001},
        {"loss_per_day_bps": 65_535},
        {"bot_expires_at": 0},
        {"bot_expires_at": -1},
        {"mint_mode": 2},
        {"pin": [key("usdc").pubkey()]},
        {"pin": [accounts.NO_KEY]},
        {"pin": [key("bonk").pubkey()], "unpin": [key("bonk").pubkey()]},
        {"pin": [key(f"mint {n}").pubkey() for n in range(17)]},
    ],
    ids=str,
)
def test_values_that_no_policy_may_hold(fresh: VaultWorld, changes: dict[str, object]) -> None:
    before = fresh.read_policy()
    assert set_policy(fresh, **changes) == "PolicyValueInvalid"
    assert fresh.read_policy() == before
