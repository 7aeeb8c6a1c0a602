"""The account that keeps the pools near the market's prices. Pure quoting over live reserves; executed by market.

A pool that gives r base units in for one out is moved by  amount_in = (sqrt(r * reserve_in * reserve_out) - reserve_in) / 0.9985
"""

from dataclasses import dataclass
from math import isqrt

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from xorj.demo.identities import ARBITRAGE_ADDRESS
from xorj.demo.tokens import DemoToken, Temper
from xorj.localnet.jupiter.pools import PoolBook
from xorj.market import local_amm
from xorj.market.local_amm import Pool
from xorj.vault.accounts import token_account_address

PPM = 1_000_000
# thin pools are left to whoever drives them up and down
_LEFT_ALONE_PPM = {Temper.MAJOR: 5_000, Temper.VOLATILE: 6_000, Temper.LAUNCH: 6_000, Temper.THIN: 60_000}
_KEPT_IN_TEN_THOUSAND = 9_985


@dataclass(frozen=True, slots=True)
class Pair:
    """A pool with the market's price of its base token in base units of its quote token, as a fraction quote / base."""

    base: DemoToken
    quote_mint: Pubkey
    quote_raw: int
    base_raw: int


def moves_to_price(book: PoolBook, pair: Pair, *, exactly: bool = False) -> Instruction | None:
    """The swap that brings the pool to the price; None when it is near enough already."""
    pool = book.pool(pair.base.mint, pair.quote_mint)
    if pool is None:
        return None
    base_reserve, quote_reserve = book.reserves(pool, pair.base.mint)
    off_ppm = quote_reserve * pair.base_raw * PPM // (base_reserve * pair.quote_raw) - PPM
    if abs(off_ppm) < (1 if exactly else _LEFT_ALONE_PPM[pair.base.temper]):
        return None
    if off_ppm > 0:
        amount = amount_to_ratio(base_reserve, quote_reserve, pair.base_raw, pair.quote_raw)
        return _swap(pool, pair.base.mint, pair.quote_mint, amount)
    amount = amount_to_ratio(quote_reserve, base_reserve, pair.quote_raw, pair.base_raw)
    return _swap(pool, pair.quote_mint, pair.base.mint, amount)


def amount_to_ratio(reserve_in: int, reserve_out: int, ratio_in: int, ratio_out: int) -> int:
    """What must go in so that the reserves then stand as ratio_in to ratio_out; 0 when they already give less."""
    wanted = isqrt(reserve_in * reserve_out * ratio_in // ratio_out)
    return max(0, (wanted - reserve_in) * 10_000 // _KEPT_IN_TEN_THOUSAND)


def _swap(pool: Pool, given: Pubkey, got: Pubkey, amount_in: int) -> Instruction | None:
    if amount_in == 0:
        return None
    who = ARBITRAGE_ADDRESS
    return local_amm.swap(
        pool,
        owner=who,
        source=token_account_address(who, given),
        destination=token_account_address(who, got),
        input_mint=given,
        amount_in=amount_in,
        amount_out_min=0,
    )
