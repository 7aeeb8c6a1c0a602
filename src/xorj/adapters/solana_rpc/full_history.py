"""A node that offers getTransactionsForAddress (Helius, and others since): history with what only touched an address's token accounts.

A page comes with its transactions whole while there is room to keep them, so that most are never asked for one by one; a long walk goes on
with signatures alone. Pages go by the provider's token where it is remembered, else by the signature that the last one ended with.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import httpx2

from xorj.adapters.solana_rpc.fields import Json, optional, read_list, read_object, read_text
from xorj.adapters.solana_rpc.json_rpc import READ_ATTEMPTS_MAX
from xorj.adapters.solana_rpc.node import ANY_VERSION, SolanaNode
from xorj.adapters.solana_rpc.transactions import parse_signature_info, parse_transaction
from xorj.chain.ports import SIGNATURES_PER_PAGE_MAX
from xorj.chain.transactions import ChainTransaction, Commitment, SignatureInfo
from xorj.primitives.ids import Address, Signature

METHOD = "getTransactionsForAddress"
# with token accounts of which the balance changed: fees collected and approvals say nothing of what the wallet did
BALANCE_CHANGED = "balanceChanged"
FULL_ROWS_PER_PAGE_MAX = 100
TRANSACTIONS_KEPT_MAX = 5_000
TOKENS_KEPT_MAX = 10_000
HELIUS_HOST = "helius-rpc.com"

K = TypeVar("K")
V = TypeVar("V")

_Place = tuple[Address, Commitment, Signature]


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[SignatureInfo]
    transactions: list[ChainTransaction]
    token: str | None


class FullHistoryNode(SolanaNode):
    """Implements HistoryReader so; all else as any node does."""

    def __init__(
        self,
        url: str,
        *,
        name: str | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        read_attempts: int = READ_ATTEMPTS_MAX,
    ) -> None:
        super().__init__(url, name=name, transport=transport, read_attempts=read_attempts)
        self._tokens: OrderedDict[_Place, str] = OrderedDict()
        self._kept: OrderedDict[Signature, tuple[Commitment, ChainTransaction]] = OrderedDict()

    async def signatures(
        self,
        address: Address,
        *,
        limit: int = SIGNATURES_PER_PAGE_MAX,
        before: Signature | None = None,
        until: Signature | None = None,
        commitment: Commitment = Commitment.FINALIZED,
    ) -> list[SignatureInfo]:
        """One page, newest first; shorter than `limit` where it holds whole transactions."""
        is_full = limit <= FULL_ROWS_PER_PAGE_MAX or len(self._kept) + FULL_ROWS_PER_PAGE_MAX <= TRANSACTIONS_KEPT_MAX
        options: dict[str, Json] = {
            "transactionDetails": "full" if is_full else "signatures",
            "sortOrder": "desc",
            "limit": min(limit, FULL_ROWS_PER_PAGE_MAX) if is_full else limit,
            "commitment": commitment.value,
            **({"encoding": "json", **ANY_VERSION} if is_full else {}),
        }
        filters: dict[str, Json] = {"status": "any", "tokenAccounts": BALANCE_CHANGED}
        token = None if before is None else self._tokens.get((address, commitment, before))
        bounds = {} if until is None else {"gt": until}
        if token is not None:
            options["paginationToken"] = token
        elif before is not None:
            bounds["lt"] = before
        options["filters"] = filters | ({"signature": bounds} if bounds else {})
        reply = await self._rpc.read(METHOD, [address, options])
        page = self._checked(METHOD, lambda: _page(reply, self.name, is_full=is_full))
        self._remember(address, commitment, page)
        return page.rows

    async def transactions(
        self, signatures: Sequence[Signature], *, commitment: Commitment = Commitment.FINALIZED
    ) -> list[ChainTransaction | None]:
        """In the order asked, without asking for those that a page brought; None where the node does not know the signature."""
        kept = {one: self._taken(one, commitment) for one in signatures}
        missing = [one for one in dict.fromkeys(signatures) if kept[one] is None]
        read = dict(zip(missing, await super().transactions(missing, commitment=commitment), strict=True)) if missing else {}
        return [kept[one] or read.get(one) for one in signatures]

    def requests_for(self, signatures: Sequence[Signature]) -> int:
        """Those that a page brought cost none."""
        return sum(one not in self._kept for one in signatures)

    def _taken(self, signature: Signature, commitment: Commitment) -> ChainTransaction | None:
        """Out of what is kept, where it was seen at that commitment or a surer one: most are asked for once."""
        found = self._kept.get(signature)
        if found is None or found[0].rank < commitment.rank:
            return None
        del self._kept[signature]
        return found[1]

    def _remember(self, address: Address, commitment: Commitment, page: _Page) -> None:
        for transaction in page.transactions:
            _keep(self._kept, transaction.signature, (commitment, transaction), TRANSACTIONS_KEPT_MAX)
        if page.rows and page.token is not None:
            _keep(self._tokens, (address, commitment, page.rows[-1].signature), page.token, TOKENS_KEPT_MAX)


def _page(reply: Json, source: str, *, is_full: bool) -> _Page:
    """Raises InvalidInput for a reply that is not a page."""
    fields = read_object(reply, "result")
    data = read_list(fields.get("data"), "data")
    token = optional(fields.get("paginationToken"), "paginationToken", read_text)
    if not is_full:
        return _Page([parse_signature_info(row, source) for row in data], [], token)
    transactions = [parse_transaction(row) for row in data]
    return _Page([_row(one, source) for one in transactions], transactions, token)


def _row(one: ChainTransaction, source: str) -> SignatureInfo:
    return SignatureInfo(one.signature, one.slot, one.block_time, one.error, one.transaction_index, source)


def _keep(kept: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    """The newest `most` of them."""
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)


def offers_full_history(host: str) -> bool:
    """Whether a provider is known by its host to offer the method."""
    return host == HELIUS_HOST or host.endswith("." + HELIUS_HOST)
