"""The chain's own time, read from a node. Given to every workflow whose decisions depend on time (docs/adr/0015-chain-time.md)."""

from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.chain.transactions import Commitment
from xorj.primitives.clock import ChainTime
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Slot

# a slot may be skipped, and the time of a block is written shortly after it
SLOTS_WITHOUT_TIME_MAX = 8


class NodeClock:
    """Slot, block height and block time of the newest confirmed block. Implements ChainClock."""

    def __init__(self, node: SolanaNode) -> None:
        self._node = node

    async def now(self) -> ChainTime:
        """Raises Unavailable."""
        newest = await self._node.slot(commitment=Commitment.CONFIRMED)
        for age in range(SLOTS_WITHOUT_TIME_MAX):
            time = await self._node.block_time(Slot(max(0, newest - age)))
            if time is not None:
                return time
        raise Unavailable(self._node.name, f"no block time in the {SLOTS_WITHOUT_TIME_MAX} slots up to {newest}")
