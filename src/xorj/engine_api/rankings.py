"""`GET /rankings` of the quant engine on 8001: the newest finished run's ranking, each wallet with what stands behind its score."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from xorj.engine_api.service_token import require_token
from xorj.reporting.account import RankedTrader, TraderPerformance, specified
from xorj.reporting.overview import TrustEvidence
from xorj.reporting.ports import RankingReader

# of the answer's shape: a field that goes or means something else makes another
VERSION = 1
RANKED_MAX, RANKED_DEFAULT = 1_000, 100


class RankedWallet(BaseModel):
    """The specification's TraderRanking, and the evidence beside it."""

    model_config = ConfigDict(frozen=True)

    wallet_address: str
    xorj_trust_score: float
    rank: int
    performance_metrics: TraderPerformance
    evidence: TrustEvidence


class RankingsAnswer(BaseModel):
    """One run's ranking, best first; run, model and slot are null before the first run."""

    model_config = ConfigDict(frozen=True)

    version: int
    run_id: str | None
    model: str | None
    as_of_slot: int | None
    traders: list[RankedWallet]


def ranking_routes(token: str, reader: RankingReader) -> APIRouter:
    """`/rankings`, for whoever shows the service token."""
    router = APIRouter(dependencies=[Depends(require_token(token))])

    @router.get("/rankings")
    async def rankings(limit: Annotated[int, Query(ge=1, le=RANKED_MAX)] = RANKED_DEFAULT) -> RankingsAnswer:
        found = await reader.ranking(limit=limit)
        run = found.run
        return RankingsAnswer(
            version=VERSION,
            run_id=None if run is None else run.run_id,
            model=None if run is None else run.model,
            as_of_slot=None if run is None else run.as_of_slot,
            traders=[_wallet(trader) for trader in found.traders],
        )

    return router


def _wallet(trader: RankedTrader) -> RankedWallet:
    shown = specified(trader)
    return RankedWallet(
        wallet_address=shown.wallet_address,
        xorj_trust_score=shown.xorj_trust_score,
        rank=shown.rank,
        performance_metrics=shown.performance_metrics,
        evidence=trader.evidence,
    )
