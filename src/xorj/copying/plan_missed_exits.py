"""Gets out of what a leader has left for good: his exit was refused while trading was stopped, or its copy came to nothing. Run by the
trade-bot every while.

Whoever holds nothing of a token any more has no position to mirror, so all that is held for him is sold. Tried again after a while that
doubles, because what failed a moment ago mostly fails again.
"""

import asyncio
from collections.abc import Sequence

from xorj.chain.ports import AccountReader
from xorj.copying import risk_limits, sizing, vault_state
from xorj.copying.cause import Cause, CauseKind, derived_id
from xorj.copying.plan_copies import Planning
from xorj.copying.ports import IdlePosition, MissedExitStore, PlannedCopy
from xorj.copying.situation import Situation
from xorj.market.token_screen import screen
from xorj.prices.price import Price
from xorj.primitives.clock import DAY_S, ChainTime
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import SOL, Address, Mint, Slot, Wallet

WAIT_SLOTS = 150
DOUBLINGS_MAX = 6
RULE = "the leader holds nothing of it any more"


async def plan_missed_exits(planning: Planning, exits: MissedExitStore) -> list[PlannedCopy]:
    """Intents for the exits that are due. Raises Unavailable; repeating it plans nothing twice."""
    now = await planning.clock.now()
    due = [idle for idle in await exits.idle_positions() if _is_due(idle, now.slot)]
    left = await _left_for_good(due, planning.chain)
    copies = [copy for copy in await asyncio.gather(*(_planned(idle, now, planning) for idle in left)) if copy.decision.legs]
    if copies:
        await exits.record(copies)
    return copies


def _is_due(idle: IdlePosition, now: Slot) -> bool:
    return idle.tried_slot is None or now - idle.tried_slot >= WAIT_SLOTS * 2 ** min(idle.exits_tried, DOUBLINGS_MAX)


async def _left_for_good(idle: Sequence[IdlePosition], chain: AccountReader) -> list[IdlePosition]:
    """Native SOL is never nothing, so a position in SOL only follows the leader's own sales."""
    leaders = sorted({each.follow.leader for each in idle})
    held = dict(zip(leaders, await asyncio.gather(*(_tokens(leader, chain) for leader in leaders)), strict=True))
    return [each for each in idle if each.position.mint != SOL and not held[each.follow.leader].get(each.position.mint)]


async def _tokens(leader: Wallet, chain: AccountReader) -> dict[Mint, int]:
    _, held = await chain.token_balances(leader)
    return held


async def _planned(idle: IdlePosition, now: ChainTime, planning: Planning) -> PlannedCopy:
    follow, mint = idle.follow, idle.position.mint
    mints = [planning.base_mint, mint]
    asked = [Address(mint), *vault_state.addresses(follow.owner, mints)]
    (token, *accounts), prices, switch, portfolios = await asyncio.gather(
        planning.chain.accounts(asked),
        _prices(mints, planning),
        planning.switch.state(),
        planning.portfolios.portfolios([follow.vault], since_unix_seconds=now.unix_seconds - DAY_S),
    )
    vault = vault_state.read(follow.owner, mints, accounts)
    situation = Situation(now, switch, planning.bot, follow, vault, portfolios[follow.vault], {mint: screen(mint, token)}, prices)
    decision = risk_limits.allow(sizing.exit_whole(mint, situation, RULE), situation)
    cause = Cause(CauseKind.MISSED_EXIT, derived_id("missed_exit", follow.leader, mint, str(idle.exits_tried)))
    return PlannedCopy(follow, decision, cause, now.slot)


async def _prices(mints: Sequence[Mint], planning: Planning) -> dict[Mint, Price]:
    """An exit is planned without prices rather than not at all."""
    try:
        return await planning.feed.prices(mints)
    except Unavailable:
        return {}
