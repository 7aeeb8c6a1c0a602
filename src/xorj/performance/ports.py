"""What computing in bulk needs from the outside: legs by bucket, one price table. Adapter: adapters/lake/leg_files.py; fakes in tests."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from xorj.performance.columns import Legs, Marks
from xorj.primitives.ids import Wallet

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The marks of every token of the legs, up to the day of `as_of`, in unix seconds, which no leg is later than."""

    marks: Marks
    as_of: int


class LegReader(Protocol):
    """Whole buckets of a lake, valued and sorted; a wallet is in one bucket. It goes to other processes, so it must be picklable.

    Every method raises Unavailable when the store cannot be read.
    """

    def buckets(self) -> Sequence[int]:
        """The buckets that hold anything, in order."""

    def legs(self, bucket: int) -> Legs:
        """Every leg of the bucket as arrays, sorted by (wallet, token, swap); wallet numbers hold for this bucket, tokens for all."""

    def expect(self, bucket: int) -> None:
        """The bucket is asked for next: its bytes may be fetched meanwhile. Never fails."""

    def price_table(self) -> PriceTable:
        """The one price table that all buckets are marked from."""


class LegWriter(Protocol):
    """Where legs are kept for LegReader. Every method raises Unavailable when the store cannot be written."""

    def bucket_of(self, wallet: Wallet) -> int:
        """The bucket that the wallet is in, for ever the same."""

    def clear(self) -> None:
        """Removes every bucket and the price table."""

    def write_bucket(self, bucket: int, legs: Legs, wallets: Sequence[Wallet]) -> None:
        """Replaces a bucket; `wallets` are what its wallet numbers stand for."""

    def write_price_table(self, table: PriceTable) -> None:
        """Replaces the price table."""


class BookKeeper(Protocol):
    """Where a snapshot of the live books outlives the process. Both raise Unavailable when it cannot be used."""

    async def load(self) -> bytes | None:
        """What was saved last, None when nothing was."""

    async def save(self, content: bytes) -> None:
        """Replaces it: whoever dies while saving leaves what was there before."""


class Workers(Protocol):
    """Runs one function over many items, somewhere. An item whose worker dies is run again, up to a limit, then Unavailable is raised."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """The results in the order of the items."""
