"""The vault program's IDL in both of Anchor's formats, from `interface`. Used by xorj.cli.generate, which writes and compares idl/."""

import json
from typing import cast

from xorj.vault.accounts import PROGRAM_ID, TOKEN_PROGRAM
from xorj.vault.instructions import UPGRADEABLE_LOADER
from xorj.vault.interface import (
    ACCOUNTS,
    CONSTANTS,
    ERROR_BASE,
    ERRORS,
    EVENTS,
    INSTRUCTIONS,
    PROGRAM,
    TYPES,
    VERSION,
    Field,
    IdlType,
    Interface,
    Structure,
)

# Accounts that are the same in every transaction; a client fills them in.
_FIXED = {
    "system_program": "11111111111111111111111111111111",
    "event_authority": "Gy51BfKgtHQArDnX2UEKrSagJtCzy9osQQ8TevVPjjFX",
    "program": PROGRAM,
}
# Where any other token program than the classic one is refused; the owner's way out takes Token-2022 too, so there the client says which.
_CLASSIC_ONLY = ("deposit", "bot_trade")
# (instruction, account) -> seeds, each a word or the name of an account of the same instruction. The signer that owns the vault is `owner`.
_SEEDS: dict[str, tuple[str, ...]] = {"config": ("=config",), "policy": ("=policy", "vault"), "trade_authority": ("=trade", "vault")}
_CREATED_BY_OWNER = {"vault": ("=vault", "owner")}

Json = dict[str, object]


def anchor() -> str:
    """As Anchor 0.30 and newer write it, spec 0.1.0."""
    document: Json = {
        "address": PROGRAM,
        "metadata": {"name": "xorj_vault", "version": VERSION, "spec": "0.1.0", "description": "Holds a follower's funds"},
        "instructions": [_instruction(each) for each in INSTRUCTIONS],
        "accounts": [_discriminated(each) for each in ACCOUNTS],
        "events": [_discriminated(each) for each in EVENTS],
        "errors": _errors(),
        "types": [_type(each) for each in (*TYPES, *ACCOUNTS, *EVENTS)],
        "constants": _constants(),
    }
    return _text(document)


def legacy() -> str:
    """As Anchor before 0.30 wrote it; anchorpy reads no other."""
    document: Json = {
        "version": VERSION,
        "name": "xorj_vault",
        "constants": _constants(),
        "instructions": [_legacy_instruction(each) for each in INSTRUCTIONS],
        "accounts": [_legacy_structure(each) for each in ACCOUNTS],
        "types": [_legacy_structure(each) for each in TYPES],
        "events": [_legacy_event(each) for each in EVENTS],
        "errors": _errors(),
        "metadata": {"address": PROGRAM},
    }
    return _text(document)


def _instruction(interface: Interface) -> Json:
    return {
        "name": interface.name,
        "docs": [interface.doc],
        "discriminator": list(interface.discriminator),
        "accounts": [_account(interface, role.name) for role in interface.accounts],
        "args": [_field(field) for field in interface.arguments],
    }


def _account(interface: Interface, name: str) -> Json:
    role = next(role for role in interface.accounts if role.name == name)
    account: Json = {"name": name}
    if role.is_writable:
        account["writable"] = True
    if role.is_signer:
        account["signer"] = True
    if name in _FIXED:
        account["address"] = _FIXED[name]
    if name == "token_program" and interface.name in _CLASSIC_ONLY:
        account["address"] = str(TOKEN_PROGRAM)
    names = {each.name for each in interface.accounts}
    seeds = _SEEDS.get(name) or (_CREATED_BY_OWNER.get(name) if "owner" in names else None)
    if seeds:
        account["pda"] = {"seeds": [_seed(seed) for seed in seeds]}
    if name == "program_data":
        account["pda"] = {"seeds": [_constant(bytes(PROGRAM_ID))], "program": _constant(bytes(UPGRADEABLE_LOADER))}
    return account


def _seed(seed: str) -> Json:
    return _constant(seed[1:].encode()) if seed.startswith("=") else {"kind": "account", "path": seed}


def _constant(value: bytes) -> Json:
    return {"kind": "const", "value": list(value)}


def _discriminated(structure: Structure) -> Json:
    return {"name": structure.name, "discriminator": list(structure.discriminator or b"")}


def _type(structure: Structure) -> Json:
    described: Json = {"name": structure.name}
    if structure.doc:
        described["docs"] = [structure.doc]
    return described | {"type": {"kind": "struct", "fields": [_field(field) for field in structure.fields]}}


def _field(field: Field) -> Json:
    described: Json = {"name": field.name}
    if field.doc:
        described["docs"] = [field.doc]
    return described | {"type": field.type}


def _errors() -> list[Json]:
    return [{"code": ERROR_BASE + number, "name": name, "msg": message} for number, (name, message) in enumerate(ERRORS)]


def _constants() -> list[Json]:
    return [{"name": name, "type": kind, "value": str(value)} for name, kind, value in CONSTANTS]


def _legacy_instruction(interface: Interface) -> Json:
    return {
        "name": _camel(interface.name),
        "docs": [interface.doc],
        "accounts": [{"name": _camel(role.name), "isMut": role.is_writable, "isSigner": role.is_signer} for role in interface.accounts],
        "args": [{"name": _camel(field.name), "type": _legacy_kind(field.type)} for field in interface.arguments],
    }


def _legacy_structure(structure: Structure) -> Json:
    fields = [{"name": _camel(field.name), "type": _legacy_kind(field.type)} for field in structure.fields]
    return {"name": structure.name, "type": {"kind": "struct", "fields": fields}}


def _legacy_event(structure: Structure) -> Json:
    fields = [{"name": _camel(field.name), "type": _legacy_kind(field.type), "index": False} for field in structure.fields]
    return {"name": structure.name, "fields": fields}


def _legacy_kind(kind: IdlType) -> object:
    if isinstance(kind, str):
        return "publicKey" if kind == "pubkey" else kind
    ((word, inner),) = kind.items()
    if word == "defined":
        return {"defined": cast("dict[str, str]", inner)["name"]}
    if word == "array":
        element, count = cast("tuple[IdlType, int]", inner)
        return {"array": [_legacy_kind(element), count]}
    return {word: _legacy_kind(cast("IdlType", inner))}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _text(document: Json) -> str:
    return json.dumps(document, indent=2) + "\n"
