"""Where each transaction lies in the journal, by signature and by address. In memory, some 200 bytes each; used by bank and RPC."""

from array import array
from collections.abc import Iterable, Iterator, Sequence

from solders.pubkey import Pubkey

from xorj.localnet.journal import Journal
from xorj.localnet.records import StoredTransaction

# a signature is as good as random, so its first half identifies it; a full comparison follows whenever a record is read
_KEY_BYTES = 16


class History:
    """Landed transactions by ordinal, the order in which they were executed."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._offsets = array("Q")
        self._lengths = array("I")
        self._ordinals: dict[bytes, int] = {}
        self._by_address: dict[Pubkey, array[int]] = {}

    def __len__(self) -> int:
        return len(self._offsets)

    def add(self, signature: bytes, addresses: Iterable[Pubkey], offset: int, length: int) -> int:
        """Remembers a transaction whose payload stands at `offset` of the journal; returns its ordinal."""
        ordinal = len(self._offsets)
        self._offsets.append(offset)
        self._lengths.append(length)
        self._ordinals[signature[:_KEY_BYTES]] = ordinal
        for address in addresses:
            known = self._by_address.get(address)
            if known is None:
                known = self._by_address[address] = array("I")
            known.append(ordinal)
        return ordinal

    def ordinal(self, signature: bytes) -> int | None:
        """The ordinal of a signature, None when it never landed."""
        return self._ordinals.get(signature[:_KEY_BYTES])

    def of_address(self, address: Pubkey) -> Sequence[int]:
        """Ordinals of the transactions that name this address, oldest first."""
        return self._by_address.get(address, ())

    def read(self, ordinal: int) -> StoredTransaction:
        return StoredTransaction.decode(self._journal.read(self._offsets[ordinal], self._lengths[ordinal]))

    def read_all(self) -> Iterator[StoredTransaction]:
        """Every stored transaction in the order of execution."""
        return map(self.read, range(len(self)))
