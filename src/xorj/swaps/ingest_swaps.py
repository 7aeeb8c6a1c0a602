"""Step 1 to 3 of "swap to score": finalized transactions after the cursors, decoded, committed with the cursors. Run by the quant engine.

Wallets are found in the history of the venues' programs: whoever signed there and swapped is read from his first transaction on, or from
a date. The venue's history is walked oldest first in slices, each one lake commit, so that a restart goes on where the last commit ended.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import groupby

from xorj.chain.ports import HistoryReader
from xorj.chain.transactions import ChainTransaction, SignatureInfo
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Signature, Slot, Wallet
from xorj.swaps.complete_history import Found, Whole, complete
from xorj.swaps.coverage import Balances, Mark, PageFault, SlotRange, carried, mark_of
from xorj.swaps.decoder import decode
from xorj.swaps.ports import SwapLake
from xorj.swaps.read_history import fetched, oldest_first, read_after, unbelievable
from xorj.swaps.record import Cursor, Record, by_order, read_record
from xorj.swaps.swap import Undecodable, outcome_name

TRANSACTIONS_PER_SLICE_MAX = 1_000
BALANCES_REMEMBERED_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Sources:
    """What to read: the venues whose swappers are found, wallets to read in any case, and those never to be read.

    New wallets are read from `since`, venues from `venues_since` on (unix seconds); from their first transaction where that is None.
    """

    venues: tuple[Address, ...]
    watched: frozenset[Wallet] = frozenset()
    excluded: frozenset[Wallet] = frozenset()
    since: int | None = None
    venues_since: int | None = None


@dataclass(slots=True)
class Ingested:
    """What one pass read: records added, by outcome; `undecodable` by reason. `up_to_slot` is the newest slot that it completed.

    `left_out` are wallets whose cursor the node no longer lists, with what it said: they stay where they are rather than get a hole.
    `breaks` counts balances that did not carry over and that nothing explains, by whether they were the wallet's `lamports` or its
    `tokens`; `gapped` are the wallets they were of. `added` transactions came to light by looking for what was missing, and `denied` are
    those that a second source did not list.
    """

    records: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    undecodable: Counter[str] = field(default_factory=Counter)
    up_to_slot: Slot | None = None
    left_out: dict[Wallet, PageFault] = field(default_factory=dict)
    breaks: Counter[str] = field(default_factory=Counter)
    gapped: set[Wallet] = field(default_factory=set)
    pages: int = 0
    added: int = 0
    denied: int = 0

    def count(self, records: Sequence[Record]) -> None:
        for record in records:
            self.outcomes[outcome_name(record.outcome)] += 1
            if isinstance(record.outcome, Undecodable):
                self.undecodable[record.outcome.reason] += 1

    def joined(self, later: "Ingested") -> "Ingested":
        """Both as one."""
        return Ingested(
            records=self.records + later.records,
            outcomes=self.outcomes + later.outcomes,
            undecodable=self.undecodable + later.undecodable,
            up_to_slot=later.up_to_slot if later.up_to_slot is not None else self.up_to_slot,
            left_out=self.left_out | later.left_out,
            breaks=self.breaks + later.breaks,
            gapped=self.gapped | later.gapped,
            pages=self.pages + later.pages,
            added=self.added + later.added,
            denied=self.denied + later.denied,
        )

    def count_whole(self, whole: Whole) -> None:
        self.added, self.denied = self.added + whole.added, self.denied + whole.denied
        for one in whole.breaks:
            self.breaks["lamports" if one.mint is None else "tokens"] += 1
            self.gapped.add(whole.found.wallet)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pass is: pages listed, transactions read and to be read, wallets with a gap."""

    pages: int
    read: int
    to_read: int
    gaps: int


@dataclass(slots=True)
class Memory:
    """What each wallet's transactions up to a slot left its accounts with, which spares asking the lake for it again."""

    balances: dict[Wallet, tuple[Slot, Balances]] = field(default_factory=dict)

    def left(self, wallet: Wallet, slot: Slot) -> Balances | None:
        """None where it was not kept, or is of another slot because somebody else has committed since."""
        kept_to, left = self.balances.get(wallet, (None, {}))
        return left if kept_to == slot else None

    def keep(self, wallet: Wallet, slot: Slot, left: Balances) -> None:
        self.balances.pop(wallet, None)
        self.balances[wallet] = slot, left
        while len(self.balances) > BALANCES_REMEMBERED_MAX:
            del self.balances[next(iter(self.balances))]


@dataclass(slots=True)
class _Pending:
    """What is still to be committed of one wallet, oldest first, everything from slot `complete_from` on."""

    rows: list[SignatureInfo]
    complete_from: Slot
    cursor: Cursor | None


@dataclass(slots=True)
class _Pass:
    """One pass: its ports, and what came of it so far."""

    reader: HistoryReader
    second: HistoryReader | None
    lake: SwapLake
    memory: Memory
    tell: Callable[[Progress], None]
    ingested: Ingested = field(default_factory=Ingested)
    read: int = 0
    to_read: int = 0

    def progress(self) -> None:
        done = self.ingested
        self.tell(Progress(done.pages, self.read, max(self.read, self.to_read), len(done.gapped) + len(done.left_out)))


async def ingest_swaps(
    sources: Sources,
    reader: HistoryReader,
    lake: SwapLake,
    *,
    second: HistoryReader | None = None,
    memory: Memory | None = None,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Ingested:
    """One pass up to the chain's finalized end. Repeating it adds only what is new. Raises Unavailable; what was committed stays.

    `second` is another source, asked on a sample and wherever a balance does not carry over.
    """
    step = _Pass(reader, second, lake, memory or Memory(), tell)
    venue_rows = await _venues_after_cursors(sources, step)
    pending = await _histories(sources.watched, sources, step)
    step.to_read = len(venue_rows)
    for rows in slices(venue_rows):
        await _ingest_slice(rows, pending, sources, step)
        step.read += len(rows)
        step.progress()
    # what only watched wallets did after the newest venue transaction
    await _ingest_rest({wallet: one for wallet, one in pending.items() if wallet in sources.watched}, step)
    return step.ingested


async def _ingest_slice(rows: Sequence[SignatureInfo], pending: dict[Wallet, _Pending], sources: Sources, step: _Pass) -> None:
    """One slice of the venues' history: whoever swapped there is read up to its end."""
    end, left_out = rows[-1].slot, step.ingested.left_out
    transactions = await fetched([row.signature for row in rows], step.reader)
    swapped = await asyncio.to_thread(swapped_by_signer, transactions.values(), sources.excluded)
    pending |= await _histories(swapped.keys() - pending.keys() - left_out.keys(), sources, step)
    _require_answers(swapped.keys(), step.ingested)
    due = _due(pending, end)
    await _require_listed({wallet: own for wallet, own in swapped.items() if wallet not in left_out}, due, step.lake)
    await _commit(due, transactions, dict.fromkeys(sources.venues, end), step)


async def _ingest_rest(pending: dict[Wallet, _Pending], step: _Pass) -> None:
    rows = sorted((row for one in pending.values() for row in one.rows), key=_by_slot)
    step.to_read += len(rows)
    for part in slices(rows):
        await _commit(_due(pending, part[-1].slot), {}, {}, step)
        step.read += len(part)
        step.progress()


async def _venues_after_cursors(sources: Sources, step: _Pass) -> list[SignatureInfo]:
    """Successful transactions of all venues after their cursors, oldest first, each once."""
    found: dict[Signature, SignatureInfo] = {}
    for venue in sources.venues:
        cursor = await step.lake.venue_cursor(venue)
        listed = await read_after(venue, None if cursor is None else Mark(cursor), step.reader, since=sources.venues_since)
        if isinstance(listed, PageFault):
            raise unbelievable(venue, listed)
        step.ingested.pages += listed.pages
        found |= {row.signature: row for row in listed.rows if row.error is None}
    step.progress()
    return sorted(found.values(), key=_by_slot)


def _by_slot(row: SignatureInfo) -> tuple[int, int]:
    return row.slot, -1 if row.transaction_index is None else row.transaction_index


async def _histories(wallets: Iterable[Wallet], sources: Sources, step: _Pass) -> dict[Wallet, _Pending]:
    """Each wallet's transactions after its cursor, oldest first; those that cannot be joined to their cursor are left out."""
    cursors, histories = await step.lake.cursors(), {}
    for wallet in sorted(wallets):
        cursor = cursors.get(wallet)
        listed = await read_after(Address(wallet), None if cursor is None else mark_of(cursor), step.reader, since=sources.since)
        if isinstance(listed, PageFault):
            step.ingested.left_out[wallet] = listed
        else:
            step.ingested.pages += listed.pages
            histories[wallet] = _Pending(oldest_first(listed.rows), listed.complete_from, cursor)
        step.progress()
    return histories


def _require_answers(swapped: Iterable[Wallet], ingested: Ingested) -> None:
    """Raises Unavailable when the node lists nothing at all of a wallet that it has just shown at a venue: the next turn may do better."""
    for wallet in swapped:
        fault = ingested.left_out.get(wallet)
        if fault is not None and fault.is_empty:
            del ingested.left_out[wallet]
            raise unbelievable(Address(wallet), fault)


async def _commit(
    due: Mapping[Wallet, _Pending], transactions: Mapping[Signature, ChainTransaction], venues: Mapping[Address, Slot], step: _Pass
) -> None:
    wanted = dict.fromkeys(row.signature for one in due.values() for row in one.rows)
    known = {**transactions, **await fetched([signature for signature in wanted if signature not in transactions], step.reader)}
    told = await _told(due, step)
    wholes = [await _whole(wallet, one, known, told.get(wallet), step) for wallet, one in due.items()]
    # a slice is a second of decoding, in which the process must still answer
    records, late = await asyncio.to_thread(_decoded, wholes)
    read_from = {wallet: None if one.cursor is None else one.cursor.slot for wallet, one in due.items()}
    step.ingested.records += await step.lake.commit(records, venues, [whole.learned for whole in wholes], late, read_from)
    step.ingested.count([*late, *records])
    for whole in wholes:
        step.memory.keep(whole.found.wallet, whole.found.slots.last, whole.left)
        step.ingested.count_whole(whole)
    newest = max((*venues.values(), *(record.slot for record in records)), default=None)
    step.ingested.up_to_slot = step.ingested.up_to_slot if newest is None else newest


def _decoded(wholes: Sequence[Whole]) -> tuple[list[Record], list[Record]]:
    """What was read in its turn, and what comes late."""
    return (
        by_order(record for whole in wholes for record in records_of(whole.found, whole.found.rows)),
        by_order(record for whole in wholes for record in records_of(whole.found, whole.late)),
    )


async def _told(due: Mapping[Wallet, _Pending], step: _Pass) -> dict[Wallet, Balances]:
    """What was before, as remembered, else as the lake keeps it; nothing for new wallets and where an older version of XORJ kept none."""
    cursors = {wallet: one.cursor for wallet, one in due.items() if one.cursor is not None}
    remembered = {wallet: step.memory.left(wallet, cursor.slot) for wallet, cursor in cursors.items()}
    kept = await step.lake.left([wallet for wallet, left in remembered.items() if left is None])
    return {**kept, **{wallet: left for wallet, left in remembered.items() if left is not None}}


async def _whole(
    wallet: Wallet, pending: _Pending, known: Mapping[Signature, ChainTransaction], told: Balances | None, step: _Pass
) -> Whole:
    rows = tuple(pending.rows)
    slots = SlotRange(min(pending.complete_from, rows[0].slot), rows[-1].slot)
    own = {row.signature: known[row.signature] for row in rows}
    left = told if told is not None else await _left_at(wallet, pending.cursor, step)
    whole = await complete(Found(wallet, slots, rows, own, left), step.reader, step.second)
    # what nobody had told before is told with it
    return whole if told is not None else replace(whole, learned=replace(whole.learned, left=whole.left))


async def _left_at(wallet: Wallet, cursor: Cursor | None, step: _Pass) -> Balances:
    """What the transaction at the cursor shows: the lamports, and what else it touched."""
    (last,) = (None,) if cursor is None else await step.reader.transactions([cursor.signature])
    return {} if last is None else carried(wallet, [last], {}).left


def records_of(found: Found, rows: Iterable[SignatureInfo]) -> list[Record]:
    """What each row's transaction was for the wallet."""
    return [record_of(found.wallet, row, found.transactions[row.signature]) for row in rows]


def record_of(wallet: Wallet, row: SignatureInfo, transaction: ChainTransaction) -> Record:
    """What a transaction was for a wallet, in the place that its row has."""
    index = row.transaction_index if row.transaction_index is not None else 0
    placed = replace(transaction, transaction_index=index)
    return read_record(placed, wallet, decode(placed, wallet))


def swapped_by_signer(transactions: Iterable[ChainTransaction], excluded: Set[Wallet]) -> dict[Wallet, list[ChainTransaction]]:
    """By signer, the transactions that were swaps for him."""
    found: dict[Wallet, list[ChainTransaction]] = {}
    for transaction in transactions:
        for key in transaction.account_keys[: transaction.signers_count]:
            wallet = Wallet(key)
            if wallet not in excluded and isinstance(decode(transaction, wallet), tuple):
                found.setdefault(wallet, []).append(transaction)
    return found


async def _require_listed(swapped: Mapping[Wallet, Sequence[ChainTransaction]], due: Mapping[Wallet, _Pending], lake: SwapLake) -> None:
    """Raises Unavailable when a wallet's own history does not tell of a swap that the venue's does: one of the two is behind."""
    cursors = await lake.cursors()
    for wallet, transactions in swapped.items():
        listed = {row.signature for row in due[wallet].rows} if wallet in due else set()
        from_slot = due[wallet].complete_from if wallet in due else 0
        cursor = cursors.get(wallet)
        after = max(from_slot - 1, -1 if cursor is None else cursor.slot)
        missing = [one for one in transactions if one.signature not in listed and one.slot > after]
        if missing:
            raise Unavailable("history", f"{wallet} does not list {missing[0].signature}, in which it swapped")


def _due(pending: dict[Wallet, _Pending], end: Slot) -> dict[Wallet, _Pending]:
    """Takes out of `pending` what happened up to and including slot `end`."""
    due: dict[Wallet, _Pending] = {}
    for wallet, one in pending.items():
        rows = [row for row in one.rows if row.slot <= end]
        if rows:
            due[wallet] = _Pending(rows, one.complete_from, one.cursor)
            del one.rows[: len(rows)]
            one.complete_from, one.cursor = Slot(rows[-1].slot + 1), Cursor(rows[-1].slot, rows[-1].signature)
    return due


def slices(rows: Sequence[SignatureInfo]) -> Iterable[list[SignatureInfo]]:
    """About TRANSACTIONS_PER_SLICE_MAX rows each; a slot is never split, since a cursor stands between slots."""
    taken: list[SignatureInfo] = []
    for _, of_slot in groupby(rows, key=lambda row: row.slot):
        taken += of_slot
        if len(taken) >= TRANSACTIONS_PER_SLICE_MAX:
            yield taken
            taken = []
    if taken:
        yield taken
