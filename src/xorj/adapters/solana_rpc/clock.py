"""The chain's own time, read from a node. Given to every workflow whose decisions depend on time (docs/adr/0015-chain-time.md).

One clock serves a whole process: who asks while a reading is under way gets that reading, and the time of a slot is asked for once.
"""

import asyncio

from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.chain.transactions import Commitment
from xorj.primitives.clock import ChainTime
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Slot

# a slot may be skipped, and the time of a block is written shortly after it
SLOTS_WITHOUT_TIME_MAX = 8


class NodeClock:
    """Slot, block height and block time of the newest confirmed block. Implements ChainClock; for use in one event loop."""

    def __init__(self, node: SolanaNode) -> None:
        self._node = node
        self._reading: asyncio.Task[ChainTime] | None = None
        self._last: tuple[Slot, ChainTime] | None = None

    async def now(self) -> ChainTime:
        """Raises Unavailable."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="chain time")
            # Nobody may be waiting any more when it fails; whoever is sees the failure.
            self._reading.add_done_callback(lambda done: None if done.cancelled() else done.exception())
        # Who is cancelled does not take the reading away from the others.
        return await asyncio.shield(self._reading)

    async def _read(self) -> ChainTime:
        newest = await self._node.slot(commitment=Commitment.CONFIRMED)
        if self._last is not None and self._last[0] == newest:
            return self._last[1]
        for age in range(SLOTS_WITHOUT_TIME_MAX):
            time = await self._node.block_time(Slot(max(0, newest - age)))
            if time is not None:
                if age == 0:
                    self._last = newest, time
                return time
        raise Unavailable(self._node.name, f"no block time in the {SLOTS_WITHOUT_TIME_MAX} slots up to {newest}")
