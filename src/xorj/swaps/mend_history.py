"""Reads the slots around a wallet's holes once more: a provider that left something out may have it now, or another has. Run by the quant
engine every while and by `swaps backfill`.
"""

from typing import Protocol

from xorj.chain.ports import HistoryReader
from xorj.primitives.ids import Address, Slot, Wallet
from xorj.swaps.complete_history import Found, complete
from xorj.swaps.coverage import Hole, Mark, PageFault, SlotRange
from xorj.swaps.ingest_swaps import Ingested, records_of
from xorj.swaps.ports import SwapLake, SwapReader
from xorj.swaps.read_history import fetched, oldest_first, read_after


class MendableLake(SwapLake, SwapReader, Protocol):
    """A lake that also tells its holes."""


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
    rows = tuple(row for row in oldest_first(listed.rows) if slots.first <= row.slot <= slots.last)
    transactions = await fetched([row.signature for row in rows], reader)
    whole = await complete(Found(wallet, slots, rows, transactions, {}), reader, second)
    records = records_of(whole.found, whole.found.rows)
    ingested.records = await lake.commit([], {}, [whole.learned], records)
    ingested.count_whole(whole)
    return ingested


def _around(holes: tuple[Hole, ...]) -> SlotRange:
    return SlotRange(min(hole.after for hole in holes), max(hole.before for hole in holes))
