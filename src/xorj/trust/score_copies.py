"""V2 over a lake's history: every wallet replayed as its copier, the cohort scored, capacity and drawdown beside it. For score_wallets.

history -> impact of each token -> links -> replay at q and 10 q -> cohort -> prior (from 300 wallets on, else the synthetic one) -> score
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np

from xorj.primitives import elementary
from xorj.primitives.clock import DAY_S
from xorj.primitives.ids import SOL, USDC, Mint, Wallet
from xorj.swaps.record import WalletMovement
from xorj.swaps.valuation import Valuation, ValuedSwap
from xorj.trust import prior as priors
from xorj.trust.cohort import Cohort, Floats
from xorj.trust.copied_market import NO_RESERVES, Reserves, market_of
from xorj.trust.copy_replay import Apart, CopyRecord, Market, Prices, Terms, Trades, replay, trades_of
from xorj.trust.copy_score import HORIZON_DAYS, UNCALIBRATED, Calibration, score_cohort, score_estimates
from xorj.trust.copy_verdict import CopyScore, CopyVerdict, LinkFacts, NotEnoughEvidence
from xorj.trust.drawdown import expected_drawdowns
from xorj.trust.links import WalletLinks, links_of
from xorj.trust.live_calibration import LiveCalibration
from xorj.trust.own_fills import OwnFill, measured_terms
from xorj.trust.prior import WALLETS_MIN
from xorj.trust.reasons import effects, largest
from xorj.trust.synthetic_prior import SYNTHETIC
from xorj.trust.utility_sharpe import Estimates, estimate

RECORD_DAYS_MAX = 365
# how many times the reference order the second replay is, for capacity
CAPACITY_FACTOR = 10
HOUR_S = 3_600


REFERENCE = Terms()


@dataclass(frozen=True, slots=True, eq=False)
class Copied:
    """A cohort with all that its verdicts were made from, wallets in the rows' order. `calibration` holds the prior that was used, `terms`
    what our own fills say of the copier."""

    verdicts: dict[Wallet, CopyVerdict]
    terms: Terms
    cohort: Cohort
    estimates: Estimates
    calibration: Calibration
    is_own_prior: bool
    holding_hours: Floats


def score_copies(
    valuation: Valuation, as_of: int, terms: Terms = REFERENCE, movements: Sequence[WalletMovement] = ()
) -> dict[Wallet, CopyVerdict]:
    """A verdict for every wallet with a swap at or before as_of, in unix seconds; same history, and movements of it, same bits."""
    found = copied(valuation, as_of, terms, movements)
    return {} if found is None else found.verdicts


def copied(
    valuation: Valuation,
    as_of: int,
    terms: Terms = REFERENCE,
    movements: Sequence[WalletMovement] = (),
    live: LiveCalibration | None = None,
    reserves: Reserves = NO_RESERVES,
    own: Sequence[OwnFill] = (),
) -> Copied | None:
    """score_copies with everything beside the verdicts; None without a swap. `live` is what closed windows taught, where it is accepted,
    `reserves` what pools held around each swap, where it was recorded, `own` our own fills."""
    market, histories, links = _history(valuation, as_of, movements, reserves)
    if not histories:
        return None
    terms = measured_terms(terms, own, market)
    crowd = replace(terms, order_usd=terms.order_usd * CAPACITY_FACTOR)
    records, at_largest = ([_replayed(wallet, histories, links, market, how) for wallet in histories] for how in (terms, crowd))
    cohort, crowded = (cohort_of(made, market, [links[one.wallet].cluster_size for one in made]) for made in (records, at_largest))
    estimates = estimate(cohort)
    calibration, is_own_prior = calibration_for(estimates, live)
    scores, means = score_estimates(estimates, calibration), score_cohort(crowded, calibration).posterior_mean
    drawdowns = expected_drawdowns(cohort.daily_returns, cohort.alive)
    why = effects(cohort, estimates, calibration)
    found: dict[Wallet, CopyVerdict] = {}
    for at, record in enumerate(records):
        of_wallet = links[record.wallet]
        facts = LinkFacts(
            of_wallet.others, of_wallet.cluster_size, of_wallet.predecessors, record.linked_share, record.not_copied, of_wallet.owner
        )
        if math.isnan(scores.score[at]):
            found[record.wallet] = NotEnoughEvidence(record.wallet, int(cohort.alive[at].sum()), record.round_trips, facts)
            continue
        found[record.wallet] = CopyScore(
            wallet=record.wallet,
            score=float(scores.score[at]),
            edge=float(scores.edge[at]),
            posterior_mean=float(scores.posterior_mean[at]),
            band_low=float(scores.band_low[at]),
            band_high=float(scores.band_high[at]),
            evidence_days=int(scores.evidence_days[at]),
            round_trips=record.round_trips,
            entries=record.entries,
            drawdown_median=float(drawdowns.median[at]),
            drawdown_worst_tenth=float(drawdowns.worst_tenth[at]),
            capacity_usd=capacity_usd(float(scores.posterior_mean[at]), float(means[at]), terms.order_usd),
            cost_share=record.cost_share,
            calibration=calibration.version,
            daily_deviation=_deviation(record.daily_returns),
            links=facts,
            reasons=largest(
                why[at].tolist(),
                days=int(scores.evidence_days[at]),
                round_trips=record.round_trips,
                linked_share=record.linked_share,
                cluster_size=of_wallet.cluster_size,
            ),
        )
    hours = np.array([holding_hours(trades.made) for trades in histories.values()])
    return Copied(found, terms, cohort, estimates, calibration, is_own_prior, hours)


def window_returns(
    valuation: Valuation,
    opened_day: int,
    wallets: Sequence[Wallet],
    terms: Terms,
    movements: Sequence[WalletMovement] = (),
    reserves: Reserves = NO_RESERVES,
) -> dict[Wallet, tuple[float, ...]]:
    """What a copier of each wallet got on each of the HORIZON_DAYS days after opened_day, as it is known at the end of the last; 0 for
    days without the wallet, and for a wallet that the history does not have any more."""
    last = opened_day + HORIZON_DAYS
    market, histories, links = _history(valuation, (last + 1) * DAY_S - 1, movements, reserves)
    found = dict[Wallet, tuple[float, ...]]()
    for wallet in wallets:
        if wallet not in histories:
            found[wallet] = (0.0,) * HORIZON_DAYS
            continue
        record = _replayed(wallet, histories, links, market, terms)
        returns = np.concatenate([np.zeros(max(record.first_day - opened_day - 1, 0)), record.daily_returns])
        found[wallet] = tuple(float(one) for one in returns[-HORIZON_DAYS:])
    return found


def holding_hours(swaps: Sequence[ValuedSwap]) -> float:
    """The mean time between a wallet's first purchase of a holding and the sale that ends it, or the next purchase after a sale; 0 where
    it never sold what it had bought."""
    since, held = dict[Mint, int](), list[int]()
    for one in swaps:
        bought, sold, now = Mint(one.swap.output.mint), Mint(one.swap.input.mint), one.swap.block_time
        if sold in since:
            held.append(now - since.pop(sold))
        if bought != USDC:
            since.setdefault(bought, now)
    return sum(held) / len(held) / HOUR_S if held else 0.0


def _history(
    valuation: Valuation, as_of: int, movements: Sequence[WalletMovement], reserves: Reserves
) -> tuple[Market, dict[Wallet, Trades], Mapping[Wallet, WalletLinks]]:
    """The market, every wallet's trades until as_of, and its links."""
    histories = trades_by_wallet(valuation, as_of)
    market = market_of(histories.values(), as_of, reserves)
    merged = [one for trades in histories.values() for one in trades.made]
    links = links_of(merged, [one for one in movements if (one.block_time or 0) <= as_of], market.prices) if histories else {}
    return market, histories, links


def trades_by_wallet(valuation: Valuation, as_of: int) -> dict[Wallet, Trades]:
    """What each wallet traded until as_of, in unix seconds."""
    of_wallets = groupby((one for one in valuation.swaps if one.swap.block_time <= as_of), key=lambda one: one.swap.wallet)
    return {wallet: trades_of(list(swaps)) for wallet, swaps in of_wallets}


def _replayed(
    wallet: Wallet, histories: Mapping[Wallet, Trades], links: Mapping[Wallet, WalletLinks], market: Market, terms: Terms
) -> CopyRecord:
    """A wallet's record, begun with those of its predecessors: their followers would have followed it on."""
    line = (*links[wallet].predecessors, wallet)
    trades = histories[wallet]
    if len(line) > 1:
        trades = trades_of(sorted((one for member in line for one in histories[member].made), key=lambda one: one.swap.order))
    entries = {order: why for member in line for order, why in links[member].apart.entries.items()}
    apart = Apart(entries, frozenset().union(*(links[member].apart.linked for member in line)))
    return replace(replay(trades, market, terms, apart), wallet=wallet)


def _deviation(returns: Floats) -> float:
    """Population deviation, by sums alone: its bits are kept."""
    apart = returns - returns.sum() / len(returns)
    return math.sqrt(float((apart * apart).sum()) / len(returns))


def cohort_of(records: Sequence[CopyRecord], market: Market, cluster_sizes: Sequence[int]) -> Cohort:
    """The records, each of a cluster of that size, on one calendar of at most RECORD_DAYS_MAX days that ends with the day of as_of."""
    last = market.as_of // DAY_S
    first = max(min(record.first_day for record in records), last - RECORD_DAYS_MAX + 1)
    days = last - first + 1
    returns, alive = np.zeros((len(records), days)), np.zeros((len(records), days), dtype=np.bool_)
    for at, record in enumerate(records):
        kept = record.daily_returns[-days:]
        returns[at, days - len(kept) :], alive[at, days - len(kept) :] = kept, True
    return Cohort(
        daily_returns=returns,
        alive=alive,
        market_returns=_market_returns(market.prices, first, last, market.as_of),
        round_trips=np.array([record.round_trips for record in records], dtype=np.int64),
        linked_share=np.array([record.linked_share for record in records]),
        cluster_size=np.array(cluster_sizes, dtype=np.int64),
    )


def calibration_for(estimates: Estimates, live: LiveCalibration | None = None) -> tuple[Calibration, bool]:
    """The calibration with its prior, and whether that is the cohort's own. A cohort that is too small for one gets the last accepted live
    prior, and the synthetic one until there is any."""
    if int(estimates.is_scoreable.sum()) < WALLETS_MIN:
        return (SYNTHETIC if live is None else live.with_prior()), False
    taught = UNCALIBRATED if live is None else live.without_prior()
    return replace(taught, prior=priors.fitted(estimates)), True


def capacity_usd(mean: float, mean_at_largest: float, order_usd: float) -> float | None:
    """The order at which the posterior mean has fallen to half, on the straight line over log(order) between the two replays."""
    if not mean > 0:
        return None
    fallen = mean - mean_at_largest
    if math.isnan(fallen) or fallen <= mean / 2:
        return order_usd * CAPACITY_FACTOR
    # CAPACITY_FACTOR to the power of the share
    return float(order_usd * elementary.exp(elementary.log(np.array([float(CAPACITY_FACTOR)])) * (mean / 2 / fallen))[0])


def _market_returns(prices: Prices, first: int, last: int, as_of: int) -> Floats:
    """SOL's return on each day, 0 where its price is not known on both ends."""
    ends = [prices.at(SOL, min((day + 1) * DAY_S, as_of)) or 0.0 for day in range(first - 1, last + 1)]
    return np.array([after / before - 1 if before and after else 0.0 for before, after in pairwise(ends)])
