"""A vault as read from the chain at one slot, for its row and for the question whether it may still copy. Used by follow_vaults; pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from solders.pubkey import Pubkey

from xorj.chain.transactions import Account
from xorj.primitives.ids import Address, Mint, Slot, Wallet
from xorj.vault import borsh
from xorj.vault.accounts import PROGRAM_ID, decode_policy, decode_vault, policy_address, vault_address

# With less than this deposited, the caps that are shares of deposits leave nothing to trade with.
DEPOSITED_MIN_RAW = 10_000_000


@dataclass(frozen=True, slots=True)
class ObservedVault:
    """`bot_expires_at` is block time with matured loosenings applied; `slot` is that of the reading."""

    address: Address
    owner: Wallet
    base_mint: Mint
    total_deposited_raw: int
    bot_authority: Wallet | None
    bot_epoch: int
    bot_expires_at: int
    is_active: bool
    is_paused: bool
    is_closed: bool
    slot: Slot

    def says_the_same(self, other: "ObservedVault") -> bool:
        return replace(self, slot=other.slot) == other


@dataclass(frozen=True, slots=True)
class NotThere:
    """No vault of the program at this address."""

    address: Address


def addresses(vault: Address) -> tuple[Address, Address]:
    """The accounts that `observe` needs: vault and policy."""
    return vault, Address(str(policy_address(Pubkey.from_string(vault))))


def address_of(owner: Wallet) -> Address:
    return Address(str(vault_address(Pubkey.from_string(owner))))


def observe(vault: Address, accounts: Sequence[Account | None], *, now_unix: int) -> ObservedVault | NotThere:
    """Reads the accounts of `addresses(vault)`."""
    account, policy_account = accounts
    if account is None or policy_account is None or {account.owner, policy_account.owner} != {str(PROGRAM_ID)}:
        return NotThere(vault)
    try:
        state, policy = decode_vault(account.data), decode_policy(policy_account.data)
    except borsh.Malformed:
        return NotThere(vault)
    return ObservedVault(
        address=vault,
        owner=Wallet(str(state.owner)),
        base_mint=Mint(str(policy.base_mint)),
        total_deposited_raw=state.total_deposited,
        bot_authority=Wallet(str(state.bot_authority)) if state.bot_authority else None,
        bot_epoch=policy.bot_epoch,
        bot_expires_at=policy.limits(now_unix).bot_expires_at,
        is_active=state.is_active,
        is_paused=policy.paused,
        is_closed=False,
        slot=account.slot,
    )


def closed(before: ObservedVault, slot: Slot) -> ObservedVault:
    """What remains of a vault whose account is gone."""
    return replace(before, bot_authority=None, is_active=False, is_closed=True, slot=slot)


def end_of_copying(vault: ObservedVault, before: ObservedVault | None, *, bot: Wallet, now_unix: int) -> str | None:
    """Why nothing can be copied into this vault any more; None while it can. `before` is what was known until now."""
    withdrawn = before is not None and vault.total_deposited_raw < min(DEPOSITED_MIN_RAW, before.total_deposited_raw)
    facts = [
        (vault.is_closed, "vault closed"),
        (not vault.is_active, "vault deactivated"),
        (vault.bot_authority is None, "bot authority revoked"),
        (vault.bot_authority not in (None, bot), "bot authority given to another key"),
        (vault.is_paused, "vault paused"),
        (now_unix >= vault.bot_expires_at, "bot authority expired"),
        (withdrawn, "withdrawn below the minimum"),
    ]
    return next((reason for holds, reason in facts if holds), None)
