"""A vault and everything a trade of it touches, read at one slot. Decoded here, judged by vault_checks, built upon by message."""

from collections.abc import Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey

from xorj.chain.transactions import Account
from xorj.execution.intent import Intent
from xorj.primitives.ids import Address, Slot
from xorj.vault import accounts, open_vault
from xorj.vault.accounts import Config, VaultAccount, VaultPolicy
from xorj.vault.open_vault import NoVault, balance_raw


@dataclass(frozen=True, slots=True)
class TradeAddresses:
    """The accounts of one trade, all associated token accounts of vault and trade authority."""

    vault: Pubkey
    policy: Pubkey
    config: Pubkey
    trade_authority: Pubkey
    vault_input: Pubkey
    vault_output: Pubkey
    trade_input: Pubkey
    trade_output: Pubkey

    @staticmethod
    def of(intent: Intent) -> "TradeAddresses":
        vault = Pubkey.from_string(intent.vault)
        given, wanted = Pubkey.from_string(intent.input_mint), Pubkey.from_string(intent.output_mint)
        trade = accounts.trade_authority_address(vault)
        return TradeAddresses(
            vault=vault,
            policy=accounts.policy_address(vault),
            config=accounts.config_address(),
            trade_authority=trade,
            vault_input=accounts.token_account_address(vault, given),
            vault_output=accounts.token_account_address(vault, wanted),
            trade_input=accounts.token_account_address(trade, given),
            trade_output=accounts.token_account_address(trade, wanted),
        )

    @property
    def in_order(self) -> tuple[Address, ...]:
        """As `read` expects them; the bot comes after."""
        keys = (self.vault, self.policy, self.config, self.vault_input, self.vault_output, self.trade_input, self.trade_output)
        return tuple(Address(str(key)) for key in keys)


@dataclass(frozen=True, slots=True)
class VaultState:
    """Balances are raw; None where the token account does not exist yet."""

    slot: Slot
    vault: VaultAccount
    policy: VaultPolicy
    config: Config
    vault_input_raw: int | None
    vault_output_raw: int | None
    trade_input_raw: int | None
    trade_output_raw: int | None
    bot_lamports: int


def read(found: Sequence[Account | None]) -> VaultState | NoVault:
    """Decodes the accounts of `TradeAddresses.in_order` followed by the bot's, all read at one slot."""
    vault, policy, config, *tokens, bot = found
    opened = open_vault.read(vault, policy, config)
    if isinstance(opened, NoVault):
        return opened
    vault_input, vault_output, trade_input, trade_output = (balance_raw(token) for token in tokens)
    return VaultState(
        slot=opened.slot,
        vault=opened.vault,
        policy=opened.policy,
        config=opened.config,
        vault_input_raw=vault_input,
        vault_output_raw=vault_output,
        trade_input_raw=trade_input,
        trade_output_raw=trade_output,
        bot_lamports=0 if bot is None else bot.lamports,
    )
