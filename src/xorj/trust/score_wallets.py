"""Step 4 to 8 of "swap to score": every wallet as of one slot -> performance -> score -> eligibility -> ranking -> stored.

Run by the quant engine after each ingestion that brought something, and by the command `trust rank`.
"""

from hashlib import sha256

from xorj.performance.compute_performance import PerformanceReport, compute_performance
from xorj.performance.metrics import Performance
from xorj.primitives.errors import XorjError
from xorj.primitives.ids import Slot
from xorj.swaps.ports import SwapReader
from xorj.trust.classic_score import MODEL, ClassicScore, classic_score
from xorj.trust.eligibility import Rules, exclusion_of
from xorj.trust.ports import TrustStore
from xorj.trust.ranking import ScoringRun, TraderScore, ranked

# the classic formula has no value for a wallet without trades or capital; such a wallet is never ranked
UNSCORED = ClassicScore(score=0.0, sharpe_ratio=0.0, sharpe=0.0, roi=0.0, drawdown=0.0)


async def score_wallets(reader: SwapReader, rules: Rules, *, as_of: Slot | None = None) -> ScoringRun | None:
    """One run as of a slot, the newest ingested one when None. None while there is nothing to score. Raises Unavailable."""
    report = await compute_performance(reader, as_of=as_of)
    return None if report is None else run_of(report, rules)


async def score_and_store(reader: SwapReader, store: TrustStore, rules: Rules, *, as_of: Slot | None = None) -> ScoringRun | None:
    """score_wallets, kept. A run that fails is kept too, with its cause, and the cause raised."""
    slot = as_of if as_of is not None else await reader.newest_slot()
    if slot is None:
        return None
    try:
        run = await score_wallets(reader, rules, as_of=slot)
    except XorjError as error:
        await store.store_failure(_run_id(slot, str(error), MODEL), model=MODEL, as_of_slot=slot, cause=str(error))
        raise
    if run is not None:
        await store.store(run)
    return run


def run_of(report: PerformanceReport, rules: Rules) -> ScoringRun:
    """The run that a report makes under these rules. Its id follows from slot, inputs and model: the same run is made once."""
    scores = ranked(_scored(report, one, rules) for one in report.wallets)
    run_id = _run_id(report.slot, report.input_hash, MODEL)
    return ScoringRun(run_id, MODEL, report.slot, report.block_time, report.input_hash, rules, scores)


def _scored(report: PerformanceReport, performance: Performance, rules: Rules) -> TraderScore:
    exclusion = exclusion_of(performance, rules, as_of_block_time=report.block_time)
    score = UNSCORED
    if performance.roi is not None:
        roi, drawdown = performance.roi * 100, performance.max_drawdown * 100
        score = classic_score(roi_percent=roi, max_drawdown_percent=drawdown, trades=performance.trades)
    return TraderScore(performance.wallet, score, performance, report.wallet_hashes[performance.wallet], exclusion)


def _run_id(slot: Slot, inputs: str, model: str) -> str:
    return f"{model}-{slot}-{sha256(f'{slot} {inputs} {model}'.encode()).hexdigest()[:16]}"
