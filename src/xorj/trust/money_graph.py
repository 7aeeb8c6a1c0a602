"""Which wallets money ties together: payments that bind, hubs left out, paths of up to HOPS_MAX. Pure and vectorised; used by links.

A payment binds two addresses where it cannot have been forced on the taker for a trifle, or everybody could tie himself to anybody: it is
a good part of all that the taker ever got, or nearly all that the giver ever gave and still a part that the taker would notice. Whoever
deals with more than HUB_PARTNERS_MAX others is an exchange, a service or a dust sender, and ties nobody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xorj.primitives.ids import Address
from xorj.trust.cohort import Bools, Floats, Ints
from xorj.trust.payment import Payment

HOPS_MAX = 7
HUB_PARTNERS_MAX = 25
# below it nothing is told: anybody can send anybody a few dollars
PAYMENT_USD_MIN = 20.0
# of all that the taker ever got
TAKER_SHARE_MIN = 0.10
# a sweep: of all that the giver ever gave, and then of all that the taker ever got
SWEEP_SHARE_MIN, SWEEP_TAKER_SHARE_MIN = 0.50, 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """Value from one address to another over all time: int64[E] places in `addresses`, float64[E] USD, one entry a pair and direction."""

    addresses: tuple[Address, ...]
    givers: Ints
    takers: Ints
    value_usd: Floats


def flows_of(payments: Sequence[Payment], known: Sequence[Address]) -> Flows:
    """The payments summed by pair; every address of `known` has a place, payments or not."""
    addresses = tuple(sorted({*known, *(one.giver for one in payments), *(one.taker for one in payments)}))
    place = {address: at for at, address in enumerate(addresses)}
    givers = np.fromiter((place[one.giver] for one in payments), np.int64, len(payments))
    takers = np.fromiter((place[one.taker] for one in payments), np.int64, len(payments))
    values = np.fromiter((one.value_usd for one in payments), np.float64, len(payments))
    pairs, which = np.unique(givers * len(addresses) + takers, return_inverse=True)
    return Flows(addresses, pairs // max(len(addresses), 1), pairs % max(len(addresses), 1), _sums(which, values, len(pairs)))


def binding(flows: Flows, brought_usd: Mapping[Address, float]) -> tuple[Ints, Ints]:
    """int64[B] each: both ends of the payments that bind, hubs left out. `brought_usd` is what a wallet's swaps needed from outside, which
    counts as got where more was never seen to come."""
    count, value = len(flows.addresses), flows.value_usd
    got, gave = _sums(flows.takers, value, count), _sums(flows.givers, value, count)
    got = np.maximum(got, np.array([brought_usd.get(address, 0.0) for address in flows.addresses]))
    of_taker = value / np.where(got[flows.takers] > 0, got[flows.takers], 1.0)
    of_giver = value / np.where(gave[flows.givers] > 0, gave[flows.givers], 1.0)
    tells = value >= PAYMENT_USD_MIN
    binds = tells & ((of_taker >= TAKER_SHARE_MIN) | ((of_giver >= SWEEP_SHARE_MIN) & (of_taker >= SWEEP_TAKER_SHARE_MIN)))
    hub = hubs(flows)
    binds &= ~hub[flows.givers] & ~hub[flows.takers]
    return flows.givers[binds], flows.takers[binds]


def hubs(flows: Flows) -> Bools:
    """bool[N]: whoever gave to or got from more than HUB_PARTNERS_MAX others PAYMENT_USD_MIN or more."""
    tells, count = flows.value_usd >= PAYMENT_USD_MIN, len(flows.addresses)
    one, other = flows.givers[tells], flows.takers[tells]
    pairs = np.unique(np.concatenate([one * count + other, other * count + one]))
    result: Bools = np.bincount(pairs // max(count, 1), minlength=count) > HUB_PARTNERS_MAX
    return result


def joined_within(one: Ints, other: Ints, marked: Bools, hops_max: int = HOPS_MAX) -> Ints:
    """int64[N]: for marked nodes the smallest marked node of their group, the node itself elsewhere.

    Two marked nodes are of one group when a path of at most `hops_max` edges joins them, or both to a third. Each node is given to its
    nearest marked one; an edge between two regions joins their owners where both distances and the edge make no more than hops_max, which
    finds exactly the groups that all pairs of distances would (Mehlhorn 1988).
    """
    count = len(marked)
    source, target = np.concatenate([one, other]), np.concatenate([other, one])
    unreached = hops_max + 1
    distance = np.where(marked, 0, unreached)
    owner = np.where(marked, np.arange(count), count)
    for level in range(hops_max // 2):
        steps = (distance[source] == level) & (distance[target] > level)
        reached, by = target[steps], owner[source[steps]]
        distance[reached] = level + 1
        np.minimum.at(owner, reached, by)
    joins = (owner[source] < count) & (owner[target] < count) & (distance[source] + distance[target] + 1 <= hops_max)
    return components(owner[source[joins]], owner[target[joins]], count)


def components(one: Ints, other: Ints, count: int) -> Ints:
    """int64[count]: the smallest node that each node is joined to, over any number of edges."""
    label = np.arange(count, dtype=np.int64)
    while True:
        low = np.minimum(label[one], label[other])
        lower = label.copy()
        np.minimum.at(lower, label[one], low)
        np.minimum.at(lower, label[other], low)
        lower = lower[lower]
        if np.array_equal(lower, label):
            return label
        label = lower


def _sums(place: Ints, values: Floats, count: int) -> Floats:
    return np.asarray(np.bincount(place, weights=values, minlength=count), np.float64)
