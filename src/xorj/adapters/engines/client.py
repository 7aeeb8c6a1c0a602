"""One of our engines over HTTP, behind a circuit breaker: after a few failures it is not asked for a while, so that nobody waits for it."""

from types import TracebackType
from typing import Any, Self

import httpx2
import orjson
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from xorj.observability.health import OK, Health, degraded, failed
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Wallet
from xorj.reporting.account import TraderPerformance, TraderRanking

TIMEOUT_SECONDS = 1.5
FAILURES_MAX = 3
OPEN_SECONDS = 10
RANKINGS_PATH = "/internal/trader-rankings"


class Engine:
    """The engine `name` at `base_url`. `token` goes into a header and nowhere else."""

    def __init__(self, name: str, base_url: str, token: str, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self.name = name
        headers = {"accept": "application/json", "authorization": f"Bearer {token}"}
        self._client = httpx2.AsyncClient(base_url=base_url, headers=headers, timeout=TIMEOUT_SECONDS, transport=transport, trust_env=False)
        self._breakers = AsyncCircuitBreakerFactory(default_threshold=FAILURES_MAX, default_ttl=OPEN_SECONDS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._client.aclose()

    async def rankings(self, *, limit: int) -> list[TraderRanking]:
        """Best first. Raises Unavailable."""
        body = await self._get(RANKINGS_PATH, {"limit": limit})
        if not isinstance(body, list):
            raise Unavailable(self.name, f"{RANKINGS_PATH}: unexpected answer")
        try:
            return [_trader(one) for one in body]
        except (KeyError, TypeError, ValueError) as error:
            raise Unavailable(self.name, f"{RANKINGS_PATH}: unexpected answer") from error

    async def health(self) -> Health:
        """What its /readyz says; failed where it does not answer."""
        try:
            response = await self._client.get("/readyz")
            said = orjson.loads(response.content)
            checks = {name: check["detail"] for name, check in said["checks"].items() if check["status"] != "ok"}
        except (httpx2.HTTPError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return failed("does not answer")
        detail = "; ".join(f"{name}: {text}" if text else name for name, text in checks.items())
        if response.status_code != 200:
            return failed(detail)
        return degraded(detail) if checks else OK

    async def _get(self, path: str, query: dict[str, Any]) -> Any:
        breaker = await self._breakers.get_breaker(self.name)
        try:
            async with breaker:
                response = await self._client.get(path, params=query)
                if response.status_code != 200:
                    raise Unavailable(self.name, f"{path}: HTTP {response.status_code}")
                return orjson.loads(response.content)
        except OpenedState as error:
            raise Unavailable(self.name, f"not asked again yet after {FAILURES_MAX} failures") from error
        except (httpx2.HTTPError, orjson.JSONDecodeError) as error:
            raise Unavailable(self.name, f"{path}: {type(error).__name__}") from error


def _trader(one: dict[str, Any]) -> TraderRanking:
    found = one["performance_metrics"]
    count = found["trade_count"]
    performance = TraderPerformance(
        win_rate=_number(found["win_rate"]),
        total_return=_number(found["total_return"]),
        max_drawdown=_number(found["max_drawdown"]),
        trade_count=None if count is None else int(count),
    )
    return TraderRanking(Wallet(str(one["wallet_address"])), float(one["xorj_trust_score"]), int(one["rank"]), performance)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
