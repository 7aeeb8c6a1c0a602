"""Whose record a new wallet goes on with: the wallet that fell silent and whose money the new one began with. Pure; used by links.

A fresh wallet would be a fresh chance to be lucky. The chain of main givers is followed over addresses that never swap, up to HOPS_MAX
payments in all; a giver that goes on trading is a sibling, not a predecessor, and counts in the cluster.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from xorj.primitives.ids import Address, Slot, Wallet
from xorj.trust.money_graph import HOPS_MAX, PAYMENT_USD_MIN
from xorj.trust.payment import Payment

# of what the wallet began with
MAIN_SHARE_MIN = 0.5
# the old wallet may still sell what it could not send
OVERLAP_S = 86_400


@dataclass(frozen=True, slots=True)
class Life:
    """First and last swap of a wallet, and what its swaps needed from outside in USD."""

    first_slot: Slot
    first_time: int
    last_time: int
    brought_usd: float


def predecessors_of(
    lives: Mapping[Wallet, Life], payments: Sequence[Payment], hubs: Set[Address], hops_max: int = HOPS_MAX
) -> dict[Wallet, tuple[Wallet, ...]]:
    """Of every wallet that has any, its predecessors, the oldest first. `payments` oldest first."""
    received: dict[Address, list[Payment]] = {}
    for payment in payments:
        received.setdefault(payment.taker, []).append(payment)
    before = {wallet: _before(wallet, lives, received, hubs, hops_max) for wallet in lives}
    found: dict[Wallet, tuple[Wallet, ...]] = {}
    for wallet in sorted(lives, key=lambda one: (lives[one].first_slot, lives[one].first_time, one)):
        old = before[wallet]
        if old is not None:
            found[wallet] = (*found.get(old, ()), old)[-hops_max:]
    return found


def _before(
    wallet: Wallet, lives: Mapping[Wallet, Life], received: Mapping[Address, list[Payment]], hubs: Set[Address], hops_max: int
) -> Wallet | None:
    life = lives[wallet]
    address, until, least = Address(wallet), life.first_slot, life.brought_usd
    for _ in range(hops_max):
        main = _main_giver(received.get(address, ()), until, least)
        if main is None or main[0] in hubs:
            return None
        address, until = main
        least = 0.0
        old = Wallet(address)
        if old in lives:
            older = lives[old].first_slot < life.first_slot
            return old if older and lives[old].last_time <= life.first_time + OVERLAP_S else None
    return None


def _main_giver(received: Sequence[Payment], until: Slot, least_usd: float) -> tuple[Address, Slot] | None:
    """Who gave MAIN_SHARE_MIN or more of what came until that slot, or of least_usd where that is more, and when he gave last."""
    given: dict[Address, float] = {}
    last: dict[Address, Slot] = {}
    for payment in received:
        if payment.slot <= until:
            given[payment.giver] = given.get(payment.giver, 0.0) + payment.value_usd
            last[payment.giver] = payment.slot
    if not given:
        return None
    giver = min(given, key=lambda one: (-given[one], one))
    if given[giver] < max(PAYMENT_USD_MIN, MAIN_SHARE_MIN * max(sum(given.values()), least_usd)):
        return None
    return giver, last[giver]
