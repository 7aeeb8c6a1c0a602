"""The process `demo-follower`: a person's wallet that begins to follow through the gateway's API, and then ends."""

from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.client.api import XorjClient
from xorj.demo.follower import Follower
from xorj.demo.identities import FOLLOWER
from xorj.observability import logging
from xorj.primitives.errors import RefusedForSafety
from xorj.primitives.ids import Wallet
from xorj.settings import DemoFollowerSettings

log = logging.get("demo-follower")


async def serve(settings: DemoFollowerSettings) -> None:
    """Returns when the follower follows. Raises RefusedForSafety outside the local chain."""
    if not settings.is_local:
        raise RefusedForSafety("the demo follower's key is public; it is for the local chain only")
    address = FOLLOWER.pubkey()
    client = XorjClient(settings.gateway_url, Wallet(str(address)), _sign)
    async with SolanaNode(settings.rpc_endpoints[0]) as node, client as api:
        done = await Follower(address, node, api).follow()
    log.info("follower_follows", wallet=str(address), steps=done)


async def _sign(message: bytes) -> bytes:
    return bytes(FOLLOWER.sign_message(message))
