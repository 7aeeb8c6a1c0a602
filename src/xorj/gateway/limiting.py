"""How often: the specification's 100 requests in 15 minutes for sign-in and writes, 600 a minute for reads (ADR 0017)."""

from fastapi import Depends, Request

from xorj.gateway.access import Caller
from xorj.gateway.parts import Parts, PartsOf
from xorj.gateway.refusals import too_many
from xorj.identity.rate_limit import Allowance, RateLimit
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
            allowance = await _counted(request, parts, asking, self._limit)
        except Unavailable:
            if self._refuse_uncounted:
                raise
            log.warning("read_not_counted", path=request.url.path)
            return
        if not allowance.allowed:
            raise too_many(allowance)


write_limit = Depends(_Limited(WRITES, refuse_uncounted=True))
read_limit = Depends(_Limited(READS, refuse_uncounted=False))


async def counted_read(request: Request, parts: Parts, asking: object) -> Allowance:
    """What this read leaves of its caller's limit, counted once a request. Raises Unavailable."""
    return await _counted(request, parts, asking, READS)


async def _counted(request: Request, parts: Parts, asking: object, limit: RateLimit) -> Allowance:
    known: Allowance | None = getattr(request.state, "allowance", None)
    if known is None:
        known = request.state.allowance = await parts.limiter.hit(limit, _key(request, asking))
    return known


def _key(request: Request, asking: object) -> str:
    if isinstance(asking, Session) and asking.wallet:
        return f"wallet {asking.wallet}"
    return f"address {request.client.host if request.client else 'unknown'}"
