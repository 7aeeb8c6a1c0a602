"""What every instruction, account and event of the vault program is on the wire, for whoever writes another client.

`xorj.cli.generate` writes them to idl/xorj_vault.vectors.json; the tests with Anchor's own clients build and read the same.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import cast

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from xorj.vault import borsh, instructions
from xorj.vault.accounts import ANY_MINT, NO_KEY, TOKEN_2022_PROGRAM, VAULT_BYTES
from xorj.vault.instructions import Guard
from xorj.vault.interface import (
    ACCOUNTS,
    ERROR_BASE,
    ERRORS,
    EVENTS,
    FRAMEWORK_ERRORS,
    INSTRUCTIONS,
    LIMITS,
    POSITION_SLOTS,
    WINDOW_BUCKETS,
    Field,
    IdlType,
    Structure,
)

Json = dict[str, object]
Values = Mapping[str, object]

U64_MAX = 2**64 - 1
I64_MIN, I64_MAX = -(2**63), 2**63 - 1
GUARD = Guard(nonce=7, bot_epoch=1_000, deadline_slot=1_512)
LAST_GUARD = Guard(nonce=U64_MAX, bot_epoch=U64_MAX, deadline_slot=U64_MAX)


def vectors() -> str:
    """The file. 64-bit integers are decimal text, keys base58, bytes hex; names are the interface's."""
    document: Json = {
        "instructions": [_instruction(case, built) for case, built in _instructions()],
        "accounts": [_structure(case, _BY_NAME[name], values) for case, name, values in _accounts()],
        "events": [_structure(case, _BY_NAME[name], values) for case, name, values in _events()],
        "errors": {str(ERROR_BASE + n): name for n, (name, _) in enumerate(ERRORS)},
        "framework_errors": {str(code): name for code, name in FRAMEWORK_ERRORS.items()},
    }
    return json.dumps(document, indent=1) + "\n"


_BY_NAME = {structure.name: structure for structure in (*ACCOUNTS, *EVENTS)}


def _key(name: str) -> Pubkey:
    """The same key for the same name."""
    return Pubkey.from_bytes(sha256(f"xorj vector {name}".encode()).digest())


OWNER, BOT, ADMIN, GUARDIAN, USDC, TOKEN = (_key(name) for name in ("owner", "bot", "admin", "guardian", "usdc", "token"))


def _instructions() -> list[tuple[str, Instruction]]:
    """Each instruction at least once; those with options with none, with all, and with all at an end of what fits."""
    none_changed = instructions.update_config(ADMIN)
    all_changed = instructions.update_config(
        ADMIN, pending_admin=OWNER, guardian=GUARDIAN, vault_cap=U64_MAX, loosening_delay_s=I64_MIN, paused=True, routers=255
    )
    return [
        (
            "",
            instructions.initialize_config(
                OWNER, ADMIN, USDC, admin=ADMIN, guardian=GUARDIAN, vault_cap=1_000_000_000, loosening_delay_s=86_400
            ),
        ),
        ("nothing changes", none_changed),
        ("everything changes", all_changed),
        ("resumed", instructions.update_config(ADMIN, paused=False)),
        ("", instructions.accept_admin(OWNER)),
        ("", instructions.initialize_vault(OWNER)),
        ("", instructions.deposit(OWNER, USDC, 500_000_000)),
        ("from another token account", instructions.deposit(OWNER, USDC, U64_MAX, owner_token=_key("other token account"))),
        ("", instructions.withdraw(OWNER, USDC, 1)),
        (
            "Token-2022 with a hook",
            instructions.withdraw(OWNER, TOKEN, U64_MAX, token_program=TOKEN_2022_PROGRAM, hook_accounts=_metas("hook", 3)),
        ),
        ("", instructions.grant_bot_authority(OWNER, BOT)),
        ("", instructions.revoke_bot_authority(OWNER)),
        ("", instructions.deactivate_vault(OWNER)),
        *_trades(),
        *_policy_changes(),
        ("by the owner", instructions.pause_vault(OWNER, OWNER)),
        ("by the bot", instructions.pause_vault(BOT, OWNER)),
        ("", instructions.resume_vault(OWNER)),
        ("by the owner", instructions.burn_nonce(OWNER, OWNER, GUARD)),
        ("by the bot", instructions.burn_nonce(BOT, OWNER, LAST_GUARD)),
        ("", instructions.recover_trade_account(OWNER, TOKEN)),
        ("Token-2022", instructions.recover_trade_account(OWNER, TOKEN, token_program=TOKEN_2022_PROGRAM)),
        ("of the vault", instructions.close_token_account(OWNER, TOKEN)),
        ("of the trade authority", instructions.close_token_account(OWNER, TOKEN, of_trade_authority=True)),
        ("", instructions.close_vault(OWNER)),
    ]


def _trades() -> list[tuple[str, Instruction]]:
    def trade(amount_in: int, route_data: bytes, route_accounts: Sequence[AccountMeta], guard: Guard) -> Instruction:
        return instructions.bot_trade(
            BOT,
            OWNER,
            input_mint=USDC,
            output_mint=TOKEN,
            router_program=_key("router"),
            amount_in=amount_in,
            minimum_amount_out=amount_in - 1,
            route_data=route_data,
            route_accounts=route_accounts,
            guard=guard,
        )

    return [
        ("no route", trade(1, b"", [], GUARD)),
        ("a route of 50 accounts", trade(U64_MAX, bytes(range(256)), _metas("route", 50), LAST_GUARD)),
    ]


def _policy_changes() -> list[tuple[str, Instruction]]:
    everything = instructions.set_policy(
        OWNER,
        spend_per_trade=1,
        spend_per_day=U64_MAX,
        loss_per_day=0,
        spend_per_trade_bps=1_000,
        spend_per_day_bps=65_535,
        loss_per_day_bps=0,
        bot_expires_at=I64_MIN,
        mint_mode=ANY_MINT,
        pin=[_key(f"pinned {n}") for n in range(POSITION_SLOTS)],
        unpin=[TOKEN],
    )
    return [
        ("nothing changes", instructions.set_policy(OWNER)),
        ("everything changes", everything),
        ("one field", instructions.set_policy(OWNER, loss_per_day_bps=500)),
        ("one mint", instructions.set_policy(OWNER, pin=[TOKEN])),
    ]


def _metas(name: str, count: int) -> list[AccountMeta]:
    return [AccountMeta(_key(f"{name} {n}"), False, n % 2 == 0) for n in range(count)]


def _accounts() -> list[tuple[str, str, Values]]:
    vault: dict[str, object] = {
        "owner": OWNER,
        "total_deposited": 500_000_000,
        "bot_authority": None,
        "is_active": True,
        "created_at": 1_760_000_000,
        "bump": 254,
    }
    ends = {"total_deposited": U64_MAX, "created_at": I64_MIN, "bump": 255, "is_active": False}
    return [
        ("no bot", "VaultAccount", vault),
        ("a bot", "VaultAccount", vault | {"bot_authority": BOT}),
        ("no bot, the ends of every number", "VaultAccount", vault | ends),
        ("a bot, the ends of every number", "VaultAccount", vault | ends | {"bot_authority": BOT}),
        ("new", "VaultPolicy", _policy(0)),
        ("every byte used", "VaultPolicy", _policy(1)),
        ("the ends of every number", "VaultPolicy", _policy(None)),
        ("new", "Config", _config(used=False)),
        ("every field used", "Config", _config(used=True)),
    ]


def _policy(scale: int | None) -> dict[str, object]:
    """Each number another one times `scale`; None for the greatest that fits."""

    def number(seed: int, most: int = U64_MAX) -> int:
        return most if scale is None else seed * scale

    sizes = {"u8": 255, "u16": 65_535, "u64": U64_MAX, "i64": I64_MAX}
    used = scale != 0
    return {
        "version": 1,
        "vault": _key("vault"),
        "base_mint": USDC,
        "trade_authority": _key("trade authority"),
        "bump": 253,
        "trade_authority_bump": 252,
        "paused": used,
        "was_granted": used,
        "bot_epoch": number(1_000),
        "nonce_base": number(77),
        "nonce_bitmap": [number(n + 1, 255) for n in range(32)],
        **{name: number(n + 1, sizes[kind]) for n, (name, kind) in enumerate(LIMITS)},
        "window_hour": number(488_888),
        "spend_buckets": [number(100 + n) for n in range(WINDOW_BUCKETS)],
        "loss_buckets": [number(200 + n) for n in range(WINDOW_BUCKETS)],
        "slots": [
            {
                "mint": _key(f"held {n}") if used else NO_KEY,
                "pinned_from": number(300 + n, I64_MAX),
                "units": number(400 + n),
                "base_cost": number(500 + n),
            }
            for n in range(POSITION_SLOTS)
        ],
        **{f"pending_{name}": {"effective_at": number(600 + n, I64_MAX), "value": number(700 + n)} for n, (name, _) in enumerate(LIMITS)},
        "loosening_delay": number(86_400, I64_MAX),
        "reserved": [number(n, 255) for n in range(56)],
    }


def _config(*, used: bool) -> dict[str, object]:
    return {
        "version": 1,
        "bump": 251,
        "paused": used,
        "routers": 1,
        "pending_routers": 254 if used else 0,
        "routers_effective_at": I64_MAX if used else 0,
        "admin": ADMIN,
        "pending_admin": OWNER if used else NO_KEY,
        "guardian": GUARDIAN,
        "base_mint": USDC,
        "vault_cap": 1_000_000_000,
        "loosening_delay": 86_400,
        "reserved": [n if used else 0 for n in range(64)],
    }


def _events() -> list[tuple[str, str, Values]]:
    vault, at = _key("vault"), 1_760_000_000
    moved: dict[str, object] = {"vault": vault, "owner": OWNER, "mint": USDC, "amount": 5, "total_deposited": 500, "timestamp": at}
    traded = {
        "vault": vault,
        "bot_authority": BOT,
        "input_mint": USDC,
        "output_mint": TOKEN,
        "amount_in": 50_000_000,
        "amount_out": U64_MAX,
        "minimum_amount_out": 1,
        "timestamp": at,
    }

    def authority(previous: Pubkey | None, current: Pubkey | None) -> Values:
        return {"vault": vault, "previous": previous, "current": current, "bot_epoch": 1_000, "expires_at": at + 1, "timestamp": at}

    return [
        ("", "TradeExecuted", traded),
        ("", "Deposited", moved),
        ("before 1970", "Deposited", moved | {"amount": U64_MAX, "timestamp": I64_MIN}),
        ("", "Withdrawn", moved | {"total_deposited": 0}),
        ("a grant", "AuthorityChanged", authority(None, BOT)),
        ("a revocation", "AuthorityChanged", authority(BOT, None)),
        ("both", "AuthorityChanged", authority(BOT, OWNER)),
        ("neither", "AuthorityChanged", authority(None, None)),
        ("", "PolicyChanged", {"vault": vault, "timestamp": at}),
        ("paused", "VaultPaused", {"vault": vault, "authority": BOT, "paused": True, "timestamp": at}),
        ("resumed", "VaultPaused", {"vault": vault, "authority": OWNER, "paused": False, "timestamp": at}),
        ("", "VaultDeactivated", {"vault": vault, "owner": OWNER, "timestamp": at}),
    ]


def _instruction(case: str, built: Instruction) -> Json:
    decoded = instructions.decode(bytes(built.data), [meta.pubkey for meta in built.accounts])
    interface = next(each for each in INSTRUCTIONS if each.name == decoded.name)
    count = len(interface.accounts)
    return {
        "name": decoded.name,
        "case": case,
        "arguments": _shown(interface.arguments, decoded.arguments),
        "accounts": {role.name: _meta(meta) for role, meta in zip(interface.accounts, built.accounts, strict=False)},
        "remaining_accounts": [_meta(meta) for meta in built.accounts[count:]],
        "data": bytes(built.data).hex(),
    }


def _meta(meta: AccountMeta) -> Json:
    return {"key": str(meta.pubkey), "signer": meta.is_signer, "writable": meta.is_writable}


def _structure(case: str, structure: Structure, values: Values) -> Json:
    data = (structure.discriminator or b"") + borsh.encode(structure.fields, values)
    # A vault has room for its bot also when it has none.
    data = data.ljust(VAULT_BYTES, b"\0") if structure.name == "VaultAccount" else data
    return {"name": structure.name, "case": case, "values": _shown(structure.fields, values), "data": data.hex()}


def _shown(fields: Sequence[Field], values: Values) -> Json:
    return {field.name: _shown_value(field.type, values[field.name]) for field in fields}


def _shown_value(kind: IdlType, value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(kind, str):
        plain = {"u64": str, "i64": str, "pubkey": str, "bytes": bytes.hex}
        return cast("object", plain[kind](value)) if kind in plain else value  # type: ignore[operator]  # each takes what its type holds
    ((word, inner),) = kind.items()
    if word == "option":
        return _shown_value(cast("IdlType", inner), value)
    if word == "defined":
        return _shown(borsh.fields_of(inner), cast("Values", value))
    element = cast("IdlType", inner) if word == "vec" else cast("tuple[IdlType, int]", inner)[0]
    return [_shown_value(element, item) for item in cast("list[object]", value)]
