"""The vault program's interface, declared once. The codec, both IDL files and the vectors that the Rust tests read come from here.

Types are written as Anchor's IDL writes them: `u64`, `pubkey`, `bytes`, `{"option": t}`, `{"vec": t}`, `{"array": [t, n]}`,
`{"defined": {"name": n}}`. Order is the wire's and never changes; errors are never renumbered.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

PROGRAM = "5B8QtPsScaQsw392vnGnUaoiRQ8gy5LzzKdNeXe4qghR"
VERSION = "0.1.0"
ERROR_BASE = 6000

# Compiled into the program; the Rust tests compare.
DEPOSIT_CEILING_RAW = 1_000_000_000
POSITION_SLOTS = 16
WINDOW_BUCKETS = 25
BUCKET_SECONDS = 3_600
NONCE_WINDOW = 256
NONCE_REACH = 512
DEADLINE_SLOTS_MAX = 512
ROUTE_ACCOUNTS_MAX = 50
BOT_LIFETIME_SECONDS = 30 * 24 * 3_600
LOOSENING_DELAY_SECONDS_MIN = 3_600
LOOSENING_DELAY_SECONDS_MAX = 90 * 24 * 3_600
ROUTER_DELAY_SECONDS = 24 * 3_600
ROUTE_DATA_BYTES_MAX = 1_024

# As the IDL lists them and the Rust tests read them; names are the program's.
CONSTANTS: tuple[tuple[str, str, int], ...] = (
    ("DEPOSIT_CEILING", "u64", DEPOSIT_CEILING_RAW),
    ("POSITION_SLOTS", "u64", POSITION_SLOTS),
    ("WINDOW_BUCKETS", "u64", WINDOW_BUCKETS),
    ("BUCKET_SECONDS", "u64", BUCKET_SECONDS),
    ("NONCE_WINDOW", "u64", NONCE_WINDOW),
    ("NONCE_REACH", "u64", NONCE_REACH),
    ("DEADLINE_SLOTS_MAX", "u64", DEADLINE_SLOTS_MAX),
    ("ROUTE_ACCOUNTS_MAX", "u64", ROUTE_ACCOUNTS_MAX),
    ("BOT_LIFETIME_SECONDS", "i64", BOT_LIFETIME_SECONDS),
    ("LOOSENING_DELAY_SECONDS_MIN", "i64", LOOSENING_DELAY_SECONDS_MIN),
    ("LOOSENING_DELAY_SECONDS_MAX", "i64", LOOSENING_DELAY_SECONDS_MAX),
    ("ROUTER_DELAY_SECONDS", "i64", ROUTER_DELAY_SECONDS),
    ("ROUTE_DATA_BYTES_MAX", "u64", ROUTE_DATA_BYTES_MAX),
)

IdlType = str | dict[str, object]


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: IdlType
    doc: str = ""


@dataclass(frozen=True, slots=True)
class AccountRole:
    """One account of an instruction. `flags` holds s (signer) and w (writable)."""

    name: str
    flags: str = ""

    @property
    def is_signer(self) -> bool:
        return "s" in self.flags

    @property
    def is_writable(self) -> bool:
        return "w" in self.flags


@dataclass(frozen=True, slots=True)
class Interface:
    """An instruction: its accounts in order, its arguments in order."""

    name: str
    doc: str
    accounts: tuple[AccountRole, ...]
    arguments: tuple[Field, ...] = ()

    @property
    def discriminator(self) -> bytes:
        return discriminator("global", self.name)


@dataclass(frozen=True, slots=True)
class Structure:
    """An account, an event, or a struct inside one. `discriminator` is None for the last kind."""

    kind: Literal["account", "event", "type"]
    name: str
    doc: str
    fields: tuple[Field, ...]

    @property
    def discriminator(self) -> bytes | None:
        return None if self.kind == "type" else discriminator(self.kind, self.name)


def discriminator(space: str, name: str) -> bytes:
    """Anchor's: the first 8 bytes of sha256 over `space:name`."""
    return sha256(f"{space}:{name}".encode()).digest()[:8]


def _roles(text: str) -> tuple[AccountRole, ...]:
    """`owner:s vault:w config` to roles."""
    return tuple(AccountRole(*word.split(":")) for word in text.split())


def _fields(text: str) -> tuple[Field, ...]:
    """`amount u64, extra pubkey` to fields; a `?` after the type makes it an option, a `+` a vector."""
    return tuple(Field(*_field(part.split())) for part in text.split(",") if part.strip())


def _field(words: list[str]) -> tuple[str, IdlType]:
    name, kind = words
    if kind.endswith("?"):
        return name, {"option": kind[:-1]}
    return name, {"vec": kind[:-1]} if kind.endswith("+") else kind


GUARD: IdlType = {"defined": {"name": "TradeGuard"}}

INSTRUCTIONS: tuple[Interface, ...] = (
    Interface(
        "initialize_config",
        "Creates the one Config. Only the program's upgrade authority may; the base mint must be classic SPL with 6 decimals.",
        _roles("payer:sw upgrade_authority:s config:w base_mint program_data system_program"),
        _fields("admin pubkey, guardian pubkey, vault_cap u64, loosening_delay i64"),
    ),
    Interface(
        "update_config",
        "The admin changes any field; the guardian may only pause. A router switched off stops at once, switched on it waits 24 hours.",
        _roles("authority:s config:w"),
        _fields("pending_admin pubkey?, guardian pubkey?, vault_cap u64?, loosening_delay i64?, paused bool?, routers u8?"),
    ),
    Interface("accept_admin", "The pending admin becomes admin.", _roles("authority:s config:w")),
    Interface(
        "initialize_vault",
        "Creates the signer's vault and its policy with safe defaults.",
        _roles("owner:sw vault:w policy:w config system_program"),
    ),
    Interface(
        "deposit",
        "Base mint from the owner to the vault, under the cap; more than fits is refused, not clamped.",
        _roles("owner:s vault:w policy config owner_token:w vault_token:w base_mint token_program"),
        _fields("amount u64"),
    ),
    Interface(
        "withdraw",
        "Any mint from the vault to the owner, at any time. Accounts that a transfer hook needs may follow.",
        _roles("owner:s vault:w policy:w vault_token:w owner_token:w mint token_program"),
        _fields("amount u64"),
    ),
    Interface(
        "grant_bot_authority",
        "Lets one key trade. Never replaces a bot silently; the slot becomes the bot's epoch.",
        _roles("owner:s vault:w policy:w bot_authority"),
    ),
    Interface("revoke_bot_authority", "Takes the right to trade away.", _roles("owner:s vault:w policy:w")),
    Interface(
        "bot_trade",
        "One swap through an allowed router. The router's accounts follow in the router's order, at most 50.",
        _roles(
            "bot_authority:s vault policy:w config trade_authority vault_input:w vault_output:w trade_input:w trade_output:w"
            " input_mint output_mint token_program router_program event_authority program"
        ),
        (
            Field("amount_in", "u64"),
            Field("minimum_amount_out", "u64"),
            Field("route_data", "bytes"),
            Field("guard", GUARD),
        ),
    ),
    Interface("deactivate_vault", "Ends trading and deposits and clears the bot; withdrawals stay.", _roles("owner:s vault:w policy:w")),
    Interface(
        "set_policy",
        "Changes the fields that are given. Tightening acts at once, loosening after the delay; before the first grant all acts at once.",
        _roles("owner:s vault policy:w"),
        _fields(
            "spend_per_trade u64?, spend_per_day u64?, loss_per_day u64?, spend_per_trade_bps u16?, spend_per_day_bps u16?,"
            " loss_per_day_bps u16?, bot_expires_at i64?, mint_mode u8?, pin pubkey+, unpin pubkey+"
        ),
    ),
    Interface("pause_vault", "Stops trades of this vault. Bot or owner.", _roles("authority:s vault policy:w")),
    Interface("resume_vault", "Lets trades go on. Owner only.", _roles("owner:s vault policy:w")),
    Interface(
        "burn_nonce",
        "Uses a nonce up without a trade, so that a trade in doubt can never land. Bot or owner.",
        _roles("authority:s vault policy:w"),
        (Field("guard", GUARD),),
    ),
    Interface(
        "recover_trade_account",
        "Revokes a delegate, moves what is left in a trade account to the vault; with the system program last, also returns the"
        " trade authority's lamports.",
        _roles("owner:sw vault trade_authority:w trade_token:w vault_token:w mint token_program"),
    ),
    Interface(
        "close_token_account",
        "Closes an empty token account of the vault or of its trade authority; the rent goes to the owner.",
        _roles("owner:sw vault authority token_account:w token_program"),
    ),
    Interface("close_vault", "Returns vault and policy; refused while a bot is set.", _roles("owner:sw vault:w policy:w")),
)

TYPES: tuple[Structure, ...] = (
    Structure(
        "type",
        "TradeGuard",
        "What makes a trade happen at most once, under one grant, in time.",
        (
            Field("nonce", "u64", "used up by the trade"),
            Field("bot_epoch", "u64", "slot of the grant the trade was built under"),
            Field("deadline_slot", "u64", "last slot it may land in, at most 512 ahead"),
        ),
    ),
    Structure(
        "type",
        "PositionSlot",
        "One mint the vault may hold. Free when the mint is all zeroes.",
        (
            Field("mint", "pubkey"),
            Field("pinned_from", "i64", "block time from which the allowlist lets it be bought; 0: not pinned"),
            Field("units", "u64", "units bought by trades and still held"),
            Field("base_cost", "u64", "what those units cost, in base units of the base mint"),
        ),
    ),
    Structure(
        "type",
        "PendingValue",
        "A loosening on its way. None when effective_at is 0.",
        (Field("effective_at", "i64", "block time from which the value counts"), Field("value", "u64")),
    ),
)

_BUCKETS: IdlType = {"array": ["u64", WINDOW_BUCKETS]}
_PENDING: IdlType = {"defined": {"name": "PendingValue"}}

# The eight limits in the order of set_policy's arguments; each has a pending loosening of the same name.
LIMITS: tuple[tuple[str, str], ...] = (
    ("spend_per_trade", "u64"),
    ("spend_per_day", "u64"),
    ("loss_per_day", "u64"),
    ("spend_per_trade_bps", "u16"),
    ("spend_per_day_bps", "u16"),
    ("loss_per_day_bps", "u16"),
    ("bot_expires_at", "i64"),
    ("mint_mode", "u8"),
)

ACCOUNTS: tuple[Structure, ...] = (
    Structure(
        "account",
        "VaultAccount",
        "A follower's vault. 91 bytes; the option shifts the fields after it, the tail is zero.",
        (
            Field("owner", "pubkey"),
            Field("total_deposited", "u64", "deposits less withdrawals of the base mint, never below 0"),
            Field("bot_authority", {"option": "pubkey"}),
            Field("is_active", "bool"),
            Field("created_at", "i64"),
            Field("bump", "u8"),
        ),
    ),
    Structure(
        "account",
        "VaultPolicy",
        "What the chain lets the bot do, and what it has done in the rolling day.",
        (
            Field("version", "u8"),
            Field("vault", "pubkey"),
            Field("base_mint", "pubkey"),
            Field("trade_authority", "pubkey"),
            Field("bump", "u8"),
            Field("trade_authority_bump", "u8"),
            Field("paused", "bool"),
            Field("was_granted", "bool", "a bot has been granted before, so loosenings wait"),
            Field("bot_epoch", "u64", "slot of the last grant"),
            Field("nonce_base", "u64"),
            Field("nonce_bitmap", {"array": ["u8", 32]}, "bit i: nonce_base + i is used"),
            *(Field(name, kind) for name, kind in LIMITS),
            Field("window_hour", "u64", "newest hour of block time seen, in whole hours"),
            Field("spend_buckets", _BUCKETS, "hour modulo 25"),
            Field("loss_buckets", _BUCKETS),
            Field("slots", {"array": [{"defined": {"name": "PositionSlot"}}, POSITION_SLOTS]}),
            *(Field(f"pending_{name}", _PENDING) for name, _ in LIMITS),
            Field("loosening_delay", "i64", "seconds, copied from Config when the vault was made"),
            Field("reserved", {"array": ["u8", 56]}),
        ),
    ),
    Structure(
        "account",
        "Config",
        "One for the program.",
        (
            Field("version", "u8"),
            Field("bump", "u8"),
            Field("paused", "bool"),
            Field("routers", "u8", "bit i: entry i of the compiled list is enabled"),
            Field("pending_routers", "u8", "bits that join at routers_effective_at"),
            Field("routers_effective_at", "i64", "0: nothing pending"),
            Field("admin", "pubkey"),
            Field("pending_admin", "pubkey", "all zeroes: none"),
            Field("guardian", "pubkey"),
            Field("base_mint", "pubkey"),
            Field("vault_cap", "u64"),
            Field("loosening_delay", "i64"),
            Field("reserved", {"array": ["u8", 64]}),
        ),
    ),
)

EVENTS: tuple[Structure, ...] = (
    Structure(
        "event",
        "TradeExecuted",
        "Also sent by self-CPI, so that a full log cannot lose it.",
        _fields(
            "vault pubkey, bot_authority pubkey, input_mint pubkey, output_mint pubkey, amount_in u64, amount_out u64,"
            " minimum_amount_out u64, timestamp i64"
        ),
    ),
    Structure("event", "Deposited", "", _fields("vault pubkey, owner pubkey, mint pubkey, amount u64, total_deposited u64, timestamp i64")),
    Structure("event", "Withdrawn", "", _fields("vault pubkey, owner pubkey, mint pubkey, amount u64, total_deposited u64, timestamp i64")),
    Structure(
        "event",
        "AuthorityChanged",
        "A grant, a revocation, or a deactivation that cleared the bot.",
        _fields("vault pubkey, previous pubkey?, current pubkey?, bot_epoch u64, expires_at i64, timestamp i64"),
    ),
    Structure("event", "PolicyChanged", "", _fields("vault pubkey, timestamp i64")),
    Structure(
        "event", "VaultPaused", "Paused or resumed, and by whom.", _fields("vault pubkey, authority pubkey, paused bool, timestamp i64")
    ),
    Structure("event", "VaultDeactivated", "", _fields("vault pubkey, owner pubkey, timestamp i64")),
)

# In order from 6000. The two reserved numbers cannot happen: containment leaves no way to overspend, and Token-2022 is refused as a whole.
ERRORS: tuple[tuple[str, str], ...] = (
    ("Unauthorized", "the signer may not do this"),
    ("VaultInactive", "the vault is deactivated"),
    ("InvalidAmount", "the amount is not allowed here"),
    ("DepositCapExceeded", "the cap on deposits would be exceeded"),
    ("InsufficientVaultBalance", "the vault holds less than that"),
    ("MathOverflow", "a sum does not fit 64 bits"),
    ("BotAuthorityNotSet", "the vault has no bot"),
    ("BotAuthorityMismatch", "the signer is not the vault's bot"),
    ("BotAuthorityAlreadySet", "the vault has a bot; revoke it first"),
    ("InvalidBotAuthority", "this key cannot be a bot"),
    ("InvalidMint", "the mint is not the one expected"),
    ("InvalidTokenAccount", "a token account is not the one expected"),
    ("SameMint", "input and output are the same mint"),
    ("RouterNotAllowed", "the router is not an enabled entry of the compiled list"),
    ("RouteNotAllowed", "only route_v2 and shared_accounts_route_v2 are allowed"),
    ("RouteDataMalformed", "the route's data or accounts do not have the shape that is allowed"),
    ("RouteAmountMismatch", "the route's input amount is not the trade's"),
    ("ZeroMinimumOut", "a minimum output of zero is not allowed"),
    ("SlippageExceeded", "less arrived than the minimum"),
    ("InputOverspent", "reserved"),
    ("VaultAccountTampered", "a token account of vault or trade authority has or got a delegate, a close authority or another owner"),
    ("ForbiddenRemainingAccount", "this account must not be handed to a router"),
    ("UnsupportedTokenProgram", "only the classic token program may trade"),
    ("UnsupportedExtension", "reserved"),
    ("TradeLimitExceeded", "above the cap of one trade"),
    ("VaultAlreadyInactive", "the vault is already deactivated"),
    ("VaultPaused", "the vault is paused"),
    ("ProgramPaused", "the program is paused"),
    ("BotExpired", "the bot's time is over"),
    ("BotEpochMismatch", "built under another grant"),
    ("NonceUsed", "this nonce is used up"),
    ("NonceTooOld", "this nonce is below the window and can never land"),
    ("NonceTooFar", "this nonce is too far above the window"),
    ("DeadlinePassed", "the deadline is over, or more than 512 slots ahead"),
    ("MintNotAllowed", "the mint is not on the vault's list"),
    ("NoFreeSlot", "all position slots are taken"),
    ("BaseLegRequired", "one side of every trade is the base mint"),
    ("SpendLimitExceeded", "above the cap of the rolling day"),
    ("LossLimitExceeded", "above the loss cap of the rolling day"),
    ("VaultNotClosable", "revoke the bot first"),
    ("NotUpgradeAuthority", "only the program's upgrade authority may create the config"),
    ("CalledByProgram", "bot_trade must be called by a transaction, not by a program"),
    ("PolicyValueInvalid", "this value is outside what a policy or config may hold"),
    ("EpochTooYoung", "not in the slot of the grant"),
)

# Anchor's own numbers, as far as the program uses them.
FRAMEWORK_ERRORS: dict[int, str] = {
    101: "InstructionFallbackNotFound",
    102: "InstructionDidNotDeserialize",
    2000: "ConstraintMut",
    2001: "ConstraintHasOne",
    2006: "ConstraintSeeds",
    3000: "AccountDiscriminatorAlreadySet",
    3001: "AccountDiscriminatorNotFound",
    3002: "AccountDiscriminatorMismatch",
    3003: "AccountDidNotDeserialize",
    3005: "AccountNotEnoughKeys",
    3007: "AccountOwnedByWrongProgram",
    3008: "InvalidProgramId",
    3010: "AccountNotSigner",
    3012: "AccountNotInitialized",
}
