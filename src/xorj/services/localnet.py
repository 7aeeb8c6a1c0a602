"""The process `localnet`: the local chain on 8899 and 8900, the Jupiter-shaped API on 8890, the demo's market living beside them.

A market that is new to the data folder is executed before the ports open; `market=False` leaves a bare chain.
"""

import time
from pathlib import Path

from xorj.demo.history import ensure_history, market_folder, market_genesis
from xorj.demo.live import trade_live
from xorj.demo.market import Cast
from xorj.localnet.bank import Bank
from xorj.localnet.genesis import local_genesis
from xorj.localnet.health import health_app
from xorj.localnet.jupiter.api import jupiter_app
from xorj.localnet.live import LiveChain
from xorj.localnet.run import Extras, Ports, run_chain
from xorj.settings import LocalnetSettings

RPC_PORT, WEBSOCKET_PORT, JUPITER_PORT = 8899, 8900, 8890


async def serve(settings: LocalnetSettings) -> None:
    """Runs until SIGTERM or SIGINT. Raises RefusedForSafety on a public address or a folder that is open elsewhere."""
    ports = Ports(
        host=settings.bind_host,
        rpc=RPC_PORT + settings.port_offset,
        websocket=WEBSOCKET_PORT + settings.port_offset,
        allow_public=settings.allow_public,
    )
    ports.require_private()
    folder = settings.data_dir / "localnet"
    jupiter_port = JUPITER_PORT + settings.port_offset
    if settings.market:
        await _with_market(folder, settings.seed, ports, jupiter_port, settings.slot_ms)
        return
    extras = Extras(get=health_app, apps=((jupiter_port, lambda chain: jupiter_app(chain, ())),))
    await run_chain(folder / "bare", local_genesis(), ports, extras, slot_ms=settings.slot_ms)


async def _with_market(localnet: Path, seed: int, ports: Ports, jupiter_port: int, slot_ms: int) -> None:
    cast = Cast.of(seed)
    folder = market_folder(localnet, seed)

    def prepare(bank: Bank) -> None:
        ensure_history(bank, cast, folder)

    async def live(chain: LiveChain) -> None:
        await trade_live(chain, cast, ensure_history(chain.bank, cast, folder))

    extras = Extras(
        prepare=prepare,
        tasks=(live,),
        apps=((jupiter_port, lambda chain: jupiter_app(chain, cast.listed())),),
        get=health_app,
    )
    await run_chain(folder, market_genesis(cast, int(time.time())), ports, extras, slot_ms=slot_ms)
