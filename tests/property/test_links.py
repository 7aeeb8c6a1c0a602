"""Links against slow, obvious references, and what must hold of them whatever people do."""

from collections import deque

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey
from tests.fakes import made_swaps
from tests.fakes.made_swaps import FIRST_DAY_S, signature

from xorj.primitives.clock import DAY_S
from xorj.primitives.ids import USDC, Address, Mint, Slot
from xorj.swaps.movement import Movement, MovementKind
from xorj.swaps.record import WalletMovement
from xorj.swaps.swap import OrderKey, Swap
from xorj.swaps.valuation import value_swaps
from xorj.trust import meetings as met
from xorj.trust.copy_replay import Prices
from xorj.trust.copy_verdict import CopyScore
from xorj.trust.links import links_of
from xorj.trust.money_graph import (
    HUB_PARTNERS_MAX,
    PAYMENT_USD_MIN,
    SWEEP_SHARE_MIN,
    SWEEP_TAKER_SHARE_MIN,
    TAKER_SHARE_MIN,
    binding,
    flows_of,
    hubs,
    joined_within,
)
from xorj.trust.payment import Payment
from xorj.trust.score_copies import score_copies

NODES = 14
EDGES = st.lists(st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1)), max_size=22)
MARKED = st.lists(st.booleans(), min_size=NODES, max_size=NODES)


def slow_groups(edges: list[tuple[int, int]], marked: list[bool], hops_max: int) -> set[frozenset[int]]:
    """Every pair's distance by breadth-first search; then whoever is near enough, and whoever is near to those."""
    near = {node: {b if a == node else a for a, b in edges if node in (a, b)} - {node} for node in range(NODES)}

    def distances(start: int) -> dict[int, int]:
        found, left = {start: 0}, deque([start])
        while left:
            node = left.popleft()
            for other in near[node] - found.keys():
                found[other] = found[node] + 1
                left.append(other)
        return found

    sources = [node for node in range(NODES) if marked[node]]
    groups = {node: {node} for node in sources}
    for one in sources:
        for other, distance in distances(one).items():
            if marked[other] and distance <= hops_max:
                whole = groups[one] | groups[other]
                for member in whole:
                    groups[member] = whole
    return {frozenset(group) for group in groups.values()}


@given(EDGES, MARKED, st.integers(1, 8))
@settings(max_examples=300, deadline=None)
def test_groups_are_those_of_all_distances(edges: list[tuple[int, int]], marked: list[bool], hops_max: int) -> None:
    ends = np.array(edges, np.int64).reshape(-1, 2)
    label = joined_within(ends[:, 0], ends[:, 1], np.array(marked), hops_max)
    found: dict[int, set[int]] = {}
    for node in range(NODES):
        if marked[node]:
            found.setdefault(int(label[node]), set()).add(node)
    assert {frozenset(group) for group in found.values()} == slow_groups(edges, marked, hops_max)
    assert all(marked[of] and of == min(group) for of, group in found.items())


PEOPLE = [Address(f"person {number}") for number in range(8)]
GIFTS = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), st.sampled_from([1.0, 19.99, 20.0, 40.0, 100.0, 1_000.0])), max_size=30
)


def payments(gifts: list[tuple[Address, Address, float]]) -> list[Payment]:
    made = [Payment(Slot(at), signature(at), USDC, *gift) for at, gift in enumerate(gifts) if gift[0] != gift[1]]
    return sorted(made)


@given(GIFTS, st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from([0.0, 50.0, 900.0])))
@settings(max_examples=200, deadline=None)
def test_what_binds_is_what_the_definition_says(gifts: list[tuple[Address, Address, float]], brought: dict[Address, float]) -> None:
    made = payments(gifts)
    total: dict[tuple[Address, Address], float] = {}
    for one in made:
        total[one.giver, one.taker] = total.get((one.giver, one.taker), 0.0) + one.value_usd
    expected = set()
    for (giver, taker), usd in total.items():
        got = max(sum(each for (_, to), each in total.items() if to == taker), brought.get(taker, 0.0))
        gave = sum(each for (by, _), each in total.items() if by == giver)
        noticed = usd >= TAKER_SHARE_MIN * got
        swept = usd >= SWEEP_SHARE_MIN * gave and usd >= SWEEP_TAKER_SHARE_MIN * got
        if usd >= PAYMENT_USD_MIN and (noticed or swept):
            expected.add((giver, taker))
    flows = flows_of(made, PEOPLE)
    one, other = binding(flows, brought)
    assert {(flows.addresses[a], flows.addresses[b]) for a, b in zip(one.tolist(), other.tolist(), strict=True)} == expected


@given(st.integers(0, 60), st.integers(0, 60), st.floats(1.0, 100.0))
@settings(max_examples=60, deadline=None)
def test_a_hub_is_whoever_deals_with_many_others_for_more_than_a_trifle(gave: int, got: int, usd: float) -> None:
    hub, others = Address("hub"), [Address(f"customer {number}") for number in range(120)]
    out = [Payment(Slot(at), signature(at), USDC, hub, others[at], usd) for at in range(gave)]
    into = [Payment(Slot(99), signature(100 + at), USDC, others[60 + at], hub, usd) for at in range(got)]
    flows = flows_of([*out, *into], [hub])
    is_hub = bool(hubs(flows)[flows.addresses.index(hub)])
    assert is_hub == (usd >= PAYMENT_USD_MIN and gave + got > HUB_PARTNERS_MAX)


TRADES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(("WIF", "PUP")), st.integers(0, 40), st.sampled_from((1, -1)), st.integers(1, 9)),
    max_size=40,
)


def swaps_of(trades: list[tuple[str, str, int, int, int]]) -> list[Swap]:
    """Places in a slot as they come, so that no two are the same."""
    made = []
    for index, (who, token, slot, side, units) in enumerate(trades):
        sides = (f"{units} USDC", f"{units} {token}") if side > 0 else (f"{units} {token}", f"{units} USDC")
        made.append(made_swaps.swap(who, *sides, slot=slot, index=index))
    return made


@given(TRADES)
@settings(max_examples=200, deadline=None)
def test_meetings_are_those_of_the_slow_look_at_every_two_legs(trades: list[tuple[str, str, int, int, int]]) -> None:
    swaps = list(value_swaps(swaps_of(trades)).swaps)
    legs = met.legs_of(swaps, {}, {})
    found = met.meetings_of(legs)
    rows = list(zip(legs.mint.tolist(), legs.slot.tolist(), legs.index.tolist(), legs.wallet.tolist(), strict=True))
    assert rows == sorted(rows, key=lambda row: row[:3])
    expected = {
        (one, other)
        for one in range(len(rows))
        for other in range(one + 1, min(one + met.NEIGHBOURS_MAX, len(rows) - 1) + 1)
        if rows[one][0] == rows[other][0] and rows[one][3] != rows[other][3] and rows[other][1] - rows[one][1] <= met.MEETING_SLOTS
    }
    assert set(zip(found.first.tolist(), found.second.tolist(), strict=True)) == expected
    assert not found.unordered.any()


@given(TRADES, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_links_are_the_same_in_whatever_order_history_is_read(trades: list[tuple[str, str, int, int, int]], random: object) -> None:
    swaps = swaps_of(trades)
    shuffled = sorted(swaps, key=lambda _: random.random())  # type: ignore[attr-defined]  # a Random of Hypothesis
    one, other = (links_of(value_swaps(each).swaps, (), Prices({})) for each in (swaps, shuffled))
    assert one == other


DAYS = 24


def honest(days: int = DAYS) -> list[Swap]:
    draw, made = np.random.default_rng(4), []
    for day in range(days):
        for number, name in enumerate(("ana", "ben", "cem")):
            slot, got = 1_000 * day + 40 * number, 100 * (1 + 0.03 * float(draw.standard_normal()) + 0.01 * (number == 0))
            made.append(made_swaps.swap(name, "100 USDC", "100 WIF", slot=slot, day=day + number / 100))
            made.append(made_swaps.swap(name, "100 WIF", f"{got:.6f} USDC", slot=slot + 300, day=day + 0.5 + number / 100))
    return made


HONEST = honest()
AS_OF = FIRST_DAY_S + DAYS * DAY_S


def score_of(swaps: list[Swap], *movements: WalletMovement) -> float:
    verdict = score_copies(value_swaps(swaps), AS_OF, movements=movements)[made_swaps.wallet("ana")]
    return verdict.score if isinstance(verdict, CopyScore) else 0.0


def funded(giver: str, taker: str) -> WalletMovement:
    moved = Movement(MovementKind.TRANSFER, USDC, -900_000_000, Address(made_swaps.wallet(taker)))
    return WalletMovement(made_swaps.wallet(giver), signature(1), OrderKey(Slot(1), 0, 0), FIRST_DAY_S, moved)


# a name whose address somebody can hold a key of
OWN = next(name for name in (f"own {number}" for number in range(99)) if Pubkey.from_string(made_swaps.wallet(name)).is_on_curve())
BEFORE = score_of(HONEST)


@given(
    st.sets(st.integers(2, DAYS - 3), min_size=1, max_size=12),
    st.integers(1, 400),
    st.sampled_from(["with an own wallet", "at a launch", "in a token alone"]),
)
@settings(max_examples=20, deadline=None)
def test_trades_that_prove_nothing_never_raise_the_score(days: set[int], percent: int, how: str) -> None:
    """Profits that an owner arranges, on as many days as he likes: the score moves by no more than a point upwards."""
    added, movements = list[Swap](), [funded("ana", OWN)] if how == "with an own wallet" else []
    for day in sorted(days):
        slot, at, token = 1_000 * day + 600, day + 0.7, f"NEW{day}" if how == "at a launch" else "ODD"
        out = f"{100 * (1 + percent / 100):.2f} USDC"
        added.append(made_swaps.swap("ana", "100 USDC", f"100 {token}", slot=slot, day=at))
        added.append(made_swaps.swap("ana", f"100 {token}", out, slot=slot + 100, day=at + 0.1))
        if how == "with an own wallet":
            added.append(made_swaps.swap(OWN, f"100 {token}", "100 USDC", slot=slot + 1, day=at))
            added.append(made_swaps.swap(OWN, out, f"100 {token}", slot=slot + 101, day=at + 0.1))
        elif how == "at a launch":
            added.append(made_swaps.swap("dev", "900 USDC", f"900 {token}", slot=slot - 1, day=at))
    assert score_of([*HONEST, *added], *movements) <= BEFORE + 1


def test_no_history_at_all_has_no_links() -> None:
    assert links_of((), (), Prices({})) == {}
    assert met.legs_of([], {}, {Mint("x"): 0}).slot.shape == (0,)
