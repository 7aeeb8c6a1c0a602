"""The planner's life: plans as soon as a leader trade is there and the gate is open. One background task of the trade-bot."""

import asyncio
from collections.abc import Awaitable, Callable

from xorj.copying.plan_copies import Planned, Planning, plan_undecided
from xorj.observability import logging, metrics
from xorj.portfolio.follow_vaults_live import woken
from xorj.primitives.errors import Unavailable

log = logging.get("planner")

# Wake-ups come by event; this is for trades that wait for another to settle.
LOOK_S = 0.25


async def plan_under_gate(planning: Planning, may_plan: Callable[[], Awaitable[bool]], wake: asyncio.Event, planned: asyncio.Event) -> None:
    """Runs until cancelled. `wake` is set when a leader trade may be new; sets `planned` when there are new intents."""
    while True:
        wake.clear()
        try:
            if await may_plan():
                for outcome in await plan_undecided(planning):
                    _tell(outcome)
                    if any(copy.decision.legs for copy in outcome.copies):
                        planned.set()
        except Unavailable as error:
            log.warning("trades_not_planned", error=str(error))
        await woken(wake, LOOK_S)


def _tell(outcome: Planned) -> None:
    for copy in outcome.copies:
        decision = copy.decision
        metrics.DECISIONS.labels(decision.outcome, decision.rule).inc()
        log.info(
            "decision_made",
            outcome=decision.outcome,
            rule=decision.rule,
            leader_trade_id=outcome.trade_id,
            vault=copy.follow.vault,
            leader=copy.follow.leader,
            legs=len(decision.legs),
        )
