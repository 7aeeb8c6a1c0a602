"""The tour "from the chain to a score" of ARCHITECTURE.md, step by step, on a chain and stores in memory."""

from dataclasses import replace

import pytest
from tests.fakes.carried_over import carried_over
from tests.fakes.chain_history import ChainHistory
from tests.fakes.made_swaps import VENUE, wallet
from tests.fakes.made_transactions import Made, swap_transaction
from tests.fakes.swap_lake import MemoryLake
from tests.fakes.trust_store import MemoryTrust

from xorj.chain.transactions import ChainTransaction
from xorj.performance.compute_performance import compute_performance
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Slot, Wallet
from xorj.swaps.ingest_swaps import Sources, ingest_swaps
from xorj.swaps.swap import Swap
from xorj.trust.classic_score import classic_score
from xorj.trust.eligibility import Rules
from xorj.trust.ranking import Model
from xorj.trust.score_wallets import score_and_store, score_wallets

MARKET_MAKER = wallet("market maker")
SOURCES = Sources(venues=(VENUE,), excluded=frozenset({MARKET_MAKER}))
RULES = Rules(trades_min=4, active_days_min=1, closing_trades_min=2, excluded=frozenset({MARKET_MAKER}))


def trader(name: str, sells_at: list[int], first_slot: int) -> list[ChainTransaction]:
    """Buys a SOL for 100 USDC and sells it again, once for each price."""
    swaps = []
    for turn, price in enumerate(sells_at):
        slot = first_slot + turn * 20
        swaps.append(swap_transaction(name, "100 USDC", "1 SOL", slot=slot))
        swaps.append(swap_transaction(name, "1 SOL", f"{price} USDC", slot=slot + 10))
    return swaps


@pytest.fixture
def chain() -> ChainHistory:
    """Ana wins, Ben loses, Cem has one trade, the market maker has the best record of all, and one transaction is beyond us."""
    beyond_us = Made(payer="ben", slot=900).moves("ben", "USDC", "9", "4").moves("ben", "USDT", "9", "4")
    return ChainHistory(
        carried_over(
            [
                *trader("ana", [110, 120, 130], first_slot=101),
                *trader("ben", [90, 80, 95], first_slot=102),
                *trader("cem", [500], first_slot=103),
                *trader("market maker", [900, 900, 900], first_slot=104),
                beyond_us.moves("ben", "BONK", "0", "5").moves("ben", "WIF", "0", "5").runs(VENUE).done(),
            ]
        )
    )


async def test_swaps_become_a_ranking_that_can_be_explained(chain: ChainHistory) -> None:
    lake, store = MemoryLake(), MemoryTrust()

    # 1, 2, 3: read what is finalized, decode it, commit it with its cursors
    ingested = await ingest_swaps(SOURCES, chain, lake)
    assert ingested.outcomes == {"swap": 14, "undecodable": 1}
    assert ingested.undecodable == {"2 tokens given and 2 received": 1}
    assert MARKET_MAKER not in await lake.cursors()

    # 4, 5: as of one slot, what did everybody earn?
    report = await compute_performance(lake)
    assert report is not None
    earned = {one.wallet: round(one.realised_pnl_usd, 6) for one in report.wallets}
    assert earned == {wallet("ana"): 60, wallet("ben"): -35, wallet("cem"): 400}

    # 6, 7, 8: who may be ranked, in which order, and kept
    scored = await score_and_store(lake, store, RULES, Model.CLASSIC)
    assert scored is not None
    assert [score.wallet for score in scored.run.ranked] == [wallet("ana"), wallet("ben")]
    cem = await store.score_of(wallet("cem"))
    assert cem is not None
    assert cem.exclusion == "fewer than 4 trades"

    # and what stands on the page can be computed again from its receipt
    ana = (await store.newest_ranking(1))[0]
    inputs = ana.receipt["inputs"]
    again = classic_score(roi_percent=inputs["roi_percent"], max_drawdown_percent=inputs["max_drawdown_percent"], trades=inputs["trades"])
    assert again.score == ana.score == ana.receipt["score"]


async def test_records_of_minutes_have_no_trust_score_and_that_is_said(chain: ChainHistory) -> None:
    lake, store = MemoryLake(), MemoryTrust()
    await ingest_swaps(SOURCES, chain, lake)
    scored = await score_and_store(lake, store, RULES, Model.TRUST)
    assert scored is not None
    assert scored.run.ranked == ()
    ana = await store.score_of(wallet("ana"))
    assert ana is not None
    assert (ana.exclusion, ana.copy_score) == ("not enough evidence to say", None)
    assert ana.classic_score > 0


async def test_the_same_slot_gives_the_same_run_to_the_bit_whatever_came_later(chain: ChainHistory) -> None:
    lake = MemoryLake()
    await ingest_swaps(SOURCES, chain, lake)
    before = await score_wallets(lake, RULES, Model.CLASSIC)
    assert before is not None
    chain.add(*carried_over([*chain.transactions_by_signature.values(), *trader("ben", [900, 900], first_slot=2_000)]))
    await ingest_swaps(SOURCES, chain, lake)
    again, after = (
        await score_wallets(lake, RULES, Model.CLASSIC, as_of=before.run.as_of_slot),
        await score_wallets(lake, RULES, Model.CLASSIC),
    )
    assert again is not None
    assert after is not None
    assert replace(again.run, lake_version=before.run.lake_version) == before.run
    assert again.run.lake_version > before.run.lake_version
    assert after.run.id != before.run.id
    assert after.run.ranked[0].wallet == wallet("ben")


async def test_a_run_is_made_once_for_the_same_inputs(chain: ChainHistory) -> None:
    lake, store = MemoryLake(), MemoryTrust()
    await ingest_swaps(SOURCES, chain, lake)
    for _ in range(2):
        await score_and_store(lake, store, RULES, Model.CLASSIC)
    assert len(store.runs) == 1


async def test_a_wallet_with_a_gap_that_nothing_explains_is_not_ranked_and_that_is_said(chain: ChainHistory) -> None:
    of_ana = [one.signature for one in chain.transactions_by_signature.values() if one.account_keys[0] == wallet("ana")]
    del chain.transactions_by_signature[of_ana[2]]
    lake, store = MemoryLake(), MemoryTrust()
    await ingest_swaps(SOURCES, chain, lake)
    scored = await score_and_store(lake, store, RULES, Model.CLASSIC)
    assert scored is not None
    assert [score.wallet for score in scored.run.ranked] == [wallet("ben")]
    ana = await store.score_of(wallet("ana"))
    assert ana is not None
    assert (ana.rank, ana.exclusion) == (None, "a part of its history is missing")
    assert ana.receipt["rules"]["gapped"] == [wallet("ana")]


async def test_a_chain_without_swaps_has_no_ranking() -> None:
    lake, store = MemoryLake(), MemoryTrust()
    await ingest_swaps(SOURCES, ChainHistory(), lake)
    assert await score_and_store(lake, store, RULES, Model.CLASSIC) is None
    assert await compute_performance(lake, as_of=Slot(5)) is None
    assert store.runs == []


class LakeThatBreaks(MemoryLake):
    """Says how far it is, and cannot be read."""

    async def swaps(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[Swap]:
        raise Unavailable("lake", "a file is cut off")


async def test_a_run_that_cannot_be_made_is_kept_with_its_cause_and_ranks_nobody(chain: ChainHistory) -> None:
    lake, store = LakeThatBreaks(), MemoryTrust()
    await ingest_swaps(SOURCES, chain, lake)
    with pytest.raises(Unavailable, match="cut off"):
        await score_and_store(lake, store, RULES, Model.CLASSIC)
    assert list(store.failures.values()) == ["lake is unavailable: a file is cut off"]
    assert await store.newest_ranking(10) == []
