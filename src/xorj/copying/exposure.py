"""What all followers together may have at stake with one leader, and with his owner. Pure; plan_copies calls `held_back` with decisions.

A leader who turns on his copiers sells to them what he bought: what he can take is what they hold, so that is what is bounded.

    cap of a leader = max(floor, share * deposits of all followers * min(1, (days of live copies + 1) / ramp))
    cap of an owner = max(floor, share * deposits of all followers)        over all wallets of his that are known

What one trade's followers want beyond the room that is left is taken from all of them in proportion. Exits are never held back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xorj.copying.decision import Leg, Numbers, Refused, Resized, Side
from xorj.copying.ports import PlannedCopy
from xorj.copying.standing import LeaderStanding
from xorj.primitives.amounts import BPS_PER_ONE, TokenAmount

LEADER_CAP, OWNER_CAP, PAUSED = "cap of all followers on one leader", "cap of all followers on one owner", "leader paused"


@dataclass(frozen=True, slots=True)
class Bounds:
    """`share_bps` of all followers' deposits, `floor_raw` in the base mint, `ramp_days` until a new leader's cap is whole."""

    share_bps: int
    floor_raw: int
    ramp_days: int

    def of_leader(self, standing: LeaderStanding) -> int:
        """In raw units of the base mint."""
        days = min(standing.live_days + 1, self.ramp_days)
        return max(self.floor_raw, standing.deposits_raw * self.share_bps * days // (BPS_PER_ONE * max(self.ramp_days, 1)))

    def of_owner(self, standing: LeaderStanding) -> int:
        return max(self.floor_raw, standing.deposits_raw * self.share_bps // BPS_PER_ONE)


def held_back(copies: Sequence[PlannedCopy], standing: LeaderStanding, bounds: Bounds) -> list[PlannedCopy]:
    """One trade's decisions, their purchases within the room that its leader has left. The order is kept."""
    wanted = sum(leg.input.raw for copy in copies for leg in copy.decision.legs if leg.side is Side.BUY)
    if wanted == 0:
        return list(copies)
    if standing.pause is not None:
        paused = {"because": standing.pause.reason, "since_slot": standing.pause.slot, **standing.pause.numbers}
        return [_cut(copy, 0, 1, PAUSED, paused) for copy in copies]
    room, rule, numbers = _room(standing, bounds)
    if wanted <= room:
        return list(copies)
    return [_cut(copy, room, wanted, rule, {**numbers, "all_wanted_raw": str(wanted), "room_raw": str(room)}) for copy in copies]


def _room(standing: LeaderStanding, bounds: Bounds) -> tuple[int, str, Numbers]:
    """The tighter of the two, with its name and what it was reckoned from."""
    leader, owner = bounds.of_leader(standing), bounds.of_owner(standing)
    of_leader, of_owner = leader - standing.leader_raw, owner - standing.owner_raw
    shared: Numbers = {"deposits_raw": str(standing.deposits_raw), "share_bps": bounds.share_bps, "floor_raw": str(bounds.floor_raw)}
    if of_owner < of_leader:
        wallets = len(standing.others) + 1
        return max(0, of_owner), OWNER_CAP, {**shared, "cap_raw": str(owner), "at_stake_raw": str(standing.owner_raw), "wallets": wallets}
    ramp = {"live_days": standing.live_days, "ramp_days": bounds.ramp_days}
    return max(0, of_leader), LEADER_CAP, {**shared, **ramp, "cap_raw": str(leader), "at_stake_raw": str(standing.leader_raw)}


def _cut(copy: PlannedCopy, room: int, wanted: int, rule: str, numbers: Numbers) -> PlannedCopy:
    """The copy with `room / wanted` of its purchase; without it where that is less than the follower's smallest trade."""
    decision = copy.decision
    least = copy.follow.caps.trade_min_raw
    kept = tuple(leg for each in decision.legs if (leg := _share_of(each, room, wanted, least)) is not None)
    if kept == decision.legs:
        return copy
    told = {**decision.numbers, **numbers}
    return replace(copy, decision=Resized(kept, rule, told) if kept else Refused(rule, told))


def _share_of(leg: Leg, room: int, wanted: int, least_raw: int) -> Leg | None:
    if leg.side is not Side.BUY:
        return leg
    amount = leg.input.raw * room // wanted
    return replace(leg, input=TokenAmount(leg.input.mint, amount, leg.input.decimals)) if amount >= max(least_raw, 1) else None
