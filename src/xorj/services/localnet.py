"""The process `localnet`: the local chain on 8899 and 8900, the Jupiter-shaped API on 8890, the demo's live market beside them."""

from xorj.localnet.genesis import local_genesis
from xorj.localnet.health import health_app
from xorj.localnet.run import Extras, Ports, run_chain
from xorj.settings import LocalnetSettings

RPC_PORT, WEBSOCKET_PORT = 8899, 8900


async def serve(settings: LocalnetSettings) -> None:
    """Runs until SIGTERM or SIGINT. Raises RefusedForSafety on a public address or a folder that is open elsewhere."""
    ports = Ports(
        host=settings.bind_host,
        rpc=RPC_PORT + settings.port_offset,
        websocket=WEBSOCKET_PORT + settings.port_offset,
        allow_public=settings.allow_public,
    )
    extras = Extras(get=health_app)
    await run_chain(settings.data_dir / "localnet", local_genesis(), ports, extras, slot_ms=settings.slot_ms)
