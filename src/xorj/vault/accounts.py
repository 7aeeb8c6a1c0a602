"""The vault program's accounts: addresses and decoded state. Used by whoever reads a vault: bot, signer, follower of the chain, pages.

Amounts are raw base units. Layouts are declared in `interface`; VaultPolicy has a fixed size, so its offsets are `POLICY_OFFSETS`.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from solders.pubkey import Pubkey

from xorj.vault import borsh
from xorj.vault.interface import (
    ACCOUNTS,
    BUCKET_SECONDS,
    DEPOSIT_CEILING_RAW,
    LIMITS,
    NONCE_REACH,
    NONCE_WINDOW,
    PROGRAM,
    WINDOW_BUCKETS,
    Structure,
)

PROGRAM_ID = Pubkey.from_string(PROGRAM)
TOKEN_PROGRAM = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022_PROGRAM = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ASSOCIATED_TOKEN_PROGRAM = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
NO_KEY = Pubkey.default()

VAULT_BYTES = 91
ALLOWLIST, ANY_MINT = 0, 1
_BY_NAME = {structure.name: structure for structure in ACCOUNTS}


def _offsets(structure: Structure) -> dict[str, int]:
    offsets, at = {}, 8
    for field in structure.fields:
        offsets[field.name] = at
        at += borsh.size_of(field.type)
    return offsets | {"end": at}


POLICY_OFFSETS = _offsets(_BY_NAME["VaultPolicy"])
CONFIG_OFFSETS = _offsets(_BY_NAME["Config"])
POLICY_BYTES = POLICY_OFFSETS["end"]
CONFIG_BYTES = CONFIG_OFFSETS["end"]


@lru_cache(maxsize=65_536)
def vault_address(owner: Pubkey) -> Pubkey:
    """Where the vault of `owner` is."""
    return Pubkey.find_program_address([b"vault", bytes(owner)], PROGRAM_ID)[0]


@lru_cache(maxsize=65_536)
def policy_address(vault: Pubkey) -> Pubkey:
    return Pubkey.find_program_address([b"policy", bytes(vault)], PROGRAM_ID)[0]


@lru_cache(maxsize=65_536)
def trade_authority_address(vault: Pubkey) -> Pubkey:
    """Owns the token accounts that a trade passes through; holds no data."""
    return Pubkey.find_program_address([b"trade", bytes(vault)], PROGRAM_ID)[0]


@lru_cache(maxsize=1)
def config_address() -> Pubkey:
    return Pubkey.find_program_address([b"config"], PROGRAM_ID)[0]


@lru_cache(maxsize=1)
def event_authority_address() -> Pubkey:
    """Signs the program's call to itself that carries an event."""
    return Pubkey.find_program_address([b"__event_authority"], PROGRAM_ID)[0]


@lru_cache(maxsize=65_536)
def token_account_address(owner: Pubkey, mint: Pubkey, token_program: Pubkey = TOKEN_PROGRAM) -> Pubkey:
    """The associated token account. The program accepts any token account of the right owner and mint; we use this one."""
    return Pubkey.find_program_address([bytes(owner), bytes(token_program), bytes(mint)], ASSOCIATED_TOKEN_PROGRAM)[0]


@dataclass(frozen=True, slots=True)
class VaultAccount:
    owner: Pubkey
    total_deposited: int
    bot_authority: Pubkey | None
    is_active: bool
    created_at: int
    bump: int


@dataclass(frozen=True, slots=True)
class PositionSlot:
    """One mint of the policy. `pinned_from` is the block time from which the allowlist admits buys; 0: not pinned."""

    mint: Pubkey
    pinned_from: int
    units: int
    base_cost: int

    @property
    def is_free(self) -> bool:
        return self.mint == NO_KEY

    def is_pinned(self, now: int) -> bool:
        return self.pinned_from != 0 and now >= self.pinned_from


@dataclass(frozen=True, slots=True)
class Pending:
    """A loosening that counts from block time `effective_at`."""

    effective_at: int
    value: int


class NonceState(StrEnum):
    """What the vault would say to a nonce now. TOO_OLD means it can never land any more, not that it did not land."""

    FREE = "free"
    USED = "used"
    TOO_OLD = "too old"
    TOO_FAR = "too far"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits in force at one moment, with matured loosenings applied."""

    spend_per_trade: int
    spend_per_day: int
    loss_per_day: int
    spend_per_trade_bps: int
    spend_per_day_bps: int
    loss_per_day_bps: int
    bot_expires_at: int
    mint_mode: int

    def trade_cap(self, total_deposited: int) -> int:
        """The most base units one buy may spend."""
        return min(self.spend_per_trade, self.spend_per_trade_bps * total_deposited // 10_000)

    def day_cap(self, total_deposited: int) -> int:
        """The most base units the buys of the rolling day may spend."""
        return min(self.spend_per_day, self.spend_per_day_bps * total_deposited // 10_000)

    def loss_cap(self, basis: int) -> int:
        """The most base units the sales of the rolling day may lose; `basis` is VaultPolicy.loss_basis."""
        return min(self.loss_per_day, self.loss_per_day_bps * basis // 10_000)


@dataclass(frozen=True, slots=True)
class VaultPolicy:
    version: int
    vault: Pubkey
    base_mint: Pubkey
    trade_authority: Pubkey
    bump: int
    trade_authority_bump: int
    paused: bool
    was_granted: bool
    bot_epoch: int
    nonce_base: int
    nonce_bitmap: int
    stored: Limits
    window_hour: int
    spend_buckets: tuple[int, ...]
    loss_buckets: tuple[int, ...]
    slots: tuple[PositionSlot, ...]
    pending: dict[str, Pending]
    loosening_delay: int

    def limits(self, now: int) -> Limits:
        """The limits at block time `now`."""
        matured = {name: pending.value for name, pending in self.pending.items() if now >= pending.effective_at}
        return Limits(**{name: matured.get(name, getattr(self.stored, name)) for name, _ in LIMITS})

    def nonce_state(self, nonce: int) -> NonceState:
        ahead = nonce - self.nonce_base
        if ahead < 0:
            return NonceState.TOO_OLD
        if ahead >= NONCE_REACH:
            return NonceState.TOO_FAR
        return NonceState.USED if ahead < NONCE_WINDOW and self.nonce_bitmap >> ahead & 1 else NonceState.FREE

    def next_nonce(self) -> int:
        """The lowest nonce above every used one, so that no later nonce can push it out of the window unseen."""
        return self.nonce_base + self.nonce_bitmap.bit_length()

    def spent_in_day(self, now: int) -> int:
        return self._in_window(self.spend_buckets, now)

    def lost_in_day(self, now: int) -> int:
        return self._in_window(self.loss_buckets, now)

    def slot_of(self, mint: Pubkey) -> PositionSlot | None:
        return next((slot for slot in self.slots if slot.mint == mint and not slot.is_free), None)

    def may_buy(self, mint: Pubkey, now: int) -> bool:
        """Whether list and slots admit a buy of `mint`."""
        slot = self.slot_of(mint)
        if self.limits(now).mint_mode == ANY_MINT:
            return slot is not None or any(slot.is_free for slot in self.slots)
        return slot is not None and slot.is_pinned(now)

    def loss_basis(self, total_deposited: int) -> int:
        """What the loss cap's share counts: the larger of deposits and the cost of all that is held."""
        return max(total_deposited, sum(slot.base_cost for slot in self.slots))

    def spend_left(self, total_deposited: int, now: int) -> int:
        """The most one buy may spend now: what is left of the day, under the cap of a trade."""
        limits = self.limits(now)
        return max(0, min(limits.trade_cap(total_deposited), limits.day_cap(total_deposited) - self.spent_in_day(now)))

    def _in_window(self, buckets: tuple[int, ...], now: int) -> int:
        hour = max(now // BUCKET_SECONDS, self.window_hour, 0)
        kept = range(max(hour - WINDOW_BUCKETS + 1, self.window_hour - WINDOW_BUCKETS + 1, 0), self.window_hour + 1)
        return sum(buckets[h % WINDOW_BUCKETS] for h in kept)


@dataclass(frozen=True, slots=True)
class Config:
    version: int
    bump: int
    paused: bool
    routers: int
    pending_routers: int
    routers_effective_at: int
    admin: Pubkey
    pending_admin: Pubkey | None
    guardian: Pubkey
    base_mint: Pubkey
    vault_cap: int
    loosening_delay: int

    @property
    def deposit_cap(self) -> int:
        """The cap that counts: the configured one, never above the compiled ceiling."""
        return min(self.vault_cap, DEPOSIT_CEILING_RAW)


def decode_vault(data: bytes) -> VaultAccount:
    """Raises borsh.Malformed when these are not the bytes of a vault."""
    return VaultAccount(**_decoded("VaultAccount", data))


def decode_policy(data: bytes) -> VaultPolicy:
    """Raises borsh.Malformed when these are not the bytes of a policy."""
    values = _decoded("VaultPolicy", data)
    names = [name for name, _ in LIMITS]
    pendings = {name: Pending(**values.pop(f"pending_{name}")) for name in names}
    stored = Limits(**{name: values.pop(name) for name in names})
    del values["reserved"]
    return VaultPolicy(
        **values
        | {
            "stored": stored,
            "pending": {name: pending for name, pending in pendings.items() if pending.effective_at},
            "nonce_bitmap": int.from_bytes(bytes(values["nonce_bitmap"]), "little"),
            "spend_buckets": tuple(values["spend_buckets"]),
            "loss_buckets": tuple(values["loss_buckets"]),
            "slots": tuple(PositionSlot(**slot) for slot in values["slots"]),
        }
    )


def decode_config(data: bytes) -> Config:
    """Raises borsh.Malformed when these are not the bytes of the config."""
    values = _decoded("Config", data)
    del values["reserved"]
    pending = values["pending_admin"]
    return Config(**values | {"pending_admin": None if pending == NO_KEY else pending})


def _decoded(name: str, data: bytes) -> dict[str, Any]:
    structure = _BY_NAME[name]
    if data[:8] != structure.discriminator:
        raise borsh.Malformed(f"these bytes do not begin as a {name}")
    values, _ = borsh.decode(structure.fields, data[8:])
    return values
