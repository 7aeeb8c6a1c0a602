"""Splits a vault's holdings by the leader they were bought for. Used by copying to size exits, and by follower_pnl.

Only what a fill bought for a leader is his. A stranger's transfer and an owner's deposit of tokens belong to nobody; what the owner
withdraws is taken from what is nobody's first, then from every leader pro rata.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from xorj.portfolio.position import Position
from xorj.primitives.ids import Address, Mint, Slot, Wallet


@dataclass(frozen=True, slots=True)
class Bought:
    slot: Slot
    leader: Wallet | None
    mint: Mint
    units_raw: int
    base_raw: int


@dataclass(frozen=True, slots=True)
class Sold:
    slot: Slot
    leader: Wallet | None
    mint: Mint
    units_raw: int
    base_raw: int


@dataclass(frozen=True, slots=True)
class Moved:
    """Units that came in (`delta_raw` above zero) or went out without a trade."""

    slot: Slot
    mint: Mint
    delta_raw: int


Change = Bought | Sold | Moved


@dataclass(frozen=True, slots=True)
class Holdings:
    """One vault's positions by (leader, mint), and the units of each mint that are nobody's."""

    vault: Address
    positions: Mapping[tuple[Wallet | None, Mint], Position] = field(default_factory=dict)
    unattributed_raw: Mapping[Mint, int] = field(default_factory=dict)

    def position(self, leader: Wallet | None, mint: Mint) -> Position:
        return self.positions.get((leader, mint)) or Position(self.vault, leader, mint)

    def exposure_raw(self, leader: Wallet) -> int:
        """What the positions held for this leader have cost, in the base mint."""
        return sum(each.base_cost_raw for (whose, _), each in self.positions.items() if whose == leader)

    def open_positions(self) -> list[Position]:
        return [each for each in self.positions.values() if each.units_raw > 0]


def attribute(vault: Address, changes: Iterable[Change]) -> Holdings:
    """Folds a vault's changes, oldest first, into holdings."""
    positions: dict[tuple[Wallet | None, Mint], Position] = {}
    unattributed: dict[Mint, int] = {}
    for change in changes:
        if isinstance(change, Moved):
            _move(positions, unattributed, change)
            continue
        key = (change.leader, change.mint)
        held = positions.get(key) or Position(vault, change.leader, change.mint)
        if isinstance(change, Bought):
            positions[key] = held.bought(change.units_raw, change.base_raw)
        else:
            beyond = max(0, change.units_raw - held.units_raw)
            unattributed[change.mint] = max(0, unattributed.get(change.mint, 0) - beyond)
            positions[key] = held.sold(change.units_raw, change.base_raw)
    return Holdings(vault, positions, unattributed)


def _move(positions: dict[tuple[Wallet | None, Mint], Position], unattributed: dict[Mint, int], change: Moved) -> None:
    free = unattributed.get(change.mint, 0) + change.delta_raw
    unattributed[change.mint] = max(0, free)
    if free < 0:
        _withdraw(positions, change.mint, -free)


def _withdraw(positions: dict[tuple[Wallet | None, Mint], Position], mint: Mint, units_raw: int) -> None:
    """Takes units from every leader pro rata; what rounding leaves comes from the largest positions first."""
    held = {key: each for key, each in positions.items() if key[1] == mint and each.units_raw > 0}
    total = sum(each.units_raw for each in held.values())
    left = min(units_raw, total)
    taken = {key: left * each.units_raw // total for key, each in held.items()}
    left -= sum(taken.values())
    for key in sorted(held, key=lambda key: -held[key].units_raw):
        more = min(left, held[key].units_raw - taken[key])
        left -= more
        positions[key] = held[key].withdrawn(taken[key] + more)
