"""Reads what a followed leader has done since we last looked, and keeps his swaps as leader trades. Run by the trade-bot for each leader.

A notification only says when to look: history is read either way, so that what happened while nobody listened is seen as well. Confirmed
history may still change its order a little, so every look begins some slots before the last one ended; a trade is kept once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from xorj.chain.ports import AccountReader, HistoryReader
from xorj.chain.transactions import ChainTransaction, Commitment, SignatureInfo
from xorj.copying.leader_holdings import before_each
from xorj.copying.leader_trade import LeaderTrade, of_swap
from xorj.copying.ports import LeaderTradeStore
from xorj.prices.ports import PriceFeed
from xorj.prices.price import Price
from xorj.primitives.amounts import TokenAmount, Usd
from xorj.primitives.clock import ChainClock
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import SOL, USDC, USDT, Address, Mint, Signature, Slot, Wallet
from xorj.swaps.balance_change import decimals_of
from xorj.swaps.decoder import decode
from xorj.swaps.swap import Swap

OVERLAP_SLOTS = 32
SIGNATURES_PER_LOOK = 100
LOOKS_PAGES_MAX = 1_000
SIGNATURES_REMEMBERED_MAX = 20_000
# At their face, where the source of prices has none: they are what everything else is counted in.
FACE_VALUE = {USDC: Usd(Decimal(1)), USDT: Usd(Decimal(1))}


@dataclass(frozen=True, slots=True)
class Watch:
    """The ports of watching. `read` remembers signatures of the overlap, so that nothing is fetched twice for nothing.

    `highest` is asked about what `feed` has no price of, for a leader's equity alone: there too high a price is the safe side.
    """

    trades: LeaderTradeStore
    history: HistoryReader
    accounts: AccountReader
    feed: PriceFeed
    clock: ChainClock
    highest: PriceFeed | None = None
    read: dict[Signature, None] = field(default_factory=dict)

    def remember(self, signatures: Sequence[Signature]) -> None:
        self.read.update(dict.fromkeys(signatures))
        for oldest in list(self.read)[: max(0, len(self.read) - SIGNATURES_REMEMBERED_MAX)]:
            del self.read[oldest]


@dataclass(frozen=True, slots=True)
class Read:
    """What one look found: how many transactions were new, and the trades among them, oldest first."""

    transactions: int = 0
    trades: tuple[LeaderTrade, ...] = ()


async def follow_leader(leader: Wallet, watch: Watch) -> Read:
    """Stores his swaps after the cursor. Raises Unavailable: ask again."""
    cursor = await watch.trades.cursor(leader)
    if cursor is None:
        return Read()
    infos = await _unread(leader, cursor, watch)
    if not infos:
        return Read()
    transactions = await _fetched(infos, watch)
    found = await _trades(leader, [each for each in transactions if each.error is None and each.slot > cursor - OVERLAP_SLOTS], watch)
    read = infos[: len(transactions)]
    if read:
        await watch.trades.record(leader, found, read_to=max(info.slot for info in read))
        watch.remember([info.signature for info in read])
    return Read(len(read), tuple(found))


async def _unread(leader: Wallet, cursor: Slot, watch: Watch) -> list[SignatureInfo]:
    """Confirmed signatures from OVERLAP_SLOTS before the cursor on that we have not read, oldest first."""
    floor, found = cursor - OVERLAP_SLOTS, list[SignatureInfo]()
    for _ in range(LOOKS_PAGES_MAX):
        before = found[-1].signature if found else None
        page = await watch.history.signatures(Address(leader), limit=SIGNATURES_PER_LOOK, before=before, commitment=Commitment.CONFIRMED)
        found += [info for info in page if info.slot >= floor]
        if len(page) < SIGNATURES_PER_LOOK or page[-1].slot < floor:
            break
    return [info for info in reversed(found) if info.signature not in watch.read]


async def _fetched(infos: Sequence[SignatureInfo], watch: Watch) -> list[ChainTransaction]:
    """In order, up to the first that the node lists and cannot give yet."""
    fetched: list[ChainTransaction] = []
    for transaction in await watch.history.transactions([info.signature for info in infos], commitment=Commitment.CONFIRMED):
        if transaction is None:
            break
        fetched.append(transaction)
    return fetched


async def _trades(leader: Wallet, transactions: Sequence[ChainTransaction], watch: Watch) -> list[LeaderTrade]:
    swaps = [_swaps(transaction, leader) for transaction in transactions]
    if not any(swaps):
        return []
    (_, tokens), lamports, now = await asyncio.gather(
        watch.accounts.token_balances(leader), watch.accounts.lamports(Address(leader)), watch.clock.now()
    )
    held = before_each(leader, transactions, {**tokens, SOL: tokens.get(SOL, 0) + lamports})
    wanted = list(dict.fromkeys([*(mint for each in held for mint in each), *(Mint(s.output.mint) for found in swaps for s in found)]))
    prices = await _prices(wanted, watch.feed)
    missing = [mint for mint in wanted if mint not in prices]
    upper = await _prices(missing, watch.highest) if missing and watch.highest is not None else {}
    usd = {**FACE_VALUE, **{mint: price.usd for mint, price in prices.items()}}
    equity_usd = {**{mint: price.usd for mint, price in upper.items()}, **usd}
    trades = []
    for transaction, found, before in zip(transactions, swaps, held, strict=True):
        decimals = {mint: price.decimals for mint, price in {**upper, **prices}.items()} | decimals_of(transaction)
        amounts = {mint: TokenAmount(mint, raw, decimals[mint]) for mint, raw in before.items() if mint in decimals}
        trades += [of_swap(swap, amounts, usd, seen_slot=now.slot, equity_prices=equity_usd) for swap in found]
    return trades


def _swaps(transaction: ChainTransaction, leader: Wallet) -> tuple[Swap, ...]:
    outcome = decode(transaction, leader)
    return outcome if isinstance(outcome, tuple) else ()


async def _prices(mints: Sequence[Mint], feed: PriceFeed) -> dict[Mint, Price]:
    """Without prices his equity is unknown and his entries are skipped, but his exits are still seen."""
    try:
        return await feed.prices(mints)
    except Unavailable:
        return {}
