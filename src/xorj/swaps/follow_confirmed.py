"""Keeps the overlay: looks at what venues and watched wallets did after the lake's end, as confirmed. Run by the quant engine after a pass.

Every look lists all of it anew, so that what a fork has undone is gone at the next one. A history that does not fit its cursor, or that
cannot be read now, is left as it was.
"""

from collections.abc import Iterable

from xorj.chain.ports import HistoryReader
from xorj.chain.transactions import ChainTransaction, Commitment, SignatureInfo
from xorj.primitives.ids import Address, Slot, Wallet
from xorj.swaps.coverage import Mark, PageFault
from xorj.swaps.ingest_swaps import Sources, record_of, swapped_by_signer
from xorj.swaps.overlay import Moved, Overlay, Seen
from xorj.swaps.ports import SwapLake
from xorj.swaps.read_history import read_after


async def follow_confirmed(sources: Sources, reader: HistoryReader, lake: SwapLake, overlay: Overlay) -> Moved:
    """Nothing is looked at before the lake has its first cursor of it. Raises Unavailable."""
    venues, cursors = {venue: await lake.venue_cursor(venue) for venue in sources.venues}, await lake.cursors()
    watched = sorted(sources.watched & cursors.keys())
    ends = {venue: end for venue, end in venues.items() if end is not None} | {Address(one): cursors[one].slot for one in watched}
    passed = overlay.keep_only(ends)
    moved = [
        Moved(passed=passed),
        *[await _look(venue, end, sources, reader, overlay, wallet=None) for venue, end in venues.items() if end is not None],
        *[await _look(Address(one), cursors[one].slot, sources, reader, overlay, wallet=one) for one in watched],
    ]
    return Moved(sum(one.came for one in moved), sum(one.passed for one in moved), sum(one.undone for one in moved))


async def _look(of: Address, end: Slot, sources: Sources, reader: HistoryReader, overlay: Overlay, *, wallet: Wallet | None) -> Moved:
    """`wallet` is whose history it is, None for a venue's: there whoever swapped is told of."""
    listed = await read_after(of, Mark(end), reader, commitment=Commitment.CONFIRMED)
    if isinstance(listed, PageFault):
        return Moved()
    known = overlay.known(of)
    rows = [row for row in listed.rows if row.error is None]
    # newest first: where there is no room for all, the next to become final come in
    new = [row for row in rows if row.signature not in known]
    new = new[max(0, len(new) - overlay.room()) :]
    # one that is listed and cannot be given yet is looked at again
    read = await reader.transactions([row.signature for row in new], commitment=Commitment.CONFIRMED)
    seen = [_seen(of, row, one, sources, wallet) for row, one in zip(new, read, strict=True) if one is not None]
    return overlay.look(of, [row.signature for row in rows], seen, end)


def _seen(of: Address, row: SignatureInfo, transaction: ChainTransaction, sources: Sources, wallet: Wallet | None) -> Seen:
    wallets: Iterable[Wallet] = [wallet] if wallet is not None else swapped_by_signer([transaction], sources.excluded)
    return Seen(of, row.signature, row.slot, tuple(record_of(one, row, transaction) for one in wallets))
