"""What anybody may see: the overview of the page and the ranking; and the ranking for our own processes."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, TypeAdapter

from xorj.gateway.access import COOKIE, Caller, audience, service, welcome
from xorj.gateway.limiting import read_limit
from xorj.gateway.parts import Parts, PartsOf
from xorj.identity.session import Session, Unauthenticated
from xorj.observability import logging
from xorj.primitives.clock import ChainTime
from xorj.primitives.errors import Unavailable
from xorj.reporting import overview as overviews
from xorj.reporting.account import RankedTrader, TraderRanking, specified
from xorj.reporting.overview import Overview, ScoringRun

RANKING_ITEMS_MAX = 500
RANKING_ITEMS_DEFAULT = 100

router = APIRouter(tags=["overview"], dependencies=[read_limit])
internal = APIRouter(tags=["internal"], dependencies=[Depends(service)])
log = logging.get("gateway")
OVERVIEW = TypeAdapter(Overview)

Limit = Annotated[int, Query(ge=1, le=RANKING_ITEMS_MAX)]


class Rankings(BaseModel):
    """The newest finished scoring run; `run` is null before the first."""

    run: ScoringRun | None
    traders: list[RankedTrader]


@router.get("/overview", response_model=Overview)
async def overview(request: Request, parts: PartsOf, asking: Caller) -> Response:
    """Everything on the dashboard that this caller may see."""
    # Asked every two seconds by every open page, so it is written as JSON once and not checked again.
    response = Response(OVERVIEW.dump_json(await read_overview(parts, asking)), media_type="application/json")
    if COOKIE in request.cookies:
        await welcome(request, response)
    return response


@router.get("/rankings")
async def rankings(parts: PartsOf, limit: Limit = RANKING_ITEMS_DEFAULT) -> Rankings:
    """Ranked wallets of the newest finished run, best first."""
    found = await parts.rankings.ranking(limit=limit)
    return Rankings(run=found.run, traders=found.traders)


@internal.get("/internal/trader-rankings")
async def trader_rankings(parts: PartsOf, response: Response, limit: Limit = RANKING_ITEMS_DEFAULT) -> list[TraderRanking]:
    """The quant-engine's ranking, best first; while it does not answer, the database's. The header x-xorj-source says which."""
    source: Literal["quant-engine", "database"] = "quant-engine"
    try:
        traders = await parts.engine.rankings(limit=limit)
    except Unavailable as error:
        log.warning("rankings_read_from_database", cause=error.cause)
        source, traders = "database", [specified(trader) for trader in (await parts.rankings.ranking(limit=limit)).traders]
    response.headers["x-xorj-source"] = source
    return traders


async def read_overview(parts: Parts, asking: Session | Unauthenticated) -> Overview:
    """Also for the page that is rendered on the server. What no node or price source answers is left open, not waited for."""
    time = await _chain_time(parts)
    mode = overviews.mode(parts.place.environment, parts.place.genesis, time.slot if time else None, time.unix_seconds if time else None)
    seen = await parts.overviews.overview(audience(parts, asking), mode)
    try:
        prices = await parts.prices.prices(overviews.mints_of(seen))
    except Unavailable as error:
        log.warning("overview_without_prices", cause=error.cause)
        prices = {}
    return overviews.valued(seen, prices)


async def _chain_time(parts: Parts) -> ChainTime | None:
    try:
        return await parts.clock.now()
    except Unavailable as error:
        log.warning("overview_without_slot", cause=error.cause)
        return None
