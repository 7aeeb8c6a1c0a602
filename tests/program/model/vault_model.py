"""A reference model of the vault program in plain Python: what DESIGN says the chain must do, one method an instruction.

It knows people, mints and accounts by name, keeps every booking for ever, and does nothing cleverly. `machine.py` runs it beside the real
program and compares everything after every step. The order of refusals is the order in docs/vault-program.md.
"""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

HOUR = 3_600
DAY = 24 * HOUR
CEILING = 1_000_000_000
BOT_LIFETIME = 30 * DAY
ROUTER_DELAY = DAY
DELAY_MIN, DELAY_MAX = HOUR, 90 * DAY
SLOTS = 16
BUCKETS = 25
NONCE_WINDOW, NONCE_REACH = 256, 512
DEADLINE_SLOTS = 512
ROUTE_ACCOUNTS_MAX = 50
U64_MAX, I64_MAX = 2**64 - 1, 2**63 - 1
ALLOWLIST, ANY = 0, 1
SINCE_EVER = 1
NOBODY = "nobody"
BASE = "usdc"
TOKEN_2022_MINTS = {"t22"}
LARGEST = {
    "spend_per_trade": U64_MAX,
    "spend_per_day": U64_MAX,
    "loss_per_day": U64_MAX,
    "spend_per_trade_bps": 10_000,
    "spend_per_day_bps": 10_000,
    "loss_per_day_bps": 10_000,
    "bot_expires_at": I64_MAX,
    "mint_mode": ANY,
}
DEFAULTS = {
    "spend_per_trade": CEILING // 10,
    "spend_per_day": CEILING // 2,
    "loss_per_day": CEILING // 5,
    "spend_per_trade_bps": 1_000,
    "spend_per_day_bps": 5_000,
    "loss_per_day_bps": 2_000,
    "bot_expires_at": 0,
    "mint_mode": ALLOWLIST,
}


class Refused(Exception):
    """The instruction fails with this error, and nothing has happened."""


def refuse_if(condition: bool, error: str) -> None:
    if condition:
        raise Refused(error)


@dataclass
class Position:
    """One of the 16 slots: a mint, since when it is listed (0: it is not), what trades bought of it and for how much."""

    mint: str
    listed_from: int = 0
    units: int = 0
    cost: int = 0


@dataclass
class Booking:
    """What one trade spent or lost: the hour it is counted in, and the time it happened at."""

    hour: int
    at: int
    amount: int


@dataclass
class Vault:
    """A vault and its policy."""

    owner: str
    created_at: int
    loosening_delay: int
    lamports: int
    policy_lamports: int
    total_deposited: int = 0
    bot: str | None = None
    is_active: bool = True
    is_paused: bool = False
    was_granted: bool = False
    epoch: int = 0
    nonce_base: int = 0
    nonces_used: set[int] = field(default_factory=set)
    limits: dict[str, int] = field(default_factory=DEFAULTS.copy)
    loosenings: dict[str, tuple[int, int]] = field(default_factory=dict)
    newest_hour: int = 0
    spent: list[Booking] = field(default_factory=list)
    lost: list[Booking] = field(default_factory=list)
    slots: list[Position | None] = field(default_factory=lambda: [None] * SLOTS)

    def position(self, mint: str) -> Position | None:
        return next((slot for slot in self.slots if slot is not None and slot.mint == mint), None)

    def take_slot(self, mint: str) -> Position:
        if (held := self.position(mint)) is not None:
            return held
        refuse_if(None not in self.slots, "NoFreeSlot")
        place = self.slots.index(None)
        self.slots[place] = fresh = Position(mint)
        return fresh

    def give_unused_slots_back(self) -> None:
        self.slots = [slot if slot and (slot.units or slot.listed_from) else None for slot in self.slots]

    def mature(self, now: int) -> None:
        for name, (at, value) in list(self.loosenings.items()):
            if now >= at:
                self.limits[name] = value
                del self.loosenings[name]

    def in_day(self, bookings: list[Booking]) -> int:
        """The current hour and the 24 before it."""
        return sum(booking.amount for booking in bookings if booking.hour > self.newest_hour - BUCKETS)

    def cap(self, name: str, basis: int) -> int:
        return min(self.limits[name], basis * self.limits[f"{name}_bps"] // 10_000)

    def loss_basis(self) -> int:
        return max(self.total_deposited, sum(slot.cost for slot in self.slots if slot))

    def may_be_bought(self, mint: str, now: int) -> bool:
        position = self.position(mint)
        return position is not None and position.listed_from != 0 and now >= position.listed_from


@dataclass
class Config:
    admin: str
    guardian: str
    vault_cap: int
    loosening_delay: int
    pending_admin: str = NOBODY
    is_paused: bool = False
    router_enabled: bool = True
    router_enabled_from: int | None = None

    def admits_router(self, now: int) -> bool:
        return self.router_enabled or (self.router_enabled_from is not None and now >= self.router_enabled_from)


@dataclass
class TokenAccount:
    amount: int
    is_frozen: bool = False
    delegate: bool = False
    lamports: int = 0


@dataclass(frozen=True)
class Guard:
    nonce: int
    epoch: int
    deadline: int


@dataclass(frozen=True)
class Route:
    """What the router does: takes of the input, pays of the output, and one deed more. `shape` is how its call differs from a good one,
    `stowaway` what is handed to it that must not be."""

    take: int
    pay: int
    deed: str = ""
    shape: str = ""
    stowaway: str = ""


@dataclass(frozen=True)
class Trade:
    signer: str
    owner: str
    policy_of: str
    input_mint: str
    output_mint: str
    amount_in: int
    minimum: int
    guard: Guard
    route: Route
    router: str = "jupiter"


# What a route of another shape than allowed is refused with.
SHAPES = {
    "exact out": "RouteNotAllowed",
    "v1": "RouteNotAllowed",
    "short": "RouteDataMalformed",
    "long": "RouteDataMalformed",
    "empty": "RouteDataMalformed",
    "another amount": "RouteAmountMismatch",
    "platform fee": "RouteDataMalformed",
    "positive slippage": "RouteDataMalformed",
    "no steps": "RouteDataMalformed",
    "few accounts": "AccountNotEnoughKeys",
    "other destination": "RouteDataMalformed",
    "other authority": "RouteDataMalformed",
}
STOWAWAYS = ("bot", "owner", "vault", "policy", "vault token", "51 accounts")
TAMPERINGS = ("approve", "give away", "close authority", "close", "drain another", "take lamports")


@dataclass
class World:
    """Everything the program can change, and the clock."""

    slot: int
    now: int
    config: Config | None = None
    vaults: dict[str, Vault] = field(default_factory=dict)
    tokens: dict[tuple[str, str], TokenAccount] = field(default_factory=dict)
    # Of addresses that no account of the program stands at (vault, policy), and of owners and trade authorities.
    lamports: dict[str, int] = field(default_factory=dict)


def vault_of(owner: str) -> str:
    return f"{owner}'s vault"


def policy_of(owner: str) -> str:
    return f"{owner}'s policy"


def trade_authority_of(owner: str) -> str:
    return f"{owner}'s trade authority"


def till_of(owner: str) -> str:
    """Where a stranger's router pays this vault's trades from."""
    return f"{owner}'s till"


class Model:
    """The program, as it should be. Every instruction raises Refused, or changes `world`."""

    def __init__(self, world: World, rent: Callable[[str], int]) -> None:
        self.world = world
        self.rent = rent

    def attempt(self, instruction: Callable[[], None]) -> str | None:
        """None, or the error, and then the world is as before."""
        before = pickle.dumps(self.world)
        try:
            instruction()
        except Refused as refusal:
            self.world = pickle.loads(before)
            return str(refusal)
        return None

    # Config

    def initialize_config(self, authority: str, guardian: str, cap: int, delay: int) -> None:
        refuse_if(authority != "admin", "NotUpgradeAuthority")
        refuse_if(self.world.config is not None, "AccountDiscriminatorAlreadySet")
        check_config(cap, delay)
        self.world.config = Config("admin", guardian, cap, delay)

    def update_config(self, authority: str, changes: dict[str, object]) -> None:
        config = self.config
        if authority != config.admin:
            refuse_if(authority != config.guardian, "ConstraintHasOne")
            refuse_if(changes != {"paused": True}, "Unauthorized")
        check_config(int(str(changes.get("vault_cap", 0))), int(str(changes.get("loosening_delay_s", DELAY_MIN))))
        refuse_if(int(str(changes.get("routers", 0))) > 1, "PolicyValueInvalid")
        for name, value in changes.items():
            if name == "routers":
                self._enable_router(bool(value))
            else:
                setattr(config, {"paused": "is_paused", "loosening_delay_s": "loosening_delay"}.get(name, name), value)

    def _enable_router(self, wanted: bool) -> None:
        """Off at once; on after a day, and asking again does not restart that."""
        config = self.config
        if config.admits_router(self.world.now):
            config.router_enabled, config.router_enabled_from = wanted, None
        elif not wanted:
            config.router_enabled_from = None
        elif config.router_enabled_from is None:
            config.router_enabled_from = self.world.now + ROUTER_DELAY

    def accept_admin(self, authority: str) -> None:
        refuse_if(authority != self.config.pending_admin, "ConstraintHasOne")
        self.config.admin, self.config.pending_admin = authority, NOBODY

    # The owner

    def initialize_vault(self, signer: str, address_of: str) -> None:
        config = self.config
        refuse_if(signer != address_of, "ConstraintSeeds")
        refuse_if(signer in self.world.vaults, "AccountDiscriminatorAlreadySet")
        stakes = [max(self.world.lamports.get(address, 0), self.rent(kind)) for address, kind in self._places(signer)]
        for (address, _), stake in zip(self._places(signer), stakes, strict=True):
            self.world.lamports[signer] -= stake - self.world.lamports.pop(address, 0)
        self.world.vaults[signer] = Vault(signer, self.world.now, config.loosening_delay, *stakes)

    def _places(self, owner: str) -> list[tuple[str, str]]:
        return [(vault_of(owner), "vault"), (policy_of(owner), "policy")]

    def deposit(self, signer: str, owner: str, policy: str, mint: str, amount: int) -> None:
        vault = self.owned(signer, owner, policy)
        config = self.config
        refuse_if(not vault.is_active, "VaultInactive")
        refuse_if(config.is_paused, "ProgramPaused")
        refuse_if(amount == 0, "InvalidAmount")
        refuse_if(mint != BASE, "InvalidMint")
        self.untampered(vault_of(owner), mint)
        self.account(owner, mint)
        refuse_if(vault.total_deposited + amount > U64_MAX, "MathOverflow")
        refuse_if(vault.total_deposited + amount > min(config.vault_cap, CEILING), "DepositCapExceeded")
        self.move(owner, vault_of(owner), mint, amount)
        vault.total_deposited += amount

    def withdraw(self, signer: str, owner: str, policy: str, mint: str, amount: int) -> None:
        vault = self.owned(signer, owner, policy)
        refuse_if(amount == 0, "InvalidAmount")
        held = self.account(vault_of(owner), mint)
        self.account(owner, mint)
        refuse_if(amount > held.amount, "InsufficientVaultBalance")
        self.move(vault_of(owner), owner, mint, amount)
        if mint == BASE:
            vault.total_deposited -= min(amount, vault.total_deposited)
        elif (position := vault.position(mint)) is not None and position.units:
            # Units that came by transfer go first.
            gone = min(amount, max(0, position.units - held.amount))
            gone_cost = floor(Fraction(position.cost * gone, position.units))
            position.units, position.cost = position.units - gone, position.cost - gone_cost
            vault.give_unused_slots_back()

    def grant(self, signer: str, owner: str, policy: str, bot: str) -> None:
        vault = self.owned(signer, owner, policy)
        refuse_if(not vault.is_active, "VaultInactive")
        refuse_if(vault.bot is not None, "BotAuthorityAlreadySet")
        own = (NOBODY, owner, vault_of(owner), policy_of(owner), trade_authority_of(owner))
        refuse_if(bot in own, "InvalidBotAuthority")
        vault.mature(self.world.now)
        if vault.limits["bot_expires_at"] <= self.world.now:
            vault.limits["bot_expires_at"] = self.world.now + BOT_LIFETIME
        vault.bot, vault.epoch, vault.was_granted = bot, self.world.slot, True

    def revoke(self, signer: str, owner: str, policy: str) -> None:
        vault = self.owned(signer, owner, policy)
        refuse_if(vault.bot is None, "BotAuthorityNotSet")
        self._clear_bot(vault)

    def deactivate(self, signer: str, owner: str, policy: str) -> None:
        vault = self.owned(signer, owner, policy)
        refuse_if(not vault.is_active, "VaultAlreadyInactive")
        vault.is_active = False
        if vault.bot is not None:
            self._clear_bot(vault)

    def _clear_bot(self, vault: Vault) -> None:
        vault.bot = None
        vault.limits["bot_expires_at"] = 0
        vault.loosenings.pop("bot_expires_at", None)

    def resume(self, signer: str, owner: str, policy: str) -> None:
        self.owned(signer, owner, policy).is_paused = False

    def close_vault(self, signer: str, owner: str, policy: str) -> None:
        vault = self.owned(signer, owner, policy)
        refuse_if(vault.bot is not None, "VaultNotClosable")
        self.world.lamports[owner] += vault.lamports + vault.policy_lamports
        del self.world.vaults[owner]

    def set_policy(self, signer: str, owner: str, policy: str, limits: dict[str, int], pin: list[str], unpin: list[str]) -> None:
        vault = self.owned(signer, owner, policy)
        now = self.world.now
        vault.mature(now)
        acts_at_once = not vault.was_granted or vault.limits["mint_mode"] == ANY
        for name, value in limits.items():
            refuse_if(not 0 <= value <= LARGEST[name] or (name == "bot_expires_at" and value == 0), "PolicyValueInvalid")
            self._change(vault, name, value)
        refuse_if(len(pin) > SLOTS or len(unpin) > SLOTS, "PolicyValueInvalid")
        for mint in unpin:
            if (position := vault.position(mint)) is not None:
                position.listed_from = 0
        vault.give_unused_slots_back()
        for mint in pin:
            refuse_if(mint in (BASE, NOBODY) or mint in unpin, "PolicyValueInvalid")
            position = vault.take_slot(mint)
            if not vault.may_be_bought(mint, now):
                position.listed_from = SINCE_EVER if acts_at_once else now + vault.loosening_delay

    def _change(self, vault: Vault, name: str, value: int) -> None:
        in_force = vault.limits[name]
        if name == "bot_expires_at" and in_force == 0:
            in_force = self.world.now + BOT_LIFETIME
        if vault.was_granted and value > in_force:
            vault.loosenings[name] = (self.world.now + vault.loosening_delay, value)
        else:
            vault.loosenings.pop(name, None)
            vault.limits[name] = value

    def recover(self, signer: str, owner: str, mint: str) -> None:
        self.vault(owner)
        refuse_if(signer != owner, "ConstraintHasOne")
        trade = trade_authority_of(owner)
        left = self.account(trade, mint)
        self.account(vault_of(owner), mint)
        left.delegate = False
        if left.amount:
            self.move(trade, vault_of(owner), mint, left.amount)
        self.world.lamports[owner] += self.world.lamports.get(trade, 0)
        self.world.lamports[trade] = 0

    def close_token_account(self, signer: str, owner: str, holder: str, mint: str) -> None:
        self.vault(owner)
        refuse_if(signer != owner, "ConstraintHasOne")
        account = self.account(holder, mint)
        refuse_if(account.amount != 0, "InvalidAmount")
        refuse_if(holder not in (vault_of(owner), trade_authority_of(owner)), "ConstraintSeeds")
        self.world.lamports[owner] += account.lamports
        del self.world.tokens[holder, mint]

    # Owner or bot

    def pause(self, signer: str, owner: str, policy: str) -> None:
        vault = self.vault(owner)
        self._policy(owner, policy)
        refuse_if(signer not in (vault.owner, vault.bot), "Unauthorized")
        vault.is_paused = True

    def burn_nonce(self, signer: str, owner: str, policy: str, guard: Guard) -> None:
        vault = self.vault(owner)
        self._policy(owner, policy)
        refuse_if(signer not in (vault.owner, vault.bot), "Unauthorized")
        refuse_if(signer == vault.bot and self.world.slot <= vault.epoch, "EpochTooYoung")
        self._use(vault, guard)

    def _use(self, vault: Vault, guard: Guard) -> None:
        refuse_if(guard.epoch != vault.epoch, "BotEpochMismatch")
        refuse_if(not self.world.slot <= guard.deadline <= self.world.slot + DEADLINE_SLOTS, "DeadlinePassed")
        refuse_if(guard.nonce < vault.nonce_base, "NonceTooOld")
        refuse_if(guard.nonce >= vault.nonce_base + NONCE_REACH, "NonceTooFar")
        refuse_if(guard.nonce in vault.nonces_used, "NonceUsed")
        vault.nonces_used.add(guard.nonce)
        vault.nonce_base = max(vault.nonce_base, guard.nonce - (NONCE_WINDOW - 1))

    # The bot

    def bot_trade(self, trade: Trade) -> None:
        vault, config, now = self.vault(trade.owner), self.config, self.world.now
        self._policy(trade.owner, trade.policy_of)
        refuse_if(not vault.is_active, "VaultInactive")
        refuse_if(vault.bot is None, "BotAuthorityNotSet")
        refuse_if(trade.signer != vault.bot, "BotAuthorityMismatch")
        vault.mature(now)
        refuse_if(vault.is_paused, "VaultPaused")
        refuse_if(config.is_paused, "ProgramPaused")
        refuse_if(now >= vault.limits["bot_expires_at"], "BotExpired")
        refuse_if(self.world.slot <= vault.epoch, "EpochTooYoung")
        self._use(vault, trade.guard)
        refuse_if(trade.amount_in == 0, "InvalidAmount")
        refuse_if(trade.minimum == 0, "ZeroMinimumOut")
        refuse_if(trade.router != "jupiter" or not config.admits_router(now), "RouterNotAllowed")
        self._check_mints_and_accounts(trade)
        refuse_if(trade.route.shape in SHAPES, SHAPES.get(trade.route.shape, ""))
        refuse_if(trade.route.stowaway in STOWAWAYS, "ForbiddenRemainingAccount")

        vault.newest_hour = max(vault.newest_hour, now // HOUR)
        if trade.input_mint == BASE:
            refuse_if(trade.amount_in > vault.cap("spend_per_trade", vault.total_deposited), "TradeLimitExceeded")
            vault.spent.append(Booking(vault.newest_hour, now, trade.amount_in))
            refuse_if(vault.in_day(vault.spent) > vault.cap("spend_per_day", vault.total_deposited), "SpendLimitExceeded")
            if vault.limits["mint_mode"] == ALLOWLIST:
                refuse_if(not vault.may_be_bought(trade.output_mint, now), "MintNotAllowed")
            position = vault.take_slot(trade.output_mint)
            taken, paid = self._swap(trade)
            position.units, position.cost = position.units + paid, position.cost + taken
        else:
            self._sell(vault, trade)

    def _check_mints_and_accounts(self, trade: Trade) -> None:
        mints = (trade.input_mint, trade.output_mint)
        refuse_if(mints[0] == mints[1], "SameMint")
        refuse_if(bool(TOKEN_2022_MINTS & set(mints)), "UnsupportedTokenProgram")
        refuse_if(BASE not in mints, "BaseLegRequired")
        for holder in (vault_of(trade.owner), trade_authority_of(trade.owner)):
            for mint in mints:
                self.untampered(holder, mint)

    def _sell(self, vault: Vault, trade: Trade) -> None:
        position = vault.position(trade.input_mint)
        is_held = position is not None and position.units > 0
        is_open = vault.limits["mint_mode"] == ANY or vault.may_be_bought(trade.input_mint, self.world.now)
        refuse_if(not is_held and not is_open, "MintNotAllowed")
        basis = vault.loss_basis()
        taken, paid = self._swap(trade)
        if position is None or not is_held:
            return
        sold = min(taken, position.units)
        cost = ceil(Fraction(position.cost * sold, position.units))
        position.units, position.cost = position.units - sold, position.cost - cost
        vault.give_unused_slots_back()
        if cost > paid:
            vault.lost.append(Booking(vault.newest_hour, self.world.now, cost - paid))
            refuse_if(vault.in_day(vault.lost) > vault.cap("loss_per_day", basis), "LossLimitExceeded")

    def _swap(self, trade: Trade) -> tuple[int, int]:
        """What the vault gave and what it got."""
        vault, authority = vault_of(trade.owner), trade_authority_of(trade.owner)
        source, target = trade.input_mint, trade.output_mint
        self._sweep(authority, vault, source, target)
        refuse_if(self.account(vault, source).amount < trade.amount_in, "InsufficientVaultBalance")
        before = self.account(vault, source).amount, self.account(vault, target).amount
        self.move(vault, authority, source, trade.amount_in)
        self._route(trade)
        self._sweep(authority, vault, source, target)
        taken, paid = before[0] - self.account(vault, source).amount, self.account(vault, target).amount - before[1]
        refuse_if(paid < trade.minimum, "SlippageExceeded")
        return max(0, taken), paid

    def _sweep(self, source: str, target: str, *mints: str) -> None:
        for mint in mints:
            if self.account(source, mint).amount:
                self.move(source, target, mint, self.account(source, mint).amount)

    def _route(self, trade: Trade) -> None:
        """The router is hostile and has the trade authority's signature."""
        authority, route = trade_authority_of(trade.owner), trade.route
        self.move(authority, "loot", trade.input_mint, route.take)
        self.move(till_of(trade.owner), authority, trade.output_mint, route.pay)
        if route.deed == "give input back":
            self.move(till_of(trade.owner), authority, trade.input_mint, route.pay)
        elif route.deed == "close":
            refuse_if(self.account(authority, trade.input_mint).amount != 0, "Custom(11)")
            refuse_if(True, "VaultAccountTampered")
        elif route.deed == "drain another":
            refuse_if((authority, "dog") not in self.world.tokens, "InvalidAccountData")
            there = self.account(authority, "dog").amount
            self.move(authority, "loot", "dog", there)
            refuse_if(there > 0, "VaultAccountTampered")
        elif route.deed == "take lamports":
            refuse_if(self.world.lamports.get(authority, 0) > 0, "VaultAccountTampered")
        else:
            refuse_if(route.deed in TAMPERINGS, "VaultAccountTampered")

    # What every instruction looks at

    @property
    def config(self) -> Config:
        assert self.world.config is not None
        return self.world.config

    def vault(self, owner: str) -> Vault:
        if owner not in self.world.vaults:
            raise Refused(self._absent(vault_of(owner)))
        return self.world.vaults[owner]

    def _absent(self, address: str) -> str:
        return "AccountOwnedByWrongProgram" if self.world.lamports.get(address, 0) else "AccountNotInitialized"

    def _policy(self, owner: str, policy: str) -> None:
        if policy not in self.world.vaults:
            raise Refused(self._absent(policy_of(policy)))
        refuse_if(policy != owner, "ConstraintHasOne")

    def owned(self, signer: str, owner: str, policy: str) -> Vault:
        vault = self.vault(owner)
        refuse_if(signer != owner, "ConstraintHasOne")
        self._policy(owner, policy)
        return vault

    def account(self, holder: str, mint: str) -> TokenAccount:
        refuse_if((holder, mint) not in self.world.tokens, "InvalidTokenAccount")
        return self.world.tokens[holder, mint]

    def untampered(self, holder: str, mint: str) -> None:
        refuse_if(self.account(holder, mint).delegate, "VaultAccountTampered")

    def move(self, source: str, target: str, mint: str, amount: int) -> None:
        """A transfer by the token program, with its own refusals."""
        giver, taker = self.account(source, mint), self.account(target, mint)
        refuse_if(giver.is_frozen or taker.is_frozen, "Custom(17)")
        refuse_if(giver.amount < amount, "Custom(1)")
        giver.amount, taker.amount = giver.amount - amount, taker.amount + amount


def check_config(cap: int, delay: int) -> None:
    refuse_if(cap > CEILING, "DepositCapExceeded")
    refuse_if(not DELAY_MIN <= delay <= DELAY_MAX, "PolicyValueInvalid")
