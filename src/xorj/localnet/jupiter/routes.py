"""The best way from one mint to another: straight through a pool, or over one mint between. Used by the build reply and by demo traders."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from xorj.localnet.jupiter.pools import DOLLARS, SOL_MINT, PoolBook
from xorj.market import local_amm
from xorj.market.local_amm import Pool
from xorj.router import jupiter_v6
from xorj.vault.accounts import token_account_address

HOP_ACCOUNTS = 7
MIDDLE_MINTS = (DOLLARS[0], SOL_MINT)


@dataclass(frozen=True, slots=True)
class Hop:
    """One pool on the way, with what it takes and gives."""

    pool: Pool
    input_mint: Pubkey
    output_mint: Pubkey
    amount_in: int
    amount_out: int


@dataclass(frozen=True, slots=True)
class Route:
    """One or two hops. `price_impact` is the share lost against the pools' present price, fees not counted; 0.01 is one percent."""

    hops: tuple[Hop, ...]
    price_impact: Fraction

    @property
    def mints(self) -> tuple[Pubkey, ...]:
        return (self.hops[0].input_mint, *(hop.output_mint for hop in self.hops))

    @property
    def amount_in(self) -> int:
        return self.hops[0].amount_in

    @property
    def amount_out(self) -> int:
        return self.hops[-1].amount_out


def best_route(book: PoolBook, input_mint: Pubkey, output_mint: Pubkey, amount_in: int, *, accounts_max: int) -> Route | None:
    """The route that pays most within `accounts_max` swap accounts, None when no pools give anything for this amount."""
    paths: list[tuple[Pubkey, ...]] = [(input_mint, output_mint)]
    paths += [(input_mint, middle, output_mint) for middle in MIDDLE_MINTS if middle not in (input_mint, output_mint)]
    routes = [_along(book, path, amount_in) for path in paths if (len(path) - 1) * HOP_ACCOUNTS <= accounts_max]
    return max((route for route in routes if route is not None), key=lambda route: route.amount_out, default=None)


def route_instruction(route: Route, *, authority: Pubkey, destination: Pubkey, slippage_bps: int) -> Instruction:
    """route_v2 from the authority's associated accounts to `destination`, at the route's own quote."""
    accounts = [token_account_address(authority, mint) for mint in route.mints]
    accounts[-1] = destination
    steps: list[AccountMeta] = []
    for index, hop in enumerate(route.hops):
        steps.append(jupiter_v6.step_program(local_amm.PROGRAM))
        steps += local_amm.step_accounts(hop.pool, authority, accounts[index], accounts[index + 1], hop.input_mint)
    plan = [jupiter_v6.RouteStep(input_index=index, output_index=index + 1) for index in range(len(route.hops))]
    data = jupiter_v6.encode_route(route.amount_in, route.amount_out, slippage_bps, plan)
    fixed = jupiter_v6.RouteAccounts(authority, accounts[0], destination, route.mints[0], route.mints[-1])
    return jupiter_v6.route_instruction(fixed, data, steps)


def _along(book: PoolBook, path: Sequence[Pubkey], amount_in: int) -> Route | None:
    hops: list[Hop] = []
    kept, spot = amount_in, Fraction(amount_in)
    for given, got in pairwise(path):
        pool = book.pool(given, got)
        if pool is None:
            return None
        reserve_in, reserve_out = book.reserves(pool, given)
        amount_out = local_amm.amount_out(reserve_in, reserve_out, kept)
        if amount_out == 0:
            return None
        hops.append(Hop(pool, given, got, kept, amount_out))
        spot = spot * reserve_out / reserve_in * (10_000 - local_amm.FEE_BPS) / 10_000
        kept = amount_out
    return Route(tuple(hops), max(Fraction(0), 1 - kept / spot))
