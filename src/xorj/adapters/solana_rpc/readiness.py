"""Whether a node answers, for a process's /readyz. Used by the services that cannot work without one."""

from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.observability import health


def chain_check(node: SolanaNode) -> health.Check:
    """Fails when the node does not say where the chain stands."""

    async def answers() -> health.Health:
        await node.slot()
        return health.OK

    return health.Check("chain", answers)
