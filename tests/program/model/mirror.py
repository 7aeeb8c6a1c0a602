"""What stands on the chain, decoded and held against the model. Used by `chain.py` after every step."""

from collections.abc import Mapping
from functools import lru_cache

from solders.pubkey import Pubkey
from solders.token.state import TokenAccountState
from tests.program.model.vault_model import (
    BASE,
    BUCKETS,
    NOBODY,
    NONCE_WINDOW,
    TOKEN_2022_MINTS,
    Booking,
    Config,
    TokenAccount,
    Vault,
    World,
    policy_of,
    trade_authority_of,
    vault_of,
)
from tests.program.vault_world import key

from xorj.vault import accounts

LAMPORTS, LENGTH, DATA = slice(0, 8), slice(8, 16), 16
AMOUNT, DELEGATE_TAG, STATE, CLOSE_AUTHORITY_TAG = slice(64, 72), slice(72, 76), 108, slice(129, 133)
FROZEN = int(TokenAccountState.Frozen)


@lru_cache
def mint_of(name: str) -> Pubkey:
    return accounts.NO_KEY if name == NOBODY else key(name).pubkey()


def token_program_of(mint: str) -> Pubkey:
    return accounts.TOKEN_2022_PROGRAM if mint in TOKEN_2022_MINTS else accounts.TOKEN_PROGRAM


@lru_cache
def _bump(*seeds: bytes) -> int:
    return int(Pubkey.find_program_address(list(seeds), accounts.PROGRAM_ID)[1])


FREE = accounts.PositionSlot(accounts.NO_KEY, 0, 0, 0)


class Mirror:
    """Remembers what it decoded, so that only accounts that changed are decoded again."""

    def __init__(self, addresses: Mapping[str, Pubkey]) -> None:
        self.addresses = addresses
        self.raw: dict[str, bytes | None] = {}
        self._decoded: dict[str, object] = {}

    def compare(self, raw: dict[str, bytes | None], world: World) -> None:
        """Raises AssertionError where chain and model differ."""
        for name, account in raw.items():
            if name not in self._decoded or account != self.raw.get(name):
                self._decoded[name] = self._decode(name, account)
        self.raw = raw
        expected = self._expected(world)
        for name, found in self._decoded.items():
            assert found == expected[name], f"{name}: the chain has {found}, the model {expected[name]}"

    def _decode(self, name: str, account: bytes | None) -> object:
        if account is None:
            return None if "/" in name else 0
        lamports, length = (int.from_bytes(account[part], "little") for part in (LAMPORTS, LENGTH))
        data = account[DATA : DATA + length]
        if "/" in name:
            return _token(data, lamports) if data else None
        if not data:
            return lamports
        if name == "config":
            return accounts.decode_config(data)
        if name.endswith("policy"):
            assert not any(data[accounts.POLICY_OFFSETS["reserved"] :]), "reserved bytes are zero"
            return accounts.decode_policy(data), lamports
        decoded = accounts.decode_vault(data)
        assert len(data) == accounts.VAULT_BYTES
        assert not any(data[91 if decoded.bot_authority else 59 :]), "the tail is zero"
        return decoded, lamports

    def _expected(self, world: World) -> dict[str, object]:
        expected: dict[str, object] = {name: world.lamports.get(name, 0) for name in self._decoded if "/" not in name}
        expected |= {name: None for name in self._decoded if "/" in name}
        expected |= {f"{holder}/{mint}": account for (holder, mint), account in world.tokens.items()}
        if world.config is not None:
            expected["config"] = self._config(world.config)
        for owner, vault in world.vaults.items():
            expected[vault_of(owner)] = self._vault(vault), vault.lamports
            expected[policy_of(owner)] = self._policy(vault), vault.policy_lamports
        return expected

    def _config(self, config: Config) -> accounts.Config:
        pending = config.pending_admin
        return accounts.Config(
            version=1,
            bump=_bump(b"config"),
            paused=config.is_paused,
            routers=int(config.router_enabled),
            pending_routers=int(config.router_enabled_from is not None),
            routers_effective_at=config.router_enabled_from or 0,
            admin=self.addresses[config.admin],
            pending_admin=None if pending == NOBODY else self.addresses[pending],
            guardian=self.addresses[config.guardian],
            base_mint=mint_of(BASE),
            vault_cap=config.vault_cap,
            loosening_delay=config.loosening_delay,
        )

    def _vault(self, vault: Vault) -> accounts.VaultAccount:
        owner = self.addresses[vault.owner]
        return accounts.VaultAccount(
            owner=owner,
            total_deposited=vault.total_deposited,
            bot_authority=self.addresses[vault.bot] if vault.bot else None,
            is_active=vault.is_active,
            created_at=vault.created_at,
            bump=_bump(b"vault", bytes(owner)),
        )

    def _policy(self, vault: Vault) -> accounts.VaultPolicy:
        address = self.addresses[vault_of(vault.owner)]
        bits = (1 << nonce - vault.nonce_base for nonce in vault.nonces_used if nonce >= vault.nonce_base)
        bitmap = sum(bits)
        assert bitmap < 1 << NONCE_WINDOW
        return accounts.VaultPolicy(
            version=1,
            vault=address,
            base_mint=mint_of(BASE),
            trade_authority=self.addresses[trade_authority_of(vault.owner)],
            bump=_bump(b"policy", bytes(address)),
            trade_authority_bump=_bump(b"trade", bytes(address)),
            paused=vault.is_paused,
            was_granted=vault.was_granted,
            bot_epoch=vault.epoch,
            nonce_base=vault.nonce_base,
            nonce_bitmap=bitmap,
            stored=accounts.Limits(**vault.limits),
            window_hour=vault.newest_hour,
            spend_buckets=_buckets(vault.spent, vault.newest_hour),
            loss_buckets=_buckets(vault.lost, vault.newest_hour),
            slots=tuple(
                accounts.PositionSlot(mint_of(slot.mint), slot.listed_from, slot.units, slot.cost) if slot else FREE for slot in vault.slots
            ),
            pending={name: accounts.Pending(at, value) for name, (at, value) in vault.loosenings.items()},
            loosening_delay=vault.loosening_delay,
        )


def _buckets(bookings: list[Booking], newest: int) -> tuple[int, ...]:
    """Hour modulo 25."""
    found = [0] * BUCKETS
    for booking in bookings:
        if booking.hour > newest - BUCKETS:
            found[booking.hour % BUCKETS] += booking.amount
    return tuple(found)


def _token(data: bytes, lamports: int) -> TokenAccount:
    assert not any(data[CLOSE_AUTHORITY_TAG]), "nobody may close an account here"
    has_delegate = any(data[DELEGATE_TAG])
    return TokenAccount(int.from_bytes(data[AMOUNT], "little"), data[STATE] == FROZEN, has_delegate, lamports)
