"""Everything the routes are given, put together by services.gateway and services.web and kept on the application's state."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from xorj.gateway.ports import KillSwitchControl, Node
from xorj.identity.authenticate_wallet import Doorkeeper
from xorj.identity.ports import IdempotencyStore, RateLimiter
from xorj.prices.ports import PriceFeed
from xorj.primitives.clock import ChainClock
from xorj.primitives.ids import LOCAL_GENESIS, Address
from xorj.reporting.ports import AccountReader, CopyOrders, OverviewReader, RankingEngine, RankingReader, Settings, StopReader, SystemProbe

# The specification's origins; a page of our own site is always let in.
SPECIFIED_ORIGINS = ("https://xorj.ai", "https://app.xorj.ai", "https://dashboard.xorj.ai")


@dataclass(frozen=True, slots=True)
class Place:
    """Where this edge stands: which chain, which site, and whose key trades. Without `bot` nobody can grant or enable it.

    `hosts` are the names that a request may call this server by, so that no other site's name can be pointed at it.
    """

    environment: str
    genesis: str
    origin: str
    origins: tuple[str, ...]
    hosts: tuple[str, ...]
    service_token: str
    bot: Address | None

    @property
    def is_worthless(self) -> bool:
        """Whether this is the local chain, where everybody may see everything and a visitor may press stop."""
        return self.genesis == LOCAL_GENESIS

    @property
    def is_encrypted(self) -> bool:
        return self.origin.startswith("https://")


@dataclass(frozen=True, slots=True)
class Parts:
    place: Place
    doorkeeper: Doorkeeper
    limiter: RateLimiter
    idempotency: IdempotencyStore
    overviews: OverviewReader
    rankings: RankingReader
    accounts: AccountReader
    settings: Settings
    orders: CopyOrders
    kill_switch: KillSwitchControl
    stops: StopReader
    node: Node
    clock: ChainClock
    prices: PriceFeed
    engine: RankingEngine
    system: SystemProbe


def parts_of(request: Request) -> Parts:
    parts = request.app.state.parts
    assert isinstance(parts, Parts)
    return parts


async def _parts(request: Request) -> Parts:
    # Awaited, because what is not runs in a thread of its own, which costs more than everything else about a request.
    return parts_of(request)


PartsOf = Annotated[Parts, Depends(_parts)]
