"""Makes what was read of a wallet whole, or says where it is not. Run by ingest_swaps before each commit.

Balances must carry over from one transaction to the next. Where one does not, the account itself is asked for what happened in between
(plain nodes do not list, for a wallet, what only touched its token accounts), then a second source; a sample is held against the second
source in any case. What is still unexplained then is a hole.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import groupby

from xorj.chain.ports import SIGNATURES_PER_PAGE_MAX, HistoryReader
from xorj.chain.transactions import ChainTransaction, SignatureInfo
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Signature, Slot, Wallet
from xorj.swaps.coverage import Balances, Break, Carried, Hole, Learned, Mark, PageFault, SlotRange, carried
from xorj.swaps.read_history import fetched, numbered, read_after

SAMPLED_ONE_IN = 20
# where the node does not tell a transaction's place in its slot, one that came late stands after those that were read before
LATE_INDEX_FIRST = 1_000
ROUNDS_MAX = 3
PAGES_BETWEEN_MAX = 10


@dataclass(frozen=True, slots=True)
class Found:
    """A wallet's transactions in `slots`, oldest first, as its source listed and gave them; `left` is what came before left it with."""

    wallet: Wallet
    slots: SlotRange
    rows: tuple[SignatureInfo, ...]
    transactions: Mapping[Signature, ChainTransaction]
    left: Balances


@dataclass(frozen=True, slots=True)
class Whole:
    """The same with what was found beside it; `late` are rows of slots before those, which had been passed already. `added` counts rows
    that the first source had not listed, `denied` those that the second source did not list although it must."""

    found: Found
    late: tuple[SignatureInfo, ...]
    learned: Learned
    left: Balances
    breaks: tuple[Break, ...]
    added: int = 0
    denied: int = 0


@dataclass(slots=True)
class _Work:
    """The transactions so far, with those that come late before the range's."""

    found: Found
    rows: list[SignatureInfo]
    transactions: dict[Signature, ChainTransaction]
    sources: list[str]
    carried: Carried = field(init=False)
    added: int = 0
    denied: int = 0

    def __post_init__(self) -> None:
        self.carry()

    def carry(self) -> None:
        self.carried = carried(self.found.wallet, [self.transactions[row.signature] for row in self.rows], self.found.left)

    def lacking(self, rows: Collection[SignatureInfo]) -> list[SignatureInfo]:
        """Those up to the end of the range that are not here yet, oldest first."""
        have = {row.signature for row in self.rows}
        new = [row for row in rows if row.slot <= self.found.slots.last and row.signature not in have]
        return sorted(dict.fromkeys(new), key=lambda row: (row.slot, row.transaction_index or 0))

    async def add(self, rows: Sequence[SignatureInfo], reader: HistoryReader, *, before: Signature | None = None) -> None:
        """Takes rows in, in the chain's order where it is told, else just before the transaction that found a balance changed."""
        self.transactions |= await fetched([row.signature for row in rows], reader)
        for row in rows:
            self.rows.insert(self._place(row, before), row)
            if row.source and row.source not in self.sources:
                self.sources.append(row.source)
        self.rows = [one for slot, of_slot in groupby(self.rows, key=lambda each: each.slot) for one in self._numbered(slot, list(of_slot))]
        self.added += len(rows)
        self.carry()

    def _numbered(self, slot: Slot, rows: Sequence[SignatureInfo]) -> list[SignatureInfo]:
        if slot >= self.found.slots.first or all(row.transaction_index is not None for row in rows):
            return numbered(rows)
        return [replace(row, transaction_index=LATE_INDEX_FIRST + at) for at, row in enumerate(rows)]

    def _place(self, row: SignatureInfo, before: Signature | None) -> int:
        for at, one in enumerate(self.rows):
            mine, its = row.transaction_index, one.transaction_index
            is_later = one.signature == before if mine is None or its is None else its > mine
            if one.slot > row.slot or (one.slot == row.slot and is_later):
                return at
        return len(self.rows)


async def complete(found: Found, reader: HistoryReader, second: HistoryReader | None) -> Whole:
    """What is known of the wallet in the slots after looking for what is missing. Raises Unavailable when the first source cannot answer;
    a second one that cannot is done without."""
    work = _Work(found, list(found.rows), dict(found.transactions), list(dict.fromkeys(row.source for row in found.rows if row.source)))
    for _ in range(ROUNDS_MAX):
        if not work.carried.breaks or not await _ask_accounts(work, reader):
            break
    if second is not None and (work.carried.breaks or is_sampled(found.wallet, found.slots)):
        await _ask_second(work, second)
    slots = SlotRange(work.rows[0].slot, found.slots.last) if _began_earlier(work) else found.slots
    changed = {account: left for account, left in work.carried.left.items() if found.left.get(account) != left}
    learned = Learned(found.wallet, slots, tuple(work.sources), tuple(_hole(one, work) for one in work.carried.breaks), changed)
    late = tuple(row for row in work.rows if row.slot < found.slots.first)
    whole = replace(found, rows=tuple(work.rows[len(late) :]), transactions=work.transactions)
    return Whole(whole, late, learned, work.carried.left, work.carried.breaks, work.added, work.denied)


def _began_earlier(work: _Work) -> bool:
    """A wallet begins with nothing: one that holds lamports before its first transaction has a history that the source has no more, or it
    was there before the chain was."""
    if work.found.slots.first > 0:
        return False
    first, key = work.transactions[work.rows[0].signature], Address(work.found.wallet)
    return key in first.account_keys and first.pre_balances[first.account_keys.index(key)] > 0


def is_sampled(wallet: Wallet, slots: SlotRange) -> bool:
    """One in SAMPLED_ONE_IN, always the same: so a repeated commit learns the same."""
    return int.from_bytes(sha256(f"{wallet} {slots.first}".encode()).digest()[:4]) % SAMPLED_ONE_IN == 0


async def _ask_accounts(work: _Work, reader: HistoryReader) -> bool:
    """Whether the accounts whose balances changed listed anything new of the time in between."""
    added = work.added
    for one in work.carried.breaks:
        lacking = work.lacking(await _between(one, reader))
        if lacking:
            await work.add(lacking, reader, before=one.before)
    return work.added > added


async def _between(one: Break, reader: HistoryReader) -> list[SignatureInfo]:
    rows: list[SignatureInfo] = []
    for _ in range(PAGES_BETWEEN_MAX):
        before = rows[-1].signature if rows else one.before
        page = await reader.signatures(one.account, limit=SIGNATURES_PER_PAGE_MAX, before=before, until=one.after)
        rows += page
        if not page:
            break
    return rows


async def _ask_second(work: _Work, second: HistoryReader) -> None:
    slots, wallet = work.found.slots, Address(work.found.wallet)
    try:
        listed = await read_after(wallet, Mark(Slot(slots.first - 1)) if slots.first else None, second)
        if isinstance(listed, PageFault):
            return
        theirs = [row for row in listed.rows if listed.complete_from <= row.slot <= slots.last]
        lacking = work.lacking(theirs)
        names = [name for name in dict.fromkeys(row.source for row in theirs if row.source) if name not in work.sources]
        work.denied = _denied(work, {row.signature for row in theirs}, SlotRange(listed.complete_from, slots.last))
        if lacking:
            await work.add(lacking, second)
        work.sources += [name for name in names if name not in work.sources]
    except Unavailable:
        return


def _denied(work: _Work, theirs: set[Signature], slots: SlotRange) -> int:
    """Rows naming the wallet that the second source does not list; of others' transfers to token accounts it need not know."""
    wallet = Address(work.found.wallet)
    ours = [row for row in work.rows if slots.first <= row.slot <= slots.last]
    return sum(row.signature not in theirs and wallet in work.transactions[row.signature].account_keys for row in ours)


def _hole(one: Break, work: _Work) -> Hole:
    slots = {left.signature: left.slot for left in work.found.left.values()}
    slots |= {transaction.signature: transaction.slot for transaction in work.transactions.values()}
    return Hole(one.account, one.mint, slots[one.after], slots[one.before], one.left_raw, one.found_raw)
