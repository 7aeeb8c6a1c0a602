"""What each instruction of the vault program checks, in the order of the program, and the error that each check answers with.

`tables` prints it into docs/vault-program.md; tests/program/test_checks_in_order.py breaks each check, alone and with the one after it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """`name` is what a test breaks; `errors` are names of the interface, the usual one first."""

    name: str
    what: str
    errors: tuple[str, ...]


def _checks(text: str) -> tuple[Check, ...]:
    """A line each: `name | what holds | Error` or `Error, Error`."""
    lines = (line.split("|") for line in text.strip().splitlines())
    return tuple(Check(name.strip(), what.strip(), tuple(each.strip() for each in errors.split(","))) for name, what, errors in lines)


def _account(name: str, what: str) -> tuple[Check, ...]:
    """An account of the program's own."""
    return _checks(f"""
        {name} owner         | {what} is an account of this program | AccountOwnedByWrongProgram, AccountNotInitialized
        {name} length        | it has a discriminator | AccountDiscriminatorNotFound
        {name} discriminator | the discriminator is of its kind | AccountDiscriminatorMismatch
        {name} bytes         | it has its exact length, and its flags are 0 or 1 | AccountDidNotDeserialize
    """)


ARGUMENTS = _checks("arguments | the arguments are there, well formed, and nothing follows | InstructionDidNotDeserialize")
SHAPE = _checks("""
    accounts | no account is missing | AccountNotEnoughKeys
    writable | every account marked w is writable | ConstraintMut
""")
SIGNED = _checks("signer | who is marked s has signed | AccountNotSigner")
VAULT, POLICY, CONFIG = _account("vault", "`vault`"), _account("policy", "`policy`"), _account("config", "`config`")
POLICY_OF_VAULT = (*POLICY, *_checks("policy of vault | the policy is this vault's | ConstraintHasOne"))
OF_OWNER = _checks("owner of vault | the signer owns the vault | ConstraintHasOne")
OWNED = (*ARGUMENTS, *SHAPE, *SIGNED, *VAULT, *OF_OWNER)
OWNED_WITH_POLICY = (*OWNED, *POLICY_OF_VAULT)
SHARED = (*ARGUMENTS, *SHAPE, *SIGNED, *VAULT, *POLICY_OF_VAULT, *_checks("owner or bot | the signer is owner or bot | Unauthorized"))
TRANSFER = _checks("""
    token program | `token_program` is the classic one or Token-2022 | InvalidProgramId
    mint          | `mint` is a mint of it | InvalidMint
""")
GUARDED = _checks("""
    epoch    | `bot_epoch` is the policy's | BotEpochMismatch
    deadline | `deadline_slot` is not over and at most 512 slots ahead | DeadlinePassed
    nonce    | `nonce` is inside the window and not used; then it is used | NonceTooOld, NonceTooFar, NonceUsed
""")

_BOT_TRADE = (
    *_checks("called by a program | the transaction itself calls | CalledByProgram"),
    *ARGUMENTS,
    *SHAPE,
    *SIGNED,
    *VAULT,
    *POLICY_OF_VAULT,
    *CONFIG,
    *_checks("""
        active         | the vault is active | VaultInactive
        has a bot      | it has a bot | BotAuthorityNotSet
        is the bot     | the signer is the bot | BotAuthorityMismatch
        vault paused   | the vault is not paused | VaultPaused
        program paused | the program is not paused | ProgramPaused
        expired        | the bot's time is not over | BotExpired
        young          | this is a later slot than the grant's | EpochTooYoung
    """),
    *GUARDED,
    *_checks("""
        amount          | `amount_in` is not 0 | InvalidAmount
        minimum         | `minimum_amount_out` is not 0 | ZeroMinimumOut
        trade authority | `trade_authority` is the policy's | ConstraintSeeds
        token program   | `token_program` is the classic one | UnsupportedTokenProgram, InvalidProgramId
        router          | `router_program` is an enabled entry of the compiled list | RouterNotAllowed
        event authority | `event_authority` is the program's | ConstraintSeeds
        program         | `program` is this program | InvalidProgramId
        same mint       | the two mints differ | SameMint
        mint program    | neither mint is Token-2022's | UnsupportedTokenProgram
        base leg        | one mint is the base mint | BaseLegRequired
        token accounts  | the four token accounts in turn: mint and owner, then untampered | InvalidTokenAccount, VaultAccountTampered
        route name      | the route is `route_v2` or `shared_accounts_route_v2` | RouteNotAllowed, RouteDataMalformed
        route amount    | its input amount is `amount_in` | RouteAmountMismatch
        route fees      | it takes no platform fee and no positive slippage, and has a plan | RouteDataMalformed
        route accounts  | the router's fixed accounts are all there | AccountNotEnoughKeys
        route slots     | authority, source, destination, mints, token programs and program stand in their slots | RouteDataMalformed
        forbidden       | at most 50 accounts, none of them bot, owner, this program's or the vault's | ForbiddenRemainingAccount
        trade limit     | a buy is inside the cap of one trade | TradeLimitExceeded
        day limit       | and inside the cap of the rolling day | SpendLimitExceeded
        mint listed     | the mint is on the list, or any mint may be bought and a slot is free | MintNotAllowed, NoFreeSlot
        balance         | after sweeping both trade accounts the vault has `amount_in` | InsufficientVaultBalance
        untampered      | after the route the trade authority's accounts are untampered, the two trade accounts empty | VaultAccountTampered
        slippage        | what arrived is at least `minimum_amount_out` | SlippageExceeded
        loss limit      | a sale's loss is inside the cap of the rolling day | LossLimitExceeded
    """),
)

CHECKS: dict[str, tuple[Check, ...]] = {
    "initialize_config": (
        *ARGUMENTS,
        *SHAPE,
        *SIGNED,
        *_checks("""
            system program    | `system_program` is the system program | InvalidProgramId
            upgrade authority | `program_data` is this program's and names the signer as upgrade authority | NotUpgradeAuthority
            config address    | `config` is at its address | ConstraintSeeds
            config is new     | there is none yet | AccountDiscriminatorAlreadySet
            base mint         | `base_mint` is a classic mint with 6 decimals | InvalidMint
            cap               | `vault_cap` is not above the compiled ceiling | DepositCapExceeded
            delay             | `loosening_delay` is 1 hour to 90 days | PolicyValueInvalid
            admin             | `admin` is not all zeroes | PolicyValueInvalid
        """),
    ),
    "update_config": (
        *ARGUMENTS,
        *SHAPE,
        *SIGNED,
        *CONFIG,
        *_checks("""
            admin or guardian | the signer is admin or guardian | ConstraintHasOne
            guardian pauses   | a guardian gives `paused = true` and nothing else | Unauthorized
            cap               | `vault_cap` is not above the compiled ceiling | DepositCapExceeded
            delay             | `loosening_delay` is 1 hour to 90 days | PolicyValueInvalid
            routers           | `routers` names entries of the compiled list alone | PolicyValueInvalid
        """),
    ),
    "accept_admin": (
        *ARGUMENTS,
        *SHAPE,
        *SIGNED,
        *CONFIG,
        *_checks("pending admin | the signer is the pending admin | ConstraintHasOne"),
    ),
    "initialize_vault": (
        *ARGUMENTS,
        *SHAPE,
        *SIGNED,
        *CONFIG,
        *_checks("""
            system program | `system_program` is the system program | InvalidProgramId
            vault address  | `vault` is at the signer's address for it | ConstraintSeeds
            policy address | `policy` is at the vault's address for it | ConstraintSeeds
            vault is new   | there is neither yet; lamports sent there before do not matter | AccountDiscriminatorAlreadySet
        """),
    ),
    "deposit": (
        *OWNED_WITH_POLICY,
        *CONFIG,
        *_checks("""
            token program  | `token_program` is the classic one | InvalidProgramId
            active         | the vault is active | VaultInactive
            program paused | the program is not paused | ProgramPaused
            amount         | the amount is not 0 | InvalidAmount
            mint           | `base_mint` is the policy's | InvalidMint
            vault token    | `vault_token` is the vault's, of that mint | InvalidTokenAccount
            tampered       | it has no delegate and no close authority | VaultAccountTampered
            owner token    | `owner_token` is the owner's, of that mint | InvalidTokenAccount
            cap            | `total_deposited` after it is under the config's cap and the ceiling | DepositCapExceeded, MathOverflow
        """),
    ),
    "withdraw": (
        *OWNED_WITH_POLICY,
        *_checks("amount | the amount is not 0 | InvalidAmount"),
        *TRANSFER,
        *_checks("""
            vault token | `vault_token` is the vault's, of that mint | InvalidTokenAccount
            owner token | `owner_token` is the owner's, of that mint | InvalidTokenAccount
            balance     | the vault has as much | InsufficientVaultBalance
        """),
    ),
    "grant_bot_authority": (
        *OWNED_WITH_POLICY,
        *_checks("""
            active  | the vault is active | VaultInactive
            no bot  | it has no bot | BotAuthorityAlreadySet
            bot key | the key is not zeroes, owner, vault, policy or trade authority | InvalidBotAuthority
        """),
    ),
    "revoke_bot_authority": (*OWNED_WITH_POLICY, *_checks("has a bot | the vault has a bot | BotAuthorityNotSet")),
    "bot_trade": _BOT_TRADE,
    "deactivate_vault": (*OWNED_WITH_POLICY, *_checks("active | the vault is active | VaultAlreadyInactive")),
    "set_policy": (
        *OWNED_WITH_POLICY,
        *_checks("""
            values       | shares are at most 10,000, `mint_mode` 0 or 1, `bot_expires_at` above 0 | PolicyValueInvalid
            pinned mints | at most 16 mints each; each in turn: not zeroes, the base mint or also unpinned | PolicyValueInvalid
            free slot    | and there is a slot for it | NoFreeSlot
        """),
    ),
    "pause_vault": SHARED,
    "resume_vault": OWNED_WITH_POLICY,
    "burn_nonce": (
        *SHARED,
        *_checks("young | by the bot: this is a later slot than the grant's | EpochTooYoung"),
        *GUARDED,
    ),
    "recover_trade_account": (
        *OWNED,
        *_checks("trade authority | `trade_authority` is at the vault's address for it | ConstraintSeeds"),
        *TRANSFER,
        *_checks("""
            trade token | `trade_token` is the trade authority's, of that mint | InvalidTokenAccount
            vault token | `vault_token` is the vault's, of that mint | InvalidTokenAccount
        """),
    ),
    "close_token_account": (
        *OWNED,
        *_checks("""
            token program | `token_program` is the classic one or Token-2022 | InvalidProgramId
            token account | `token_account` is a token account of it, and `authority` owns it | InvalidTokenAccount
            empty         | it holds nothing | InvalidAmount
            authority     | `authority` is the vault or at the vault's address for its trade authority | ConstraintSeeds
        """),
    ),
    "close_vault": (*OWNED_WITH_POLICY, *_checks("no bot | the vault has no bot | VaultNotClosable")),
}

# What the tables print once instead of in each instruction.
GROUPS: tuple[tuple[str, tuple[Check, ...]], ...] = (
    ("owner and policy", OWNED_WITH_POLICY),
    ("owner or bot", SHARED),
    ("owner", OWNED),
    ("call", (*ARGUMENTS, *SHAPE, *SIGNED)),
    ("vault", VAULT),
    ("policy", POLICY_OF_VAULT),
    ("config", CONFIG),
    ("guard", GUARDED),
)
