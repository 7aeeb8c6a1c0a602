"""A getTransaction reply, `json` or `jsonParsed`, to a ChainTransaction. Used by node.py and by the command `swaps decode`.

Typed structs with only the fields that anything reads, filled straight from the bytes: the rest of a reply is skipped, never built.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, cast

import msgspec
import orjson

from xorj.adapters.solana_rpc.fields import Json, optional, read_natural, read_object, read_text
from xorj.adapters.solana_rpc.parsed_instructions import U64_MAX, amount_of, written_back
from xorj.chain.transactions import ChainInstruction, ChainTransaction, InnerInstructions, SignatureInfo, TokenBalance
from xorj.primitives import base58
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import Address, Mint, Slot, Wallet, parse_pubkey, parse_signature

LEGACY_VERSION = -1
# some providers write null for what had no version yet
VERSIONS = {"legacy": LEGACY_VERSION, None: LEGACY_VERSION, 0: 0, 1: 1}
ACCOUNTS_PER_TRANSACTION_MAX = 256
# the same few thousand addresses come back in every reply
PUBKEYS_REMEMBERED_MAX = 65_536
_ERROR = re.compile(r"(?:Expected `(?P<rule>[^`]+)`, got `(?P<given>[^`]+)`|Object missing required field `(?P<missing>[^`]+)`)")
_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`")

_canonical = lru_cache(PUBKEYS_REMEMBERED_MAX)(parse_pubkey)


Natural = Annotated[int, msgspec.Meta(ge=0)]


class _Amount(msgspec.Struct, gc=False):
    amount: str
    decimals: Annotated[int, msgspec.Meta(ge=0, le=255)]


class _Balance(msgspec.Struct, rename="camel", gc=False):
    account_index: Natural
    mint: str
    ui_token_amount: _Amount
    owner: str | None = None
    program_id: str | None = None


class _Parsed(msgspec.Struct, gc=False):
    type: str = ""
    info: msgspec.Raw = msgspec.Raw(b"null")


class _Instruction(msgspec.Struct, rename="camel", gc=False):
    program_id_index: Natural | None = None
    program_id: str | None = None
    accounts: list[Natural | str] | None = None
    data: str | None = None
    parsed: _Parsed | str | None = None
    program: str | None = None
    stack_height: Natural | None = None


class _Inner(msgspec.Struct, gc=False):
    index: Natural
    instructions: list[_Instruction]


class _Loaded(msgspec.Struct, gc=False):
    writable: list[str] = []
    readonly: list[str] = []


class _Meta(msgspec.Struct, rename="camel", gc=False):
    fee: Natural
    pre_balances: list[Natural]
    post_balances: list[Natural]
    err: Any = None
    pre_token_balances: list[_Balance] | None = None
    post_token_balances: list[_Balance] | None = None
    inner_instructions: list[_Inner] | None = None
    loaded_addresses: _Loaded | None = None
    log_messages: list[str] | None = None
    compute_units_consumed: Natural | None = None


class _Key(msgspec.Struct, gc=False):
    pubkey: str


class _Message(msgspec.Struct, rename="camel", gc=False):
    account_keys: list[str | _Key]
    instructions: list[_Instruction]


class _Body(msgspec.Struct, gc=False):
    signatures: list[str]
    message: _Message


class _Result(msgspec.Struct, rename="camel", gc=False):
    slot: Natural
    transaction: _Body
    meta: _Meta
    block_time: Natural | None = None
    version: str | int | None = "legacy"
    transaction_index: Natural | None = None


class _NodeError(msgspec.Struct, gc=False):
    message: str = ""


class _Reply(msgspec.Struct, gc=False):
    result: _Result | msgspec.UnsetType | None = msgspec.UNSET
    error: _NodeError | None = None


_RESULT = msgspec.json.Decoder(_Result)
_REPLY = msgspec.json.Decoder(_Reply)


def parse_reply(content: bytes) -> ChainTransaction:
    """Reads a whole reply or its result. Raises InvalidInput, also for an error of the node and for a transaction it does not know."""
    try:
        reply = _REPLY.decode(content)
        if reply.error is not None:
            raise InvalidInput("error", given=reply.error.message, rule="a reply with a transaction, not an error of the node")
        if reply.result is None:
            raise InvalidInput("result", given="null", rule="a reply with a transaction; the node did not know it")
        return _transaction(_RESULT.decode(content) if reply.result is msgspec.UNSET else reply.result)
    except msgspec.MsgspecError as error:
        raise _refused(error) from error


def parse_transaction(reply: Json) -> ChainTransaction:
    """The same of a result that was read already."""
    try:
        return parse_result(orjson.dumps(reply))
    except TypeError as error:
        raise InvalidInput("result", given=type(reply).__name__, rule=f"JSON of integers up to 64 bits ({error})") from error


def parse_result(content: bytes | msgspec.Raw) -> ChainTransaction:
    """Reads the `result` of getTransaction. Raises InvalidInput with the path of the field that is not as it must be."""
    try:
        return _transaction(_RESULT.decode(content))
    except msgspec.MsgspecError as error:
        raise _refused(error) from error


def parse_signature_info(row: Json, source: str = "") -> SignatureInfo:
    """Reads one row of getSignaturesForAddress, as `source` listed it. Raises InvalidInput."""
    fields = read_object(row, "row")
    return SignatureInfo(
        signature=parse_signature(read_text(fields.get("signature"), "signature"), "signature"),
        slot=Slot(read_natural(fields.get("slot"), "slot")),
        block_time=optional(fields.get("blockTime"), "blockTime", read_natural),
        error=error_text(fields.get("err")),
        transaction_index=optional(fields.get("transactionIndex"), "transactionIndex", read_natural),
        source=source,
    )


def error_text(error: Json) -> str | None:
    """The chain's error as compact JSON, None on success. Raises InvalidInput when it holds a number that no chain has."""
    try:
        return None if error is None else orjson.dumps(error).decode()
    except TypeError as cause:
        raise InvalidInput("err", given=str(error), rule=f"the chain's error ({cause})") from cause


def _refused(error: msgspec.MsgspecError) -> InvalidInput:
    found, at = _ERROR.search(str(error)), _PATH.search(str(error))
    path = at["path"].removeprefix("result.") if at else ""
    if found is None:
        return InvalidInput(path or "result", given=str(error), rule="JSON of a transaction")
    if found["missing"]:
        return InvalidInput(f"{path}.{found['missing']}".lstrip("."), given=None, rule="a value")
    if path == "transaction" and found["given"] in ("array", "str"):
        return InvalidInput(path, given="encoded bytes", rule="a transaction in the encoding json or jsonParsed")
    rule = "a JSON object" if found["rule"] == "object" else found["rule"]
    return InvalidInput(path or "result", given=found["given"], rule=rule)


def _transaction(whole: _Result) -> ChainTransaction:
    meta, message, signatures = whole.meta, whole.transaction.message, whole.transaction.signatures
    keys = _account_keys(message, meta)
    known = frozenset(keys)
    if not 1 <= len(signatures) <= len(keys):
        raise InvalidInput("transaction.signatures", given=len(signatures), rule="one signature for each signer, at least one")
    return ChainTransaction(
        signature=parse_signature(signatures[0], "transaction.signatures[0]"),
        slot=Slot(_natural(whole.slot, "slot")),
        transaction_index=None if whole.transaction_index is None else _natural(whole.transaction_index, "transactionIndex"),
        block_time=None if whole.block_time is None else _natural(whole.block_time, "blockTime"),
        version=_version(whole.version),
        error=error_text(meta.err),
        fee_lamports=_natural(meta.fee, "meta.fee"),
        signers_count=len(signatures),
        account_keys=keys,
        pre_balances=_balances(meta.pre_balances, "meta.preBalances", len(keys)),
        post_balances=_balances(meta.post_balances, "meta.postBalances", len(keys)),
        pre_token_balances=_token_balances(meta.pre_token_balances or (), "meta.preTokenBalances", len(keys)),
        post_token_balances=_token_balances(meta.post_token_balances or (), "meta.postTokenBalances", len(keys)),
        instructions=tuple([_instruction(row, keys, known) for row in message.instructions]),
        inner_instructions=_inner(meta.inner_instructions or (), keys, known),
        logs=tuple(meta.log_messages or ()),
        compute_units=None if meta.compute_units_consumed is None else _natural(meta.compute_units_consumed, "meta.computeUnitsConsumed"),
    )


def _natural(value: int, path: str) -> int:
    if value > U64_MAX:
        raise InvalidInput(path, given=value, rule="an integer from 0 to 2^64 - 1")
    return value


def _index(value: int, path: str, count: int) -> int:
    if value >= count:
        raise InvalidInput(path, given=value, rule=f"an index below {count}")
    return value


def _version(given: str | int | None) -> int:
    if given not in VERSIONS:
        raise InvalidInput("version", given=given, rule='"legacy", 0 or 1')
    return VERSIONS[given]


def _account_keys(message: _Message, meta: _Meta) -> tuple[Address, ...]:
    """Message keys, then loaded writable, then loaded readonly; jsonParsed lists all of them as objects in that order."""
    rows = message.account_keys
    if rows and not isinstance(rows[0], str):
        texts = [row.pubkey for row in rows if not isinstance(row, str)]
    else:
        loaded = meta.loaded_addresses or _Loaded()
        texts = [*(row for row in rows if isinstance(row, str)), *loaded.writable, *loaded.readonly]
        rows = [*rows, *loaded.writable, *loaded.readonly]
    if len(texts) != len(rows) or not 1 <= len(texts) <= ACCOUNTS_PER_TRANSACTION_MAX:
        raise InvalidInput("accountKeys", given=len(texts), rule=f"1 to {ACCOUNTS_PER_TRANSACTION_MAX} accounts, all in one form")
    return tuple([Address(_canonical(text, "accountKeys")) for text in texts])


def _balances(values: list[int], path: str, count: int) -> tuple[int, ...]:
    if len(values) != count:
        raise InvalidInput(path, given=len(values), rule=f"one balance for each of {count} accounts")
    _natural(max(values), path)
    return tuple(values)


def _token_balances(rows: Sequence[_Balance], path: str, count: int) -> tuple[TokenBalance, ...]:
    read = [
        TokenBalance(
            row.account_index,
            Mint(_canonical(row.mint, path)),
            Wallet(_canonical(row.owner, path)) if row.owner else None,
            Address(_canonical(row.program_id, path)) if row.program_id else None,
            amount_of(row.ui_token_amount.amount, path),
            row.ui_token_amount.decimals,
        )
        for row in rows
    ]
    accounts = {row.account_index for row in rows}
    if len(accounts) != len(read):
        raise InvalidInput(path, given="an account twice", rule="one balance per account")
    _index(max(accounts, default=0), f"{path}.accountIndex", count)
    return tuple(read)


def _inner(rows: Sequence[_Inner], keys: tuple[Address, ...], known: frozenset[Address]) -> tuple[InnerInstructions, ...]:
    return tuple([InnerInstructions(row.index, tuple([_instruction(one, keys, known) for one in row.instructions])) for row in rows])


def _instruction(row: _Instruction, keys: tuple[Address, ...], known: frozenset[Address]) -> ChainInstruction:
    if row.program_id_index is not None:
        program = keys[_index(row.program_id_index, "programIdIndex", len(keys))]
        return ChainInstruction(program, _indexed(row.accounts, keys), _bytes(row.data), row.stack_height)
    program = Address(row.program_id or "")
    if program not in known:
        program = Address(_canonical(program, "programId"))
    if row.parsed is None:
        return ChainInstruction(program, _named(row.accounts, known), _bytes(row.data), row.stack_height)
    if isinstance(row.parsed, str):
        return ChainInstruction(program, (), b"", row.stack_height)
    accounts, data = written_back(row.program, row.parsed.type, row.parsed.info)
    return ChainInstruction(program, _named(accounts, known), data, row.stack_height)


def _indexed(accounts: list[int | str] | None, keys: tuple[Address, ...]) -> tuple[Address, ...]:
    try:
        return tuple([keys[cast("int", at)] for at in accounts or ()])
    except (IndexError, TypeError) as error:
        raise InvalidInput("accounts", given=accounts, rule=f"indices below {len(keys)}") from error


def _named(accounts: Sequence[int | str | None] | None, known: frozenset[Address]) -> tuple[Address, ...]:
    """Accounts of a parsed instruction are addresses of the transaction, so that nearly all were checked already."""
    if accounts is None:
        raise InvalidInput("accounts", given=None, rule="the accounts of the instruction")
    if known.issuperset(accounts):
        return cast("tuple[Address, ...]", tuple(accounts))
    return tuple([Address(_canonical(str(one), "accounts")) for one in accounts])


def _bytes(data: str | None) -> bytes:
    if data is None:
        raise InvalidInput("data", given=None, rule="base58")
    try:
        return base58.decode(data)
    except base58.NotBase58 as error:
        raise InvalidInput("data", given=data, rule="base58") from error
