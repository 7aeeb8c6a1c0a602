"""Step 4 to 8 of "swap to score": every wallet as of one slot -> performance -> both scores -> eligibility -> ranking -> stored.

Run by the quant engine after each ingestion that brought something, and by the command `trust rank`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, replace
from hashlib import sha256

from xorj.performance.compute_performance import PerformanceReport, compute_performance
from xorj.performance.metrics import Performance
from xorj.primitives.errors import XorjError
from xorj.primitives.ids import Slot, Wallet
from xorj.swaps.valuation import value_swaps
from xorj.trust.classic_score import ClassicScore, classic_score
from xorj.trust.copy_replay import Terms
from xorj.trust.copy_verdict import CopyVerdict, NotEnoughEvidence
from xorj.trust.eligibility import Rules, exclusion_of
from xorj.trust.listing import one_listing_each
from xorj.trust.payment import hash_of
from xorj.trust.ports import HistoryReader, TrustStore
from xorj.trust.ranking import Model, ScoringRun, TraderScore, ranked
from xorj.trust.score_copies import REFERENCE, score_copies

# the classic formula has no value for a wallet without trades or capital; such a wallet is never ranked
UNSCORED = ClassicScore(score=0.0, sharpe_ratio=0.0, sharpe=0.0, roi=0.0, drawdown=0.0)
NO_EVIDENCE = "not enough evidence to say"


async def score_wallets(
    reader: HistoryReader, rules: Rules, model: Model, *, as_of: Slot | None = None, terms: Terms = REFERENCE
) -> ScoringRun | None:
    """One run as of a slot, the newest ingested one when None. None while there is nothing to score. Raises Unavailable."""
    report = await compute_performance(reader, as_of=as_of)
    if report is None:
        return None
    holes = await reader.open_holes()
    rules = replace(rules, gapped=frozenset(who for who, found in holes.items() if any(hole.before <= report.slot for hole in found)))
    swaps, movements = await reader.swaps(as_of=report.slot), await reader.movements(as_of=report.slot)
    copies = await asyncio.to_thread(lambda: score_copies(value_swaps(swaps), report.block_time, terms, movements))
    return run_of(report, copies, rules, model, terms, hash_of(movements))


async def score_and_store(
    reader: HistoryReader, store: TrustStore, rules: Rules, model: Model, *, as_of: Slot | None = None
) -> ScoringRun | None:
    """score_wallets, kept. A run that fails is kept too, with its cause, and the cause raised."""
    slot = as_of if as_of is not None else await reader.newest_slot()
    if slot is None:
        return None
    try:
        run = await score_wallets(reader, rules, model, as_of=slot)
    except XorjError as error:
        await store.store_failure(_run_id(slot, str(error), model, ""), model=model, as_of_slot=slot, cause=str(error))
        raise
    if run is not None:
        await store.store(run)
    return run


def run_of(
    report: PerformanceReport,
    copies: Mapping[Wallet, CopyVerdict],
    rules: Rules,
    model: Model,
    terms: Terms = REFERENCE,
    movement_hash: str = "",
) -> ScoringRun:
    """The run that a report makes under these rules. Its id follows from slot, inputs, parameters and model: the same run is made once."""
    listed = one_listing_each(_scored(report, one, copies[one.wallet], rules, model) for one in report.wallets)
    scores, parameters = ranked(listed, model), parameter_hash(rules, terms)
    run_id = _run_id(report.slot, report.input_hash + movement_hash, model, parameters)
    return ScoringRun(run_id, model, report.slot, report.block_time, report.input_hash, movement_hash, parameters, rules, terms, scores)


def parameter_hash(rules: Rules, terms: Terms) -> str:
    """Of everything beside the swaps that a run was made from."""
    values = {
        **asdict(rules),
        **asdict(terms),
        "excluded": sorted(rules.excluded),
        "gapped": sorted(rules.gapped),
        "refused": sorted(terms.refused),
    }
    return sha256(repr(sorted(values.items())).encode()).hexdigest()


def _scored(report: PerformanceReport, performance: Performance, copy: CopyVerdict, rules: Rules, model: Model) -> TraderScore:
    exclusion = exclusion_of(performance, rules, as_of_block_time=report.block_time)
    if exclusion is None and model is Model.TRUST and isinstance(copy, NotEnoughEvidence):
        exclusion = NO_EVIDENCE
    classic = UNSCORED
    if performance.roi is not None:
        roi, drawdown = performance.roi * 100, performance.max_drawdown * 100
        classic = classic_score(roi_percent=roi, max_drawdown_percent=drawdown, trades=performance.trades)
    return TraderScore(performance.wallet, classic, copy, performance, report.wallet_hashes[performance.wallet], exclusion)


def _run_id(slot: Slot, inputs: str, model: Model, parameters: str) -> str:
    return f"{model}-{slot}-{sha256(f'{slot} {inputs} {model} {parameters}'.encode()).hexdigest()[:16]}"
