"""Routes of the quant engine on 8001: rankings, scores with their receipts, a run on demand, prices. Mounted by services/quant_engine."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from pydantic import BaseModel, ConfigDict

from xorj.engine_api.service_token import require_token
from xorj.prices.ports import PRICES_PER_CALL_MAX, PriceFeed
from xorj.primitives.ids import Mint, Wallet, parse_pubkey
from xorj.trust.follow_ranks import FreshRanks
from xorj.trust.ports import StoredScore, TrustStore
from xorj.trust.ranking import Model, ScoringRun, TraderScore

RANKED_MAX = 1_000
RANKED_DEFAULT = 100
PLACES = 2


class PerformanceMetrics(BaseModel):
    """Percentages of two places, as the specification shows them; null where undefined."""

    model_config = ConfigDict(frozen=True)

    win_rate: float | None
    total_return: float | None
    max_drawdown: float | None
    trade_count: int


class TraderRanking(BaseModel):
    """One ranked wallet, in the specification's shape."""

    model_config = ConfigDict(frozen=True)

    wallet_address: str
    xorj_trust_score: float
    rank: int
    performance_metrics: PerformanceMetrics


class TraderExplanation(BaseModel):
    """A wallet's score in the newest run and what it was computed from; `exclusion` says why it is not ranked."""

    model_config = ConfigDict(frozen=True)

    wallet_address: str
    run_id: str
    model: str
    as_of_slot: int
    rank: int | None
    exclusion: str | None
    score: float
    classic_score: float
    copy_score: float | None
    edge: float | None
    evidence_days: int
    receipt: dict[str, Any]


class RunSummary(BaseModel):
    """A scoring run that has come to a ranking."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    model: str
    as_of_slot: int
    input_hash: str
    traders_analyzed: int
    traders_ranked: int


class BookComparison(BaseModel):
    """Wallets whose followed books a full rebuild found wrong; they have been made anew."""

    model_config = ConfigDict(frozen=True)

    differing: list[str]


class MarketPrice(BaseModel):
    """What one whole token costs; `slot` is when the source saw it, null where it does not say."""

    model_config = ConfigDict(frozen=True)

    mint: str
    price_usd: float
    decimals: int
    slot: int | None
    source: str


def quant_engine_routes(
    token: str,
    store: TrustStore,
    prices: PriceFeed,
    ranks: Callable[[], FreshRanks | None],
    score_now: Callable[[], Awaitable[ScoringRun | None]],
    compare_books: Callable[[], Awaitable[Sequence[Wallet]]],
) -> APIRouter:
    """`/internal/...`, for whoever shows the service token. While there are no `ranks` yet, those of the newest stored run are served."""
    router = APIRouter(prefix="/internal", dependencies=[Depends(require_token(token))])

    @router.get("/trader-rankings")
    async def trader_rankings(limit: Annotated[int, Query(ge=1, le=RANKED_MAX)] = RANKED_DEFAULT) -> list[TraderRanking]:
        fresh = ranks()
        if fresh is not None:
            return [_fresh_ranking(score, fresh.model) for score in fresh.best(limit)]
        return [_ranking(score) for score in await store.newest_ranking(limit) if score.rank is not None]

    @router.get("/trader-rankings/{wallet}")
    async def explain(wallet: Annotated[str, Path(max_length=64)]) -> TraderExplanation:
        score = await store.score_of(Wallet(parse_pubkey(wallet, "wallet")))
        if score is None:
            raise HTTPException(404, "the newest scoring run has no score of this wallet")
        return _explanation(score)

    @router.post("/scoring-runs", status_code=201)
    async def make_run() -> RunSummary:
        run = await score_now()
        if run is None:
            raise HTTPException(409, "no swaps have been ingested yet")
        return RunSummary(
            run_id=run.id,
            model=run.model.value,
            as_of_slot=run.as_of_slot,
            input_hash=run.input_hash,
            traders_analyzed=len(run.scores),
            traders_ranked=len(run.ranked),
        )

    @router.post("/book-comparisons", status_code=201)
    async def compare() -> BookComparison:
        return BookComparison(differing=list(await compare_books()))

    @router.get("/market-data")
    async def market_data(mint: Annotated[list[str], Query(min_length=1, max_length=PRICES_PER_CALL_MAX)]) -> list[MarketPrice]:
        found = await prices.prices([Mint(parse_pubkey(one, "mint")) for one in mint])
        return [
            MarketPrice(mint=one.mint, price_usd=float(one.usd), decimals=one.decimals, slot=one.slot, source=one.source)
            for one in found.values()
        ]

    return router


def _ranking(score: StoredScore) -> TraderRanking:
    metrics = PerformanceMetrics(
        win_rate=_rounded(score.win_rate_percent),
        total_return=_rounded(score.total_return_percent),
        max_drawdown=_rounded(score.max_drawdown_percent),
        trade_count=score.trades,
    )
    rounded = round(score.score, PLACES)
    return TraderRanking(wallet_address=score.wallet, xorj_trust_score=rounded, rank=score.rank or 0, performance_metrics=metrics)


def _fresh_ranking(score: TraderScore, model: Model) -> TraderRanking:
    performance = score.performance
    metrics = PerformanceMetrics(
        win_rate=_rounded(_percent(performance.win_rate)),
        total_return=_rounded(_percent(performance.roi)),
        max_drawdown=_rounded(_percent(performance.max_drawdown)),
        trade_count=performance.trades,
    )
    rounded = round(score.value(model) or 0.0, PLACES)
    return TraderRanking(wallet_address=score.wallet, xorj_trust_score=rounded, rank=score.rank or 0, performance_metrics=metrics)


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else fraction * 100


def _explanation(score: StoredScore) -> TraderExplanation:
    return TraderExplanation(
        wallet_address=score.wallet,
        run_id=score.run_id,
        model=score.model,
        as_of_slot=score.as_of_slot,
        rank=score.rank,
        exclusion=score.exclusion,
        score=score.score,
        classic_score=score.classic_score,
        copy_score=score.copy_score,
        edge=score.edge,
        evidence_days=score.evidence_days,
        receipt=dict(score.receipt),
    )


def _rounded(percent: float | None) -> float | None:
    return None if percent is None else round(percent, PLACES)
