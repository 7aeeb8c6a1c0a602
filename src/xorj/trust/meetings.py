"""Swaps of two wallets in one token within a few slots: whose trades come together, and who trades with himself. Pure; used by links.

A leg meets the next NEIGHBOURS_MAX legs of its token that lie within MEETING_SLOTS, of other wallets. In a crowd that is nearly nobody
twice; two wallets whose trades keep meeting are driven by one hand, unless one always comes after the other: then it copies, which anybody
may do to anybody, and proves nothing about the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xorj.swaps.quote_rank import UNQUOTED_RANK, quote_rank
from xorj.swaps.valuation import ValuedSwap
from xorj.trust.cohort import Bools, Floats, Ints

MEETING_SLOTS = 5
NEIGHBOURS_MAX = 8
# of the entries of both, and how many it takes
COTIMED_SHARE_MIN, COTIMED_ENTRIES_MIN = 0.5, 10
# of what both traded of the token, and how often it takes
WASHED_SHARE_MIN, WASHES_MIN = 0.5, 3
# whoever comes second more often than this is a copier or an arbitrageur
FIRST_SHARE_MIN = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Legs:
    """Purchases and sales of tokens other than SOL and the stables, by token and then in the chain's order; one array entry each.

    `swap` is the place in the swaps they were made of, `index` the transaction's in its slot, side 1 a purchase and -1 a sale.
    """

    swap: Ints
    wallet: Ints
    mint: Ints
    slot: Ints
    index: Ints
    side: Ints
    raw: Floats
    value_usd: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Meetings:
    """int64[M] each: places in Legs of the earlier and the later leg; whether their order inside one slot is not told."""

    first: Ints
    second: Ints
    unordered: Bools


def legs_of(swaps: Sequence[ValuedSwap], wallets: dict[str, int], mints: dict[str, int]) -> Legs:
    """Places of wallets and mints are those of the two dicts, which are added to."""
    rows, raws, values = list[tuple[int, ...]](), list[float](), list[float]()
    for at, one in enumerate(swaps):
        swap = one.swap
        for side, amount in ((-1, swap.input), (1, swap.output)):
            if quote_rank(amount.mint) == UNQUOTED_RANK and amount.raw:
                mint = mints.setdefault(amount.mint, len(mints))
                wallet = wallets.setdefault(swap.wallet, len(wallets))
                order = swap.order
                rows.append((mint, order.slot, order.transaction_index, order.instruction_index, wallet, side, at))
                raws.append(float(amount.raw))
                values.append(float(one.value_usd or 0))
    table = np.array(rows, np.int64).reshape(-1, 7)
    in_order = np.lexsort(tuple(table[:, column] for column in (6, 5, 4, 3, 2, 1, 0)))
    table, raw, value = table[in_order], np.array(raws, np.float64)[in_order], np.array(values, np.float64)[in_order]
    return Legs(table[:, 6], table[:, 4], table[:, 0], table[:, 1], table[:, 2], table[:, 5], raw, value)


def meetings_of(legs: Legs) -> Meetings:
    """All meetings, whatever the sides."""
    first, second = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for apart in range(1, min(NEIGHBOURS_MAX, len(legs.slot) - 1) + 1):
        near = (legs.mint[apart:] == legs.mint[:-apart]) & (legs.slot[apart:] - legs.slot[:-apart] <= MEETING_SLOTS)
        found = np.flatnonzero(near & (legs.wallet[apart:] != legs.wallet[:-apart]))
        first.append(found)
        second.append(found + apart)
    one, other = np.concatenate(first), np.concatenate(second)
    same = (legs.slot[one] == legs.slot[other]) & (legs.index[one] == legs.index[other])
    return Meetings(one, other, same)


def cotimed(legs: Legs, meetings: Meetings) -> tuple[Ints, Ints]:
    """int64[P] each: pairs of wallets most of whose entries, of both, are made together, neither always behind the other."""
    buys = (legs.side[meetings.first] > 0) & (legs.side[meetings.second] > 0)
    pairs = _Pairs(legs, _only(meetings, buys))
    entries = np.bincount(legs.wallet, weights=legs.side > 0, minlength=pairs.wallets)
    together = [pairs.distinct(which) for which in (0, 1)]
    enough = np.minimum(*together) >= COTIMED_ENTRIES_MIN
    shares = [met / np.maximum(entries[wallet], 1) for met, wallet in zip(together, (pairs.low, pairs.high), strict=True)]
    found = enough & (np.minimum(*shares) >= COTIMED_SHARE_MIN) & pairs.neither_follows()
    return pairs.low[found], pairs.high[found]


def washing(legs: Legs, meetings: Meetings) -> tuple[Ints, Ints]:
    """int64[P] each: pairs of wallets of which one's sale is the other's purchase for most of what both traded of some token."""
    opposite = legs.side[meetings.first] * legs.side[meetings.second] < 0
    met = _only(meetings, opposite)
    pairs = _Pairs(legs, met, by_mint=True)
    often = np.bincount(pairs.of, minlength=len(pairs.low)) >= WASHES_MIN
    traded = dict(zip(*_volumes(legs), strict=True))
    shares = []
    for which, wallet in ((0, pairs.low), (1, pairs.high)):
        volume = np.array([traded[key] for key in (wallet * (legs.mint.max(initial=0) + 1) + pairs.mint).tolist()])
        shares.append(pairs.matched_usd(which) / np.where(volume > 0, volume, 1.0))
    shared = np.minimum(*shares) if len(pairs.low) else np.empty(0)
    found = often & (shared >= WASHED_SHARE_MIN) & pairs.neither_follows()
    return pairs.low[found], pairs.high[found]


def linked_legs(legs: Legs, meetings: Meetings, group: Ints) -> Bools:
    """bool[L]: legs that met an opposite one of another wallet of the same group; `group` is int64 by wallet."""
    of = group[legs.wallet]
    opposite = (legs.side[meetings.first] * legs.side[meetings.second] < 0) & (of[meetings.first] == of[meetings.second])
    result = np.zeros(len(legs.slot), np.bool_)
    result[meetings.first[opposite]] = True
    result[meetings.second[opposite]] = True
    return result


def _only(meetings: Meetings, wanted: Bools) -> Meetings:
    return Meetings(meetings.first[wanted], meetings.second[wanted], meetings.unordered[wanted])


def _volumes(legs: Legs) -> tuple[list[int], list[float]]:
    keys, which = np.unique(legs.wallet * (legs.mint.max(initial=0) + 1) + legs.mint, return_inverse=True)
    return keys.tolist(), np.bincount(which, weights=legs.value_usd, minlength=len(keys)).tolist()


class _Pairs:
    """Meetings by pair of wallets, and by token where asked: `low` is the wallet with the smaller place."""

    def __init__(self, legs: Legs, meetings: Meetings, *, by_mint: bool = False) -> None:
        self._legs, self._meetings = legs, meetings
        self.wallets = int(legs.wallet.max(initial=-1)) + 1
        one, other = legs.wallet[meetings.first], legs.wallet[meetings.second]
        self._first_is_low = one < other
        mint = legs.mint[meetings.first] if by_mint else np.zeros(len(one), np.int64)
        rows = np.stack([np.minimum(one, other), np.maximum(one, other), mint], axis=1)
        distinct, self.of = np.unique(rows, axis=0, return_inverse=True)
        self.of = self.of.reshape(-1)
        self.low, self.high, self.mint = distinct[:, 0], distinct[:, 1], distinct[:, 2]

    def _legs_of(self, which: int) -> Ints:
        """Of each meeting, the leg of the pair's low (0) or high (1) wallet."""
        takes_first = self._first_is_low if which == 0 else ~self._first_is_low
        return np.where(takes_first, self._meetings.first, self._meetings.second)

    def distinct(self, which: int) -> Ints:
        """int64[P]: how many legs of that wallet met the other's."""
        pairs = np.unique(self.of * max(len(self._legs.slot), 1) + self._legs_of(which))
        return np.bincount(pairs // max(len(self._legs.slot), 1), minlength=len(self.low))

    def matched_usd(self, which: int) -> Floats:
        """float64[P]: worth of what that wallet's legs and the other's have in common, each leg at most once."""
        legs, met = self._legs, self._meetings
        common = np.minimum(legs.raw[met.first], legs.raw[met.second])
        keys, which_leg = np.unique(self.of * max(len(legs.slot), 1) + self._legs_of(which), return_inverse=True)
        total = np.bincount(which_leg.reshape(-1), weights=common, minlength=len(keys))
        leg, pair = keys % max(len(legs.slot), 1), keys // max(len(legs.slot), 1)
        share = np.minimum(total / legs.raw[leg], 1.0) if len(keys) else total
        return np.asarray(np.bincount(pair, weights=share * legs.value_usd[leg], minlength=len(self.low)), np.float64)

    def neither_follows(self) -> Bools:
        """bool[P]: each of the two came first in FIRST_SHARE_MIN of the meetings or more; half counts where nobody knows."""
        first = np.where(self._meetings.unordered, 0.5, self._first_is_low.astype(np.float64))
        share = np.bincount(self.of, weights=first, minlength=len(self.low)) / np.maximum(np.bincount(self.of, minlength=len(self.low)), 1)
        result: Bools = (share >= FIRST_SHARE_MIN) & (share <= 1 - FIRST_SHARE_MIN)
        return result
