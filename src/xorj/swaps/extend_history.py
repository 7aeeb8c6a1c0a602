"""Reads a wallet that is known from some slot on further back, to a date or to its first transaction. Run by `swaps backfill`.

From the newest to the oldest, part by part, each one commit: so what is known stays in one piece, and a restart goes on where it ended.
"""

from collections.abc import Callable
from typing import Protocol

from xorj.chain.ports import HistoryReader
from xorj.chain.transactions import SignatureInfo
from xorj.primitives.ids import Address, Slot, Wallet
from xorj.swaps.complete_history import Found, complete
from xorj.swaps.coverage import SlotRange
from xorj.swaps.ingest_swaps import Ingested, Progress, records_of, slices
from xorj.swaps.ports import CoverageReader, SwapLake
from xorj.swaps.read_history import fetched, oldest_first, read_before


class ExtensibleLake(SwapLake, CoverageReader, Protocol):
    """A lake that also tells what is known of a wallet."""


async def extend_history(
    wallet: Wallet,
    reader: HistoryReader,
    lake: ExtensibleLake,
    *,
    since: int | None = None,
    second: HistoryReader | None = None,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Ingested:
    """What was added before the first known slot of a wallet; nothing where it is unknown or known from its first transaction.

    Raises Unavailable; what was committed stays.
    """
    ingested = Ingested()
    seam = await _first_known(wallet, lake)
    if seam is None:
        return ingested
    listed = await read_before(Address(wallet), seam, reader, since=since)
    ingested.pages += listed.pages
    done, rows = 0, oldest_first([row for row in listed.rows if row.slot < seam.slot])
    # that there is nothing before is worth knowing too
    parts = list(slices(rows)) or [[]]
    ends = [min(listed.complete_from, seam.slot), *(Slot(part[-1].slot + 1) for part in parts[:-1])]
    for complete_from, part in zip(reversed(ends), reversed(parts), strict=True):
        await _add(wallet, complete_from, [*part, seam], reader, second, lake, ingested)
        seam, done = part[0] if part else seam, done + len(part)
        tell(Progress(ingested.pages, done, len(rows), len(ingested.gapped)))
    return ingested


async def _first_known(wallet: Wallet, lake: ExtensibleLake) -> SignatureInfo | None:
    """The oldest row of a wallet before which something may be missing."""
    records, learned = await lake.records(wallet), await lake.learned(wallet)
    if not records or any(one.slots.first == 0 for one in learned):
        return None
    first = records[0]
    return SignatureInfo(first.signature, first.slot, first.block_time, None, first.transaction_index)


async def _add(
    wallet: Wallet,
    complete_from: Slot,
    rows: list[SignatureInfo],
    reader: HistoryReader,
    second: HistoryReader | None,
    lake: ExtensibleLake,
    ingested: Ingested,
) -> None:
    """One part, with the row that was known before as its last, so that balances must carry over to it."""
    seam = rows[-1]
    transactions = await fetched([row.signature for row in rows], reader)
    whole = await complete(Found(wallet, SlotRange(complete_from, seam.slot), tuple(rows), transactions, {}), reader, second)
    records = records_of(whole.found, [row for row in whole.found.rows if row.signature != seam.signature])
    ingested.records += await lake.commit([], {}, [whole.learned], records)
    ingested.count(records)
    ingested.count_whole(whole)
