"""Which wallets are one owner's, and which of their swaps say nothing about skill. Pure; made for a scoring run by score_copies.

Wallets are tied by money (money_graph), by trades that keep meeting (meetings), and joined over any number of ties to clusters. A swap
counts as linked volume, and as an entry is not copied, where the wallet trades with its own cluster, in a token that the cluster made or
moves nearly alone; an entry in a token's first slots is not copied either. Exits are copied always: a copier that holds wants out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from xorj.primitives.ids import Address, Mint, Slot, Wallet
from xorj.swaps.quote_rank import Direction, direction
from xorj.swaps.record import WalletMovement
from xorj.swaps.swap import OrderKey
from xorj.swaps.valuation import ValuedSwap
from xorj.trust import meetings as met
from xorj.trust.cohort import Bools, Ints
from xorj.trust.copy_replay import NOTHING_APART, Apart, Prices
from xorj.trust.money_graph import Flows, binding, components, flows_of, hubs, joined_within
from xorj.trust.payment import makers_of, payments_of
from xorj.trust.predecessors import Life, predecessors_of

OWN_TOKEN, WITH_ITSELF = "in a token of its owner's making", "with a wallet of its owner"
ALONE, LAUNCH = "in a token that its owner moves nearly alone", "in the first slots of a token"
# of all that the lake knows was ever traded of a token
ALONE_ABOVE = 2 / 3
LAUNCH_SLOTS = 50
# more wallets than that which hang together over HOPS_MAX payments are a neighbourhood: they are tied by NEAR_HOPS alone
CLUSTER_MAX, NEAR_HOPS = 100, 2
OTHERS_MAX = 50
# a token whose first swap is as old as the lake itself may have been there before
LAUNCH_KNOWN_S = 86_400


@dataclass(frozen=True, slots=True)
class WalletLinks:
    """`owner` is the first of all wallets of one owner, and stands for him; `others` are his others, the first OTHERS_MAX of them.

    `cluster_size` counts the records he had to choose from, this one included: a predecessor's record is part of its successor's.
    """

    owner: Wallet
    others: tuple[Wallet, ...] = ()
    cluster_size: int = 1
    predecessors: tuple[Wallet, ...] = ()
    apart: Apart = NOTHING_APART


def links_of(swaps: Sequence[ValuedSwap], movements: Sequence[WalletMovement], prices: Prices) -> dict[Wallet, WalletLinks]:
    """Of every wallet with swaps. `swaps` sorted by wallet and order key, all of both known at the moment of the run."""
    wallets: dict[str, int] = {wallet: at for at, wallet in enumerate(dict.fromkeys(one.swap.wallet for one in swaps))}
    mints: dict[str, int] = {}
    legs = met.legs_of(swaps, wallets, mints)
    meetings = met.meetings_of(legs)
    lives, payments = lives_of(swaps), payments_of(movements, prices)
    makers = makers_of(movements, _first_slots(legs, mints))
    names = [Address(wallet) for wallet in wallets]
    flows = flows_of(payments, [*names, *(maker for each in makers.values() for maker in each)])
    group, group_of_address = _grouped(flows, names, lives, makers, _pairs(legs, meetings))
    old = predecessors_of(lives, payments, _hub_addresses(flows))
    own = {at: {group_of_address[maker] for maker in makers.get(Mint(mint), ())} for mint, at in mints.items()}
    marks = _marks(legs, group, own, meetings)
    return _by_wallet(swaps, legs, list(wallets), group, old, marks, _launches(legs, swaps))


def lives_of(swaps: Sequence[ValuedSwap]) -> dict[Wallet, Life]:
    """First and last swap, and what purchases cost beyond what sales had brought before."""
    lives: dict[Wallet, Life] = {}
    for wallet, of_wallet in groupby(swaps, key=lambda one: one.swap.wallet):
        whole, cash, brought = list(of_wallet), 0.0, 0.0
        for one in whole:
            what, value = direction(one.swap.input.mint, one.swap.output.mint), float(one.value_usd or 0)
            if what is Direction.OPEN:
                brought += max(value - cash, 0.0)
                cash = max(cash - value, 0.0)
            elif what is Direction.CLOSE:
                cash += value
        first, last = whole[0].swap, whole[-1].swap
        lives[wallet] = Life(first.order.slot, first.block_time, last.block_time, brought)
    return lives


def _first_slots(legs: met.Legs, mints: Mapping[str, int]) -> dict[Mint, Slot]:
    first = dict[int, int]()
    for mint, slot in zip(legs.mint[::-1].tolist(), legs.slot[::-1].tolist(), strict=True):
        first[mint] = slot
    return {Mint(mint): Slot(first[at]) for mint, at in mints.items()}


def _hub_addresses(flows: Flows) -> frozenset[Address]:
    return frozenset(flows.addresses[at] for at in np.flatnonzero(hubs(flows)).tolist())


def _pairs(legs: met.Legs, meetings: met.Meetings) -> list[tuple[Ints, Ints]]:
    return [met.cotimed(legs, meetings), met.washing(legs, meetings)]


def _grouped(
    flows: Flows,
    names: Sequence[Address],
    lives: Mapping[Wallet, Life],
    makers: Mapping[Mint, Iterable[Address]],
    pairs: Sequence[tuple[Ints, Ints]],
) -> tuple[Ints, dict[Address, int]]:
    """The group of every wallet, by its place in `names`, and of every address that money was seen of."""
    place = {address: at for at, address in enumerate(flows.addresses)}
    marked = np.zeros(len(place), np.bool_)
    marked[[place[address] for address in (*names, *(maker for each in makers.values() for maker in each))]] = True
    one, other = binding(flows, {Address(wallet): life.brought_usd for wallet, life in lives.items()})
    money = joined_within(one, other, marked)
    crowded = np.bincount(money, weights=marked, minlength=len(place)) > CLUSTER_MAX
    if crowded.any():
        money = np.where(crowded[money], joined_within(one, other, marked, NEAR_HOPS), money)
    here = np.array([place[name] for name in names], np.int64)
    ends = [np.arange(len(place)), *(here[low] for low, _ in pairs)], [money, *(here[high] for _, high in pairs)]
    group = components(np.concatenate(ends[0]), np.concatenate(ends[1]), len(place))
    return group[here], {address: int(group[at]) for address, at in place.items()}


def _marks(legs: met.Legs, group: Ints, own: Mapping[int, set[int]], meetings: met.Meetings) -> list[tuple[str, Bools]]:
    """The first mark that a leg has is the one that is told."""
    of = group[legs.wallet]
    made = np.array([by in own[mint] for by, mint in zip(of.tolist(), legs.mint.tolist(), strict=True)], np.bool_)
    return [(OWN_TOKEN, made), (WITH_ITSELF, met.linked_legs(legs, meetings, group)), (ALONE, _alone(legs, of))]


def _alone(legs: met.Legs, of: Ints) -> Bools:
    """bool[L]: whether the leg's owner made more than ALONE_ABOVE of all the token's volume."""
    _, whose = np.unique(np.stack([of, legs.mint], axis=1), axis=0, return_inverse=True)
    whose = whose.reshape(-1)
    own, whole = np.bincount(whose, weights=legs.value_usd), np.bincount(legs.mint, weights=legs.value_usd)
    result: Bools = own[whose] > ALONE_ABOVE * whole[legs.mint]
    return result


def _launches(legs: met.Legs, swaps: Sequence[ValuedSwap]) -> Bools:
    """bool[L]: purchases within LAUNCH_SLOTS of the first swap of a token that came after the lake had begun."""
    if not len(legs.slot):
        return np.zeros(0, np.bool_)
    times = np.array([one.swap.block_time for one in swaps], np.int64)
    _, begins, token = np.unique(legs.mint, return_index=True, return_inverse=True)
    known = times[legs.swap[begins]] >= times.min() + LAUNCH_KNOWN_S
    result: Bools = (legs.side > 0) & known[token] & (legs.slot <= legs.slot[begins][token] + LAUNCH_SLOTS)
    return result


def _by_wallet(
    swaps: Sequence[ValuedSwap],
    legs: met.Legs,
    wallets: Sequence[str],
    group: Ints,
    old: Mapping[Wallet, tuple[Wallet, ...]],
    marks: Sequence[tuple[str, Bools]],
    launches: Bools,
) -> dict[Wallet, WalletLinks]:
    members: dict[int, list[Wallet]] = {}
    for wallet, of in zip(wallets, group.tolist(), strict=True):
        members.setdefault(of, []).append(Wallet(wallet))
    succeeded = {each for chain in old.values() for each in chain}
    apart: dict[str, dict[OrderKey, str]] = {wallet: {} for wallet in wallets}
    linked: dict[str, set[OrderKey]] = {wallet: set() for wallet in wallets}
    for why, flags in (*marks, (LAUNCH, launches)):
        for leg in np.flatnonzero(flags).tolist():
            wallet, order = wallets[legs.wallet[leg]], swaps[legs.swap[leg]].swap.order
            if why is not LAUNCH:
                linked[wallet].add(order)
            if legs.side[leg] > 0:
                apart[wallet].setdefault(order, why)
    found: dict[Wallet, WalletLinks] = {}
    for of_group in members.values():
        size, first = max(1, sum(member not in succeeded for member in of_group)), sorted(of_group)[: OTHERS_MAX + 1]
        for wallet in of_group:
            others = tuple(member for member in first if member != wallet)[:OTHERS_MAX]
            found[wallet] = WalletLinks(first[0], others, size, old.get(wallet, ()), Apart(apart[wallet], frozenset(linked[wallet])))
    return found
