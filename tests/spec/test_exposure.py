"""What all followers together may have at stake with a leader, when he is paused and when that ends, as a risk officer would check it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.situations import ANA, BONK, VAULT, M, follow
from tests.fakes.spec_table import table

from xorj.copying.cause import Cause, CauseKind
from xorj.copying.decision import Copied, Decision, Leg, Refused, Resized, Side
from xorj.copying.exposure import LEADER_CAP, OWNER_CAP, PAUSED, Bounds, held_back
from xorj.copying.follow import Caps
from xorj.copying.ports import PlannedCopy
from xorj.copying.standing import Expectation, LeaderStanding, LiveDay, Pause, SaleIntoCopies, may_resume, unexpected_loss
from xorj.primitives.amounts import TokenAmount
from xorj.primitives.ids import USDC, Address, Mint, Slot, Wallet

BOUNDS = Bounds(share_bps=500, floor_raw=500 * M, ramp_days=30)
EVE = Wallet("eve")


def copy(usd: int, number: int = 0, *, sells: int = 0, least: int = 1) -> PlannedCopy:
    """One follower's decision to buy for so many USDC, after selling so many units."""
    legs = [Leg(0, Side.SELL, TokenAmount(BONK, sells, 5), USDC)] if sells else []
    if usd:
        legs.append(Leg(len(legs), Side.BUY, TokenAmount(USDC, usd * M, 6), Mint("wif")))
    who = follow(id=f"follow {number}", vault=Address(f"{VAULT} {number}"), caps=Caps(trade_min_raw=least * M))
    return PlannedCopy(who, Copied(tuple(legs), "share of equity", {"equity_raw": "1"}), Cause(CauseKind.LEADER_TRADE, "trade"), Slot(5))


def bought(decisions: list[PlannedCopy]) -> list[int]:
    """Whole USDC by follower."""
    return [sum(leg.input.raw for leg in each.decision.legs if leg.side is Side.BUY) // M for each in decisions]


CAPS = table("""
    what                                          | deposits | live days | leader | owner | wanted   | bought   | rule
    within the floor                              | 1000     | 0         | 0      | 0     | 300 200  | 300 200  |
    the floor is shared out                       | 1000     | 0         | 0      | 0     | 600 400  | 300 200  | one leader
    what is held already counts                   | 1000     | 0         | 400    | 400   | 300 100  | 75 25    | one leader
    nothing is left                               | 1000     | 0         | 500    | 500   | 10       | 0        | one leader
    a twentieth of all deposits                   | 100000   | 29        | 0      | 0     | 6000     | 5000     | one leader
    of which a new leader has a thirtieth         | 1000000  | 0         | 0      | 0     | 6000     | 1666     | one leader
    and after two weeks a half                    | 1000000  | 14        | 0      | 0     | 30000    | 25000    | one leader
    his other wallets count with him              | 100000   | 99        | 1000   | 4500  | 600 400  | 300 200  | one owner
    over the cap: a share has fallen, none bought | 1000     | 99        | 700    | 700   | 100      | 0        | one leader
""")


@pytest.mark.parametrize("case", CAPS, ids=lambda case: case["what"])
def test_all_followers_together_stay_below_the_cap(case: dict[str, str]) -> None:
    standing = LeaderStanding(
        ANA, int(case["leader"]) * M, int(case["owner"]) * M, int(case["deposits"]) * M, int(case["live days"]), others=(EVE,)
    )
    made = held_back([copy(int(usd), number) for number, usd in enumerate(case["wanted"].split())], standing, BOUNDS)
    assert bought(made) == [int(usd) for usd in case["bought"].split()]
    rules = {each.decision.rule for each in made}
    assert rules == {f"cap of all followers on {case['rule']}" if case["rule"] else "share of equity"}


def test_the_reason_names_the_rule_and_the_numbers_it_was_reckoned_from() -> None:
    (made,) = held_back([copy(600)], LeaderStanding(ANA, 100 * M, 100 * M, 1_000 * M, 3), BOUNDS)
    assert isinstance(made.decision, Resized)
    assert made.decision.numbers == {
        "equity_raw": "1",
        "deposits_raw": "1000000000",
        "share_bps": 500,
        "floor_raw": "500000000",
        "live_days": 3,
        "ramp_days": 30,
        "cap_raw": "500000000",
        "at_stake_raw": "100000000",
        "all_wanted_raw": "600000000",
        "room_raw": "400000000",
    }


def test_whoever_would_get_less_than_his_smallest_trade_gets_none() -> None:
    made = held_back([copy(990, 0), copy(10, 1, least=6)], LeaderStanding(ANA, deposits_raw=1_000 * M), BOUNDS)
    assert bought(made) == [495, 0]
    assert isinstance(made[1].decision, Refused)


def test_exits_are_never_held_back() -> None:
    full = LeaderStanding(ANA, 500 * M, 500 * M, 1_000 * M, pause=Pause(ANA, "because", {"days": 1}, Slot(1), 1))
    only_exit, both = copy(0, 0, sells=7), copy(100, 1, sells=7)
    made = held_back([only_exit, both], full, BOUNDS)
    assert made[0] == only_exit
    assert [leg.side for leg in made[1].decision.legs] == [Side.SELL]
    assert (made[1].decision.rule, made[1].decision.numbers["because"]) == (PAUSED, "because")
    assert isinstance(held_back([copy(100)], full, BOUNDS)[0].decision, Refused)


@given(
    st.lists(st.integers(0, 10**13), min_size=1, max_size=30),
    st.integers(0, 10**13),
    st.integers(0, 10**13),
    st.integers(0, 10**15),
    st.integers(0, 400),
)
def test_whatever_is_wanted_what_is_at_stake_never_passes_the_cap(
    wanted: list[int], held: int, more: int, deposits: int, days: int
) -> None:
    standing = LeaderStanding(ANA, held, held + more, deposits, days, (EVE,))
    copies = [PlannedCopy(follow(caps=Caps(trade_min_raw=1)), _buy(raw), Cause(CauseKind.LEADER_TRADE, "trade"), Slot(5)) for raw in wanted]
    made = held_back(copies, standing, BOUNDS)
    raws = [sum(leg.input.raw for leg in each.decision.legs) for each in made]
    assert all(raw <= asked for raw, asked in zip(raws, wanted, strict=True))
    if sum(raws):
        whole = sum(raws) == sum(wanted)
        assert held + sum(raws) <= BOUNDS.of_leader(standing)
        assert held + more + sum(raws) <= BOUNDS.of_owner(standing)
        assert whole or {each.decision.rule for each in made if each.decision.legs} <= {LEADER_CAP, OWNER_CAP, "share of equity"}


def _buy(raw: int) -> Decision:
    legs = (Leg(0, Side.BUY, TokenAmount(USDC, raw, 6), BONK),) if raw else ()
    return Copied(legs, "share of equity")


# sigma 2 % a day, no skill promised and none doubted: one day in a hundred loses more than 2 % * 2.326 = 4.65 %
PLAIN = Expectation(score=60.0, theta=0.0, theta_deviation=0.0, daily_deviation=0.02, as_of_day=100)
WINDOWS = table("""
    what                                              | results by day          | paused over
    within what one day may lose                      | 0 -46                   |
    beyond it                                         | 0 -47                   | 1
    a first day is judged alone                       | -47                     | 1
    slowly, over five days: 2 % * 2.326 * sqrt 5 = 104 | 0 -30 -60 -90 -100 -104 |
    and beyond                                        | 0 -25 -50 -75 -100 -105 | 5
    what was won before does not pay for it           | 500 500 500 500 500 500 453 | 1
""")


@pytest.mark.parametrize("case", WINDOWS, ids=lambda case: case["what"])
def test_a_leader_is_paused_where_live_copies_leave_what_his_score_allows_for(case: dict[str, str]) -> None:
    """1,000 USDC are allotted to him, results are in USDC since the first copy."""
    days = [LiveDay(100 + at, int(result) * M, 1_000 * M) for at, result in enumerate(case["results by day"].split())]
    found = unexpected_loss(days, PLAIN)
    assert ("" if found is None else str(found["days"])) == case["paused over"]


@pytest.mark.parametrize(("loss", "paused_over"), [(-47, None), (-202, None), (-203, 19)])
def test_a_loss_over_days_without_a_look_is_held_against_all_of_them(loss: int, paused_over: int | None) -> None:
    """2 % * 2.326 * sqrt 19 = 20.28 % of the 1,000 USDC that are allotted to him."""
    days = [LiveDay(100, 0, 1_000 * M), LiveDay(119, loss * M, 1_000 * M)]
    found = unexpected_loss(days, PLAIN)
    assert (None if found is None else found["days"]) == paused_over


def test_a_doubtful_score_allows_for_more_and_a_great_one_for_less() -> None:
    doubtful = Expectation(60.0, 0.0, 0.5, 0.02, 100)
    great = Expectation(90.0, 0.5, 0.0, 0.02, 100)
    for days in (1, 5, 20):
        assert doubtful.one_percent(days) < PLAIN.one_percent(days) < great.one_percent(days)
    assert PLAIN.one_percent(4) == pytest.approx(-0.02 * 2 * 2.3263478740408408)


def test_nobody_is_judged_by_copies_that_nothing_was_allotted_to() -> None:
    assert unexpected_loss([], PLAIN) is None
    assert unexpected_loss([LiveDay(100, -50 * M, 0)], PLAIN) is None


RESUMES = table("""
    what                                  | today | scored on | score | resumes
    too soon                              | 206   | 205       | 90    | no
    a week later, scored since            | 207   | 206       | 50    | yes
    but not well enough                   | 207   | 206       | 49.9  | no
    the score does not know of it yet     | 207   | 200       | 90    | no
    no score at all                       | 300   |           |       | no
""")


@pytest.mark.parametrize("case", RESUMES, ids=lambda case: case["what"])
def test_a_pause_ends_by_rule_alone(case: dict[str, str]) -> None:
    expected = Expectation(float(case["score"]), 0.1, 0.1, 0.02, int(case["scored on"])) if case["score"] else None
    pause = Pause(ANA, "because", {}, Slot(1), day=200)
    assert may_resume(pause, int(case["today"]), expected, 50.0) == (case["resumes"] == "yes")


@pytest.mark.parametrize(
    ("paid", "sold", "copies_paid", "is_one"),
    [
        ("1.00", "1.10", "1.20", True),
        ("1.00", "1.30", "1.20", False),
        ("1.00", "0.90", "1.20", False),
        ("1.00", "1.20", "1.20", False),
    ],
)
def test_he_sold_into_copies_where_he_gained_by_what_they_lost(paid: str, sold: str, copies_paid: str, is_one: bool) -> None:
    sale = SaleIntoCopies(ANA, "trade", BONK, Slot(1), Decimal(paid), Decimal(sold), Decimal(copies_paid))
    assert sale.is_one is is_one
