"""The local pools with their live reserves, and what they say a token is worth. Used by routes, prices and the demo's arbitrage."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from solders.pubkey import Pubkey

from xorj.localnet.bank import Bank
from xorj.market import local_amm
from xorj.market.local_amm import Pool
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import SOL, USDC, USDT

DOLLARS = tuple(Pubkey.from_string(mint) for mint in (USDC, USDT))
SOL_MINT = Pubkey.from_string(SOL)
_AMOUNT_AT = 64


@dataclass(frozen=True, slots=True)
class Worth:
    """USD for one base unit of a mint, and the USD that lie in its pools."""

    usd_per_raw: Fraction
    liquidity_usd: Fraction


class PoolBook:
    """All pools of one bank, those made since the last look among them."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._by_pair: dict[frozenset[Pubkey], Pool] = {}
        self._accounts_seen = -1

    def pool(self, mint: Pubkey, other: Pubkey) -> Pool | None:
        self._scan()
        return self._by_pair.get(frozenset((mint, other)))

    def with_mint(self, mint: Pubkey) -> Iterator[Pool]:
        self._scan()
        return (pool for pair, pool in self._by_pair.items() if mint in pair)

    def mints(self) -> set[Pubkey]:
        self._scan()
        return {mint for pair in self._by_pair for mint in pair}

    def reserves(self, pool: Pool, input_mint: Pubkey) -> tuple[int, int]:
        """(reserve in, reserve out) of a swap that gives `input_mint`, as of the newest transaction."""
        vault_in, vault_out = pool.vaults(input_mint)
        return self.amount(vault_in), self.amount(vault_out)

    def amount(self, token_account: Pubkey) -> int:
        """A token account's raw balance, 0 when there is none."""
        account = self._bank.runtime.account(token_account)
        return int.from_bytes(account.data[_AMOUNT_AT : _AMOUNT_AT + 8], "little") if account is not None else 0

    def decimals(self, mint: Pubkey) -> int | None:
        """None when there is no such mint."""
        return self._bank.accounts.decimals(bytes(mint))

    def worth(self, mint: Pubkey) -> Worth | None:
        """By the deepest dollar pool, else through SOL's; None for a mint that nothing trades against."""
        if mint in DOLLARS:
            own = sum((2 * self.reserves(pool, mint)[0] for pool in self.with_mint(mint)), 0)
            return Worth(Fraction(1, 10**6), Fraction(own, 10**6))
        dollar_pools = [pool for dollar in DOLLARS if (pool := self.pool(mint, dollar)) is not None]
        if dollar_pools:
            reserve, dollars = max((self.reserves(pool, mint) for pool in dollar_pools), key=lambda pair: pair[1])
            return self._worth(mint, Fraction(dollars, reserve * 10**6)) if reserve else None
        sol_pool = self.pool(mint, SOL_MINT)
        sol = self.worth(SOL_MINT) if mint != SOL_MINT else None
        if sol_pool is None or sol is None:
            return None
        reserve, lamports = self.reserves(sol_pool, mint)
        return self._worth(mint, lamports * sol.usd_per_raw / reserve) if reserve else None

    def _worth(self, mint: Pubkey, usd_per_raw: Fraction) -> Worth:
        held = sum(self.reserves(pool, mint)[0] for pool in self.with_mint(mint))
        return Worth(usd_per_raw, 2 * held * usd_per_raw)

    def _scan(self) -> None:
        # a new pool is an account that no transaction had written before
        seen = len(self._bank.accounts.touched)
        if seen == self._accounts_seen:
            return
        self._accounts_seen = seen
        for address, account in self._bank.runtime.program_accounts(local_amm.PROGRAM):
            try:
                pool = local_amm.decode_pool(address, account.data)
            except InvalidInput:
                continue
            self._by_pair[frozenset((pool.mint_a, pool.mint_b))] = pool
