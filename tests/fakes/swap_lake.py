"""A swap lake in memory, for flows and as the other half of the lake's contract suite."""

from collections.abc import Mapping, Sequence

from xorj.primitives.ids import Address, Slot, Wallet
from xorj.swaps.record import Cursor, Record, by_order
from xorj.swaps.swap import Swap


class MemoryLake:
    """Keeps every record; `commits` counts those that changed something."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.commits = 0
        self._venues: dict[Address, Slot] = {}

    async def cursors(self) -> Mapping[Wallet, Cursor]:
        return {record.wallet: Cursor(record.slot, record.signature) for record in by_order(self.records)}

    async def venue_cursor(self, venue: Address) -> Slot | None:
        return self._venues.get(venue)

    async def commit(self, records: Sequence[Record], venues: Mapping[Address, Slot]) -> int:
        cursors = await self.cursors()
        new = [record for record in by_order(records) if record.wallet not in cursors or record.slot > cursors[record.wallet].slot]
        moved = {venue: slot for venue, slot in venues.items() if self._venues.get(venue, -1) < slot}
        self.records += new
        self._venues |= moved
        self.commits += bool(new or moved)
        return len(new)

    async def swaps(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[Swap]:
        found = [swap for record in self.records if isinstance(record.outcome, tuple) for swap in record.outcome]
        wanted = [swap for swap in found if (as_of is None or swap.order.slot <= as_of) and wallet in (None, swap.wallet)]
        return sorted(wanted, key=lambda swap: (swap.wallet, swap.order, swap.signature))

    async def newest_slot(self) -> Slot | None:
        return max((record.slot for record in self.records), default=None)
