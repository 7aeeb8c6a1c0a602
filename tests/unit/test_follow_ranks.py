"""Whoever traded is ranked by his newest figures before the next scoring run; trust scores are those of the last one."""

from dataclasses import replace

from tests.fakes.made_swaps import swap, wallet
from tests.fakes.swap_lake import MemoryLake
from tests.property.test_live_books import records_of

from xorj.performance.follow_performance import FollowedLake
from xorj.primitives.ids import Slot
from xorj.trust.copy_verdict import NotEnoughEvidence
from xorj.trust.eligibility import Rules
from xorj.trust.follow_ranks import FollowedRanks
from xorj.trust.ranking import Model, ScoringRun
from xorj.trust.score_wallets import score_wallets

RULES = Rules(trades_min=1, active_days_min=0, closing_trades_min=1, unmatched_share_max=1.0)
ANA_GAINS = [swap("ana", "100 USDC", "1 SOL", slot=10), swap("ana", "1 SOL", "150 USDC", slot=20)]
BEN_GAINS_MORE = [swap("ben", "100 USDC", "1 SOL", slot=30), swap("ben", "1 SOL", "190 USDC", slot=40)]


async def scored(lake: FollowedLake, model: Model) -> ScoringRun:
    found = await score_wallets(await lake.still(), RULES, model)
    assert found is not None
    return found.run


async def test_who_traded_since_the_run_is_ranked_by_what_he_has_now() -> None:
    lake = FollowedLake(MemoryLake())
    ranks = FollowedRanks(lake, RULES, Model.CLASSIC)
    await lake.commit(records_of(ANA_GAINS), {})
    assert await ranks.refresh() is None
    run = await scored(lake, Model.CLASSIC)
    ranks.scored(run)
    first = await ranks.refresh()
    assert first is not None
    assert first.scores == run.scores
    await lake.commit(records_of(BEN_GAINS_MORE), {})
    fresh = await ranks.refresh()
    assert fresh is not None
    assert (fresh.as_of_slot, fresh.run_id) == (40, run.id)
    again = await scored(lake, Model.CLASSIC)
    # but for what only a run says of a copier
    assert [replace(score, copy=run.scores[0].copy) for score in fresh.scores] == [
        replace(score, copy=run.scores[0].copy) for score in again.scores
    ]
    assert [score.wallet for score in fresh.best(10)] == [wallet("ben"), wallet("ana")]
    assert fresh.best(0) == []


async def test_between_two_runs_a_trust_score_stands_and_a_new_wallet_has_none() -> None:
    lake = FollowedLake(MemoryLake())
    ranks = FollowedRanks(lake, RULES, Model.TRUST)
    await lake.commit(records_of(ANA_GAINS), {})
    run = await scored(lake, Model.TRUST)
    verdict = replace(run.scores[0].copy, evidence_days=77)
    ranks.scored(replace(run, scores=tuple(replace(score, copy=verdict) for score in run.scores)))
    await lake.commit(records_of(BEN_GAINS_MORE), {})
    fresh = await ranks.refresh()
    assert fresh is not None
    found = {score.wallet: score for score in fresh.scores}
    assert found[wallet("ana")].copy == verdict
    assert found[wallet("ben")].copy == NotEnoughEvidence(wallet("ben"), 0, 0)
    assert found[wallet("ben")].exclusion is not None
    assert found[wallet("ben")].performance.trades == 2
    assert fresh.as_of_slot == Slot(40)
