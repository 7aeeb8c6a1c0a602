"""What every leader will do, from the seed and the price walk alone: never from balances, so that any moment can be planned again.

Pure. History is planned once over all its steps; live trading chunk by chunk. Executed by market.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from xorj.demo.leaders import Kind, Leader
from xorj.demo.prices import CHUNK_STEPS, STEPS_PER_DAY, PriceWalk
from xorj.demo.tokens import DemoToken, Temper

HISTORY_DAYS = 120
HISTORY_STEPS = HISTORY_DAYS * STEPS_PER_DAY
TICKS_PER_STEP = 10
# ten minutes of live trading at full pace; later the pace is one that a follower's daily limits bear
BRISK_STEPS = 300
_CALM = 6
ALL_BPS = 10_000
_WORTH_IT_PPM = 12_000
_LOTTERY_WIN_PPM = 600_000
_BAG_WIN_PPM = 30_000
_FEES_PPM = 7_000
_MARTINGALE_STAKE_BPS_MAX = 6_400
_REFUND_BPS = 350
# when the abandoned wallet hands all that it has left to the fresh one
_RESET_STEP = HISTORY_STEPS // 2
# when the turncoat turns: what he is must stand on the chain before anybody may be asked to have seen it
_TURN_STEP = HISTORY_STEPS * 3 // 4


class Action(StrEnum):
    """Buys spend a share of the leader's USDC, sales give a share of the token, refunds pass USDC to the leader after him."""

    BUY = "buy"
    SELL = "sell"
    REFUND = "refund"


@dataclass(frozen=True, slots=True, order=True)
class Order:
    """Executed in the order of these fields. `tick` is the tenth of the step, `early` comes before the arbitrage of that step."""

    step: int
    tick: int
    sequence: int
    leader: int
    action: Action
    token: int
    share_bps: int
    early: bool = False


@dataclass(frozen=True, slots=True)
class Season:
    """A stretch of steps to plan, and whether it is lived through live."""

    first_step: int
    last_step: int
    live: bool
    number: int


HISTORY = Season(0, HISTORY_STEPS, live=False, number=0)


def live_season(step: int) -> Season:
    """The chunk of live trading that holds `step`, which must not lie in the history."""
    number = (step - HISTORY_STEPS) // CHUNK_STEPS
    first = HISTORY_STEPS + number * CHUNK_STEPS
    return Season(first, first + CHUNK_STEPS, live=True, number=number + 1)


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans for one market: its walk, its tokens, its leaders."""

    seed: int
    walk: PriceWalk
    tokens: tuple[DemoToken, ...]
    leaders: tuple[Leader, ...]

    def orders(self, season: Season) -> list[Order]:
        """All orders entered in a season, sorted; exits may lie beyond its end."""
        return sorted(order for leader in self.leaders for order in _PLANS[leader.kind](_Draft(self, leader, season)))


_CALMED = frozenset({Kind.SKILLED, Kind.TURNCOAT, Kind.MARTINGALE, Kind.BAG_HOLDER})


class _Draft:
    """One leader's season in the making: his draws, his manner, his view of the tokens."""

    def __init__(self, planner: Planner, leader: Leader, season: Season) -> None:
        self.walk, self.leader, self.season = planner.walk, leader, season
        self.draw = np.random.Generator(np.random.PCG64([planner.seed, 1_000 + leader.number, season.number]))
        manner = leader.manner
        self.gap = manner.live_gap_steps if season.live else manner.gap_steps
        self.hold = manner.live_hold_steps if season.live else manner.hold_steps
        self.stake = manner.live_stake_bps if season.live else manner.stake_bps
        self.tokens, self.leaders = planner.tokens, planner.leaders

    def between(self, bounds: tuple[int, int]) -> int:
        return int(self.draw.integers(bounds[0], bounds[1], endpoint=True))

    def moments(self) -> Iterator[int]:
        """Steps at which he looks for a trade; the first one comes soon."""
        step = self.season.first_step + int(self.draw.integers(0, self.gap[1], endpoint=True))
        while step < self.season.last_step:
            yield step
            calm = _CALM if step >= HISTORY_STEPS + BRISK_STEPS and self.leader.kind in _CALMED else 1
            step += calm * self.between(self.gap)

    def of_temper(self, *tempers: Temper) -> list[int]:
        return [number for number, token in enumerate(self.tokens) if token.temper in tempers]

    def pick(self, candidates: list[int]) -> int:
        return candidates[int(self.draw.integers(0, len(candidates)))]

    def trade(self, token: int, start: int, end: int, stake_bps: int | None = None, *, early: bool = False) -> Iterator[Order]:
        """In at `start`, wholly out at `end`."""
        share = self.between(self.stake) if stake_bps is None else stake_bps
        ticks = 0 if early else int(self.draw.integers(0, TICKS_PER_STEP))
        yield Order(start, ticks, 0, self.leader.number, Action.BUY, token, share, early)
        yield Order(end, int(self.draw.integers(0, TICKS_PER_STEP)), 0, self.leader.number, Action.SELL, token, ALL_BPS)

    def first_rise(self, token: int, start: int, end: int, wanted_ppm: int) -> int | None:
        """The first step after `start` at which the price stands `wanted_ppm` higher, None when it never does until `end`."""
        return next((step for step in range(start + 1, end + 1) if self.walk.rise_ppm(token, start, step) >= wanted_ppm), None)


def _by_foresight(draft: _Draft) -> Iterator[Order]:
    """Takes the token that looks best to him: what it will do, seen as clearly as his skill allows."""
    candidates = draft.of_temper(Temper.MAJOR, Temper.VOLATILE)
    sight = draft.leader.foresight_percent
    for step in draft.moments():
        hold = draft.between(draft.hold)
        blur = 10_000 * int(hold**0.5 + 1)
        noise = draft.draw.integers(-blur, blur, size=len(candidates), endpoint=True)
        views = [
            (draft.walk.rise_ppm(token, step, step + hold) * sight // 100 + int(noise[at]) * (100 - abs(sight)) // 100, token)
            for at, token in enumerate(candidates)
        ]
        view, token = max(views)
        if view > _WORTH_IT_PPM * max(20, abs(sight)) // 100:
            yield from draft.trade(token, step, step + hold)


def _lottery(draft: _Draft) -> Iterator[Order]:
    """Small stakes on whatever moves most, sold on a great rise or given up after weeks."""
    candidates = draft.of_temper(Temper.VOLATILE, Temper.LAUNCH)
    for step in draft.moments():
        token, last = draft.pick(candidates), step + draft.between(draft.hold)
        yield from draft.trade(token, step, draft.first_rise(token, step, last, _LOTTERY_WIN_PPM) or last)


def _martingale(draft: _Draft) -> Iterator[Order]:
    """Doubles his stake after every loss until a win."""
    candidates = draft.of_temper(Temper.MAJOR, Temper.VOLATILE)
    base = draft.stake[0]
    stake = base
    for step in draft.moments():
        token, end = draft.pick(candidates), step + draft.between(draft.hold)
        yield from draft.trade(token, step, end, stake)
        lost = draft.walk.rise_ppm(token, step, end) < _FEES_PPM
        stake = min(_MARTINGALE_STAKE_BPS_MAX, 2 * stake) if lost else base


def _bag_holder(draft: _Draft) -> Iterator[Order]:
    """Sells every small gain and never a loss."""
    candidates = draft.of_temper(Temper.MAJOR, Temper.VOLATILE)
    for step in draft.moments():
        token = draft.pick(candidates)
        out = draft.first_rise(token, step, step + draft.hold[1], _BAG_WIN_PPM)
        buy, sell = draft.trade(token, step, out or step)
        yield buy
        if out is not None:
            yield sell


def _wash_winner(draft: _Draft) -> Iterator[Order]:
    """Buys a thin token, lets his partner drive it up, sells into that, and hands some of the money back."""
    partner = draft.leader.number + 1
    candidates = draft.of_temper(Temper.THIN)
    for step in draft.moments():
        token, share = draft.pick(candidates), draft.between(draft.stake)
        me = draft.leader.number
        yield Order(step, 0, 0, me, Action.BUY, token, share)
        yield Order(step, 0, 1, partner, Action.BUY, token, min(ALL_BPS, 2 * share))
        yield Order(step, 0, 2, me, Action.SELL, token, ALL_BPS)
        yield Order(step, 0, 3, partner, Action.SELL, token, ALL_BPS)
        yield Order(step, 0, 4, me, Action.REFUND, token, _REFUND_BPS)


def _wash_loser(draft: _Draft) -> Iterator[Order]:
    """His partner plans for both."""
    del draft
    return iter(())


def _sniper(draft: _Draft) -> Iterator[Order]:
    """Knows of every leap and buys in the moment before it: whoever copies him buys after it."""
    season = draft.season
    chunks = range(season.first_step // CHUNK_STEPS, (season.last_step - 1) // CHUNK_STEPS + 1)
    for step, token in sorted(jump for number in chunks for jump in draft.walk.chunk(number).jumps):
        if season.first_step <= step < season.last_step:
            yield from draft.trade(token, step, step + draft.between(draft.hold), early=True)


def _turncoat(draft: _Draft) -> Iterator[Order]:
    """A skilled trader until he has followers; then he drives a thin token up under them and sells it to them."""
    manner, thin = draft.leader.manner, draft.of_temper(Temper.THIN)
    if not draft.season.live:
        trades = list(_by_foresight(draft))
        for bought, sold in zip(trades[::2], trades[1::2], strict=True):
            if bought.step < _TURN_STEP:
                yield bought
                yield sold
    for step in draft.moments():
        if step >= _TURN_STEP:
            stake, hold = draft.between(manner.live_stake_bps), draft.between(manner.live_hold_steps)
            yield from draft.trade(draft.pick(thin), step, step + hold, stake)


def _clone(draft: _Draft) -> Iterator[Order]:
    """Five wallets of one owner, funded one from the other, who trade on luck alone: one of them always looks well."""
    clones = [leader.number for leader in draft.leaders if leader.kind is Kind.CLONE]
    me, left = draft.leader.number, sum(number > draft.leader.number for number in clones)
    if left and not draft.season.live:
        yield Order(0, me - clones[0] + 1, 0, me, Action.REFUND, 0, ALL_BPS * left // (left + 1))
    yield from _by_foresight(draft)


def _abandoned(draft: _Draft) -> Iterator[Order]:
    """Loses for half of the time, then hands what is left to a fresh wallet and is never seen again."""
    if draft.season.live:
        return
    trades = list(_by_foresight(draft))
    for bought, sold in zip(trades[::2], trades[1::2], strict=True):
        if sold.step < _RESET_STEP:
            yield bought
            yield sold
    yield Order(_RESET_STEP, 0, 0, draft.leader.number, Action.REFUND, 0, ALL_BPS)


def _reset(draft: _Draft) -> Iterator[Order]:
    """Begins where the abandoned wallet has ended, with nothing in its record."""
    yield from (order for order in _by_foresight(draft) if order.step > _RESET_STEP + STEPS_PER_DAY)


_PLANS: dict[Kind, Callable[[_Draft], Iterator[Order]]] = {
    Kind.SKILLED: _by_foresight,
    Kind.AVERAGE: _by_foresight,
    Kind.UNLUCKY: _by_foresight,
    Kind.LOTTERY: _lottery,
    Kind.MARTINGALE: _martingale,
    Kind.BAG_HOLDER: _bag_holder,
    Kind.WASH_WINNER: _wash_winner,
    Kind.WASH_LOSER: _wash_loser,
    Kind.SNIPER: _sniper,
    Kind.TURNCOAT: _turncoat,
    Kind.CLONE_OWNER: _clone,
    Kind.CLONE: _clone,
    Kind.ABANDONED: _abandoned,
    Kind.RESET: _reset,
}
