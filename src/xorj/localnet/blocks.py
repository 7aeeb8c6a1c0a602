"""The chain's blocks: slot, height, time, hash, transactions; and how old a blockhash is. In memory; used by the bank and the RPC."""

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from hashlib import sha256

from solders.hash import Hash

from xorj.chain.transactions import Commitment

BLOCKHASH_AGE_MAX_BLOCKS = 150
FINALITY_BLOCKS = 31
REMEMBERED_BLOCKHASHES = 301


@dataclass(frozen=True, slots=True)
class Block:
    """A block by its height. `first` and `last` bound the ordinals of its transactions, last exclusive."""

    height: int
    slot: int
    unix_seconds: int
    first: int
    last: int


class Blocks:
    """All blocks since genesis; the last one is open and takes transactions, the ones before are closed.

    Heights count blocks, slots may jump: a slot between two blocks was skipped.
    """

    def __init__(self, genesis_hash: str, slot: int, unix_seconds: int) -> None:
        self._seed = genesis_hash.encode()
        self._slots = array("Q")
        self._times = array("q")
        self._firsts = array("Q")
        self._heights_by_hash: dict[Hash, int] = {}
        self._first_height = slot
        self._final_floor = slot
        self._count = 0
        self.open(slot, unix_seconds)

    def open(self, slot: int, unix_seconds: int) -> None:
        """Closes the open block and opens one at `slot`."""
        self._slots.append(slot)
        self._times.append(unix_seconds)
        self._firsts.append(self._count)
        self._heights_by_hash[self.hash_of(slot)] = self.height
        while len(self._heights_by_hash) > REMEMBERED_BLOCKHASHES:
            del self._heights_by_hash[next(iter(self._heights_by_hash))]

    def count_transaction(self) -> int:
        """Adds one transaction to the open block and returns its index there."""
        self._count += 1
        return self._count - 1 - self._firsts[-1]

    def hash_of(self, slot: int) -> Hash:
        """The blockhash of a slot: unique by chain and slot, the same after a restart."""
        return Hash(sha256(b"%s block %d" % (self._seed, slot)).digest())

    @property
    def slot(self) -> int:
        """The open block's slot."""
        return self._slots[-1]

    @property
    def unix_seconds(self) -> int:
        """The open block's time."""
        return self._times[-1]

    @property
    def height(self) -> int:
        """The open block's height."""
        return self._first_height + len(self._slots) - 1

    @property
    def first_slot(self) -> int:
        return self._slots[0]

    @property
    def transaction_count(self) -> int:
        return self._count

    def settle_history(self) -> None:
        """Declares every closed block final: what a journal held at start is never undone."""
        self._final_floor = max(self._first_height, self.height - 1)

    def height_at(self, commitment: Commitment) -> int:
        """The newest height that has reached this commitment; the open block counts as processed."""
        if commitment is Commitment.PROCESSED:
            return self.height
        if commitment is Commitment.CONFIRMED:
            return max(self._first_height, self.height - 1)
        return max(self._final_floor, self.height - FINALITY_BLOCKS)

    def slot_at(self, commitment: Commitment) -> int:
        return self._slots[self.height_at(commitment) - self._first_height]

    def commitment_of(self, height: int) -> Commitment:
        """How sure a block of this height is by now."""
        if height <= self.height_at(Commitment.FINALIZED):
            return Commitment.FINALIZED
        return Commitment.CONFIRMED if height <= self.height_at(Commitment.CONFIRMED) else Commitment.PROCESSED

    def newest_hash(self, commitment: Commitment) -> Hash:
        """What getLatestBlockhash answers: the hash of the newest closed block at that commitment."""
        return self.hash_of(self._slots[self._closed(commitment) - self._first_height])

    def last_valid_height(self, blockhash: Hash, commitment: Commitment) -> int | None:
        """The last block height at which a client may expect `blockhash` to be accepted; None when that commitment does not know it."""
        height = self._heights_by_hash.get(blockhash)
        if height is None or height > self._closed(commitment) or self._closed(commitment) - height > BLOCKHASH_AGE_MAX_BLOCKS:
            return None
        return height + BLOCKHASH_AGE_MAX_BLOCKS

    def is_valid(self, blockhash: Hash, commitment: Commitment = Commitment.PROCESSED) -> bool:
        """Whether a transaction with this blockhash may run on top of that commitment's newest closed block."""
        return self.last_valid_height(blockhash, commitment) is not None

    def recent_hashes(self, limit: int) -> list[tuple[int, Hash]]:
        """Slot and hash of the newest closed blocks, newest first: the SlotHashes sysvar."""
        return [(slot, self.hash_of(slot)) for slot in reversed(self._slots[-limit - 1 : -1])]

    def by_height(self, height: int) -> Block:
        position = height - self._first_height
        last = self._firsts[position + 1] if position + 1 < len(self._firsts) else self._count
        return Block(height, self._slots[position], self._times[position], self._firsts[position], last)

    def by_slot(self, slot: int) -> Block | None:
        """The block at a slot; None where the slot was skipped or lies outside."""
        position = bisect_left(self._slots, slot)
        if position == len(self._slots) or self._slots[position] != slot:
            return None
        return self.by_height(position + self._first_height)

    def of_transaction(self, ordinal: int) -> Block:
        """The block that holds the transaction with this ordinal."""
        return self.by_height(bisect_right(self._firsts, ordinal) - 1 + self._first_height)

    def slots_between(self, first: int, last: int) -> list[int]:
        """Slots with a block, both ends inclusive."""
        return self._slots[bisect_left(self._slots, first) : bisect_right(self._slots, last)].tolist()

    def _closed(self, commitment: Commitment) -> int:
        return max(self._first_height, min(self.height - 1, self.height_at(commitment)))
