"""Reads an address's history from a node that is not trusted: page by page back to a mark, a date or the first transaction.

Used by ingest_swaps and hold_against_second. A page is believed only where it fits (coverage.checked_page); what does not raises
Unavailable, because a gap is never skipped and the next node or turn may do better.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from xorj.chain.ports import SIGNATURES_PER_PAGE_MAX, HistoryReader
from xorj.chain.transactions import ChainTransaction, Commitment, SignatureInfo
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Signature, Slot
from xorj.swaps.coverage import Mark, PageFault, PageFaultKind, checked_end, checked_page

# the first page of an address that was read before is short: most often little is new
FOLLOW_PAGE = 100
PAGES_PER_ADDRESS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Listed:
    """Rows newest first, and the first slot from which on nothing is missing among them. `pages` were read for it."""

    rows: tuple[SignatureInfo, ...]
    complete_from: Slot
    pages: int


async def read_after(
    address: Address,
    mark: Mark | None,
    reader: HistoryReader,
    *,
    since: int | None = None,
    commitment: Commitment = Commitment.FINALIZED,
) -> Listed | PageFault:
    """Pages backwards from the newest until the mark; without one until `since` (unix seconds), or the address's first transaction.

    A fault is that the mark itself is not listed. Raises Unavailable.
    """
    found = await _pages(address, mark, reader, since, commitment)
    if isinstance(found, PageFault) and mark is not None and mark.signature is not None:
        (read,) = await reader.transactions([mark.signature], commitment=commitment)
        if read is not None and address not in read.account_keys:
            # a transaction that only touched the address's token accounts: not every source lists those
            return await _pages(address, Mark(mark.slot), reader, since, commitment)
    return found


async def read_before(address: Address, known: SignatureInfo, reader: HistoryReader, *, since: int | None = None) -> Listed:
    """Pages backwards from the row `known`, which is not among them, until `since` or the address's first transaction.

    Raises Unavailable.
    """
    found = await _pages(address, None, reader, since, Commitment.FINALIZED, known)
    if isinstance(found, PageFault):
        raise unbelievable(address, found)
    return found


async def _pages(
    address: Address,
    mark: Mark | None,
    reader: HistoryReader,
    since: int | None,
    commitment: Commitment,
    known: SignatureInfo | None = None,
) -> Listed | PageFault:
    rows: list[SignatureInfo] = []
    seen: set[Signature] = set()
    limit = SIGNATURES_PER_PAGE_MAX if mark is None else FOLLOW_PAGE
    for pages in range(1, PAGES_PER_ADDRESS_MAX + 1):
        last = rows[-1] if rows else known
        before = last.signature if last is not None else None
        page = await reader.signatures(address, limit=limit, before=before, commitment=commitment)
        taken = checked_page(page, last, seen, mark)
        if isinstance(taken, PageFault):
            if taken.kind is PageFaultKind.CURSOR_MISSING:
                await _require_end(address, rows, reader, commitment)
                return taken
            raise unbelievable(address, taken)
        older = next((row for row in taken.new if mark is None and _is_before(row, since)), None)
        rows += taken.new if older is None else taken.new[: taken.new.index(older)]
        seen |= {row.signature for row in taken.new}
        if taken.reaches_cursor or older is not None:
            end = older.slot if older is not None else mark.slot if mark is not None else -1
            return Listed(tuple(rows), Slot(end + 1), pages)
        # a short page may be cut by the node, only an empty one is the end
        if not page:
            await _require_end(address, [*([] if known is None else [known]), *rows], reader, commitment)
            return Listed(tuple(rows), Slot(0 if mark is None else mark.slot + 1), pages)
        limit = SIGNATURES_PER_PAGE_MAX
    raise Unavailable("history", f"{address} has more than {PAGES_PER_ADDRESS_MAX} pages to read; set a date to read from")


def _is_before(row: SignatureInfo, since: int | None) -> bool:
    return since is not None and row.block_time is not None and row.block_time < since


async def _require_end(address: Address, rows: Sequence[SignatureInfo], reader: HistoryReader, commitment: Commitment) -> None:
    """Raises Unavailable when the node does not stand by the end of the pages."""
    if not rows:
        return
    before = rows[-2].signature if len(rows) > 1 else None
    end = checked_end(rows[-1], await reader.signatures(address, limit=FOLLOW_PAGE, before=before, commitment=commitment))
    if isinstance(end, PageFault):
        raise unbelievable(address, end)


def unbelievable(address: Address, fault: PageFault) -> Unavailable:
    return Unavailable("history", f"a page of {address} is not believed ({fault.kind}): {fault.what}")


async def fetched(
    signatures: Sequence[Signature], reader: HistoryReader, commitment: Commitment = Commitment.FINALIZED
) -> dict[Signature, ChainTransaction]:
    """Raises Unavailable when the node lists a transaction and does not have it."""
    read = await reader.transactions(signatures, commitment=commitment)
    missing = [signature for signature, transaction in zip(signatures, read, strict=True) if transaction is None]
    if missing:
        raise Unavailable("history", f"{len(missing)} listed transactions cannot be read, among them {missing[0]}")
    return {transaction.signature: transaction for transaction in read if transaction is not None}


def oldest_first(page_rows: Sequence[SignatureInfo]) -> list[SignatureInfo]:
    """Newest-first rows of one address turned around, and numbered inside a slot where the node gives no transaction index."""
    ordered: list[SignatureInfo] = []
    for _, of_slot in groupby(reversed(page_rows), key=lambda row: row.slot):
        ordered += numbered(list(of_slot))
    return ordered


def numbered(of_slot: Sequence[SignatureInfo]) -> list[SignatureInfo]:
    """The rows of one slot in their order, by their place in it where the node does not tell every one's index."""
    if all(row.transaction_index is not None for row in of_slot):
        return list(of_slot)
    return [replace(row, transaction_index=at) for at, row in enumerate(of_slot)]
