"""Opens the history of all providers: of one its node, which is asked as fast as it answers; of several a pool.

Used by the quant engine and the command `swaps backfill`.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

from xorj.adapters.solana_rpc.full_history import FullHistoryNode, offers_full_history
from xorj.adapters.solana_rpc.history_pool import HistoryPool, allowances
from xorj.adapters.solana_rpc.json_rpc import READ_ATTEMPTS_MAX
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.chain.ports import HistoryReader
from xorj.primitives.errors import InvalidInput, RefusedForSafety


@dataclass(frozen=True, slots=True)
class OpenedHistory:
    """`second` is another provider than the one that `reader` asks first, None where there is one alone."""

    reader: HistoryReader
    second: HistoryReader | None
    nodes: tuple[SolanaNode, ...]

    async def require_chain(self, genesis: str) -> None:
        """Raises RefusedForSafety where a provider is on another chain, Unavailable where one does not say."""
        for node in self.nodes:
            found = await node.genesis_hash()
            if found != genesis:
                raise RefusedForSafety(f"{node.name} is on the chain with genesis {found}, the settings are for {genesis}")


async def open_history(urls: Sequence[str], genesis: str, stack: AsyncExitStack, *, allowed: str = "", full: str = "") -> OpenedHistory:
    """`allowed` and `full` are settings: weights and rates, and the numbers of those that offer getTransactionsForAddress.

    Raises InvalidInput for either.
    """
    numbers = full_numbers(full, urls)
    kinds = [FullHistoryNode if number in numbers else SolanaNode for number in range(1, len(urls) + 1)]
    # of several each is tried once before the next
    attempts = READ_ATTEMPTS_MAX if len(urls) == 1 else 1
    nodes = [
        kind(url, name=f"provider {number}", read_attempts=attempts) for number, (kind, url) in enumerate(zip(kinds, urls, strict=True), 1)
    ]
    for node in nodes:
        await stack.enter_async_context(node)
    if len(nodes) == 1:
        return OpenedHistory(nodes[0], None, tuple(nodes))
    pool = HistoryPool(list(zip(nodes, allowances(allowed, len(urls)), strict=True)), genesis)
    return OpenedHistory(pool, pool.second, tuple(nodes))


def full_numbers(text: str, urls: Sequence[str]) -> frozenset[int]:
    """`1, 3` as numbers of providers; of an empty text those that are known by their host. Raises InvalidInput."""
    if not text.strip():
        return frozenset(number for number, url in enumerate(urls, 1) if offers_full_history(urlsplit(url).hostname or ""))
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 1 <= int(part) <= len(urls) for part in parts):
        raise InvalidInput("full histories", given=text, rule=f"numbers of providers from 1 to {len(urls)}, separated by commas")
    return frozenset(map(int, parts))
