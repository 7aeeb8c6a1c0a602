"""Who belongs together and what says nothing about skill, as a trader would check it on an explorer."""

from itertools import pairwise

import pytest
from solders.pubkey import Pubkey
from tests.fakes import made_swaps
from tests.fakes.made_swaps import FIRST_DAY_S, VENUE, amount, mint, signature
from tests.fakes.spec_table import table

from xorj.performance.kernel import performance_of
from xorj.primitives.clock import DAY_S
from xorj.primitives.ids import USDC, Address, Slot, Wallet
from xorj.swaps.movement import Movement, MovementKind
from xorj.swaps.record import WalletMovement
from xorj.swaps.swap import OrderKey, Swap
from xorj.swaps.valuation import value_swaps
from xorj.trust.classic_score import ClassicScore
from xorj.trust.copied_market import market_of
from xorj.trust.copy_replay import Prices, Terms, replay, trades_of
from xorj.trust.copy_verdict import CopyScore, LinkFacts
from xorj.trust.links import ALONE, LAUNCH, OTHERS_MAX, OWN_TOKEN, WITH_ITSELF, WalletLinks, links_of
from xorj.trust.listing import ELSEWHERE, one_listing_each
from xorj.trust.money_graph import HUB_PARTNERS_MAX
from xorj.trust.ranking import TraderScore
from xorj.trust.score_copies import score_copies, trades_by_wallet

LATER = 30


def person(name: str) -> str:
    """The name, or one like it, whose address somebody can hold a key of: those of programs tie nobody."""
    tries = (name, *(f"{name} {number}" for number in range(100)))
    return next(one for one in tries if Pubkey.from_string(made_swaps.wallet(one)).is_on_curve())


def wallet(name: str) -> Wallet:
    return made_swaps.wallet(person(name))


def swap(who: str, gives: str, gets: str, *, slot: int, day: float, index: int = 0) -> Swap:
    return made_swaps.swap(person(who), gives, gets, slot=slot, day=day, index=index)


# somebody who trades everything beside the others, so that no token is moved by one alone
CROWD = [swap("crowd", "90000 USDC", f"1000 {token}", slot=number, index=7, day=0) for number, token in enumerate(("WIF", "PUP", "CAT"), 1)]


def pays(giver: str, what: str, taker: str, *, slot: int, told_by: str | None = None) -> WalletMovement:
    """A transfer, as the giver's or the taker's own history tells it."""
    teller = told_by or giver
    sign, other = (-1, taker) if teller == giver else (1, giver)
    order = OrderKey(Slot(slot), 0, 0)
    moved = Movement(MovementKind.TRANSFER, mint(what.split()[1]), sign * amount(what).raw, Address(wallet(other)))
    return WalletMovement(wallet(teller), signature(slot * 1_000), order, FIRST_DAY_S + slot, moved)


def paid(text: str, *, slot: int) -> list[WalletMovement]:
    """`900 bank>ana>ben, 20 cem>ana`: 900 USDC from the bank to Ana and on to Ben, and then 20 more to Ana."""
    steps = [(usd, *hop) for usd, path in (one.split() for one in text.split(",") if one.strip()) for hop in pairwise(path.split(">"))]
    return [pays(giver, f"{usd} USDC", taker, slot=slot + at) for at, (usd, giver, taker) in enumerate(steps)]


def alive(*names: str, slot: int = 5_000, capital: int = 1_000) -> list[Swap]:
    """Each has traded once, with so much of his own money."""
    return [swap(name, f"{capital} USDC", "10 WIF", slot=slot + 100 * at, day=LATER + at) for at, name in enumerate(names)]


def found(swaps: list[Swap], *movements: WalletMovement) -> dict[str, WalletLinks]:
    valued = value_swaps([*CROWD, *swaps]).swaps
    links = links_of(valued, movements, Prices({}))
    names = {swap.wallet for swap in swaps}
    return {str(one): links[one] for one in names}


def owners(names: str, links: dict[str, WalletLinks]) -> str:
    """Clusters as text: `ana+ben, cem`."""
    left, groups = names.split(), []
    while left:
        one, *left = left
        mine = [one, *(other for other in left if wallet(other) in links[wallet(one)].others)]
        left = [other for other in left if other not in mine]
        groups.append("+".join(mine))
    return ", ".join(groups)


MONEY = table("""
    what                                            | payments                                                        | owners
    one funder who does not trade                   | 900 bank>ana, 900 bank>ben                                      | ana+ben, cem
    a few dollars tie nobody                        | 19 bank>ana, 19 bank>ben                                        | ana, ben, cem
    a gift among others, too small to notice        | 90 ana>ben, 500 ana>shop                                         | ana, ben, cem
    a tenth of what the taker has                   | 100 ana>ben                                                     | ana+ben, cem
    all that the giver ever gave, and noticed       | 30 ana>ben                                                      | ana+ben, cem
    both sweep into one address                     | 500 ana>till, 400 ben>till                                      | ana+ben, cem
    over seven payments                             | 900 a3>a2>a1>ana, 900 a3>b2>b1>b0>ben | ana+ben, cem
    over eight payments                             | 900 a4>a3>a2>a1>ana, 900 a4>b2>b1>b0>ben | ana, ben, cem
    the friend of a friend                          | 900 ana>ben, 900 ben>cem                                        | ana+ben+cem
    what passes through a third who trades          | 900 bank>ana, 900 bank>ben, 900 ben>cem                         | ana+ben+cem
""")


@pytest.mark.parametrize("case", MONEY, ids=lambda case: case["what"])
def test_money_ties_wallets(case: dict[str, str]) -> None:
    payments = paid(case["payments"], slot=2_000)
    assert owners("ana ben cem", found(alive("ana", "ben", "cem"), *payments)) == case["owners"]


def test_a_payment_is_the_same_whoever_tells_of_it_and_both_telling_is_one() -> None:
    swaps = alive("ana", "ben")
    told = [pays("ana", "60 USDC", "ben", slot=2_000, told_by=who) for who in ("ana", "ben")]
    assert found(swaps, told[0]) == found(swaps, told[1]) == found(swaps, *told)
    twice = [*told, pays("ana", "60 USDC", "ben", slot=2_001, told_by="ben")]
    assert found(swaps, *twice)[wallet("ben")].others == (wallet("ana"),)


def test_an_exchange_ties_nobody_however_much_it_sends() -> None:
    swaps = alive("ana", "ben")
    few = [pays("exchange", "900 USDC", name, slot=2_000 + at) for at, name in enumerate(("ana", "ben"))]
    customers = [pays("exchange", "900 USDC", f"customer {at}", slot=3_000 + at) for at in range(HUB_PARTNERS_MAX)]
    assert found(swaps, *few)[wallet("ana")].others == (wallet("ben"),)
    assert found(swaps, *few, *customers)[wallet("ana")].others == ()


def test_a_cheap_gift_cannot_tie_a_stranger_to_a_leader() -> None:
    """Somebody sends a leader of 10,000 USD whatever is below a fiftieth of that: nothing happens to her."""
    leader = alive("ana", capital=10_000)
    stranger = alive("eve", slot=9_000)
    assert found([*leader, *stranger], pays("eve", "199 USDC", "ana", slot=8_000))[wallet("ana")].others == ()
    assert found([*leader, *stranger], pays("eve", "200 USDC", "ana", slot=8_000))[wallet("ana")].others == (wallet("eve"),)


def entries(first: str, second: str, *, count: int, apart: int, own: int = 0, turns: bool = True) -> list[Swap]:
    """Both buy the same token `count` times within `apart` slots, taking turns in coming first; `own` entries more of each alone."""
    made = []
    for at in range(count):
        names = (first, second) if at % 2 == 0 or not turns else (second, first)
        slot, day = 10_000 + 100 * at, LATER + at / 10
        made += [swap(name, "100 USDC", "1 PUP", slot=slot + apart * n, index=n, day=day) for n, name in enumerate(names)]
    for at in range(own):
        made += [swap(name, "100 USDC", "1 PUP", slot=500_000 + 1_000 * at + 500 * n, day=90) for n, name in enumerate((first, second))]
    return made


COTIMED = table("""
    what                                  | count | apart | own | turns | owners
    bought together ten times             | 10    | 3     | 0   | yes   | ana+ben
    in the same slot                      | 10    | 0     | 0   | yes   | ana+ben
    nine times may be chance              | 9     | 3     | 0   | yes   | ana, ben
    further apart than five slots         | 10    | 6     | 0   | yes   | ana, ben
    half of what each bought              | 10    | 3     | 10  | yes   | ana+ben
    less than half                        | 10    | 3     | 11  | yes   | ana, ben
    one always behind the other: a copier | 20    | 3     | 0   | no    | ana, ben
""")


@pytest.mark.parametrize("case", COTIMED, ids=lambda case: case["what"])
def test_trades_that_keep_meeting_are_driven_by_one_hand(case: dict[str, str]) -> None:
    count, apart, own = int(case["count"]), int(case["apart"]), int(case["own"])
    swaps = entries("ana", "ben", count=count, apart=apart, own=own, turns=case["turns"] == "yes")
    assert owners("ana ben", found(swaps)) == case["owners"]


def washed(count: int, *, turns: bool = True) -> list[Swap]:
    """Ana sells to Ben, who sells it back an hour later; where they take no turns, Ben is always the second, as an arbitrageur is."""
    made = []
    for at in range(count):
        slot, day = 10_000 + 1_000 * at, LATER + at
        back = ("ben", "ana") if turns else ("ana", "ben")
        made += [
            swap("ana", "10 PUP" if turns else "100 USDC", "100 USDC" if turns else "10 PUP", slot=slot, day=day),
            swap("ben", "100 USDC" if turns else "10 PUP", "10 PUP" if turns else "100 USDC", slot=slot + 1, day=day),
            swap(back[0], "10 PUP", "110 USDC", slot=slot + 500, day=day),
            swap(back[1], "110 USDC", "10 PUP", slot=slot + 501, day=day),
        ]
    return made


def test_one_whose_sales_are_the_others_purchases_trades_with_himself() -> None:
    links = found(washed(2))
    ana = links[wallet("ana")]
    assert ana.others == (wallet("ben"),)
    assert len(ana.apart.linked) == 4
    assert set(ana.apart.entries.values()) == {WITH_ITSELF}
    assert found(washed(1))[wallet("ana")].others == ()


def test_an_arbitrageur_who_always_comes_second_is_not_the_leaders_other_wallet() -> None:
    assert owners("ana ben", found(washed(6, turns=False))) == "ana, ben"


def test_a_member_of_the_cluster_who_buys_what_another_sells_is_volume_with_himself() -> None:
    funded = [pays("bank", "900 USDC", name, slot=2_000 + at) for at, name in enumerate(("ana", "ben"))]
    swaps = [
        swap("ana", "500 USDC", "10 WIF", slot=6_000, day=LATER),
        swap("ana", "5 WIF", "400 USDC", slot=7_000, day=LATER),
        swap("ben", "400 USDC", "5 WIF", slot=7_004, day=LATER),
    ]
    links = found(swaps, *funded)
    assert [order.slot for order in links[wallet("ana")].apart.linked] == [7_000]
    assert [(order.slot, why) for order, why in links[wallet("ben")].apart.entries.items()] == [(7_004, WITH_ITSELF)]
    assert found(swaps)[wallet("ana")].apart.linked == frozenset()


def makes(name: str, token: str, *, slot: int, kind: MovementKind = MovementKind.MINT) -> WalletMovement:
    raw = 1_000_000 if kind is MovementKind.MINT else -1_000_000
    return WalletMovement(
        wallet(name), signature(slot * 1_000), OrderKey(Slot(slot), 0, 0), FIRST_DAY_S + slot, Movement(kind, mint(token), raw)
    )


MAKERS = table("""
    what                                       | made by | how  | at    | payments     | marked
    a token that he minted himself             | ana     | mint | 4_000 |              | yes
    a pool that he filled before anybody swapped | ana   | lp   | 4_000 |              | yes
    a pool that he joined later                | ana     | lp   | 6_000 |              | no
    a token of whoever funded him              | deployer | mint | 4_000 | 900 deployer>ana | yes
    over another address                       | deployer | mint | 4_000 | 900 deployer>transit, 900 transit>ana | yes
    a stranger's token                         | deployer | mint | 4_000 | 900 bank>ana | no
""")


@pytest.mark.parametrize("case", MAKERS, ids=lambda case: case["what"])
def test_entries_in_a_token_of_its_owners_making_are_no_skill(case: dict[str, str]) -> None:
    kind = MovementKind.MINT if case["how"] == "mint" else MovementKind.LIQUIDITY
    payments = paid(case["payments"], slot=2_000)
    swaps = [swap("somebody", "900 USDC", "90 NEW", slot=4_500, day=10), swap("ana", "100 USDC", "10 NEW", slot=5_000, day=LATER)]
    links = found(swaps, makes(case["made by"], "NEW", slot=int(case["at"]), kind=kind), *payments)[wallet("ana")]
    assert list(links.apart.entries.values()) == ([OWN_TOKEN] if case["marked"] == "yes" else [])
    assert bool(links.apart.linked) == (case["marked"] == "yes")


def test_whoever_moves_a_token_nearly_alone_proves_nothing_with_it() -> None:
    def traded(others_usd: int) -> WalletLinks:
        swaps = [swap("ben", f"{others_usd} USDC", "10 NEW", slot=1_000, day=9), swap("ana", "200 USDC", "20 NEW", slot=5_000, day=LATER)]
        return found(swaps)[wallet("ana")]

    assert list(traded(99).apart.entries.values()) == [ALONE]
    assert traded(100).apart.entries == {}


def test_an_entry_in_a_tokens_first_slots_is_not_copied_and_its_sale_is_no_linked_volume() -> None:
    swaps = [
        swap("dev", "900 USDC", "90 NEW", slot=5_000, day=LATER),
        swap("ana", "100 USDC", "10 NEW", slot=5_050, day=LATER),
        swap("ben", "100 USDC", "10 NEW", slot=5_051, day=LATER),
        swap("ana", "10 NEW", "200 USDC", slot=9_000, day=LATER + 1),
    ]
    links = found(swaps)
    assert [(order.slot, why) for order, why in links[wallet("ana")].apart.entries.items()] == [(5_050, LAUNCH)]
    assert links[wallet("ana")].apart.linked == frozenset()
    assert links[wallet("ben")].apart.entries == {}


def test_what_the_lake_has_known_from_its_first_day_was_not_launched_then() -> None:
    assert all(links.apart.entries == {} for links in found([swap("ana", "100 USDC", "1 WIF", slot=2, day=0.5)]).values())


RESETS = table("""
    what                                          | payments                              | silent | heir   | size
    he sends all to a fresh wallet                | 900 old>new                           | yes    | old    | 1
    over an address between                       | 900 old>transit, 890 transit>new      | yes    | old    | 1
    over seven payments                           | 900 old>t1>t2>t3>t4>t5>t6>new         | yes    | old    | 1
    over eight payments                           | 900 old>t1>t2>t3>t4>t5>t6>t7>new      | yes    | nobody | 1
    less than half of what the new one began with | 300 old>new, 700 bank>new             | yes    | nobody | 2
    he goes on trading: a sibling                 | 900 old>new                           | no     | nobody | 2
    somebody else's fresh wallet                  | 900 bank>new                          | yes    | nobody | 1
""")


@pytest.mark.parametrize("case", RESETS, ids=lambda case: case["what"])
def test_a_fresh_wallet_goes_on_with_the_record_of_the_one_it_was_made_from(case: dict[str, str]) -> None:
    payments = paid(case["payments"], slot=3_000)
    swaps = [swap("old", "1000 USDC", "10 WIF", slot=100, day=1), swap("old", "10 WIF", "900 USDC", slot=200, day=2)]
    swaps.append(swap("new", "800 USDC", "8 WIF", slot=5_000, day=LATER))
    if case["silent"] == "no":
        swaps.append(swap("old", "20 USDC", "1 WIF", slot=9_000, day=LATER + 2))
    links = found(swaps, *payments)[wallet("new")]
    assert links.predecessors == (() if case["heir"] == "nobody" else (wallet("old"),))
    assert links.cluster_size == int(case["size"])


def test_the_line_of_resets_is_followed_to_its_beginning_and_judged_as_one_record() -> None:
    swaps, payments = [], []
    for at, name in enumerate(("first", "second", "third")):
        day, slot = 10 * at, 10_000 * at + 100
        for round_trip in range(4):
            swaps.append(swap(name, "500 USDC", "5 WIF", slot=slot + 10 * round_trip, day=day + round_trip))
            swaps.append(swap(name, "5 WIF", "450 USDC", slot=slot + 10 * round_trip + 5, day=day + round_trip + 0.5))
        if at:
            payments.append(pays(("first", "second")[at - 1], "900 USDC", name, slot=slot - 50))
    links = found(swaps, *payments)
    assert links[wallet("third")].predecessors == (wallet("first"), wallet("second"))
    verdicts = score_copies(value_swaps([*CROWD, *swaps]), FIRST_DAY_S + 30 * DAY_S, movements=payments)
    heir = verdicts[wallet("third")]
    assert (heir.wallet, heir.round_trips, heir.evidence_days) == (wallet("third"), 12, 31)
    alone = score_copies(value_swaps([*CROWD, *swaps]), FIRST_DAY_S + 30 * DAY_S)[wallet("third")]
    assert (alone.round_trips, alone.evidence_days) == (4, 11)


def test_the_more_wallets_an_owner_had_to_choose_from_the_less_each_of_them_says() -> None:
    names = [f"clone {at}" for at in range(4)]
    swaps = [*CROWD]
    for at, name in enumerate(names):
        for round_trip in range(8):
            slot, day = 1_000 * (at + 1) + 100 * round_trip, 3 * round_trip + at / 10
            swaps.append(swap(name, "500 USDC", "5 WIF", slot=slot, day=day))
            swaps.append(swap(name, "5 WIF", f"{540 + 7 * round_trip} USDC", slot=slot + 50, day=day + 1.2))
    funded = [pays("bank", "900 USDC", name, slot=2_000 + at) for at, name in enumerate(names)]
    as_of = FIRST_DAY_S + 40 * DAY_S
    strangers, clones = (score_copies(value_swaps(swaps), as_of, movements=moved)[wallet("clone 0")] for moved in ((), funded))
    assert (strangers.links.cluster_size, clones.links.cluster_size) == (1, 4)
    assert clones.links.others == tuple(sorted(wallet(name) for name in names[1:]))
    assert clones.score < strangers.score - 1  # type: ignore[union-attr]  # both have evidence, or this fails


def listed(*wallets: tuple[str, float, int, int, str | None]) -> dict[str, str | None]:
    """Each of one owner: name, score, days, round trips, why not eligible; who is listed after all."""
    (performance,) = performance_of(value_swaps([made_swaps.swap("ana", "100 USDC", "1 SOL", slot=1)]), FIRST_DAY_S)
    scores = []
    for name, score, days, trips, why in wallets:
        links = LinkFacts(owner=wallet(wallets[0][0]))
        copy = CopyScore(wallet(name), score, 0.9, 0.1, 0.0, 0.2, days, trips, trips, 0.1, 0.2, None, 0.0, "prior", links=links)
        scores.append(TraderScore(wallet(name), ClassicScore(1, 0, 0, 0, 0), copy, performance, "hash", why))
    return {name: one.exclusion for (name, *_), one in zip(wallets, one_listing_each(scores), strict=True)}


def test_the_best_known_wallet_of_an_owner_is_listed_and_never_the_luckiest() -> None:
    found = listed(("ana", 90.0, 60, 40, None), ("ben", 55.0, 90, 20, None), ("cem", 80.0, 90, 19, None))
    assert found == {"ana": ELSEWHERE, "ben": None, "cem": ELSEWHERE}


def test_a_wallet_that_may_not_be_listed_keeps_no_other_from_it() -> None:
    found = listed(("ana", 90.0, 60, 40, None), ("ben", 55.0, 90, 20, "no trade in the last 30 days"))
    assert found == {"ana": None, "ben": "no trade in the last 30 days"}


def test_a_long_chain_of_strangers_is_a_neighbourhood_and_not_an_owner() -> None:
    """All 120 hang together over few payments each: over two they are one owner's, over four, being so many, they are not."""
    names = [f"link {number}" for number in range(120)]
    chain = [hop for before, after in pairwise(names) for hop in ((before, f"{before} onwards"), (f"{before} onwards", after))]
    payments = [pays(giver, "900 USDC", taker, slot=2_000 + at) for at, (giver, taker) in enumerate(chain)]
    links = found(alive(*names), *payments)
    assert {len(one.others) for one in links.values()} == {OTHERS_MAX}
    steps = [
        hop for before, after in pairwise(names) for hop in pairwise((before, *(f"{before} step {step}" for step in (1, 2, 3)), after))
    ]
    far = [pays(giver, "900 USDC", taker, slot=9_000 + at) for at, (giver, taker) in enumerate(steps)]
    assert {one.others for one in found(alive(*names), *far).values()} == {()}


def test_what_came_for_nothing_and_is_sold_is_no_profit_of_the_wallet_nor_of_its_copier() -> None:
    """An airdrop's basis is what it was worth when it came: its sale shows nothing that skill brought."""
    swaps = [
        *CROWD,
        swap("ana", "100 USDC", "1 WIF", slot=5_000, day=LATER),
        swap("ana", "500 PUP", "45000 USDC", slot=6_000, day=LATER + 1),
        swap("ana", "1 WIF", "100 USDC", slot=7_000, day=LATER + 2),
    ]
    valuation, as_of = value_swaps(swaps), FIRST_DAY_S + 40 * DAY_S
    (performance,) = [one for one in performance_of(valuation, as_of) if one.wallet == wallet("ana")]
    assert performance.realised_pnl_usd == 0
    own = [one for one in valuation.swaps if one.swap.wallet == wallet("ana")]
    record = replay(trades_of(own), market_of(trades_by_wallet(valuation, as_of).values(), as_of), Terms())
    assert float(record.daily_returns.sum()) <= 0
    assert record.round_trips == 1


def test_an_address_that_a_program_made_ties_nobody() -> None:
    pool, _ = Pubkey.find_program_address([b"pool"], Pubkey.from_string(VENUE))
    order = OrderKey(Slot(2_000), 0, 0)
    sent = [
        WalletMovement(
            wallet(name), signature(at), order, FIRST_DAY_S, Movement(MovementKind.TRANSFER, USDC, 900_000_000, Address(str(pool)))
        )
        for at, name in enumerate(("ana", "ben"))
    ]
    assert found(alive("ana", "ben"), *sent)[wallet("ana")].others == ()
