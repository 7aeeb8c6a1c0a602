"""Step 1 to 3 of "swap to score": finalized transactions after the cursors, decoded, committed with the cursors. Run by the quant engine.

Wallets are found in the history of the venues' programs: whoever signed there and swapped is read from its first transaction on. The
venue's history is walked oldest first in slices, each one lake commit, so that a restart goes on where the last commit ended.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import groupby

from xorj.chain.ports import SIGNATURES_PER_PAGE_MAX, HistoryReader
from xorj.chain.transactions import ChainTransaction, SignatureInfo
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Signature, Slot, Wallet
from xorj.swaps.coverage import Mark, PageFault, PageFaultKind, breaks, checked_end, checked_page, mark_of
from xorj.swaps.decoder import decode
from xorj.swaps.ports import SwapLake
from xorj.swaps.record import Record, by_order
from xorj.swaps.swap import Undecodable, outcome_name

TRANSACTIONS_PER_SLICE_MAX = 1_000
# the first page of an address that was read before is short: most often little is new
FOLLOW_PAGE = 100
PAGES_PER_ADDRESS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Sources:
    """What to read: the venues whose swappers are found, wallets to read in any case, and those never to be read."""

    venues: tuple[Address, ...]
    watched: frozenset[Wallet] = frozenset()
    excluded: frozenset[Wallet] = frozenset()


@dataclass(slots=True)
class Ingested:
    """What one pass read: records added, by outcome; `undecodable` by reason. `up_to_slot` is the newest slot that it completed.

    `left_out` are wallets whose cursor the node no longer lists, with what it said: they stay where they are rather than get a hole.
    `breaks` counts balances that did not carry over between two transactions of a wallet read in the same commit, by whether they
    were its `lamports` (the node left something out) or its `tokens` (somebody else may have sent some, which plain nodes do not list).
    """

    records: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    undecodable: Counter[str] = field(default_factory=Counter)
    up_to_slot: Slot | None = None
    left_out: dict[Wallet, PageFault] = field(default_factory=dict)
    breaks: Counter[str] = field(default_factory=Counter)

    def count(self, records: Sequence[Record]) -> None:
        for record in records:
            self.outcomes[outcome_name(record.outcome)] += 1
            if isinstance(record.outcome, Undecodable):
                self.undecodable[record.outcome.reason] += 1


Progress = Callable[[int, int], None]


async def ingest_swaps(sources: Sources, reader: HistoryReader, lake: SwapLake, progress: Progress | None = None) -> Ingested:
    """One pass up to the chain's finalized end. Repeating it adds only what is new. Raises Unavailable; what was committed stays.

    `progress` is told transactions read and transactions to read.
    """
    ingested = Ingested()
    venue_rows = await _venues_after_cursors(sources, reader, lake)
    pending = await _histories(sources.watched, reader, lake, ingested)
    done = 0
    for rows in _slices(venue_rows):
        end = rows[-1].slot
        transactions = await _fetched([row.signature for row in rows], reader)
        swapped = _swapped(transactions.values(), sources.excluded)
        pending |= await _histories(swapped.keys() - pending.keys() - ingested.left_out.keys(), reader, lake, ingested)
        _require_answers(swapped.keys(), ingested)
        due = _due(pending, end)
        await _require_listed({wallet: own for wallet, own in swapped.items() if wallet not in ingested.left_out}, due, lake)
        await _commit(due, transactions, reader, lake, dict.fromkeys(sources.venues, end), ingested)
        done += len(rows)
        if progress is not None:
            progress(done, len(venue_rows))
    # what only watched wallets did after the newest venue transaction
    watched = {wallet: rows for wallet, rows in pending.items() if wallet in sources.watched}
    await _commit(_due(watched, None), {}, reader, lake, {}, ingested)
    return ingested


async def _venues_after_cursors(sources: Sources, reader: HistoryReader, lake: SwapLake) -> list[SignatureInfo]:
    """Successful transactions of all venues after their cursors, oldest first, each once."""
    found: dict[Signature, SignatureInfo] = {}
    for venue in sources.venues:
        cursor = await lake.venue_cursor(venue)
        rows = await _after(venue, None if cursor is None else Mark(cursor), reader)
        if isinstance(rows, PageFault):
            raise _unbelievable(venue, rows)
        found |= {row.signature: row for row in rows if row.error is None}
    return sorted(found.values(), key=lambda row: (row.slot, -1 if row.transaction_index is None else row.transaction_index))


async def _histories(
    wallets: Iterable[Wallet], reader: HistoryReader, lake: SwapLake, ingested: Ingested
) -> dict[Wallet, list[SignatureInfo]]:
    """Each wallet's transactions after its cursor, oldest first; those that cannot be joined to their cursor are left out."""
    cursors, histories = await lake.cursors(), {}
    for wallet in sorted(wallets):
        cursor = cursors.get(wallet)
        rows = await _after(Address(wallet), None if cursor is None else mark_of(cursor), reader)
        if isinstance(rows, PageFault):
            ingested.left_out[wallet] = rows
        else:
            histories[wallet] = _oldest_first(rows)
    return histories


async def _after(address: Address, mark: Mark | None, reader: HistoryReader) -> list[SignatureInfo] | PageFault:
    """Pages backwards from the newest until the mark, or the fault that the mark itself is not listed.

    Raises Unavailable when the pages make no sense: a gap is never skipped, and the next node or turn may do better.
    """
    rows: list[SignatureInfo] = []
    seen: set[Signature] = set()
    limit = SIGNATURES_PER_PAGE_MAX if mark is None else FOLLOW_PAGE
    for _ in range(PAGES_PER_ADDRESS_MAX):
        page = await reader.signatures(address, limit=limit, before=rows[-1].signature if rows else None)
        taken = checked_page(page, rows[-1] if rows else None, seen, mark)
        if isinstance(taken, PageFault):
            if taken.kind is PageFaultKind.CURSOR_MISSING:
                await _require_end(address, rows, reader)
                return taken
            raise _unbelievable(address, taken)
        rows += taken.new
        seen |= {row.signature for row in taken.new}
        if taken.reaches_cursor:
            return rows
        # a short page may be cut by the node, only an empty one is the end
        if not page:
            await _require_end(address, rows, reader)
            return rows
        limit = SIGNATURES_PER_PAGE_MAX
    raise Unavailable("history", f"{address} has more than {PAGES_PER_ADDRESS_MAX} pages after its cursor")


async def _require_end(address: Address, rows: Sequence[SignatureInfo], reader: HistoryReader) -> None:
    """Raises Unavailable when the node does not stand by the end of the pages."""
    if not rows:
        return
    before = rows[-2].signature if len(rows) > 1 else None
    end = checked_end(rows[-1], await reader.signatures(address, limit=FOLLOW_PAGE, before=before))
    if isinstance(end, PageFault):
        raise _unbelievable(address, end)


def _require_answers(swapped: Iterable[Wallet], ingested: Ingested) -> None:
    """Raises Unavailable when the node lists nothing at all of a wallet that it has just shown at a venue: the next turn may do better."""
    for wallet in swapped:
        fault = ingested.left_out.get(wallet)
        if fault is not None and fault.is_empty:
            del ingested.left_out[wallet]
            raise _unbelievable(Address(wallet), fault)


def _unbelievable(address: Address, fault: PageFault) -> Unavailable:
    return Unavailable("history", f"a page of {address} is not believed ({fault.kind}): {fault.what}")


async def _fetched(signatures: Sequence[Signature], reader: HistoryReader) -> dict[Signature, ChainTransaction]:
    """Raises Unavailable when the node lists a transaction and does not have it."""
    read = await reader.transactions(signatures)
    missing = [signature for signature, transaction in zip(signatures, read, strict=True) if transaction is None]
    if missing:
        raise Unavailable("history", f"{len(missing)} listed transactions cannot be read, among them {missing[0]}")
    return {transaction.signature: transaction for transaction in read if transaction is not None}


async def _commit(
    due: Mapping[Wallet, Sequence[SignatureInfo]],
    transactions: Mapping[Signature, ChainTransaction],
    reader: HistoryReader,
    lake: SwapLake,
    venues: Mapping[Address, Slot],
    ingested: Ingested,
) -> None:
    wanted = dict.fromkeys(row.signature for rows in due.values() for row in rows)
    known = {**transactions, **await _fetched([signature for signature in wanted if signature not in transactions], reader)}
    records = by_order(_record(wallet, row, known[row.signature]) for wallet, rows in due.items() for row in rows)
    ingested.records += await lake.commit(records, venues)
    ingested.count(records)
    for wallet, rows in due.items():
        for one in breaks(wallet, [known[row.signature] for row in rows]):
            ingested.breaks["lamports" if one.mint is None else "tokens"] += 1
    newest = max((*venues.values(), *(record.slot for record in records)), default=None)
    ingested.up_to_slot = ingested.up_to_slot if newest is None else newest


def _record(wallet: Wallet, row: SignatureInfo, transaction: ChainTransaction) -> Record:
    index = row.transaction_index if row.transaction_index is not None else 0
    outcome = decode(replace(transaction, transaction_index=index), wallet)
    return Record(wallet, row.signature, row.slot, index, transaction.block_time, outcome)


def _swapped(transactions: Iterable[ChainTransaction], excluded: Set[Wallet]) -> dict[Wallet, list[ChainTransaction]]:
    """By signer, the transactions that were swaps for him."""
    found: dict[Wallet, list[ChainTransaction]] = {}
    for transaction in transactions:
        for key in transaction.account_keys[: transaction.signers_count]:
            wallet = Wallet(key)
            if wallet not in excluded and isinstance(decode(transaction, wallet), tuple):
                found.setdefault(wallet, []).append(transaction)
    return found


async def _require_listed(
    swapped: Mapping[Wallet, Sequence[ChainTransaction]], due: Mapping[Wallet, Sequence[SignatureInfo]], lake: SwapLake
) -> None:
    """Raises Unavailable when a wallet's own history does not tell of a swap that the venue's does: one of the two is behind."""
    cursors = await lake.cursors()
    for wallet, transactions in swapped.items():
        listed = {row.signature for row in due.get(wallet, ())}
        cursor = cursors.get(wallet)
        missing = [one for one in transactions if one.signature not in listed and (cursor is None or one.slot > cursor.slot)]
        if missing:
            raise Unavailable("history", f"{wallet} does not list {missing[0].signature}, in which it swapped")


def _due(pending: dict[Wallet, list[SignatureInfo]], end: Slot | None) -> dict[Wallet, list[SignatureInfo]]:
    """Takes out of `pending` what happened up to and including slot `end`, everything when None."""
    due = {wallet: [row for row in rows if end is None or row.slot <= end] for wallet, rows in pending.items()}
    for wallet, rows in due.items():
        del pending[wallet][: len(rows)]
    return {wallet: rows for wallet, rows in due.items() if rows}


def _slices(rows: Sequence[SignatureInfo]) -> Iterable[list[SignatureInfo]]:
    """About TRANSACTIONS_PER_SLICE_MAX rows each; a slot is never split, since a cursor stands between slots."""
    taken: list[SignatureInfo] = []
    for _, of_slot in groupby(rows, key=lambda row: row.slot):
        taken += of_slot
        if len(taken) >= TRANSACTIONS_PER_SLICE_MAX:
            yield taken
            taken = []
    if taken:
        yield taken


def _oldest_first(page_rows: Sequence[SignatureInfo]) -> list[SignatureInfo]:
    """Newest-first rows of one address turned around, and numbered inside a slot where the node gives no transaction index."""
    ordered: list[SignatureInfo] = []
    for _, of_slot in groupby(reversed(page_rows), key=lambda row: row.slot):
        ordered += [row if row.transaction_index is not None else replace(row, transaction_index=at) for at, row in enumerate(of_slot)]
    return ordered
