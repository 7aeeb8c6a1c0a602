"""Stored transactions and blocks in the encodings of getTransaction and getBlock. Pure; called by the RPC's history methods."""

from base64 import b64encode
from collections.abc import Sequence

from solders.message import MessageV1

from xorj.localnet.message import LEGACY, DecodedTransaction
from xorj.localnet.records import InnerRow, Json, Meta, StoredTransaction, TokenBalanceRow
from xorj.localnet.rendering.amounts import token_amount
from xorj.localnet.rendering.instructions import render
from xorj.primitives.base58 import decode, encode

TOP_LEVEL = 1


def version_of(decoded: DecodedTransaction) -> Json:
    """What `version` says: "legacy", 0 or 1."""
    return "legacy" if decoded.version == LEGACY else decoded.version


def transaction_and_meta(stored: StoredTransaction, decoded: DecodedTransaction, encoding: str, *, in_block: bool) -> Json:
    """The `transaction` and `meta` of one stored transaction."""
    keys = [*map(str, decoded.keys), *stored.meta.loaded_writable, *stored.meta.loaded_readonly]
    return {"meta": meta(stored.meta, keys, encoding, in_block=in_block), "transaction": transaction(stored, decoded, keys, encoding)}


def transaction(stored: StoredTransaction, decoded: DecodedTransaction, keys: Sequence[str], encoding: str) -> Json:
    """The transaction in one of the encodings: a list of text and encoding, or an object."""
    if encoding == "base64":
        return [b64encode(stored.raw).decode(), "base64"]
    if encoding == "base58":
        return [encode(stored.raw), "base58"]
    if encoding == "binary":
        return encode(stored.raw)
    message = _parsed_message(stored.meta, decoded, keys) if encoding == "jsonParsed" else _raw_message(decoded)
    return {"message": message, "signatures": [str(one) for one in decoded.transaction.signatures]}


def meta(of: Meta, keys: Sequence[str], encoding: str, *, in_block: bool) -> Json:
    """`meta`; jsonParsed shows loaded addresses among the keys instead, and a block's transactions have no rewards."""
    shown = {
        "computeUnitsConsumed": of.compute_units,
        "costUnits": of.cost_units,
        "err": of.error,
        "fee": of.fee_lamports,
        "innerInstructions": inner_instructions(of.inner_instructions, keys, parsed=encoding == "jsonParsed"),
        "logMessages": of.logs,
        "postBalances": of.post_balances,
        "postTokenBalances": token_balances(of.post_token_balances, null_when_zero=True),
        "preBalances": of.pre_balances,
        "preTokenBalances": token_balances(of.pre_token_balances, null_when_zero=True),
        "rewards": None if in_block else [],
        "status": status(of.error),
    }
    if encoding != "jsonParsed":
        shown["loadedAddresses"] = {"readonly": of.loaded_readonly, "writable": of.loaded_writable}
    if of.return_data is not None:
        shown["returnData"] = return_data(of.return_data)
    return shown


def status(error: Json) -> Json:
    """The old form of a transaction's outcome."""
    return {"Ok": None} if error is None else {"Err": error}


def return_data(of: tuple[str, str]) -> Json:
    program, data = of
    return {"data": [b64encode(decode(data)).decode(), "base64"], "programId": program}


def token_balances(rows: Sequence[TokenBalanceRow], *, null_when_zero: bool) -> Json:
    return [
        {
            "accountIndex": row.account_index,
            "mint": row.mint,
            "owner": row.owner,
            "programId": row.program,
            "uiTokenAmount": token_amount(row.amount_raw, row.decimals, null_when_zero=null_when_zero),
        }
        for row in rows
    ]


def inner_instructions(groups: Sequence[tuple[int, list[InnerRow]]], keys: Sequence[str], *, parsed: bool) -> Json:
    """Inner instructions by top-level instruction, with indexes or parsed."""
    if parsed:
        return [{"index": index, "instructions": [_parsed_inner(row, keys) for row in rows]} for index, rows in groups]
    return [{"index": index, "instructions": [_raw_inner(row) for row in rows]} for index, rows in groups]


def account_keys(of: Meta, decoded: DecodedTransaction, keys: Sequence[str]) -> Json:
    """Every key with its roles, loaded ones included."""
    own, writable_loaded = len(decoded.keys), len(of.loaded_writable)
    return [
        {
            "pubkey": key,
            "signer": decoded.is_signer(index),
            "source": "transaction" if index < own else "lookupTable",
            "writable": decoded.is_writable(index, writable_loaded),
        }
        for index, key in enumerate(keys)
    ]


def _parsed_inner(row: InnerRow, keys: Sequence[str]) -> Json:
    return render(keys[row.program_index], [keys[index] for index in row.accounts], row.data, row.stack_height)


def _raw_inner(row: InnerRow) -> Json:
    return {"accounts": row.accounts, "data": row.data, "programIdIndex": row.program_index, "stackHeight": row.stack_height}


def _raw_message(decoded: DecodedTransaction) -> Json:
    header = decoded.header
    message = {
        "accountKeys": [str(key) for key in decoded.keys],
        "header": {
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
            "numRequiredSignatures": header.num_required_signatures,
        },
        "instructions": [
            {
                "accounts": list(one.accounts),
                "data": encode(bytes(one.data)),
                "programIdIndex": one.program_id_index,
                "stackHeight": TOP_LEVEL,
            }
            for one in decoded.instructions
        ],
        "recentBlockhash": str(decoded.blockhash),
    }
    return message | _version_parts(decoded)


def _parsed_message(of: Meta, decoded: DecodedTransaction, keys: Sequence[str]) -> Json:
    instructions = [
        render(keys[one.program_id_index], [keys[index] for index in one.accounts], encode(bytes(one.data)), TOP_LEVEL)
        for one in decoded.instructions
    ]
    message = {
        "accountKeys": account_keys(of, decoded, keys),
        "instructions": instructions,
        "recentBlockhash": str(decoded.blockhash),
    }
    return message | _version_parts(decoded)


def _version_parts(decoded: DecodedTransaction) -> dict[str, Json]:
    """What only newer messages have: lookups in version 0, a configuration in version 1."""
    message = decoded.transaction.message
    if isinstance(message, MessageV1):
        config = message.config
        shown = {
            "priorityFee": config.priority_fee,
            "computeUnitLimit": config.compute_unit_limit,
            "loadedAccountsDataSizeLimit": config.loaded_accounts_data_size_limit,
            "heapSize": config.heap_size,
        }
        return {"transactionConfig": shown}
    if decoded.version == LEGACY:
        return {}
    lookups = [
        {"accountKey": str(one.table), "readonlyIndexes": list(one.readonly), "writableIndexes": list(one.writable)}
        for one in decoded.lookups
    ]
    return {"addressTableLookups": lookups}
