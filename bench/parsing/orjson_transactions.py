"""The peer of `bench parse`: the same transaction, with the same checks, built from the dictionaries that orjson makes."""

import struct
from collections.abc import Sequence
from typing import Any

import orjson

from xorj.adapters.solana_rpc.fields import (
    Json,
    optional,
    read_amount,
    read_index,
    read_list,
    read_natural,
    read_object,
    read_pubkey,
    read_text,
)
from xorj.chain.transactions import ChainInstruction, ChainTransaction, InnerInstructions, TokenBalance
from xorj.primitives import base58
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import Address, Mint, Slot, Wallet, parse_signature

LEGACY_VERSION = -1
VERSIONS = {"legacy": LEGACY_VERSION, 0: 0, 1: 1}
DECIMALS_MAX = 255
ACCOUNTS_PER_TRANSACTION_MAX = 256


def parse_transaction(reply: Json) -> ChainTransaction:
    """Reads the `result` of getTransaction. Raises InvalidInput with the path of the field that is not as it must be."""
    whole = read_object(reply, "result")
    body = read_object(whole.get("transaction"), "transaction")
    meta = read_object(whole.get("meta"), "meta")
    message = read_object(body.get("message"), "transaction.message")
    keys = _account_keys(message, meta)
    signatures = read_list(body.get("signatures"), "transaction.signatures")
    if not 1 <= len(signatures) <= len(keys):
        raise InvalidInput("transaction.signatures", given=len(signatures), rule="one signature for each signer, at least one")
    pre, post = (_balances(meta, name, len(keys)) for name in ("preBalances", "postBalances"))
    return ChainTransaction(
        signature=parse_signature(read_text(signatures[0], "transaction.signatures[0]"), "transaction.signatures[0]"),
        slot=Slot(read_natural(whole.get("slot"), "slot")),
        transaction_index=optional(whole.get("transactionIndex"), "transactionIndex", read_natural),
        block_time=optional(whole.get("blockTime"), "blockTime", read_natural),
        version=_version(whole.get("version", "legacy")),
        error=error_text(meta.get("err")),
        fee_lamports=read_natural(meta.get("fee"), "meta.fee"),
        signers_count=len(signatures),
        account_keys=keys,
        pre_balances=pre,
        post_balances=post,
        pre_token_balances=_token_balances(meta.get("preTokenBalances"), "meta.preTokenBalances", len(keys)),
        post_token_balances=_token_balances(meta.get("postTokenBalances"), "meta.postTokenBalances", len(keys)),
        instructions=_instructions(read_list(message.get("instructions"), "transaction.message.instructions"), keys, "instructions"),
        inner_instructions=_inner(meta.get("innerInstructions"), keys),
        logs=tuple(read_text(line, "meta.logMessages") for line in read_list(meta.get("logMessages") or [], "meta.logMessages")),
        compute_units=optional(meta.get("computeUnitsConsumed"), "meta.computeUnitsConsumed", read_natural),
    )


def error_text(error: Json) -> str | None:
    """The chain's error as compact JSON, None on success."""
    return None if error is None else orjson.dumps(error).decode()


def _version(given: Json) -> int:
    if isinstance(given, bool) or not isinstance(given, str | int) or given not in VERSIONS:
        raise InvalidInput("version", given=given, rule='"legacy", 0 or 1')
    return VERSIONS[given]


def _account_keys(message: dict[str, Json], meta: dict[str, Json]) -> tuple[Address, ...]:
    """Message keys, then loaded writable, then loaded readonly; jsonParsed lists all of them as objects in that order."""
    rows = read_list(message.get("accountKeys"), "transaction.message.accountKeys")
    parsed = bool(rows) and isinstance(rows[0], dict)
    texts = [read_object(row, "accountKeys").get("pubkey") for row in rows] if parsed else list(rows)
    if not parsed:
        loaded = read_object(meta.get("loadedAddresses") or {}, "meta.loadedAddresses")
        for name in ("writable", "readonly"):
            texts += read_list(loaded.get(name) or [], f"meta.loadedAddresses.{name}")
    if not 1 <= len(texts) <= ACCOUNTS_PER_TRANSACTION_MAX:
        raise InvalidInput("accountKeys", given=len(texts), rule=f"1 to {ACCOUNTS_PER_TRANSACTION_MAX} accounts")
    return tuple(Address(read_pubkey(text, "accountKeys")) for text in texts)


def _balances(meta: dict[str, Json], name: str, count: int) -> tuple[int, ...]:
    values = read_list(meta.get(name), f"meta.{name}")
    if len(values) != count:
        raise InvalidInput(f"meta.{name}", given=len(values), rule=f"one balance for each of {count} accounts")
    return tuple(read_natural(value, f"meta.{name}") for value in values)


def _token_balances(rows: Json, path: str, count: int) -> tuple[TokenBalance, ...]:
    read = []
    for row in read_list(rows or [], path):
        fields = read_object(row, path)
        amount = read_object(fields.get("uiTokenAmount"), f"{path}.uiTokenAmount")
        owner, program = (optional(fields.get(name) or None, f"{path}.{name}", read_pubkey) for name in ("owner", "programId"))
        read.append(
            TokenBalance(
                account_index=read_index(fields.get("accountIndex"), f"{path}.accountIndex", count),
                mint=Mint(read_pubkey(fields.get("mint"), f"{path}.mint")),
                owner=Wallet(owner) if owner else None,
                program=Address(program) if program else None,
                amount_raw=read_amount(amount.get("amount"), f"{path}.uiTokenAmount.amount"),
                decimals=read_index(amount.get("decimals"), f"{path}.uiTokenAmount.decimals", DECIMALS_MAX + 1),
            )
        )
    if len({row.account_index for row in read}) != len(read):
        raise InvalidInput(path, given="an account twice", rule="one balance per account")
    return tuple(read)


def _inner(rows: Json, keys: Sequence[Address]) -> tuple[InnerInstructions, ...]:
    path, read = "meta.innerInstructions", []
    for row in read_list(rows or [], path):
        fields = read_object(row, path)
        instructions = _instructions(read_list(fields.get("instructions"), f"{path}.instructions"), keys, path)
        read.append(InnerInstructions(read_natural(fields.get("index"), f"{path}.index"), instructions))
    return tuple(read)


def _instructions(rows: Sequence[Json], keys: Sequence[Address], path: str) -> tuple[ChainInstruction, ...]:
    return tuple(_instruction(read_object(row, path), keys, path) for row in rows)


def _instruction(row: dict[str, Json], keys: Sequence[Address], path: str) -> ChainInstruction:
    height = optional(row.get("stackHeight"), f"{path}.stackHeight", read_natural)
    if "programIdIndex" in row:
        program = keys[read_index(row["programIdIndex"], f"{path}.programIdIndex", len(keys))]
        indexes = read_list(row.get("accounts"), f"{path}.accounts")
        accounts = tuple(keys[read_index(index, f"{path}.accounts", len(keys))] for index in indexes)
        return ChainInstruction(program, accounts, _bytes(row.get("data"), path), height)
    program = Address(read_pubkey(row.get("programId"), f"{path}.programId"))
    if "parsed" in row:
        accounts, data = _written_back(row.get("program"), row["parsed"])
        return ChainInstruction(program, accounts, data, height)
    named = read_list(row.get("accounts"), f"{path}.accounts")
    accounts = tuple(Address(read_pubkey(one, f"{path}.accounts")) for one in named)
    return ChainInstruction(program, accounts, _bytes(row.get("data"), path), height)


def _bytes(data: Json, path: str) -> bytes:
    text = read_text(data, f"{path}.data")
    try:
        return base58.decode(text)
    except base58.NotBase58 as error:
        raise InvalidInput(f"{path}.data", given=text, rule="base58") from error


def _written_back(program: Json, parsed: Any) -> tuple[tuple[Address, ...], bytes]:
    """Accounts and data of a parsed instruction that moves funds; nothing where it does not."""
    info = parsed.get("info") if isinstance(parsed, dict) else None
    write = _WRITERS.get((str(program), str(parsed.get("type")))) if isinstance(info, dict) else None
    if write is None or not isinstance(info, dict):
        return (), b""
    names, data = write(info)
    return tuple(Address(read_pubkey(info.get(name), f"parsed.info.{name}")) for name in names), data


def _system_transfer(info: dict[str, Json]) -> tuple[tuple[str, ...], bytes]:
    lamports = read_natural(info.get("lamports"), "parsed.info.lamports")
    return ("source", "destination"), struct.pack("<IQ", 2, lamports)


def _create_account(info: dict[str, Json]) -> tuple[tuple[str, ...], bytes]:
    lamports, space = (read_natural(info.get(name), f"parsed.info.{name}") for name in ("lamports", "space"))
    owner = base58.decode(read_pubkey(info.get("owner"), "parsed.info.owner"))
    return ("source", "newAccount"), struct.pack("<IQQ", 0, lamports, space) + owner


def _allocate(info: dict[str, Json]) -> tuple[tuple[str, ...], bytes]:
    return ("account",), struct.pack("<IQ", 8, read_natural(info.get("space"), "parsed.info.space"))


def _create_associated_account(_: dict[str, Json]) -> tuple[tuple[str, ...], bytes]:
    return ("source", "account", "wallet", "mint"), b"\x01"


def _initialize_account(_: dict[str, Json]) -> tuple[tuple[str, ...], bytes]:
    return ("account", "mint", "owner", "rentSysvar"), b"\x01"


def _initialize_account_3(info: dict[str, Json]) -> tuple[tuple[str, ...], bytes]:
    return ("account", "mint"), b"\x12" + base58.decode(read_pubkey(info.get("owner"), "parsed.info.owner"))


def _close_account(_: dict[str, Json]) -> tuple[tuple[str, ...], bytes]:
    return ("account", "destination"), b"\x09"


def _mint_to(info: dict[str, Json]) -> tuple[tuple[str, ...], bytes]:
    return ("mint", "account"), struct.pack("<BQ", 7, _amount(info))


def _burn(info: dict[str, Json]) -> tuple[tuple[str, ...], bytes]:
    return ("account", "mint"), struct.pack("<BQ", 8, _amount(info))


def _amount(info: dict[str, Json]) -> int:
    """The raw amount, where a plain instruction and where a checked one has it."""
    if "tokenAmount" in info:
        return read_amount(read_object(info["tokenAmount"], "parsed.info.tokenAmount").get("amount"), "parsed.info.tokenAmount.amount")
    return read_amount(info.get("amount"), "parsed.info.amount")


def _authority(info: dict[str, Json]) -> str:
    return "authority" if "authority" in info else "multisigAuthority"


def _token_transfer(info: dict[str, Json]) -> tuple[tuple[str, ...], bytes]:
    return ("source", "destination", _authority(info)), struct.pack("<BQ", 3, _amount(info))


def _token_transfer_checked(info: dict[str, Json]) -> tuple[tuple[str, ...], bytes]:
    amount = read_object(info.get("tokenAmount"), "parsed.info.tokenAmount")
    decimals = read_index(amount.get("decimals"), "parsed.info.tokenAmount.decimals", DECIMALS_MAX + 1)
    return ("source", "mint", "destination", _authority(info)), struct.pack("<BQB", 12, _amount(info), decimals)


_TOKEN_WRITERS = {
    "transfer": _token_transfer,
    "transferChecked": _token_transfer_checked,
    "closeAccount": _close_account,
    "initializeAccount": _initialize_account,
    "initializeAccount2": _initialize_account_3,
    "initializeAccount3": _initialize_account_3,
    "mintTo": _mint_to,
    "mintToChecked": _mint_to,
    "burn": _burn,
    "burnChecked": _burn,
}
_WRITERS = {
    ("system", "transfer"): _system_transfer,
    ("system", "createAccount"): _create_account,
    # written back without its seed: who paid for which account with how much is what its readers ask
    ("system", "createAccountWithSeed"): _create_account,
    ("system", "allocate"): _allocate,
    ("spl-associated-token-account", "create"): _create_associated_account,
    ("spl-associated-token-account", "createIdempotent"): _create_associated_account,
    **{(program, kind): write for program in ("spl-token", "spl-token-2022") for kind, write in _TOKEN_WRITERS.items()},
}
