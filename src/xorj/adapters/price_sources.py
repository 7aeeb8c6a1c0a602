"""Opens the sources of live prices behind one AgreedPrices. Used by the services, so that all of them mean the same by a price.

On the local chain Jupiter's shape, served by the chain itself, is enough; elsewhere Pyth comes first where it has a key, and Birdeye is
the witness without which a thin mint has no price.
"""

from contextlib import AsyncExitStack
from typing import Protocol

from pydantic import SecretStr

from xorj.adapters.birdeye.quotes import BirdeyeQuotes
from xorj.adapters.jupiter.http import JupiterHttp
from xorj.adapters.jupiter.prices import JupiterPrices
from xorj.adapters.pyth.prices import PythPrices
from xorj.observability import logging
from xorj.prices.agreement import Bounds
from xorj.prices.discover_prices import AgreedPrices
from xorj.prices.ports import PriceFeed, PriceWitness
from xorj.primitives.clock import ChainClock

log = logging.get("prices")


class PriceSettings(Protocol):
    """What of a process's settings says whom to ask and what to believe."""

    @property
    def is_local(self) -> bool: ...
    @property
    def pyth_url(self) -> str: ...
    @property
    def pyth_api_key(self) -> SecretStr | None: ...
    @property
    def birdeye_url(self) -> str: ...
    @property
    def birdeye_api_key(self) -> SecretStr | None: ...
    @property
    def price_age_s_max(self) -> int: ...
    @property
    def price_confidence_bps_max(self) -> int: ...
    @property
    def price_disagreement_bps_max(self) -> int: ...


async def open_prices(jupiter: JupiterHttp, clock: ChainClock, stack: AsyncExitStack, settings: PriceSettings) -> AgreedPrices:
    """A source without a key is not asked. `stack` closes what is opened."""
    feeds: list[PriceFeed] = [JupiterPrices(jupiter)]
    witnesses: list[PriceWitness] = []
    if settings.pyth_api_key is not None:
        feeds.insert(0, await stack.enter_async_context(PythPrices(settings.pyth_url, api_key=settings.pyth_api_key.get_secret_value())))
    if settings.birdeye_api_key is not None:
        key = settings.birdeye_api_key.get_secret_value()
        witnesses.append(await stack.enter_async_context(BirdeyeQuotes(settings.birdeye_url, api_key=key)))
    if not settings.is_local and not witnesses:
        log.warning("thin_mints_have_no_price", why="no second source has a key, so entries are copied only into what Pyth prices too")
    bounds = Bounds(
        age_s_max=settings.price_age_s_max,
        confidence_bps_max=settings.price_confidence_bps_max,
        disagreement_bps_max=settings.price_disagreement_bps_max,
    )
    return AgreedPrices(feeds, clock, bounds, is_local=settings.is_local, witnesses=witnesses)
