"""When several sources make a price, and by which rule they do not."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from tests.fakes.made_swaps import mint
from tests.fakes.spec_table import table
from tests.fakes.told_prices import ToldPrices

from xorj.prices.agreement import Bounds, NoPrice, agreed
from xorj.prices.discover_prices import AgreedPrices, HighestPrices
from xorj.prices.price import Price, Quote
from xorj.primitives.amounts import Usd
from xorj.primitives.clock import ChainTime
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import SOL, Mint, Slot

BONK = mint("BONK")
NOW = ChainTime(Slot(10_000), 9_000, 1_764_000_000)
BOUNDS = Bounds(age_slots_max=300, age_s_max=60, ahead_s_max=10, confidence_bps_max=200, disagreement_bps_max=300)


def price(of: Mint, source: str, text: str) -> Price:
    """`100 ±1 5s` or `100 20 slots` or `100`: USD, confidence, age in seconds or slots."""
    usd, *rest = text.split()
    confidence = next((Usd(Decimal(one[1:])) for one in rest if one.startswith("±")), None)
    seconds = next((int(one[:-1]) for one in rest if one[:-1].lstrip("-").isdigit() and one.endswith("s")), None)
    slots = int(rest[rest.index("slots") - 1]) if "slots" in rest else None
    slot = None if slots is None else Slot(NOW.slot - slots)
    published = None if seconds is None else NOW.unix_seconds - seconds
    return Price(of, Usd(Decimal(usd)), 6, slot, source, confidence_usd=confidence, published_at_s=published)


CASES = table("""
    what                                      | mint | chain   | pyth          | jupiter       | price
    two that agree: the first                 | BONK | mainnet | 100 ±1 5s     | 101 20 slots  | 100, 25 slots
    the age is that of the older              | BONK | mainnet | 100 ±1 5s     | 101 90 slots  | 100, 90 slots
    just within the disagreement              | BONK | mainnet | 100 ±1 5s     | 103 20 slots  | 100, 25 slots
    a little more                             | BONK | mainnet | 100 ±1 5s     | 103.1 20 slots| the sources disagree
    deep mints disagree no less               | SOL  | mainnet | 100 ±1 5s     | 104 20 slots  | the sources disagree
    a thin mint from one source               | BONK | mainnet | -             | 101 20 slots  | one source alone for a thin mint
    a deep mint from one source               | SOL  | mainnet | -             | 101 20 slots  | 101, 20 slots
    a thin mint on the local chain            | BONK | local   | -             | 101 20 slots  | 101, 20 slots
    the other is stale: one is left           | BONK | mainnet | 100 ±1 61s    | 101 20 slots  | one source alone for a thin mint
    the other is stale: one is enough         | SOL  | mainnet | 100 ±1 61s    | 101 20 slots  | 101, 20 slots
    a stale one has no say in a disagreement  | SOL  | mainnet | 100 ±1 61s    | 150 20 slots  | 150, 20 slots
    just not stale                            | SOL  | mainnet | 100 ±1 60s    | -             | 100, 300 slots
    stale by slots                            | SOL  | mainnet | -             | 101 301 slots | the price is too old
    both are stale                            | SOL  | mainnet | 100 ±1 61s    | 101 301 slots | the price is too old
    from a clock a little ahead               | SOL  | mainnet | 100 ±1 -10s   | -             | 100, 0 slots
    from the future                           | SOL  | mainnet | 100 ±1 -11s   | -             | the price is too old
    just sure enough                          | SOL  | mainnet | 100 ±2 5s     | -             | 100, 25 slots
    not sure enough                           | SOL  | mainnet | 100 ±2.1 5s   | -             | the source is not sure enough
    unsure: the other is enough               | SOL  | mainnet | 100 ±2.1 5s   | 101 20 slots  | 101, 20 slots
    of unknown age                            | SOL  | mainnet | -             | 101           | the age is unknown
    of unknown age, also on the local chain   | BONK | local   | -             | 101           | the age is unknown
    nobody knows it                           | SOL  | mainnet | -             | -             | no source knows the mint
""")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["what"])
def test_sources_make_a_price_or_say_by_which_rule_not(case: dict[str, str]) -> None:
    of = BONK if case["mint"] == "BONK" else SOL
    told = [price(of, source, case[source]) for source in ("pyth", "jupiter") if case[source] != "-"]
    found = agreed(of, told, NOW, BOUNDS, is_local=case["chain"] == "local")
    assert (found.rule.value if isinstance(found, NoPrice) else f"{found.usd}, {found.age_slots(NOW.slot)} slots") == case["price"]


def test_one_source_twice_is_one_source() -> None:
    told = [price(BONK, "jupiter", "100 5 slots"), price(BONK, "jupiter", "101 5 slots")]
    found = agreed(BONK, told, NOW, BOUNDS, is_local=False)
    assert isinstance(found, NoPrice)


def test_a_confidence_below_zero_is_no_price() -> None:
    with pytest.raises(ValueError, match="confidence"):
        price(SOL, "pyth", "100 ±-1 5s")


class Clock:
    async def now(self) -> ChainTime:
        return NOW


async def test_a_source_that_is_away_has_no_say_and_none_at_all_is_unavailable() -> None:
    jupiter = ToldPrices({SOL: price(SOL, "jupiter", "101 20 slots"), BONK: price(BONK, "jupiter", "2 20 slots")})
    away = ToldPrices({}, is_away=True)
    found = await AgreedPrices([away, jupiter], Clock(), BOUNDS, is_local=False).prices([SOL, BONK])
    assert {one: made.usd for one, made in found.items()} == {SOL: 101}
    with pytest.raises(Unavailable):
        await AgreedPrices([away, away], Clock(), BOUNDS, is_local=False).prices([SOL])


class ToldQuotes:
    """A witness that says one price for every mint."""

    def __init__(self, usd: str, *, age_s: int = 5, is_away: bool = False) -> None:
        self.usd, self.age_s, self.is_away = Usd(Decimal(usd)), age_s, is_away

    async def quotes(self, mints: Sequence[Mint]) -> dict[Mint, Quote]:
        if self.is_away:
            raise Unavailable("witness", "away")
        return {one: Quote(one, self.usd, "birdeye", NOW.unix_seconds - self.age_s) for one in mints}


WITNESSES = table("""
    what                                          | jupiter        | witness    | price
    it confirms a thin mint                       | 100 20 slots   | 101        | 100
    it contradicts                                | 100 20 slots   | 104        | the sources disagree
    it is stale                                   | 100 20 slots   | 101 61s    | one source alone for a thin mint
    it is away                                    | 100 20 slots   | away       | one source alone for a thin mint
    it alone knows the mint, and never its unit   | -              | 101        | no source knows the mint
""")


@pytest.mark.parametrize("case", WITNESSES, ids=lambda case: case["what"])
async def test_a_witness_confirms_and_is_never_the_price(case: dict[str, str]) -> None:
    usd, _, age = case["witness"].partition(" ")
    witness = ToldQuotes("1" if usd == "away" else usd, age_s=int(age[:-1] or 5) if age else 5, is_away=usd == "away")
    jupiter = ToldPrices({} if case["jupiter"] == "-" else {BONK: price(BONK, "jupiter", case["jupiter"])})
    found = (await AgreedPrices([jupiter], Clock(), BOUNDS, is_local=False, witnesses=[witness]).judged([BONK]))[BONK]
    assert (found.rule.value if isinstance(found, NoPrice) else str(found.usd)) == case["price"]


HIGHEST = table("""
    what                                        | pyth        | jupiter       | highest
    the higher of two that agree                | 100 ±1 5s   | 101 20 slots  | 101
    the higher of two that do not               | 100 ±1 5s   | 150 20 slots  | 150
    one alone, though the mint is thin          | -           | 101 20 slots  | 101
    a stale one has no say                      | 200 ±1 61s  | 101 20 slots  | 101
    nobody                                      | -           | -             | none
""")


@pytest.mark.parametrize("case", HIGHEST, ids=lambda case: case["what"])
async def test_where_too_high_is_the_safe_side_the_highest_counts(case: dict[str, str]) -> None:
    feeds = [ToldPrices({} if case[one] == "-" else {BONK: price(BONK, one, case[one])}) for one in ("pyth", "jupiter")]
    found = await HighestPrices(AgreedPrices(feeds, Clock(), BOUNDS, is_local=False)).prices([BONK])
    assert (str(found[BONK].usd) if found else "none") == case["highest"]
