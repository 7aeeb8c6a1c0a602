"""What is confirmed and not yet final: swaps beyond the lake's end, which a fork may still undo. Pure; kept by follow_confirmed.

Nothing of it reaches the lake: what becomes final is read again as final. Shown beside the lake's history, never counted into it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from xorj.primitives.ids import Address, Signature, Slot, Wallet
from xorj.swaps.record import Record

SEEN_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Seen:
    """A confirmed transaction with what it was for each wallet that is told of; `of` is whose history listed it."""

    of: Address
    signature: Signature
    slot: Slot
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """What one look changed: transactions that came, that the lake has passed, and that a fork has undone."""

    came: int = 0
    passed: int = 0
    undone: int = 0


@dataclass(slots=True)
class Overlay:
    """By the address whose history listed it, and signature; `seen_max` in all."""

    seen: dict[tuple[Address, Signature], Seen] = field(default_factory=dict)
    seen_max: int = SEEN_MAX

    def room(self) -> int:
        return max(0, self.seen_max - len(self.seen))

    def known(self, of: Address) -> frozenset[Signature]:
        return frozenset(signature for address, signature in self.seen if address == of)

    def keep_only(self, ends: Mapping[Address, Slot]) -> int:
        """Drops what is of no history in `ends`, or of a slot up to which the lake has it; says how much the lake had passed."""
        gone = [(key, one) for key, one in self.seen.items() if one.slot <= ends.get(one.of, one.slot)]
        for key, _ in gone:
            del self.seen[key]
        return sum(one.of in ends for _, one in gone)

    def look(self, of: Address, listed: Iterable[Signature], new: Iterable[Seen], final: Slot) -> Moved:
        """`listed` are all confirmed transactions of an address beyond `final`, the slot that the lake is complete to; `new` are those
        of them that were not known. What is known and no longer listed was undone, unless the lake has passed it."""
        still = set(listed)
        gone = [one for (address, _), one in self.seen.items() if address == of and (one.slot <= final or one.signature not in still)]
        for one in gone:
            del self.seen[of, one.signature]
        came = [one for one in new if one.slot > final]
        self.seen |= {(of, one.signature): one for one in came}
        passed = sum(one.slot <= final for one in gone)
        return Moved(len(came), passed, len(gone) - passed)

    def records(self, wallet: Wallet | None = None) -> list[Record]:
        """Oldest first, each once, whichever histories listed it."""
        found: Mapping[tuple[Wallet, Signature], Record] = {
            (record.wallet, record.signature): record
            for one in self.seen.values()
            for record in one.records
            if wallet in (None, record.wallet)
        }
        return sorted(found.values(), key=lambda one: (one.slot, one.transaction_index, one.wallet))
