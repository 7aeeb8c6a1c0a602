"""How often: the specification's 100 requests in 15 minutes for sign-in and writes, 600 a minute for reads (ADR 0017)."""

from fastapi import Depends, Request

from xorj.gateway.access import Caller
from xorj.gateway.parts import PartsOf
from xorj.gateway.refusals import too_many
from xorj.identity.rate_limit import RateLimit
from xorj.identity.session import Session
from xorj.observability import logging
from xorj.primitives.errors import Unavailable

WRITES = RateLimit("sign-ins and writes", 100, 15 * 60)
READS = RateLimit("reads", 600, 60)

log = logging.get("limits")


class _Limited:
    """Counts one request of the session's wallet, or of the address where there is none.

    A write that cannot be counted is refused with 503; a read goes on, because what it reads has limits of its own.
    """

    def __init__(self, limit: RateLimit, *, refuse_uncounted: bool) -> None:
        self._limit, self._refuse_uncounted = limit, refuse_uncounted

    async def __call__(self, request: Request, parts: PartsOf, asking: Caller) -> None:
        try:
            allowance = await parts.limiter.hit(self._limit, _key(request, asking))
        except Unavailable:
            if self._refuse_uncounted:
                raise
            log.warning("read_not_counted", path=request.url.path)
            return
        request.state.allowance = allowance
        if not allowance.allowed:
            raise too_many(allowance)


write_limit = Depends(_Limited(WRITES, refuse_uncounted=True))
read_limit = Depends(_Limited(READS, refuse_uncounted=False))


def _key(request: Request, asking: object) -> str:
    if isinstance(asking, Session) and asking.wallet:
        return f"wallet {asking.wallet}"
    return f"address {request.client.host if request.client else 'unknown'}"
