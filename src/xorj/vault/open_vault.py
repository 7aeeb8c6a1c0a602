"""A vault's three accounts as a node gave them, decoded; and what a token account holds. Used by copying and execution."""

from dataclasses import dataclass

from xorj.chain.transactions import Account
from xorj.primitives.ids import Slot
from xorj.vault import borsh
from xorj.vault.accounts import PROGRAM_ID, TOKEN_PROGRAM, Config, VaultAccount, VaultPolicy, decode_config, decode_policy, decode_vault

TOKEN_ACCOUNT_BYTES_MIN = 165
_AMOUNT = slice(64, 72)


@dataclass(frozen=True, slots=True)
class OpenVault:
    """All of one slot."""

    vault: VaultAccount
    policy: VaultPolicy
    config: Config
    slot: Slot


@dataclass(frozen=True, slots=True)
class NoVault:
    """The accounts are not those of a vault that the program would trade with; `reason` says why."""

    reason: str


def read(vault: Account | None, policy: Account | None, config: Account | None) -> OpenVault | NoVault:
    """Only what the vault program owns counts."""
    if vault is None or policy is None or config is None:
        return NoVault("vault, policy or config does not exist")
    if {account.owner for account in (vault, policy, config)} != {str(PROGRAM_ID)}:
        return NoVault("vault, policy or config belongs to another program")
    try:
        return OpenVault(decode_vault(vault.data), decode_policy(policy.data), decode_config(config.data), vault.slot)
    except borsh.Malformed as error:
        return NoVault(str(error))


def balance_raw(account: Account | None) -> int | None:
    """Of a classic token account; None where it is none."""
    if account is None or account.owner != str(TOKEN_PROGRAM) or len(account.data) < TOKEN_ACCOUNT_BYTES_MIN:
        return None
    return int.from_bytes(account.data[_AMOUNT], "little")
