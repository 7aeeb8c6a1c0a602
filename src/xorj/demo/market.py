"""The demo market on a bank: executes what the leaders' plans say, with the arbitrage account keeping the pools near the walk.

Used by history (120 days at their own block times) and live (the same plans going on in wall time).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey

from xorj.demo.arbitrage import Pair, moves_to_price
from xorj.demo.identities import ARBITRAGE, ARBITRAGE_ADDRESS
from xorj.demo.leaders import Leader, demo_leaders
from xorj.demo.opening import USDC_UNIT
from xorj.demo.plans import ALL_BPS, TICKS_PER_STEP, Action, Order, Planner
from xorj.demo.prices import PriceWalk
from xorj.demo.stage import execute, token_transfer
from xorj.demo.tokens import PRICE_UNITS_PER_USD, SOL_TOKEN, USDC_DECIMALS, USDC_MINT, DemoToken, demo_tokens
from xorj.localnet.bank import Bank
from xorj.localnet.jupiter.pools import PoolBook
from xorj.localnet.jupiter.routes import HOP_ACCOUNTS, best_route, route_instruction
from xorj.localnet.jupiter.tokens import ListedToken
from xorj.vault.accounts import token_account_address
from xorj.vault.instructions import create_token_account

TRADE_USD_MAX = 8_000
TRADE_USD_LEAST = 20
SLIPPAGE_BPS = 100
SWAPS_PER_ARBITRAGE_MAX = 4


@dataclass(frozen=True, slots=True)
class Cast:
    """Everything that a seed determines before anything is executed."""

    seed: int
    tokens: tuple[DemoToken, ...]
    leaders: tuple[Leader, ...]
    walk: PriceWalk

    @staticmethod
    def of(seed: int) -> "Cast":
        tokens = demo_tokens(seed)
        return Cast(seed, tokens, demo_leaders(seed), PriceWalk(seed, tokens))

    @property
    def planner(self) -> Planner:
        return Planner(self.seed, self.walk, self.tokens, self.leaders)

    def listed(self) -> list[ListedToken]:
        """The market's tokens for the token list, USDC first; thin tokens are not verified."""
        usdc = ListedToken(USDC_MINT, "USDC", "USD Coin (local, worthless)", USDC_DECIMALS)
        return [usdc, *(ListedToken(one.mint, one.symbol, one.name, one.decimals, one.temper != "thin") for one in self.tokens)]


class Market:
    """Executes orders on one bank, in its present block. One thread uses it, as the bank itself."""

    def __init__(self, bank: Bank, cast: Cast) -> None:
        self.bank, self.cast = bank, cast
        self.book = PoolBook(bank)
        self.swaps = 0

    def follow(self, step: int, tokens: Iterable[int], tick: int = 0) -> None:
        """Moves the pools of these tokens to the walk's prices at a tick of `step`, where they are too far off."""
        prices = self.cast.walk.prices_within(step, tick, TICKS_PER_STEP)
        moves = [move for number in tokens for pair in self._pairs(number, prices) if (move := moves_to_price(self.book, pair)) is not None]
        for first in range(0, len(moves), SWAPS_PER_ARBITRAGE_MAX):
            part = moves[first : first + SWAPS_PER_ARBITRAGE_MAX]
            execute(self.bank, part, ARBITRAGE_ADDRESS, [ARBITRAGE])
            self.swaps += len(part)

    def fill(self, order: Order) -> bool:
        """Executes one order; False when the leader holds too little for it."""
        leader, token = self.cast.leaders[order.leader], self.cast.tokens[order.token]
        if order.action is Action.REFUND:
            return self._refund(leader, self.cast.leaders[order.leader + 1], order.share_bps)
        if order.action is Action.BUY:
            held = self.balance(leader, USDC_MINT)
            amount = min(held * order.share_bps // ALL_BPS, TRADE_USD_MAX * USDC_UNIT)
            return amount >= TRADE_USD_LEAST * USDC_UNIT and self._swap(leader, USDC_MINT, token.mint, amount)
        amount = self.balance(leader, token.mint) * order.share_bps // ALL_BPS
        return amount > 0 and self._swap(leader, token.mint, USDC_MINT, amount)

    def balance(self, leader: Leader, mint: Pubkey) -> int:
        """What a leader holds of a mint, raw."""
        return self.book.amount(token_account_address(leader.address, mint))

    def _swap(self, leader: Leader, given: Pubkey, got: Pubkey, amount_in: int) -> bool:
        route = best_route(self.book, given, got, amount_in, accounts_max=2 * HOP_ACCOUNTS)
        if route is None:
            return False
        who = leader.address
        target = token_account_address(who, got)
        needed = [mint for mint in route.mints[1:] if self.bank.runtime.account(token_account_address(who, mint)) is None]
        setup = [create_token_account(who, who, mint) for mint in needed]
        swap = route_instruction(route, authority=who, destination=target, slippage_bps=SLIPPAGE_BPS)
        execute(self.bank, [*setup, swap], who, [leader.key])
        self.swaps += 1
        return True

    def _refund(self, giver: Leader, taker: Leader, share_bps: int) -> bool:
        amount = self.balance(giver, USDC_MINT) * share_bps // ALL_BPS
        transfer = token_transfer(giver.address, taker.address, USDC_MINT, USDC_DECIMALS, amount)
        execute(self.bank, [transfer], giver.address, [giver.key])
        return True

    def _pairs(self, number: int, prices: Sequence[int]) -> list[Pair]:
        token = self.cast.tokens[number]
        quote = Pair(token, USDC_MINT, prices[number] * USDC_UNIT, PRICE_UNITS_PER_USD * 10**token.decimals)
        if not token.sol_depth_usd or token == SOL_TOKEN:
            return [quote]
        in_sol = Pair(token, SOL_TOKEN.mint, prices[number] * 10**SOL_TOKEN.decimals, prices[0] * 10**token.decimals)
        return [quote, in_sol]
