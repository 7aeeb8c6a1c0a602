"""What a vault holds of one mint on behalf of one leader, from fills. Used by copying's sizing, the pages and follower_pnl.

The vault program keeps the same sums per mint (its position slots); here they are split by the leader that each unit was bought for.
"""

from dataclasses import dataclass

from xorj.primitives.ids import Address, Mint, Wallet


@dataclass(frozen=True, slots=True)
class Position:
    """`units_raw` of `mint` that cost `base_cost_raw` of the vault's base mint. `leader` None: bought for nobody (an owner's own wish)."""

    vault: Address
    leader: Wallet | None
    mint: Mint
    units_raw: int = 0
    base_cost_raw: int = 0
    realised_raw: int = 0

    def bought(self, units_raw: int, base_raw: int) -> "Position":
        return self._with(self.units_raw + units_raw, self.base_cost_raw + base_raw, self.realised_raw)

    def sold(self, units_raw: int, base_raw: int) -> "Position":
        """Cost leaves pro rata to units, rounded up, so that what stays is never overvalued; the proceeds less that cost are realised.

        Units beyond the position were never bought for this leader: they bring proceeds without cost.
        """
        cost = self.cost_of(units_raw)
        return self._with(max(0, self.units_raw - units_raw), self.base_cost_raw - cost, self.realised_raw + base_raw - cost)

    def withdrawn(self, units_raw: int) -> "Position":
        """Units that the owner took out: their cost leaves with them and nothing is realised."""
        return self._with(max(0, self.units_raw - units_raw), self.base_cost_raw - self.cost_of(units_raw), self.realised_raw)

    def cost_of(self, units_raw: int) -> int:
        """What `units_raw` of it have cost, rounded up; all of the cost for all of the units or more."""
        if units_raw >= self.units_raw:
            return self.base_cost_raw
        return -(-self.base_cost_raw * units_raw // self.units_raw)

    def _with(self, units_raw: int, base_cost_raw: int, realised_raw: int) -> "Position":
        return Position(self.vault, self.leader, self.mint, units_raw, base_cost_raw, realised_raw)
