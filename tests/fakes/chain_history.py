"""A node's history in memory: what it lists and what it has, and the ways in which a node may be wrong. Implements HistoryReader."""

from collections.abc import Iterable, Sequence

from xorj.chain.ports import SIGNATURES_PER_PAGE_MAX
from xorj.chain.transactions import ChainTransaction, Commitment, SignatureInfo
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Signature


class ChainHistory:
    """`page_rows_max` cuts pages shorter than asked, as nodes do; `withheld` are listed and not given; pages and transactions
    asked for are counted; after `pages_known` pages it knows no `before` any more; after `final_slot` nothing is final."""

    def __init__(self, transactions: Iterable[ChainTransaction] = ()) -> None:
        self.transactions_by_signature: dict[Signature, ChainTransaction] = {}
        self.withheld: set[Signature] = set()
        self.page_rows_max = SIGNATURES_PER_PAGE_MAX
        self.pages_asked = 0
        self.transactions_asked: list[Signature] = []
        self.repeats_the_newest_page = False
        self.pages_known: int | None = None
        self.dies_after_transactions: int | None = None
        self.final_slot: int | None = None
        self.add(*transactions)

    def add(self, *transactions: ChainTransaction) -> None:
        self.transactions_by_signature |= {one.signature: one for one in transactions}

    async def signatures(
        self,
        address: Address,
        *,
        limit: int = SIGNATURES_PER_PAGE_MAX,
        before: Signature | None = None,
        until: Signature | None = None,
        commitment: Commitment = Commitment.FINALIZED,
    ) -> list[SignatureInfo]:
        self.pages_asked += 1
        if self.pages_known is not None and self.pages_asked > self.pages_known:
            return []
        rows = [
            one for one in reversed(self.in_order()) if address in one.account_keys or any(i.program == address for i in one.instructions)
        ]
        rows = [one for one in rows if self._is_known(one, commitment)]
        if before is not None and not self.repeats_the_newest_page:
            rows = rows[[one.signature for one in rows].index(before) + 1 :]
        if until is not None:
            rows = rows[: [one.signature for one in rows].index(until)] if any(one.signature == until for one in rows) else rows
        return [_row(one) for one in rows[: min(limit, self.page_rows_max)]]

    async def transactions(
        self, signatures: Sequence[Signature], *, commitment: Commitment = Commitment.FINALIZED
    ) -> list[ChainTransaction | None]:
        self.transactions_asked += signatures
        if self.dies_after_transactions is not None and len(self.transactions_asked) > self.dies_after_transactions:
            raise Unavailable("history", "the node has gone away")
        found = [None if one in self.withheld else self.transactions_by_signature.get(one) for one in signatures]
        return [one if one is not None and self._is_known(one, commitment) else None for one in found]

    def _is_known(self, one: ChainTransaction, commitment: Commitment) -> bool:
        return commitment is not Commitment.FINALIZED or self.final_slot is None or one.slot <= self.final_slot

    def in_order(self) -> list[ChainTransaction]:
        return sorted(self.transactions_by_signature.values(), key=lambda one: (one.slot, one.transaction_index or 0, one.signature))


def _row(one: ChainTransaction) -> SignatureInfo:
    return SignatureInfo(one.signature, one.slot, one.block_time, one.error, one.transaction_index)
