"""The demo market's past: 120 days of leaders' trades, executed at their own block times before the local chain opens its ports.

Called by services/localnet.py. What was executed once is kept in the chain's folder, which is named after seed and code.
"""

from xorj.demo.market import Cast, Market
from xorj.demo.opening import opening
from xorj.demo.past import Past, past_name
from xorj.demo.plans import HISTORY, TICKS_PER_STEP, Season
from xorj.demo.prices import STEP_SECONDS
from xorj.demo.stage import open_vault_program
from xorj.localnet.bank import Bank
from xorj.localnet.genesis import Genesis
from xorj.primitives.errors import BrokenInvariant

SLOTS_PER_SECOND = 5  # as on a chain with slots of 200 ms
TICK_SECONDS = STEP_SECONDS // TICKS_PER_STEP
SWAPS_MAX = 12_000


def market_name(seed: int) -> str:
    """The name of the chain's folder: another seed or another version of the market is another past."""
    return past_name("market", str(seed))


def market_genesis(cast: Cast, now_unix_seconds: int, season: Season = HISTORY) -> Genesis:
    """A genesis whose history ends now."""
    return opening(cast.tokens, cast.leaders, now_unix_seconds - season.last_step * STEP_SECONDS)


def execute_history(bank: Bank, cast: Cast, season: Season = HISTORY) -> Past:
    """Opens the vault program's config, then fills every order of the season in its own block, pools moved to the walk before."""
    start_slot, start_seconds = bank.slot, bank.unix_seconds
    bank.advance(1, start_seconds)
    open_vault_program(bank)
    market = Market(bank, cast)
    for order in cast.planner.orders(season):
        if order.step >= season.last_step:
            break
        seconds = order.step * STEP_SECONDS + order.tick * TICK_SECONDS
        slot = start_slot + 2 + seconds * SLOTS_PER_SECOND
        if slot > bank.slot:
            bank.advance(slot - bank.slot, start_seconds + seconds)
        if not order.early and order.sequence == 0:
            market.follow(order.step, [order.token])
        market.fill(order)
        if order.early:
            # what he knew of happens to everybody else a moment later
            bank.advance(1, start_seconds + seconds)
            market.follow(order.step, [order.token])
    end_slot = start_slot + 2 + season.last_step * STEP_SECONDS * SLOTS_PER_SECOND
    bank.advance(max(1, end_slot - bank.slot), start_seconds + season.last_step * STEP_SECONDS)
    market.follow(season.last_step, range(len(cast.tokens)))
    if market.swaps > SWAPS_MAX:
        raise BrokenInvariant("the demo's history has grown too long", swaps=market.swaps)
    return Past(end_height=bank.blocks.height)
