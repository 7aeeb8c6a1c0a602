"""Builds and reads the vault program's instructions. Builders are used by the API, the demo and the bot; `decode` by signer and followers.

Builders take the owner and derive the rest. Amounts are raw base units. Token accounts are the associated ones unless given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from xorj.vault import borsh
from xorj.vault.accounts import (
    ASSOCIATED_TOKEN_PROGRAM,
    PROGRAM_ID,
    TOKEN_PROGRAM,
    config_address,
    event_authority_address,
    policy_address,
    token_account_address,
    trade_authority_address,
    vault_address,
)
from xorj.vault.interface import INSTRUCTIONS

SYSTEM_PROGRAM = Pubkey.default()
UPGRADEABLE_LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
_BY_NAME = {interface.name: interface for interface in INSTRUCTIONS}
_BY_DISCRIMINATOR = {interface.discriminator: interface for interface in INSTRUCTIONS}


@dataclass(frozen=True, slots=True)
class Guard:
    """What makes a trade happen at most once (`nonce`), under one grant (`bot_epoch`), in time (`deadline_slot`, inclusive)."""

    nonce: int
    bot_epoch: int
    deadline_slot: int


@dataclass(frozen=True, slots=True)
class VaultInstruction:
    """A decoded instruction: fixed accounts by their role, the accounts that follow them, arguments by name."""

    name: str
    accounts: dict[str, Pubkey]
    rest: tuple[Pubkey, ...]
    arguments: dict[str, object]


@dataclass(frozen=True, slots=True)
class BotTrade:
    """A decoded bot_trade, for the signer's policy and for settlement."""

    vault: Pubkey
    policy: Pubkey
    config: Pubkey
    bot_authority: Pubkey
    trade_authority: Pubkey
    vault_input: Pubkey
    vault_output: Pubkey
    trade_input: Pubkey
    trade_output: Pubkey
    input_mint: Pubkey
    output_mint: Pubkey
    token_program: Pubkey
    router_program: Pubkey
    amount_in: int
    minimum_amount_out: int
    route_data: bytes
    guard: Guard
    route_accounts: tuple[Pubkey, ...]


def decode(data: bytes, accounts: Sequence[Pubkey]) -> VaultInstruction:
    """Reads any instruction of the program. Raises borsh.Malformed when the program would not even parse it."""
    interface = _BY_DISCRIMINATOR.get(data[:8])
    if interface is None:
        raise borsh.Malformed("no instruction of the vault program begins with these bytes")
    arguments, left = borsh.decode(interface.arguments, data[8:])
    if left:
        raise borsh.Malformed(f"{len(left)} bytes after the arguments of {interface.name}")
    if len(accounts) < len(interface.accounts):
        raise borsh.Malformed(f"{interface.name} needs {len(interface.accounts)} accounts, not {len(accounts)}")
    fixed = {role.name: key for role, key in zip(interface.accounts, accounts, strict=False)}
    return VaultInstruction(interface.name, fixed, tuple(accounts[len(fixed) :]), dict(arguments))


def decode_bot_trade(instruction: Instruction) -> BotTrade:
    """Raises borsh.Malformed when it is not a bot_trade of the vault program."""
    if instruction.program_id != PROGRAM_ID:
        raise borsh.Malformed("not an instruction of the vault program")
    read = decode(bytes(instruction.data), [meta.pubkey for meta in instruction.accounts])
    if read.name != "bot_trade":
        raise borsh.Malformed(f"this is {read.name}, not bot_trade")
    keys = {name: key for name, key in read.accounts.items() if name not in ("event_authority", "program")}
    values, _ = borsh.decode(_BY_NAME["bot_trade"].arguments, bytes(instruction.data)[8:])
    guard = _structure(values["guard"])
    return BotTrade(
        **keys,
        amount_in=_integer(values["amount_in"]),
        minimum_amount_out=_integer(values["minimum_amount_out"]),
        route_data=_bytes(values["route_data"]),
        guard=Guard(**{name: _integer(value) for name, value in guard.items()}),
        route_accounts=read.rest,
    )


def initialize_config(
    payer: Pubkey, upgrade_authority: Pubkey, base_mint: Pubkey, *, admin: Pubkey, guardian: Pubkey, vault_cap: int, loosening_delay_s: int
) -> Instruction:
    program_data = Pubkey.find_program_address([bytes(PROGRAM_ID)], UPGRADEABLE_LOADER)[0]
    keys = [payer, upgrade_authority, config_address(), base_mint, program_data, SYSTEM_PROGRAM]
    return _built(
        "initialize_config", keys, {"admin": admin, "guardian": guardian, "vault_cap": vault_cap, "loosening_delay": loosening_delay_s}
    )


def update_config(
    authority: Pubkey,
    *,
    pending_admin: Pubkey | None = None,
    guardian: Pubkey | None = None,
    vault_cap: int | None = None,
    loosening_delay_s: int | None = None,
    paused: bool | None = None,
    routers: int | None = None,
) -> Instruction:
    """What is None stays. The guardian may only give `paused=True`."""
    arguments = {
        "pending_admin": pending_admin,
        "guardian": guardian,
        "vault_cap": vault_cap,
        "loosening_delay": loosening_delay_s,
        "paused": paused,
        "routers": routers,
    }
    return _built("update_config", [authority, config_address()], arguments)


def accept_admin(pending_admin: Pubkey) -> Instruction:
    return _built("accept_admin", [pending_admin, config_address()])


def initialize_vault(owner: Pubkey) -> Instruction:
    vault = vault_address(owner)
    return _built("initialize_vault", [owner, vault, policy_address(vault), config_address(), SYSTEM_PROGRAM])


def deposit(owner: Pubkey, base_mint: Pubkey, amount: int, *, owner_token: Pubkey | None = None) -> Instruction:
    """Both token accounts must exist: see create_token_account."""
    vault = vault_address(owner)
    keys = [
        owner,
        vault,
        policy_address(vault),
        config_address(),
        owner_token or token_account_address(owner, base_mint),
        token_account_address(vault, base_mint),
        base_mint,
        TOKEN_PROGRAM,
    ]
    return _built("deposit", keys, {"amount": amount})


def withdraw(
    owner: Pubkey,
    mint: Pubkey,
    amount: int,
    *,
    owner_token: Pubkey | None = None,
    vault_token: Pubkey | None = None,
    token_program: Pubkey = TOKEN_PROGRAM,
    hook_accounts: Sequence[AccountMeta] = (),
) -> Instruction:
    """Any mint. `hook_accounts` are what a Token-2022 transfer hook needs."""
    vault = vault_address(owner)
    keys = [
        owner,
        vault,
        policy_address(vault),
        vault_token or token_account_address(vault, mint, token_program),
        owner_token or token_account_address(owner, mint, token_program),
        mint,
        token_program,
    ]
    return _built("withdraw", keys, {"amount": amount}, hook_accounts)


def grant_bot_authority(owner: Pubkey, bot_authority: Pubkey) -> Instruction:
    vault = vault_address(owner)
    return _built("grant_bot_authority", [owner, vault, policy_address(vault), bot_authority])


def revoke_bot_authority(owner: Pubkey) -> Instruction:
    return _built("revoke_bot_authority", _owner_vault_policy(owner))


def deactivate_vault(owner: Pubkey) -> Instruction:
    return _built("deactivate_vault", _owner_vault_policy(owner))


def bot_trade(
    bot_authority: Pubkey,
    owner: Pubkey,
    *,
    input_mint: Pubkey,
    output_mint: Pubkey,
    router_program: Pubkey,
    amount_in: int,
    minimum_amount_out: int,
    route_data: bytes,
    route_accounts: Sequence[AccountMeta],
    guard: Guard,
) -> Instruction:
    """`route_accounts` are the router's own, in its order, with the trade authority as user and its associated accounts as source and
    destination; their signer flags are dropped, because only the vault program can sign for the trade authority."""
    vault = vault_address(owner)
    trade = trade_authority_address(vault)
    keys = [
        bot_authority,
        vault,
        policy_address(vault),
        config_address(),
        trade,
        token_account_address(vault, input_mint),
        token_account_address(vault, output_mint),
        token_account_address(trade, input_mint),
        token_account_address(trade, output_mint),
        input_mint,
        output_mint,
        TOKEN_PROGRAM,
        router_program,
        event_authority_address(),
        PROGRAM_ID,
    ]
    arguments = {
        "amount_in": amount_in,
        "minimum_amount_out": minimum_amount_out,
        "route_data": route_data,
        "guard": _guard(guard),
    }
    return _built("bot_trade", keys, arguments, [AccountMeta(meta.pubkey, False, meta.is_writable) for meta in route_accounts])


def set_policy(
    owner: Pubkey,
    *,
    spend_per_trade: int | None = None,
    spend_per_day: int | None = None,
    loss_per_day: int | None = None,
    spend_per_trade_bps: int | None = None,
    spend_per_day_bps: int | None = None,
    loss_per_day_bps: int | None = None,
    bot_expires_at: int | None = None,
    mint_mode: int | None = None,
    pin: Sequence[Pubkey] = (),
    unpin: Sequence[Pubkey] = (),
) -> Instruction:
    """What is None stays. `mint_mode` is accounts.ALLOWLIST or accounts.ANY_MINT; `bot_expires_at` is block time in unix seconds."""
    arguments = {
        "spend_per_trade": spend_per_trade,
        "spend_per_day": spend_per_day,
        "loss_per_day": loss_per_day,
        "spend_per_trade_bps": spend_per_trade_bps,
        "spend_per_day_bps": spend_per_day_bps,
        "loss_per_day_bps": loss_per_day_bps,
        "bot_expires_at": bot_expires_at,
        "mint_mode": mint_mode,
        "pin": list(pin),
        "unpin": list(unpin),
    }
    return _built("set_policy", _owner_vault_policy(owner), arguments)


def pause_vault(authority: Pubkey, owner: Pubkey) -> Instruction:
    """`authority` is the owner or the bot."""
    return _built("pause_vault", [authority, *_owner_vault_policy(owner)[1:]])


def resume_vault(owner: Pubkey) -> Instruction:
    return _built("resume_vault", _owner_vault_policy(owner))


def burn_nonce(authority: Pubkey, owner: Pubkey, guard: Guard) -> Instruction:
    """`authority` is the owner or the bot. After it has landed, no trade with this nonce ever can."""
    return _built("burn_nonce", [authority, *_owner_vault_policy(owner)[1:]], {"guard": _guard(guard)})


def recover_trade_account(
    owner: Pubkey, mint: Pubkey, *, trade_token: Pubkey | None = None, token_program: Pubkey = TOKEN_PROGRAM
) -> Instruction:
    """What is left in the trade account of `mint` goes to the vault, the trade authority's lamports to the owner."""
    vault = vault_address(owner)
    trade = trade_authority_address(vault)
    keys = [
        owner,
        vault,
        trade,
        trade_token or token_account_address(trade, mint, token_program),
        token_account_address(vault, mint, token_program),
        mint,
        token_program,
    ]
    return _built("recover_trade_account", keys, rest=[AccountMeta(SYSTEM_PROGRAM, False, False)])


def close_token_account(
    owner: Pubkey,
    mint: Pubkey,
    *,
    of_trade_authority: bool = False,
    token_account: Pubkey | None = None,
    token_program: Pubkey = TOKEN_PROGRAM,
) -> Instruction:
    """The account must be empty; its rent goes to the owner."""
    vault = vault_address(owner)
    authority = trade_authority_address(vault) if of_trade_authority else vault
    account = token_account or token_account_address(authority, mint, token_program)
    return _built("close_token_account", [owner, vault, authority, account, token_program])


def close_vault(owner: Pubkey) -> Instruction:
    return _built("close_vault", _owner_vault_policy(owner))


def create_token_account(payer: Pubkey, owner: Pubkey, mint: Pubkey, token_program: Pubkey = TOKEN_PROGRAM) -> Instruction:
    """Not of the vault program: the associated token program's idempotent creation, for vault, trade authority and owner."""
    metas = [
        AccountMeta(payer, True, True),
        AccountMeta(token_account_address(owner, mint, token_program), False, True),
        AccountMeta(owner, False, False),
        AccountMeta(mint, False, False),
        AccountMeta(SYSTEM_PROGRAM, False, False),
        AccountMeta(token_program, False, False),
    ]
    return Instruction(ASSOCIATED_TOKEN_PROGRAM, b"\x01", metas)


def _built(
    name: str, keys: Sequence[Pubkey], arguments: Mapping[str, object] | None = None, rest: Sequence[AccountMeta] = ()
) -> Instruction:
    interface = _BY_NAME[name]
    metas = [AccountMeta(key, role.is_signer, role.is_writable) for role, key in zip(interface.accounts, keys, strict=True)]
    return Instruction(PROGRAM_ID, interface.discriminator + borsh.encode(interface.arguments, arguments or {}), [*metas, *rest])


def _owner_vault_policy(owner: Pubkey) -> list[Pubkey]:
    vault = vault_address(owner)
    return [owner, vault, policy_address(vault)]


def _guard(guard: Guard) -> dict[str, int]:
    return {"nonce": guard.nonce, "bot_epoch": guard.bot_epoch, "deadline_slot": guard.deadline_slot}


def _integer(value: borsh.Value) -> int:
    if not isinstance(value, int):
        raise borsh.Malformed("an integer was declared here")
    return value


def _structure(value: borsh.Value) -> dict[str, borsh.Value]:
    if not isinstance(value, dict):
        raise borsh.Malformed("a structure was declared here")
    return value


def _bytes(value: borsh.Value) -> bytes:
    if not isinstance(value, bytes):
        raise borsh.Malformed("bytes were declared here")
    return value
