"""An executing bot against a TradingChain: as a desk in this process, or as a process that kills itself at one moment of its next trade.

`python -m tests.fakes.executing_bot DATABASE_URL RPC_URL JUPITER_URL SIGNER_FOLDER MOMENT|never`."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.trading_chain import BOT

from xorj.adapters.jupiter.http import JupiterHttp
from xorj.adapters.jupiter.prices import JupiterPrices
from xorj.adapters.jupiter.router import JupiterRouter
from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres.brakes import PostgresBrakes
from xorj.adapters.postgres.execution import PostgresAttempts, PostgresIntents
from xorj.adapters.postgres.kill_switch import PostgresKillSwitch
from xorj.adapters.postgres.leases import PostgresLeases
from xorj.adapters.postgres.settlements import PostgresSettlements
from xorj.adapters.postgres.sweeps import PostgresSweeps
from xorj.adapters.signer import wire
from xorj.adapters.signer.epoch_file import EpochFile
from xorj.adapters.signer.vault_key import VaultKey
from xorj.adapters.solana_rpc.clock import NodeClock
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.execution.bounds import Bounds
from xorj.execution.desk import Desk, Stores
from xorj.execution.execute_under_lease import Gate, Wakes, execute_under_lease
from xorj.execution.ports import Checkpoint, Moment, Provider, SignerRefused, pass_by
from xorj.primitives.ids import LOCAL_GENESIS, Address, Signature
from xorj.signing.message_policy import Rules

LEASE_S = 0.5
# Long enough for a killed bot to be back in time on a busy machine.
DEADLINE_SLOTS = 140


class KeyInHand:
    """The signer's policy and key without its process. Implements Signer."""

    def __init__(self, key: VaultKey) -> None:
        self._key = key

    async def sign(self, message: bytes, *, lease_epoch: int) -> Signature | SignerRefused:
        reply = await self._key.answer(wire.SignRequest(message, lease_epoch))
        return SignerRefused(*reply.refused) if reply.refused is not None else Signature(str(reply.signature))


@asynccontextmanager
async def desk_for(
    engine: AsyncEngine, rpc_url: str, jupiter_url: str, folder: Path, checkpoint: Checkpoint = pass_by
) -> AsyncIterator[Desk]:
    """A desk with every real adapter and the key in hand."""
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(SolanaNode(rpc_url, name="local"))
        jupiter = await stack.enter_async_context(JupiterHttp(jupiter_url))
        clock, switch = NodeClock(node), PostgresKillSwitch(engine)
        yield Desk(
            bot=BOT.pubkey(),
            genesis=LOCAL_GENESIS,
            bounds=Bounds(deadline_slots=DEADLINE_SLOTS),
            providers=(Provider("local", node, node, node, node),),
            blockhashes=node,
            simulator=node,
            clock=clock,
            router=JupiterRouter(jupiter),
            prices=JupiterPrices(jupiter),
            signer=KeyInHand(VaultKey(BOT, Rules(), node, clock, EpochFile(folder / "epoch"))),
            kill_switch=switch,
            stop_switch=switch,
            stores=Stores(
                PostgresIntents(engine),
                PostgresAttempts(engine, LOCAL_GENESIS),
                PostgresSettlements(engine, LOCAL_GENESIS),
                PostgresSweeps(engine, LOCAL_GENESIS),
                PostgresBrakes(engine, LOCAL_GENESIS),
                PostgresBrakes(engine, LOCAL_GENESIS),
            ),
            checkpoint=checkpoint,
        )


async def nothing_differs() -> dict[Address, str]:
    return {}


def dies_at(moment: str) -> Checkpoint:
    async def checkpoint(reached: Moment, intent_id: str) -> None:
        if reached == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    return checkpoint


async def run(database_url: str, rpc_url: str, jupiter_url: str, folder: Path, moment: str) -> None:
    engine = postgres.create(database_url, application="bot", connections_min=1, connections_max=10)
    async with desk_for(engine, rpc_url, jupiter_url, folder, dies_at(moment)) as desk:
        leases = PostgresLeases(engine, seconds=LEASE_S)
        await execute_under_lease(desk, leases, f"bot {os.getpid()}", nothing_differs, Gate(), Wakes())


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]), sys.argv[5]))
