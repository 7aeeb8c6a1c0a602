"""A swap lake in memory, for flows and as the other half of the lake's contract suite."""

from collections.abc import Collection, Mapping, Sequence
from uuid import uuid4

from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Signature, Slot, Wallet
from xorj.swaps.coverage import Balances, Hole, Learned, left_by, open_holes
from xorj.swaps.pool_hops import SwapFacts
from xorj.swaps.record import Cursor, Record, WalletMovement, by_order, movements_of
from xorj.swaps.swap import Swap


class MemoryLake:
    """Keeps every record; `commits` counts those that changed something."""

    def __init__(self) -> None:
        self.kept: list[Record] = []
        self.commits = 0
        self._identity = str(uuid4())
        self.all_learned: list[Learned] = []
        self._venues: dict[Address, Slot] = {}
        self._came: dict[tuple[Wallet, Signature], int] = {}

    async def cursors(self) -> Mapping[Wallet, Cursor]:
        return {record.wallet: Cursor(record.slot, record.signature) for record in by_order(self.kept)}

    async def venue_cursor(self, venue: Address) -> Slot | None:
        return self._venues.get(venue)

    async def commit(
        self,
        records: Sequence[Record],
        venues: Mapping[Address, Slot],
        learned: Sequence[Learned] = (),
        late: Sequence[Record] = (),
        read_from: Mapping[Wallet, Slot | None] | None = None,
    ) -> int:
        cursors = await self.cursors()
        if any(slot != (cursors[wallet].slot if wallet in cursors else None) for wallet, slot in (read_from or {}).items()):
            raise Unavailable("lake", "another commit came first")
        new = [record for record in by_order(records) if record.wallet not in cursors or record.slot > cursors[record.wallet].slot]
        moved = {venue: slot for venue, slot in venues.items() if self._venues.get(venue, -1) < slot}
        known = {(record.wallet, record.signature) for record in self.kept}
        passed = [record for record in dict.fromkeys(late) if record.wallet in cursors and record.slot <= cursors[record.wallet].slot]
        new = [record for record in passed if (record.wallet, record.signature) not in known] + new
        self.kept += new
        told = [one for one in dict.fromkeys(learned) if one not in self.all_learned]
        self.all_learned += told
        self._venues |= moved
        self.commits += bool(new or moved or told)
        self._came |= {(record.wallet, record.signature): self.commits for record in new}
        return len(new)

    async def left(self, wallets: Collection[Wallet]) -> Mapping[Wallet, Balances]:
        return left_by(one for one in self.all_learned if one.wallet in wallets)

    async def version(self) -> int:
        return self.commits

    async def identity(self) -> str:
        return self._identity

    async def at_version(self, version: int) -> "MemoryLake":
        """A copy without what came later."""
        copy = MemoryLake()
        copy.kept = [record for record in self.kept if self._came.get((record.wallet, record.signature), 0) <= version]
        copy.all_learned, copy.commits, copy._came = list(self.all_learned), version, dict(self._came)
        return copy

    async def swaps_of_commits(self, after: int, until: int) -> list[Swap]:
        numbers = {swap: self._came.get((swap.wallet, swap.signature), 0) for swap in await self.swaps()}
        return [swap for swap, number in numbers.items() if after < number <= until]

    async def swaps(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[Swap]:
        found = [swap for record in self.kept if isinstance(record.outcome, tuple) for swap in record.outcome]
        wanted = [swap for swap in found if (as_of is None or swap.order.slot <= as_of) and wallet in (None, swap.wallet)]
        return sorted(wanted, key=lambda swap: (swap.wallet, swap.order, swap.signature))

    async def movements(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[WalletMovement]:
        found = [one for record in self.kept for one in movements_of(record)]
        wanted = [one for one in found if (as_of is None or one.order.slot <= as_of) and wallet in (None, one.wallet)]
        return sorted(wanted, key=lambda one: (one.wallet, one.order, one.signature))

    async def swap_facts(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[tuple[Swap, SwapFacts]]:
        known = {
            (swap.wallet, swap.signature, swap.order): facts
            for record in self.kept
            if isinstance(record.outcome, tuple) and record.facts is not None
            for swap, facts in zip(record.outcome, record.facts, strict=True)
        }
        swaps = await self.swaps(as_of=as_of, wallet=wallet)
        return [(swap, facts) for swap in swaps if (facts := known.get((swap.wallet, swap.signature, swap.order))) is not None]

    async def newest_slot(self) -> Slot | None:
        return max((record.slot for record in self.kept), default=None)

    async def open_holes(self) -> Mapping[Wallet, tuple[Hole, ...]]:
        wallets = {one.wallet for one in self.all_learned}
        found = {one: open_holes(await self.learned(one)) for one in wallets}
        return {one: holes for one, holes in found.items() if holes}

    async def learned(self, wallet: Wallet) -> list[Learned]:
        return [one for one in self.all_learned if one.wallet == wallet]

    async def records(self, wallet: Wallet) -> list[Record]:
        return by_order(record for record in self.kept if record.wallet == wallet)
