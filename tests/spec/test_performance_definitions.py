"""What each figure of a wallet's performance means: every example of docs/performance-definitions.md, by kernel and by exact books."""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest
from tests.fakes.made_swaps import FIRST_DAY_S, amount, swap, wallet

from xorj.performance.kernel import performance_of
from xorj.performance.metrics import Performance
from xorj.performance.pnl import account_of, days_of
from xorj.performance.transfer import TransferOut
from xorj.primitives.clock import DAY_S
from xorj.primitives.ids import Slot
from xorj.swaps.swap import OrderKey, Swap
from xorj.swaps.valuation import ValuedSwap, value_swaps

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "performance-definitions.md"
EVENT = re.compile(
    r"(?:day (?P<day>\d+): )?(?:(?P<who>\w+): )?(?P<gives>[\d.]+ \w+) "
    r"(?:> (?P<gets>[\d.]+ \w+)|(?P<away>sent away))(?: fee (?P<fee>[\d.]+) SOL)?"
)
LAMPORTS = 10**9


@dataclass(frozen=True)
class Example:
    what: str
    swaps: str
    figures: dict[str, str]


def examples() -> list[Example]:
    """Every row of every table that has a column `swaps`."""
    found, heading = [], list[str]()
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            heading = []
        elif not heading:
            heading = cells
        elif "swaps" in heading and not cells[0].startswith("---"):
            row = dict(zip(heading, cells, strict=True))
            found.append(Example(row.pop("what"), row.pop("swaps"), row))
    return found


def events_of(text: str) -> tuple[list[Swap], list[TransferOut]]:
    swaps, moved, day = list[Swap](), list[TransferOut](), 0
    for at, part in enumerate(text.split("; ")):
        match = EVENT.fullmatch(part)
        assert match, part
        day = int(match["day"]) if match["day"] else day
        when, who = day, match["who"] or "ana"
        if match["away"]:
            order = OrderKey(Slot(at + 1), 0, 0)
            moved.append(TransferOut(wallet(who), order, FIRST_DAY_S + round(when * DAY_S), amount(match["gives"])))
        else:
            made = swap(who, match["gives"], match["gets"], slot=at + 1, day=when)
            swaps.append(replace(made, network_fee_lamports=round(float(match["fee"] or 0) * LAMPORTS)))
    return swaps, moved


def computed(swaps: list[Swap], moved: list[TransferOut]) -> Performance:
    as_of = max(one.block_time for one in (*swaps, *moved))
    found = {one.wallet: one for one in performance_of(value_swaps(swaps), as_of, moved)}
    return found[wallet("ana")]


def expected(cell: str) -> object:
    if cell == "null":
        return None
    values = [float(Fraction(value.strip())) for value in cell.split(",")]
    return pytest.approx(tuple(values) if len(values) > 1 else values[0], abs=1e-6)


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.what)
def test_the_figures_are_those_of_the_document(example: Example) -> None:
    found = computed(*events_of(example.swaps))
    for name, cell in example.figures.items():
        value = getattr(found, name)
        assert (value[0] if isinstance(value, tuple) and len(value) == 1 else value) == expected(cell), name


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.what)
def test_the_exact_books_say_the_same(example: Example) -> None:
    swaps, moved = events_of(example.swaps)
    found, valuation = computed(swaps, moved), value_swaps(swaps)
    events: list[ValuedSwap | TransferOut] = [*(one for one in valuation.swaps if one.swap.wallet == wallet("ana")), *moved]
    events.sort(key=lambda one: one.swap.order if isinstance(one, ValuedSwap) else one.order)
    as_of = max(one.block_time for one in (*swaps, *moved))
    account, days = account_of(events), days_of(events, valuation.executions, as_of)
    assert found.realised_pnl_usd == pytest.approx(float(account.realised))
    assert found.capital_usd == pytest.approx(float(account.contributions))
    assert found.unmatched_sold_usd == pytest.approx(float(account.unmatched_sold))
    assert found.net_pnl_usd == pytest.approx(float(days[-1].net_pnl))
    assert found.daily_returns == pytest.approx([float(day.day_return) for day in days])
    assert found.daily_equity_usd == pytest.approx([float(day.equity) for day in days])
    assert (found.trades, found.closing_trades) == (account.trades, account.closing)


def test_the_document_has_an_example_for_every_figure() -> None:
    named = {name for example in examples() for name in example.figures}
    told = set(re.findall(r"`([a-z_]+)`", DOCUMENT.read_text()))
    fields = set(Performance.__dataclass_fields__)
    assert fields - told == {"wallet"}
    assert fields - named <= {"wallet", "unpriced_trades", "fees_known", "days", "first_trade", "last_trade"}


def test_unpriced_trades_are_counted_and_their_fees_too() -> None:
    made = [swap("ana", "100 USDC", "1 SOL", slot=1), swap("ana", "3 BONK", "1 WIF", slot=2, fee=10_000_000)]
    found = performance_of(value_swaps(made), made[-1].block_time)[0]
    assert (found.trades, found.unpriced_trades, found.volume_usd) == (2, 1, 100)
    assert found.fees_usd == pytest.approx(1.0005)


@pytest.mark.parametrize(("fee", "known"), [(5_000, True), (0, True), (None, False)])
def test_fees_are_said_to_be_unknown_where_the_source_has_none(fee: int | None, known: bool) -> None:
    made = [swap("ana", "100 USDC", "1 SOL", slot=1, fee=fee)]
    assert performance_of(value_swaps(made), made[-1].block_time)[0].fees_known is known


def test_a_token_that_brought_nothing_costs_what_was_paid_for_it() -> None:
    made = [swap("ana", "0.000001 USDC", "0 BONK", slot=1, fee=0), swap("ana", "3 BONK", "0 USDC", slot=2, fee=0)]
    found = performance_of(value_swaps(made), made[-1].block_time)[0]
    assert (found.trades, found.realised_pnl_usd, found.unmatched_sold_usd) == (2, 0, 0)


def test_no_wallets_have_no_performance() -> None:
    assert performance_of(value_swaps([]), 0) == []
