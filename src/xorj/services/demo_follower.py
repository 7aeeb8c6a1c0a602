"""The process `demo-follower`: a person's wallet that begins to follow through the gateway's API, and then ends."""

from collections.abc import Mapping
from typing import Any

import httpx2

from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.demo.follower import Conflict, Follower
from xorj.demo.identities import FOLLOWER
from xorj.observability import logging
from xorj.primitives.errors import RefusedForSafety, Unavailable
from xorj.settings import DemoFollowerSettings

TIMEOUT_S = 20.0
log = logging.get("demo-follower")


async def serve(settings: DemoFollowerSettings) -> None:
    """Returns when the follower follows. Raises RefusedForSafety outside the local chain."""
    if not settings.is_local:
        raise RefusedForSafety("the demo follower's key is public; it is for the local chain only")
    async with (
        SolanaNode(settings.rpc_endpoints[0]) as node,
        httpx2.AsyncClient(base_url=settings.gateway_url, timeout=TIMEOUT_S) as client,
    ):
        done = await Follower(FOLLOWER, node, Gateway(client)).follow()
    log.info("follower_follows", wallet=str(FOLLOWER.pubkey()), steps=done)


class Gateway:
    """Implements demo.follower.WalletApi over HTTP."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    def use_session(self, token: str) -> None:
        self._client.headers["authorization"] = f"Bearer {token}"

    async def get(self, path: str) -> Any:
        return await self._ask("GET", path, None)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return await self._ask("POST", path, body)

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        try:
            answer = await self._client.request(method, path, json=body)
        except httpx2.HTTPError as error:
            raise Unavailable("gateway", f"{path}: {type(error).__name__}") from error
        if answer.status_code == httpx2.codes.CONFLICT:
            raise Conflict(answer.text[:300])
        if answer.status_code != httpx2.codes.OK:
            raise Unavailable("gateway", f"{path} answers {answer.status_code}: {answer.text[:300]}")
        return answer.json()
