"""Positions against slow, obvious bookkeeping: every unit belongs to somebody, no cost appears or disappears."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.copy_rows import observed, wallet

from xorj.portfolio.attribution import Bought, Change, Moved, Sold, attribute
from xorj.portfolio.position import Position
from xorj.primitives.ids import Mint, Slot

VAULT = observed(wallet("ben")).address
LEADERS = [wallet("ana"), wallet("eve"), None]
MINTS = [Mint(wallet("bonk")), Mint(wallet("wif"))]
units = st.integers(1, 10**9)


@st.composite
def histories(draw: st.DrawFn) -> list[Change]:
    """Changes that a chain could show: nothing is sold or withdrawn that the vault does not hold."""
    held = dict.fromkeys(MINTS, 0)
    changes: list[Change] = []
    for slot in range(draw(st.integers(0, 12))):
        mint, leader = draw(st.sampled_from(MINTS)), draw(st.sampled_from(LEADERS))
        kind = draw(st.sampled_from(["buy", "sell", "in", "out"])) if held[mint] else draw(st.sampled_from(["buy", "in"]))
        raw = draw(units) if kind in ("buy", "in") else draw(st.integers(1, held[mint]))
        held[mint] += raw if kind in ("buy", "in") else -raw
        if kind in ("in", "out"):
            changes.append(Moved(Slot(slot), mint, raw if kind == "in" else -raw))
        else:
            changes.append((Bought if kind == "buy" else Sold)(Slot(slot), leader, mint, raw, draw(units)))
    return changes


@given(histories())
def test_units_never_exceed_what_the_vault_holds_and_belong_to_somebody(changes: list[Change]) -> None:
    holdings = attribute(VAULT, changes)
    for mint in MINTS:
        balance = sum(_delta(change) for change in changes if change.mint == mint)
        attributed = sum(each.units_raw for (_, held), each in holdings.positions.items() if held == mint)
        free = holdings.unattributed_raw.get(mint, 0)
        # a sale beyond one leader's units takes what is nobody's, or another's that nobody sold: never the other way round
        assert attributed + free >= balance
        assert all(each.units_raw >= 0 and each.base_cost_raw >= 0 for each in holdings.positions.values())


def _delta(change: Change) -> int:
    if isinstance(change, Moved):
        return change.delta_raw
    return change.units_raw if isinstance(change, Bought) else -change.units_raw


pairs = st.lists(st.tuples(units, units), min_size=1, max_size=6)


@given(pairs, pairs)
def test_what_was_paid_is_cost_or_has_been_realised(buys: list[tuple[int, int]], sales: list[tuple[int, int]]) -> None:
    position = Position(VAULT, wallet("ana"), MINTS[0])
    for raw, cost in buys:
        position = position.bought(raw, cost)
    paid, proceeds = sum(cost for _, cost in buys), 0
    for raw, base in [*sales, (position.units_raw, 7)]:
        position, proceeds = position.sold(raw, base), proceeds + base
        assert position.realised_raw - position.base_cost_raw == proceeds - paid
    assert (position.units_raw, position.base_cost_raw, position.realised_raw) == (0, 0, proceeds - paid)


@given(units, units, st.data())
def test_cost_leaves_pro_rata_and_what_stays_is_never_overvalued(raw: int, cost: int, data: st.DataObject) -> None:
    sold = data.draw(st.integers(1, raw))
    left = Position(VAULT, None, MINTS[0], raw, cost).sold(sold, 0)
    exact = Fraction(cost * (raw - sold), raw)
    assert exact - 1 < left.base_cost_raw <= exact


@given(units, units, st.data())
def test_a_withdrawal_takes_what_is_nobodys_first_and_then_from_every_leader_pro_rata(ana: int, eve: int, data: st.DataObject) -> None:
    free = data.draw(st.integers(0, 10**9))
    out = data.draw(st.integers(1, ana + eve + free))
    changes: list[Change] = [
        Bought(Slot(1), wallet("ana"), MINTS[0], ana, 100),
        Bought(Slot(2), wallet("eve"), MINTS[0], eve, 100),
        Moved(Slot(4), MINTS[0], -out),
    ]
    if free:
        changes.insert(2, Moved(Slot(3), MINTS[0], free))
    holdings = attribute(VAULT, changes)
    left = [holdings.position(wallet(name), MINTS[0]).units_raw for name in ("ana", "eve")]
    taken = max(0, out - free)
    assert holdings.unattributed_raw.get(MINTS[0], 0) == max(0, free - out)
    assert sum(left) == ana + eve - taken
    for before, after in zip((ana, eve), left, strict=True):
        assert abs(Fraction(taken * before, ana + eve) - (before - after)) <= 1
