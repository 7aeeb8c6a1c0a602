"""A vault as the chain says it is at one slot: what plan_copies decides by. A row in the database is only what was read last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from xorj.chain.transactions import Account
from xorj.prices.price import Price
from xorj.primitives.amounts import Usd
from xorj.primitives.ids import Address, Mint, Slot, Wallet
from xorj.vault import borsh
from xorj.vault.accounts import (
    PROGRAM_ID,
    TOKEN_PROGRAM,
    Config,
    VaultAccount,
    VaultPolicy,
    config_address,
    decode_config,
    decode_policy,
    decode_vault,
    policy_address,
    token_account_address,
    vault_address,
)

_AMOUNT = slice(64, 72)
_TOKEN_ACCOUNT_BYTES_MIN = 165


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


@dataclass(frozen=True, slots=True)
class NoVault:
    """There is nothing at the address that the program would trade with."""

    address: Address
    reason: str


def addresses(owner: Wallet, mints: Sequence[Mint]) -> list[Address]:
    """The accounts that `read` needs, in its order: vault, policy, config, one token account a mint."""
    vault = vault_address(Pubkey.from_string(owner))
    keys = [vault, policy_address(vault), config_address()]
    keys += [token_account_address(vault, Pubkey.from_string(mint)) for mint in mints]
    return [Address(str(key)) for key in keys]


def read(owner: Wallet, mints: Sequence[Mint], accounts: Sequence[Account | None]) -> VaultState | NoVault:
    """`accounts` are those of `addresses(owner, mints)`, in that order."""
    address = Address(str(vault_address(Pubkey.from_string(owner))))
    vault, policy, config, *tokens = accounts
    if vault is None or policy is None or config is None:
        return NoVault(address, "vault, policy or config does not exist")
    if {account.owner for account in (vault, policy, config)} != {str(PROGRAM_ID)}:
        return NoVault(address, "not owned by the vault program")
    try:
        decoded = decode_vault(vault.data), decode_policy(policy.data), decode_config(config.data)
    except borsh.Malformed as error:
        return NoVault(address, str(error))
    balances = {mint: token_amount(account) for mint, account in zip(mints, tokens, strict=True)}
    return VaultState(address, *decoded, slot=vault.slot, balances_raw=balances)


def token_amount(account: Account | None) -> int:
    """Raw amount of a classic token account, 0 when there is none."""
    if account is None or account.owner != str(TOKEN_PROGRAM) or len(account.data) < _TOKEN_ACCOUNT_BYTES_MIN:
        return 0
    return int.from_bytes(account.data[_AMOUNT], "little")
