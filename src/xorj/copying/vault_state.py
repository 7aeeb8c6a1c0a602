"""A vault as the chain says it is at one slot: what plan_copies decides by. A row in the database is only what was read last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from xorj.chain.transactions import Account
from xorj.prices.price import Price
from xorj.primitives.amounts import Usd
from xorj.primitives.ids import Address, Mint, Slot, Wallet
from xorj.vault import open_vault
from xorj.vault.accounts import Config, VaultAccount, VaultPolicy, config_address, policy_address, token_account_address, vault_address
from xorj.vault.open_vault import NoVault


@dataclass(frozen=True, slots=True)
class VaultState:
    """`balances_raw` are those of the vault's associated token accounts, the only ones that trades use."""

    address: Address
    vault: VaultAccount
    policy: VaultPolicy
    config: Config
    slot: Slot
    balances_raw: Mapping[Mint, int] = field(default_factory=dict)

    @property
    def base_mint(self) -> Mint:
        return Mint(str(self.policy.base_mint))

    @property
    def base_raw(self) -> int:
        return self.balances_raw.get(self.base_mint, 0)

    def equity_raw(self, prices: Mapping[Mint, Price]) -> int:
        """The base mint it holds and what the rest is worth in it. What has no price counts for nothing; the base mint needs none."""
        base = prices.get(self.base_mint)
        others = [prices[mint].value(raw) for mint, raw in self.balances_raw.items() if mint != self.base_mint and mint in prices]
        if base is None or not others:
            return self.base_raw
        return self.base_raw + int((sum(others, start=Usd(base.usd * 0)) / base.usd).scaleb(base.decimals))


def addresses(owner: Wallet, mints: Sequence[Mint]) -> list[Address]:
    """The accounts that `read` needs, in its order: vault, policy, config, one token account a mint."""
    vault = vault_address(Pubkey.from_string(owner))
    keys = [vault, policy_address(vault), config_address()]
    keys += [token_account_address(vault, Pubkey.from_string(mint)) for mint in mints]
    return [Address(str(key)) for key in keys]


def read(owner: Wallet, mints: Sequence[Mint], accounts: Sequence[Account | None]) -> VaultState | NoVault:
    """`accounts` are those of `addresses(owner, mints)`, in that order."""
    vault, policy, config, *tokens = accounts
    found = open_vault.read(vault, policy, config)
    if isinstance(found, NoVault):
        return found
    address = Address(str(vault_address(Pubkey.from_string(owner))))
    balances = {mint: open_vault.balance_raw(account) or 0 for mint, account in zip(mints, tokens, strict=True)}
    return VaultState(address, found.vault, found.policy, found.config, found.slot, balances)
