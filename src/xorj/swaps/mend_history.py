"""Reads the slots around a wallet's holes once more: a provider that left something out may have it now, or another has. Run by the quant
engine every while and by `swaps backfill`.
"""

from typing import Protocol

from xorj.chain.ports import HistoryReader
from xorj.chain.transactions import SignatureInfo
from xorj.primitives.ids import Address, Slot, Wallet
from xorj.swaps.complete_history import Found, complete
from xorj.swaps.coverage import Hole, Mark, PageFault, SlotRange
from xorj.swaps.ingest_swaps import Ingested, records_of
from xorj.swaps.ports import SwapLake, SwapReader
from xorj.swaps.read_history import fetched, oldest_first, read_after
from xorj.swaps.record import Record


class MendableLake(SwapLake, SwapReader, Protocol):
    """A lake that also tells its holes, and what is around them."""

    async def records(self, wallet: Wallet) -> list[Record]:
        """Everything that is kept of it, oldest first."""


async def mend_history(wallet: Wallet, reader: HistoryReader, lake: MendableLake, *, second: HistoryReader | None = None) -> Ingested:
    """What was added; the wallet stays gapped where nothing explains its holes still. Nothing of a wallet without any.

    Raises Unavailable; the lake is then as it was.
    """
    ingested = Ingested()
    holes = (await lake.open_holes()).get(wallet, ())
    if not holes:
        return ingested
    slots = _around(holes)
    listed = await read_after(Address(wallet), Mark(Slot(slots.first - 1)) if slots.first else None, reader)
    if isinstance(listed, PageFault):
        return ingested
    ingested.pages = listed.pages
    # what is known already is in it, whether it is listed now or not: a shorter list must not look like no hole
    known = [_row(record) for record in await lake.records(wallet)]
    listed_too = [row for row in oldest_first(listed.rows) if row.signature not in {one.signature for one in known}]
    rows = [row for row in (*known, *listed_too) if slots.first <= row.slot <= slots.last]
    rows.sort(key=lambda row: (row.slot, row.transaction_index or 0))
    transactions = await fetched([row.signature for row in rows], reader)
    whole = await complete(Found(wallet, slots, tuple(rows), transactions, {}), reader, second)
    records = records_of(whole.found, whole.found.rows)
    ingested.records = await lake.commit([], {}, [whole.learned], records)
    ingested.count_whole(whole)
    return ingested


def _row(record: Record) -> SignatureInfo:
    return SignatureInfo(record.signature, record.slot, record.block_time, None, record.transaction_index)


def _around(holes: tuple[Hole, ...]) -> SlotRange:
    return SlotRange(min(hole.after for hole in holes), max(hole.before for hole in holes))
