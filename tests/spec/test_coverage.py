"""What is known of a wallet's history, which pages may extend it, and where a balance tells that something is missing."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.fakes.made_swaps import UNREADABLE, VENUE, record, signature, swap, swapped, wallet
from tests.fakes.made_transactions import Made, swap_transaction, token_account
from tests.fakes.spec_table import table

from xorj.adapters.solana_rpc.transactions import parse_signature_info
from xorj.chain.transactions import SignatureInfo
from xorj.primitives.ids import USDC, Slot
from xorj.swaps.coverage import (
    Coverage,
    Known,
    Learned,
    Mark,
    Page,
    PageFault,
    PageFaultKind,
    SlotRange,
    Source,
    breaks,
    checked_end,
    checked_page,
    covered,
    gaps,
    merged,
)
from xorj.swaps.record import Record

ANA = wallet("ana")
PAGES_RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "solana-signature-pages"
RECORDED_WALLET = "4kLALtynrmd6pU2LkGXZCmUaMDfsnVixs7SkLjPKNJQG"


def ranges(text: str) -> tuple[SlotRange, ...]:
    """`1-3 7` as ranges; `none` is none."""
    ends = [part.split("-") for part in text.split() if part != "none"]
    return tuple(SlotRange(Slot(int(one[0])), Slot(int(one[-1]))) for one in ends)


def rows(text: str) -> list[SignatureInfo]:
    """`9a 9b 7a` as rows of an address's history: slot and which transaction of it."""
    found = []
    for part in text.split():
        if part != "none":
            slot, letter = int(part[:-1]), part[-1]
            found.append(SignatureInfo(signature(slot * 1_000 + ord(letter)), Slot(slot), None, None, None))
    return found


RANGES = table("""
    what                             | read          | merged     | within | gaps
    nothing was read                 | none          | none       | 1-9    | 1-9
    all of it                        | 1-9           | 1-9        | 1-9    | none
    ranges that touch are one        | 1-3 4-9       | 1-9        | 1-9    | none
    ranges that overlap are one      | 1-6 4-9       | 1-9        | 1-9    | none
    one inside the other             | 1-9 3-4       | 1-9        | 1-9    | none
    a hole of one slot               | 1-3 5-9       | 1-3 5-9    | 1-9    | 4
    open at both ends                | 4-5           | 4-5        | 1-9    | 1-3 6-9
    beyond the ends does not count   | 0-3 8-20      | 0-3 8-20   | 2-9    | 4-7
    wholly outside                   | 0-1 20-30     | 0-1 20-30  | 5-6    | 5-6
    a single slot                    | 5             | 5          | 5      | none
""")


@pytest.mark.parametrize("case", RANGES, ids=lambda case: case["what"])
def test_ranges_are_merged_and_what_is_between_is_a_gap(case: dict[str, str]) -> None:
    read, (within,) = ranges(case["read"]), ranges(case["within"])
    assert merged(reversed(read)) == ranges(case["merged"])
    assert gaps(read, within) == ranges(case["gaps"])


def test_a_range_that_ends_before_it_begins_is_none() -> None:
    for first, last in ((5, 4), (-1, 3)):
        with pytest.raises(ValueError, match="no range"):
            SlotRange(Slot(first), Slot(last))


PAGES = table("""
    what                                      | read so far | mark | page        | verdict
    the first page of a new address           | none        | none | 9a 8a 7a    | 9a 8a 7a
    several in one slot                       | none        | none | 9a 9b 7a    | 9a 9b 7a
    nothing at all                            | none        | none | none        | none
    a page that goes on where the last ended  | 9a 8a       | none | 8b 7a       | 8b 7a
    an empty one after that                   | 9a 8a       | none | none        | none
    it reaches the mark                       | none        | 7a   | 9a 7a 6a    | 9a, the mark
    the mark alone: nothing is new            | none        | 7a   | 7a          | none, the mark
    the mark comes later                      | none        | 7a   | 9a 8a       | 9a 8a
    the mark's slot is cut by the page's end  | 9a          | 7a   | 8a 7b       | 8a
    a venue's mark is a slot                  | none        | 7    | 9a 7b       | 9a, the mark
    a venue that was silent until now         | none        | 7    | none        | none
    it begins again at the newest             | 9a 8a       | none | 9a 8a       | restarted
    it begins again with one newer still      | 9a 8a       | none | 10a 9a      | restarted
    it lists one twice                        | none        | none | 9a 8a 8a    | repeated
    it lists one of the page before           | 9a 8a       | none | 8a 7a       | repeated
    it is not newest first                    | none        | none | 8a 9a       | unsorted
    the node is behind what was seen          | none        | 7a   | 6a 5a       | behind
    the mark is gone                          | none        | 7a   | 9a 7b 6a    | cursor missing
    the pages end before the mark             | 9a 8a       | 7a   | none        | cursor missing
    the whole history is gone                 | none        | 7a   | none        | cursor missing
""")


@pytest.mark.parametrize("case", PAGES, ids=lambda case: case["what"])
def test_a_page_is_believed_only_where_it_fits(case: dict[str, str]) -> None:
    read = rows(case["read so far"])
    found = checked_page(rows(case["page"]), read[-1] if read else None, {row.signature for row in read}, mark(case["mark"]))
    expected, _, reaches = case["verdict"].partition(", ")
    if isinstance(found, PageFault):
        assert found.kind.value == expected
    else:
        assert found == Page(tuple(rows(expected)), reaches_cursor=bool(reaches))


def mark(text: str) -> Mark | None:
    if text == "none":
        return None
    if text.isdigit():
        return Mark(Slot(int(text)))
    (row,) = rows(text)
    return Mark(row.slot, row.signature)


ENDS = table("""
    what                                        | again    | verdict
    the last row shows itself and nothing after | 8a       | the end
    also where the page began earlier           | 9b 8a    | the end
    the node does not know where it was asked   | none     | before unknown
    the node tells of something else            | 9c 7a    | before unknown
    there is more after all                     | 8a 7a    | before unknown
""")


@pytest.mark.parametrize("case", ENDS, ids=lambda case: case["what"])
def test_an_empty_page_is_the_end_only_where_the_last_row_shows_itself(case: dict[str, str]) -> None:
    found = checked_end(rows("8a")[0], rows(case["again"]))
    expected = "the end" if isinstance(found, Page) else PageFaultKind.BEFORE_UNKNOWN.value
    assert case["verdict"] == expected


@pytest.mark.skipif(not PAGES_RECORDED.exists(), reason=f"the recorded pages are not at {PAGES_RECORDED}")
def test_a_recorded_history_in_short_pages_is_the_one_in_a_long_page() -> None:
    whole = page_recorded(1_000, "")
    read: list[SignatureInfo] = []
    while page := page_recorded(5, read[-1].signature if read else ""):
        found = checked_page(page, read[-1] if read else None, {row.signature for row in read}, None)
        assert isinstance(found, Page)
        read += found.new
    assert read == whole
    assert isinstance(checked_end(read[-1], page_recorded(5, read[-6].signature)), Page)
    known_before = Mark(whole[7].slot, whole[7].signature)
    assert checked_page(whole, None, set(), known_before) == Page(tuple(whole[:7]), reaches_cursor=True)


def page_recorded(limit: int, before: str) -> list[SignatureInfo]:
    content = (PAGES_RECORDED / f"{RECORDED_WALLET}-{limit}-{before}.json").read_text()
    return [parse_signature_info(row) for row in json.loads(content)["result"]]


def recorded(slot: int) -> Record:
    return record("ana", (swap("ana", "1 SOL", "9 USDC", slot=slot, fee=None),), slot=slot)


def known(*parts: tuple[Source, str]) -> tuple[Known, ...]:
    return tuple(Known(source, one) for source, text in parts for one in ranges(text))


@pytest.mark.parametrize(
    ("records", "expected", "missing"),
    [
        ([swapped("ana", "1 SOL", "9 USDC", slot=5), record("ana", slot=90)], known((Source.NODE, "5-90")), "none"),
        ([recorded(5), recorded(6), recorded(9)], known((Source.RECORDING, "5-6 9")), "7-8"),
        (
            [recorded(5), recorded(9), swapped("ana", "1 SOL", "9 USDC", slot=30)],
            known((Source.NODE, "9-30"), (Source.RECORDING, "5 9")),
            "6-8",
        ),
    ],
    ids=["read from a node", "a recording has holes", "a node goes on where a recording ended"],
)
def test_coverage_says_which_slots_are_known_and_from_where(records: Sequence[Record], expected: tuple[Known, ...], missing: str) -> None:
    found = covered(records)
    assert found.known == expected
    assert found.gaps == ranges(missing)


def test_coverage_counts_every_record_by_what_came_of_it() -> None:
    records = [swapped("ana", "1 SOL", "9 USDC", slot=1), record("ana", slot=2), record("ana", UNREADABLE, slot=3)]
    assert covered(records) == Coverage(
        records=3,
        slots=SlotRange(Slot(1), Slot(3)),
        outcomes={"swap": 1, "not_a_swap": 1, "undecodable": 1},
        undecodable={UNREADABLE.reason: 1},
        known=known((Source.NODE, "1-3")),
        gaps=(),
        sources={},
        compared=(),
        holes=(),
    )
    with pytest.raises(ValueError, match="no records"):
        covered([])


LEARNED = table("""
    what                                        | learned                          | known | gaps | sources            | compared
    one source from the first slot on           | 0-9 a                            | 0-9   | none | a: 0-9             | none
    parts that touch                            | 0-4 a, 5-9 a                     | 0-9   | none | a: 0-9             | none
    read from a date                            | 4-9 a                            | 4-9   | none | a: 4-9             | none
    then further back, by another               | 4-9 a, 0-4 b                     | 0-9   | none | a: 4-9, b: 0-4     | none
    two that agree on a part                    | 0-4 a+b, 5-9 a                   | 0-9   | none | a: 0-9, b: 0-4     | 0-4
    something was never read                    | 0-2 a, 6-9 a                     | 0-2 6-9 | 3-5 | a: 0-2 6-9        | none
""")


@pytest.mark.parametrize("case", LEARNED, ids=lambda case: case["what"])
def test_what_commits_told_says_which_slots_are_known_and_from_whom(case: dict[str, str]) -> None:
    told = [Learned(ANA, ranges(part.split()[0])[0], tuple(part.split()[1].split("+"))) for part in case["learned"].split(", ")]
    found = covered([record("ana", slot=7)], told)
    assert [one.slots for one in found.known] == list(ranges(case["known"]))
    assert found.gaps == ranges(case["gaps"])
    assert found.sources == {name: ranges(text) for name, text in (part.split(": ") for part in case["sources"].split(", "))}
    assert found.compared == ranges(case["compared"])


def holds(slot: int, before: str | None, after: str | None) -> Made:
    return Made(payer="ana", slot=slot, fee=0).moves("ana", "USDC", before, after).runs(VENUE)


BREAKS = table("""
    what                                        | first     | second    | breaks
    it carries over                             | 5 to 7    | 7 to 4    | none
    something came in between                   | 5 to 7    | 9 to 4    | 7 then 9
    something left in between                   | 5 to 7    | 6 to 4    | 7 then 6
    closed and opened again                     | 5 to shut | shut to 4 | none
    closed, and then it holds something         | 5 to shut | 3 to 4    | 0 then 3
    closed in between                           | 5 to 7    | shut to 4 | 7 then 0
""")


@pytest.mark.parametrize("case", BREAKS, ids=lambda case: case["what"])
def test_a_token_balance_must_be_what_it_was(case: dict[str, str]) -> None:
    made = [
        holds(slot, *(None if text == "shut" else text for text in case[name].split(" to "))).done()
        for slot, name in ((1, "first"), (2, "second"))
    ]
    found = breaks(ANA, made)
    tokens = [f"{one.left_raw // 10**6} then {one.found_raw // 10**6}" for one in found if one.mint is not None]
    assert (tokens or ["none"]) == [case["breaks"]]
    assert {(one.account, one.mint, one.after, one.before) for one in found if one.mint} <= {
        (token_account("ana", "USDC"), USDC, made[0].signature, made[1].signature)
    }


def test_the_wallets_own_lamports_must_carry_over_too() -> None:
    paid, idle = (Made(payer="ana", slot=slot, fee=fee).done() for slot, fee in ((1, 5_000), (2, 0)))
    (found,) = breaks(ANA, [paid, idle])
    assert (found.mint, found.found_raw - found.left_raw) == (None, 5_000)
    assert breaks(ANA, [idle, paid]) == ()


def test_what_others_hold_is_no_concern_of_the_wallet() -> None:
    made = [swap_transaction("ben", "1 SOL", "9 USDC", slot=slot) for slot in (1, 2)]
    assert breaks(ANA, made) == ()
