"""One decision a follower about each leader trade, and the intents of those that are copied. Run by the trade-bot; flow 2, steps 2 and 3.

A trade that closes waits while another trade on the same position is under way, because what it would sell is not known before that has
settled. It is then left undecided and looked at again. Entries never wait: they would only get stale.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from xorj.chain.ports import ACCOUNTS_PER_CALL_MAX, AccountReader
from xorj.chain.transactions import Account
from xorj.copying import exposure, risk_limits, sizing, vault_state
from xorj.copying.cause import Cause, CauseKind
from xorj.copying.decision import Decision, Side, Skipped, joined
from xorj.copying.follow import Follow
from xorj.copying.leader_trade import LeaderTrade
from xorj.copying.ports import DecisionStore, FollowStore, KillSwitch, LeaderTradeStore, PlannedCopy, PortfolioReader, StandingReader
from xorj.copying.situation import Portfolio, Situation
from xorj.market.token_screen import ClassicToken, UnfitToken, screen
from xorj.prices.ports import PriceFeed
from xorj.prices.price import Price
from xorj.primitives.clock import DAY_S, ChainClock, ChainTime
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Mint, Wallet
from xorj.swaps.quote_rank import Direction

# The chain is asked for its time once for so many trades of a round.
TRADES_PER_TIME = 8

Place = tuple[Wallet, Mint]


@dataclass(frozen=True, slots=True)
class Planning:
    """The ports of planning, the key that our signer holds, and what all followers together may have at stake."""

    trades: LeaderTradeStore
    follows: FollowStore
    portfolios: PortfolioReader
    standings: StandingReader
    decisions: DecisionStore
    chain: AccountReader
    feed: PriceFeed
    switch: KillSwitch
    clock: ChainClock
    bot: Wallet
    base_mint: Mint
    bounds: exposure.Bounds


@dataclass(frozen=True, slots=True)
class Planned:
    """What came of one leader trade: decisions made, and the vaults that have to wait."""

    trade_id: str
    copies: tuple[PlannedCopy, ...]
    waiting: frozenset[Address]

    @property
    def decisions(self) -> list[Decision]:
        return [copy.decision for copy in self.copies]


async def plan_undecided(planning: Planning) -> list[Planned]:
    """Plans every trade that some follower has no decision about, oldest first. Behind a trade that waits, later ones on it wait too."""
    held: dict[Place, frozenset[Address]] = {}
    planned = list[Planned]()
    trades = await planning.trades.undecided()
    if not trades:
        return planned
    now = await planning.clock.now()
    for number, trade in enumerate(trades, 1):
        if number % TRADES_PER_TIME == 0:
            now = await planning.clock.now()
        places = [(trade.leader, mint) for mint in (trade.closed_mint, trade.opened_mint) if mint]
        behind = frozenset[Address]().union(*(held.get(place, frozenset()) for place in places))
        outcome = await plan_copies(trade, planning, now, behind=behind)
        for place in places:
            held[place] = held.get(place, frozenset()) | outcome.waiting
        planned.append(outcome)
    return planned


async def plan_copies(trade: LeaderTrade, planning: Planning, now: ChainTime, *, behind: frozenset[Address] = frozenset()) -> Planned:
    """One decision for each follower of this leader; intents for those that are copied. Repeating it changes nothing.

    Vaults in `behind` wait. Raises Unavailable when chain, database or, for an entry, prices cannot be read: nothing is decided then.
    """
    follows = await planning.follows.undecided(trade)
    if not follows:
        await planning.decisions.record(trade, (), is_decided=True)
        return Planned(trade.id, (), frozenset())
    since = now.unix_seconds - DAY_S
    portfolios = await planning.portfolios.portfolios([follow.vault for follow in follows], since_unix_seconds=since)
    waiting = behind | {follow.vault for follow in follows if _must_wait(trade, portfolios[follow.vault])}
    ready = [follow for follow in follows if follow.vault not in waiting]
    copies, asking = [], []
    for follow in ready:
        plain = decide_without_chain(trade, portfolios[follow.vault], now)
        if plain is None:
            asking.append(follow)
        else:
            copies.append(PlannedCopy(follow, plain, _cause(trade, now), now.slot))
    copies += await _held_back(trade, await _decided(trade, asking, portfolios, planning, now), planning, now)
    left = frozenset(follow.vault for follow in follows if follow.vault in waiting)
    await planning.decisions.record(trade, copies, is_decided=not left)
    return Planned(trade.id, tuple(copies), left)


async def _decided(
    trade: LeaderTrade, follows: Sequence[Follow], portfolios: Mapping[Address, Portfolio], planning: Planning, now: ChainTime
) -> list[PlannedCopy]:
    """What takes a look at the vaults, the tokens and the prices."""
    if not follows:
        return []
    mints = {follow.id: _mints(trade, portfolios[follow.vault], planning.base_mint) for follow in follows}
    found, prices, switch = await asyncio.gather(
        _accounts(follows, mints, trade, planning.chain), _prices(trade, mints, planning), planning.switch.state()
    )
    copies = []
    for follow in follows:
        accounts, tokens = found[follow.id]
        vault = vault_state.read(follow.owner, mints[follow.id], accounts)
        situation = Situation(now, switch, planning.bot, follow, vault, portfolios[follow.vault], tokens, prices)
        copies.append(PlannedCopy(follow, decide(trade, situation), _cause(trade, now), now.slot))
    return copies


async def _held_back(trade: LeaderTrade, copies: Sequence[PlannedCopy], planning: Planning, now: ChainTime) -> Sequence[PlannedCopy]:
    """One trade at a time: what this one opens is at stake when the next is planned, because its intents are recorded by then."""
    if not any(leg.side is Side.BUY for copy in copies for leg in copy.decision.legs):
        return copies
    standing = await planning.standings.standing(trade.leader, now_unix_seconds=now.unix_seconds)
    return exposure.held_back(copies, standing, planning.bounds)


def decide_without_chain(trade: LeaderTrade, portfolio: Portfolio, now: ChainTime) -> Skipped | None:
    """The decision where nothing on the chain could change it; None where it must be asked. So a busy leader holds nobody up."""
    age = now.slot - trade.slot
    if trade.direction is Direction.CLOSE and portfolio.holdings.position(trade.leader, Mint(trade.input.mint)).units_raw == 0:
        return Skipped("nothing held for this leader", {"mint": trade.input.mint})
    if trade.direction is Direction.OPEN and age > risk_limits.ENTRY_AGE_SLOTS_MAX:
        return Skipped("stale leader trade", {"age_slots": age, "age_slots_max": risk_limits.ENTRY_AGE_SLOTS_MAX})
    return None


def decide(trade: LeaderTrade, situation: Situation) -> Decision:
    """The decision about one follower: what the swap's direction asks for, sized, then limited."""
    if trade.direction is Direction.NEITHER:
        return Skipped("neither opens nor closes", {"input_mint": trade.input.mint, "output_mint": trade.output.mint})
    decisions: list[Decision] = []
    if trade.closed_mint:
        decisions.append(risk_limits.allow(sizing.exit_of(trade, trade.closed_mint, situation), situation))
    if trade.opened_mint:
        leg = sizing.OPEN_LEG if decisions else sizing.CLOSE_LEG
        decisions.append(risk_limits.allow(sizing.entry(trade, trade.opened_mint, situation, leg=leg), situation))
    return joined(*decisions) if len(decisions) > 1 else decisions[0]


def _cause(trade: LeaderTrade, now: ChainTime) -> Cause:
    """An entry is never copied late, so whatever is copied late is an exit."""
    is_late = now.slot - trade.slot > risk_limits.ENTRY_AGE_SLOTS_MAX
    return Cause(CauseKind.MISSED_EXIT if is_late else CauseKind.LEADER_TRADE, trade.id)


def _must_wait(trade: LeaderTrade, portfolio: Portfolio) -> bool:
    return trade.closed_mint is not None and portfolio.is_busy(trade.leader, trade.closed_mint)


def _mints(trade: LeaderTrade, portfolio: Portfolio, base_mint: Mint) -> list[Mint]:
    """Base first, then whatever the vault holds, will hold or is asked to hold."""
    held = [position.mint for position in portfolio.holdings.open_positions()]
    opening = [intent.mint for intent in portfolio.open_intents]
    asked = [mint for mint in (trade.closed_mint, trade.opened_mint) if mint]
    return list(dict.fromkeys([base_mint, *asked, *held, *opening]))


Screened = Mapping[Mint, ClassicToken | UnfitToken]


async def _accounts(
    follows: Sequence[Follow], mints: Mapping[str, list[Mint]], trade: LeaderTrade, chain: AccountReader
) -> dict[str, tuple[list[Account | None], Screened]]:
    """By follow: the accounts that vault_state.read needs, all of one slot, and the trade's tokens as screened."""
    asked = [mint for mint in (trade.closed_mint, trade.opened_mint) if mint]
    wanted = {follow.id: [*(Address(mint) for mint in asked), *vault_state.addresses(follow.owner, mints[follow.id])] for follow in follows}
    found = [pair for batch in await asyncio.gather(*(_read(batch, chain) for batch in _batches(wanted))) for pair in batch]
    return {
        follow_id: (accounts[len(asked) :], {mint: screen(mint, account) for mint, account in zip(asked, accounts, strict=False)})
        for follow_id, accounts in found
    }


def _batches(wanted: Mapping[str, list[Address]]) -> list[dict[str, list[Address]]]:
    """As many followers a call as the node takes."""
    batches: list[dict[str, list[Address]]] = []
    for follow_id, addresses in wanted.items():
        if not batches or sum(map(len, batches[-1].values())) + len(addresses) > ACCOUNTS_PER_CALL_MAX:
            batches.append({})
        batches[-1][follow_id] = addresses
    return batches


async def _read(batch: Mapping[str, list[Address]], chain: AccountReader) -> list[tuple[str, list[Account | None]]]:
    found = iter(await chain.accounts([address for addresses in batch.values() for address in addresses]))
    return [(follow_id, list(islice(found, len(addresses)))) for follow_id, addresses in batch.items()]


async def _prices(trade: LeaderTrade, mints: Mapping[str, list[Mint]], planning: Planning) -> Mapping[Mint, Price]:
    """An exit is planned without prices rather than not at all; an entry needs them."""
    wanted = list(dict.fromkeys(mint for each in mints.values() for mint in each))
    try:
        return await planning.feed.prices(wanted) if wanted else {}
    except Unavailable:
        if trade.direction is Direction.OPEN:
            raise
        return {}
