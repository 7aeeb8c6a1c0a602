"""Step 4 to 8 of "swap to score": every wallet as of one slot -> performance -> both scores -> eligibility -> ranking -> stored.

Run by the quant engine after each ingestion that brought something, and by the command `trust rank`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from importlib import metadata

from xorj.performance.compute_performance import KeepsBooks, PerformanceReport, report_of
from xorj.performance.metrics import Performance
from xorj.primitives.errors import XorjError
from xorj.primitives.ids import Slot, Wallet
from xorj.swaps.valuation import value_swaps
from xorj.trust.classic_score import ClassicScore, classic_score
from xorj.trust.copied_market import reserves_of
from xorj.trust.copy_replay import Terms
from xorj.trust.copy_verdict import CopyVerdict, NotEnoughEvidence
from xorj.trust.eligibility import Rules, exclusion_of
from xorj.trust.listing import one_listing_each
from xorj.trust.live_calibration import LiveCalibration
from xorj.trust.own_fills import OwnFill
from xorj.trust.payment import hash_of
from xorj.trust.ports import HistoryReader, TrustStore
from xorj.trust.ranking import Model, ScoringRun, TraderScore, ranked
from xorj.trust.score_copies import REFERENCE, Copied, copied

# the classic formula has no value for a wallet without trades or capital; such a wallet is never ranked
UNSCORED = ClassicScore(score=0.0, sharpe_ratio=0.0, sharpe=0.0, roi=0.0, drawdown=0.0)
NO_EVIDENCE = "not enough evidence to say"


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A run, and the copied cohort that its trust scores were made from."""

    run: ScoringRun
    copied: Copied


async def score_wallets(
    reader: HistoryReader,
    rules: Rules,
    model: Model,
    *,
    as_of: Slot | None = None,
    terms: Terms = REFERENCE,
    live: LiveCalibration | None = None,
    own: Sequence[OwnFill] = (),
) -> Scored | None:
    """One run as of a slot, the newest ingested one when None. None while there is nothing to score.

    `live` is what closed windows taught, `own` are our own fills, which the terms of the run follow. Nothing may be committed to the reader
    meanwhile. Raises Unavailable.
    """
    version = await reader.version()
    slot = as_of if as_of is not None else await reader.newest_slot()
    swaps = [] if slot is None else await reader.swaps(as_of=slot)
    if slot is None or not swaps:
        return None
    valuation = await asyncio.to_thread(lambda: value_swaps(swaps))
    report = await reader.report(as_of=slot) if isinstance(reader, KeepsBooks) else report_of(slot, swaps, valuation)
    holes, movements = await reader.open_holes(), await reader.movements(as_of=slot)
    reserves = reserves_of(await reader.swap_facts(as_of=slot))
    made = await asyncio.to_thread(lambda: copied(valuation, max(one.block_time for one in swaps), terms, movements, live, reserves, own))
    if report is None or made is None:
        return None
    rules = replace(rules, gapped=frozenset(who for who, found in holes.items() if any(hole.before <= slot for hole in found)))
    return Scored(run_of(report, made.verdicts, rules, model, made.terms, hash_of(movements), lake_version=version, live=live), made)


async def score_and_store(
    reader: HistoryReader,
    store: TrustStore,
    rules: Rules,
    model: Model,
    *,
    as_of: Slot | None = None,
    terms: Terms = REFERENCE,
    live: LiveCalibration | None = None,
    own: Sequence[OwnFill] = (),
) -> Scored | None:
    """score_wallets, kept. A run that fails is kept too, with its cause, and the cause raised."""
    slot = as_of if as_of is not None else await reader.newest_slot()
    if slot is None:
        return None
    try:
        scored = await score_wallets(reader, rules, model, as_of=slot, terms=terms, live=live, own=own)
    except XorjError as error:
        await store.store_failure(_run_id(slot, str(error), model, ""), model=model, as_of_slot=slot, cause=str(error))
        raise
    if scored is not None:
        await store.store(scored.run)
    return scored


def run_of(
    report: PerformanceReport,
    copies: Mapping[Wallet, CopyVerdict],
    rules: Rules,
    model: Model,
    terms: Terms = REFERENCE,
    movement_hash: str = "",
    *,
    lake_version: int = 0,
    live: LiveCalibration | None = None,
) -> ScoringRun:
    """The run that a report makes under these rules. Its id follows from slot, inputs, parameters and model: the same run is made once."""
    scores, parameters = scores_of(report, copies, rules, model), parameter_hash(rules, terms, live)
    return ScoringRun(
        id=_run_id(report.slot, report.input_hash + movement_hash, model, parameters),
        model=model,
        as_of_slot=report.slot,
        as_of_block_time=report.block_time,
        lake_version=lake_version,
        input_hash=report.input_hash,
        movement_hash=movement_hash,
        parameter_hash=parameters,
        rules=rules,
        terms=terms,
        live=live,
        scores=scores,
    )


def scores_of(report: PerformanceReport, copies: Mapping[Wallet, CopyVerdict], rules: Rules, model: Model) -> tuple[TraderScore, ...]:
    """Everybody of the report, ranked; `copies` has a verdict for each."""
    return ranked(one_listing_each(_scored(report, one, copies[one.wallet], rules, model) for one in report.wallets), model)


def parameter_hash(rules: Rules, terms: Terms, live: LiveCalibration | None = None) -> str:
    """Of everything beside the history that a run was made from, and of the code's version."""
    values = {
        "code": metadata.version("xorj"),
        "live": None if live is None else asdict(live),
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
