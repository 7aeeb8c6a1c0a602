"""What of a wallet's history is known, and by which source: slot ranges, their gaps, and what makes an answer unfit to extend them.

Used by ingestion, which takes no page on trust, and by the command `swaps coverage`. Slots are inclusive on both ends.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from xorj.chain.transactions import ChainTransaction, SignatureInfo, TokenBalance
from xorj.primitives.ids import Address, Mint, Signature, Slot, Wallet
from xorj.swaps.record import Cursor, Record
from xorj.swaps.swap import Undecodable, outcome_name


class Source(StrEnum):
    """Where a record came from. A node lists everything between two slots; a recording tells only of the slots it has rows of."""

    NODE = "node"
    RECORDING = "recording"


@dataclass(frozen=True, slots=True, order=True)
class SlotRange:
    first: Slot
    last: Slot

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last:
            raise ValueError(f"no range of slots: {self.first} to {self.last}")


@dataclass(frozen=True, slots=True)
class Hole:
    """Something unread changed a balance: `account` held `left_raw` after slot `after` and `found_raw` before slot `before`.

    `mint` is None for the wallet's own lamports.
    """

    account: Address
    mint: Mint | None
    after: Slot
    before: Slot
    left_raw: int
    found_raw: int


@dataclass(frozen=True, slots=True)
class Left:
    """What an account was left with by the last transaction that touched it; `mint` as in Break."""

    mint: Mint | None
    signature: Signature
    slot: Slot
    raw: int


Balances = Mapping[Address, Left]


@dataclass(frozen=True, slots=True)
class Learned:
    """What one commit tells of a wallet: all that happened in `slots` was read from `sources`, but for the holes.

    Two sources or more were held against each other. Later knowledge of the same slots replaces earlier: see open_holes. `left` is what
    the accounts touched there were left with, so that what comes next is held against it whoever reads it, and after a restart too.
    """

    wallet: Wallet
    slots: SlotRange
    sources: tuple[str, ...]
    holes: tuple[Hole, ...] = ()
    left: Balances = field(default_factory=dict, compare=False)


def left_by(learned: Iterable[Learned]) -> dict[Wallet, Balances]:
    """What each wallet's accounts were left with by all that was learned, in whatever order; without wallets of which nothing tells it."""
    found: dict[Wallet, dict[Address, Left]] = {}
    for one in learned:
        of_wallet = found.setdefault(one.wallet, {}) if one.left else {}
        of_wallet.update({key: left for key, left in one.left.items() if key not in of_wallet or left.slot > of_wallet[key].slot})
    return dict(found)


def open_holes(learned: Sequence[Learned]) -> tuple[Hole, ...]:
    """What is still unexplained, each once and oldest first, `learned` in the order it was committed: a hole is closed by later knowledge
    that spans it without one."""
    found: list[Hole] = []
    for one in learned:
        found = [hole for hole in found if not (one.slots.first <= hole.after and hole.before <= one.slots.last)]
        found += one.holes
    return tuple(sorted(set(found), key=lambda hole: (hole.before, hole.after, hole.account, hole.left_raw, hole.found_raw)))


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that happened in `slots` was read from `source`."""

    source: Source
    slots: SlotRange


def merged(ranges: Iterable[SlotRange]) -> tuple[SlotRange, ...]:
    """The same slots in as few ranges as can be, lowest first; ranges that touch become one."""
    found: list[SlotRange] = []
    for one in sorted(ranges):
        if found and one.first <= found[-1].last + 1:
            found[-1] = SlotRange(found[-1].first, max(found[-1].last, one.last))
        else:
            found.append(one)
    return tuple(found)


def gaps(ranges: Iterable[SlotRange], within: SlotRange) -> tuple[SlotRange, ...]:
    """The slots of `within` that no range holds, lowest first."""
    held = [one for one in merged(ranges) if one.last >= within.first and one.first <= within.last]
    edges = [within.first - 1, *(edge for one in held for edge in (one.first, one.last)), within.last + 1]
    open_between = zip(edges[::2], edges[1::2], strict=True)
    return tuple(SlotRange(Slot(before + 1), Slot(after - 1)) for before, after in open_between if after - before > 1)


def known_of(records: Sequence[Record]) -> tuple[Known, ...]:
    """What the records of one wallet, oldest first, tell of completeness.

    Ingestion reads a wallet from its first transaction, or from where a recording ended, to a finalized end, and commits whole slots:
    so from there to the newest record of a node nothing is missing. Of a recording only the very slots of its rows are known.
    """
    known = [Known(Source.RECORDING, SlotRange(one.slot, one.slot)) for one in records if source_of(one) is Source.RECORDING]
    read = [one.slot for one in records if source_of(one) is Source.NODE]
    if read:
        recorded_before = [one.slots.last for one in known if one.slots.last < read[0]]
        known.append(Known(Source.NODE, SlotRange(max(recorded_before, default=read[0]), read[-1])))
    return tuple(known)


def source_of(record: Record) -> Source:
    """A recording holds swaps alone and tells no network fee; a node always tells it."""
    outcome = record.outcome
    is_recorded = isinstance(outcome, tuple) and all(one.network_fee_lamports is None for one in outcome)
    return Source.RECORDING if is_recorded else Source.NODE


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is kept of one wallet, from its `slots`' first to their last. `known` is merged by source, `undecodable` is by reason.

    `sources` are the providers' names by what they told of; `compared` of those slots were held against a second one. `holes` are not
    explained by any.
    """

    records: int
    slots: SlotRange
    outcomes: Mapping[str, int]
    undecodable: Mapping[str, int]
    known: tuple[Known, ...]
    gaps: tuple[SlotRange, ...]
    sources: Mapping[str, tuple[SlotRange, ...]]
    compared: tuple[SlotRange, ...]
    holes: tuple[Hole, ...]


def covered(records: Sequence[Record], learned: Sequence[Learned] = ()) -> Coverage:
    """The coverage of one wallet by its records, oldest first, and what their commits told. Raises ValueError when there are no records."""
    if not records:
        raise ValueError("no records, no coverage")
    read = [Known(Source.NODE, one.slots) for one in learned]
    # of commits that told nothing, the records themselves do
    known = [*read, *(one for one in known_of(records) if one.source is Source.RECORDING or not read)]
    slots = SlotRange(min(one.slots.first for one in known), max(one.slots.last for one in known))
    by_source = [Known(source, one) for source in Source for one in merged(each.slots for each in known if each.source is source)]
    names = sorted({name for one in learned for name in one.sources})
    return Coverage(
        records=len(records),
        slots=slots,
        outcomes=dict(Counter(outcome_name(one.outcome) for one in records)),
        undecodable=dict(Counter(one.outcome.reason for one in records if isinstance(one.outcome, Undecodable))),
        known=tuple(by_source),
        gaps=gaps((one.slots for one in known), slots),
        sources={name: merged(one.slots for one in learned if name in one.sources) for name in names},
        compared=merged(one.slots for one in learned if len(one.sources) > 1),
        holes=open_holes(learned),
    )


class PageFaultKind(StrEnum):
    """Why a page of an address's history must not be believed."""

    UNSORTED = "unsorted"
    RESTARTED = "restarted"
    REPEATED = "repeated"
    BEHIND = "behind"
    CURSOR_MISSING = "cursor missing"
    BEFORE_UNKNOWN = "before unknown"


@dataclass(frozen=True, slots=True)
class PageFault:
    """Why a page is not believed; `is_empty` when the node listed nothing at all of the address."""

    kind: PageFaultKind
    what: str
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page that fits what was read before it: the rows after the cursor, and whether it reaches the cursor."""

    new: tuple[SignatureInfo, ...]
    reaches_cursor: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """Where an address was complete to. `signature` is its newest transaction then, None where only the slot is known."""

    slot: Slot
    signature: Signature | None = None


def mark_of(cursor: Cursor) -> Mark:
    return Mark(cursor.slot, cursor.signature)


def checked_page(page: Sequence[SignatureInfo], last: SignatureInfo | None, seen: Set[Signature], mark: Mark | None) -> Page | PageFault:
    """A page, newest first, as it came after the row `last` (None for the first page), with `seen` all signatures before it.

    The transaction at the mark must show itself, or the node is behind or has a hole: pages are asked for beyond it.
    """
    fault = _disorder(page, last, seen)
    if fault is not None:
        return fault
    if mark is None:
        return Page(tuple(page), reaches_cursor=False)
    new = tuple(row for row in page if row.slot > mark.slot)
    if mark.signature is None:
        return Page(new, reaches_cursor=len(new) < len(page))
    if any(row.signature == mark.signature for row in page):
        return Page(new, reaches_cursor=True)
    if last is None and page and page[0].slot < mark.slot:
        return PageFault(PageFaultKind.BEHIND, f"the newest row is of slot {page[0].slot}, {mark.slot} was seen before")
    if not page or page[-1].slot < mark.slot:
        is_empty = not seen and not page
        return PageFault(PageFaultKind.CURSOR_MISSING, f"{mark.signature} of slot {mark.slot} is no longer listed", is_empty)
    return Page(new, reaches_cursor=False)


def _disorder(page: Sequence[SignatureInfo], last: SignatureInfo | None, seen: Set[Signature]) -> PageFault | None:
    if page and last is not None and page[0].slot > last.slot:
        return PageFault(
            PageFaultKind.RESTARTED, f"a page begins at slot {page[0].slot}, after slot {last.slot} where the one before it ended"
        )
    if any(newer.slot < older.slot for newer, older in pairwise(page)):
        return PageFault(PageFaultKind.UNSORTED, "the rows of a page are not newest first")
    signatures = [row.signature for row in page]
    repeated = next((one for one in signatures if one in seen), None)
    if repeated is not None or len(set(signatures)) < len(signatures):
        return PageFault(PageFaultKind.REPEATED, f"a transaction is listed twice: {repeated or 'inside one page'}")
    return None


def checked_end(last: SignatureInfo, again: Sequence[SignatureInfo]) -> Page | PageFault:
    """An empty page after `last` may be the end, or a node that does not know `last`. `again` was asked for from the row before it."""
    signatures = [row.signature for row in again]
    if last.signature not in signatures:
        return PageFault(PageFaultKind.BEFORE_UNKNOWN, f"nothing is listed before {last.signature}, and neither is it itself")
    if signatures[-1] != last.signature:
        return PageFault(PageFaultKind.BEFORE_UNKNOWN, f"nothing was listed before {last.signature}, and now there is")
    return Page((), reaches_cursor=False)


@dataclass(frozen=True, slots=True)
class Break:
    """Between two transactions that touch `account` its balance changed, so something in between was not read.

    `mint` is None for the wallet's own lamports, which only transactions that name the wallet can change; a token account's balance
    may also be changed by one that does not, and plain nodes do not list those.
    """

    account: Address
    mint: Mint | None
    after: Signature
    before: Signature
    left_raw: int
    found_raw: int


@dataclass(frozen=True, slots=True)
class Carried:
    """The breaks in a wallet's transactions, and what each of its accounts was left with."""

    breaks: tuple[Break, ...]
    left: Balances


def breaks(wallet: Wallet, transactions: Sequence[ChainTransaction]) -> tuple[Break, ...]:
    """Where a balance of the wallet does not carry over, its transactions given oldest first."""
    return carried(wallet, transactions, {}).breaks


def carried(wallet: Wallet, transactions: Sequence[ChainTransaction], left: Balances) -> Carried:
    """The same after earlier transactions, which had left its accounts with `left`.

    Followed are its lamports and every token account that is its own at some time; one that a transaction names and that is not there
    holds 0.
    """
    key = Address(wallet)
    own: dict[Address, Mint | None] = {key: None}
    own.update({account: one.mint for account, one in left.items()})
    for transaction in transactions:
        rows = (*transaction.pre_token_balances, *transaction.post_token_balances)
        own.update({transaction.account_keys[row.account_index]: row.mint for row in rows if row.owner == wallet})
    held, found = dict(left), list[Break]()
    for transaction in transactions:
        before = _balances(transaction.account_keys, transaction.pre_balances, transaction.pre_token_balances, key)
        after = _balances(transaction.account_keys, transaction.post_balances, transaction.post_token_balances, key)
        for account in (account for account in before if account in own):
            was = held.get(account)
            if was is not None and was.raw != before[account]:
                found.append(Break(account, own[account], was.signature, transaction.signature, was.raw, before[account]))
            held[account] = Left(own[account], transaction.signature, transaction.slot, after[account])
    return Carried(tuple(found), held)


def _balances(keys: Sequence[Address], lamports: Sequence[int], rows: Sequence[TokenBalance], wallet: Address) -> dict[Address, int]:
    """On one side of a transaction: the wallet's lamports, and what every other account holds of its token, 0 where of none."""
    held = dict.fromkeys(keys, 0) | {keys[row.account_index]: row.amount_raw for row in rows}
    return held | {wallet: lamports[keys.index(wallet)]} if wallet in held else held
