"""The demo market's present: after its history the leaders' plans go on in wall time, a trade about every second over all of them.

A task beside the chain, started by services/localnet.py. Where it stands is told by the chain's block height alone, so that a chain
that was stopped goes on where it was; a tick of market time passes with every block.
"""

import asyncio
from collections import deque

from xorj.demo.market import Cast, Market
from xorj.demo.past import Past
from xorj.demo.plans import HISTORY, HISTORY_STEPS, TICKS_PER_STEP, Order, live_season
from xorj.demo.prices import CHUNK_STEPS
from xorj.demo.tokens import Temper
from xorj.localnet.live import LiveChain

POLL_S = 0.1
FOLLOW_EVERY_TICKS = 2
EXITS_REACH_STEPS = 2 * CHUNK_STEPS


class LiveMarket:
    """What is due at a block height, and its execution. `advance` does everything that became due since the last call."""

    def __init__(self, market: Market, past: Past) -> None:
        self._market = market
        self._end_height = past.end_height
        self._planner = market.cast.planner
        self._led = [number for number, token in enumerate(market.cast.tokens) if token.temper is not Temper.THIN]
        self._tick = self._tick_now()
        self._planned_to = HISTORY_STEPS + self._tick // TICKS_PER_STEP // CHUNK_STEPS * CHUNK_STEPS
        self._due: deque[Order] = deque()
        self._begin()

    def advance(self) -> int:
        """Executes what is due by now, in order; returns how many orders were filled."""
        now, filled = self._tick_now(), 0
        while self._tick < now:
            self._tick += 1
            step, tick = HISTORY_STEPS + self._tick // TICKS_PER_STEP, self._tick % TICKS_PER_STEP
            self._plan_to(step)
            while self._due and (self._due[0].step, self._due[0].tick) <= (step, tick):
                order = self._due.popleft()
                filled += self._market.fill(order)
            if tick % FOLLOW_EVERY_TICKS == 0:
                self._market.follow(step, self._led, tick)
        return filled

    def _tick_now(self) -> int:
        return max(0, self._market.bank.blocks.height - self._end_height)

    def _begin(self) -> None:
        """Plans the present chunk, and what came before it for the exits that are still to come."""
        first = self._planned_to
        before = [HISTORY] if first < HISTORY_STEPS + EXITS_REACH_STEPS else []
        if first > HISTORY_STEPS:
            before.append(live_season(first - 1))
        now = (HISTORY_STEPS + self._tick // TICKS_PER_STEP, self._tick % TICKS_PER_STEP)
        self._plan_to(first)
        late = [order for season in before for order in self._planner.orders(season) if order.step >= first]
        self._due = deque(sorted(order for order in (*self._due, *late) if (order.step, order.tick) > now))

    def _plan_to(self, step: int) -> None:
        while self._planned_to <= step:
            season = live_season(self._planned_to)
            self._due = deque(sorted((*self._due, *self._planner.orders(season))))
            self._planned_to = season.last_step


async def trade_live(chain: LiveChain, cast: Cast, past: Past) -> None:
    """Trades on until cancelled."""
    live = LiveMarket(Market(chain.bank, cast), past)
    while True:
        live.advance()
        chain.tell()
        await asyncio.sleep(POLL_S)
