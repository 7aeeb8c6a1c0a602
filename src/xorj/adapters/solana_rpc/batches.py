"""Many transactions by few requests: the batches in which a node is asked. Used by node and history_pool."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from xorj.chain.transactions import ChainTransaction
from xorj.primitives.ids import Signature

TRANSACTIONS_PER_BATCH_MAX = 100
BATCHES_AT_ONCE_MAX = 4

Read = list[ChainTransaction | None]


async def in_batches(signatures: Sequence[Signature], fetch: Callable[[Sequence[Signature]], Awaitable[Read]]) -> Read:
    """What `fetch` gives for each batch, in the order asked. When one fails, the others are given up and its error raised."""
    gate = asyncio.Semaphore(BATCHES_AT_ONCE_MAX)

    async def fetched(batch: Sequence[Signature]) -> Read:
        async with gate:
            return await fetch(batch)

    starts = range(0, len(signatures), TRANSACTIONS_PER_BATCH_MAX)
    tasks = [asyncio.ensure_future(fetched(signatures[at : at + TRANSACTIONS_PER_BATCH_MAX])) for at in starts]
    try:
        return [transaction for read in await asyncio.gather(*tasks) for transaction in read]
    finally:
        for task in tasks:
            task.cancel()
