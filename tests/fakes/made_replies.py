"""getTransaction results of made transactions, as a node writes them: encoding `json`, or `jsonParsed` with every program left unparsed."""

from typing import Any

from xorj.chain.transactions import ChainInstruction, ChainTransaction, TokenBalance
from xorj.primitives import base58

VERSION_TEXTS = {-1: "legacy", 0: 0, 1: 1}


def result_of(transaction: ChainTransaction, *, parsed: bool = False) -> dict[str, Any]:
    """Programs and accounts that the transaction only names are added to its accounts, with one lamport each."""
    named = [one for instruction in every(transaction) for one in (instruction.program, *instruction.accounts)]
    keys = list(dict.fromkeys([*transaction.account_keys, *named]))
    added = [1] * (len(keys) - len(transaction.account_keys))
    write = unparsed if parsed else compiled
    return {
        "slot": transaction.slot,
        "blockTime": transaction.block_time,
        "version": VERSION_TEXTS[transaction.version],
        "transaction": {
            "signatures": [transaction.signature] * transaction.signers_count,
            "message": {
                "accountKeys": [{"pubkey": key, "signer": False, "writable": True} for key in keys] if parsed else keys,
                "instructions": [write(one, keys) for one in transaction.instructions],
            },
        },
        "meta": {
            "err": None,
            "fee": transaction.fee_lamports,
            "preBalances": [*transaction.pre_balances, *added],
            "postBalances": [*transaction.post_balances, *added],
            "preTokenBalances": [balance(row) for row in transaction.pre_token_balances],
            "postTokenBalances": [balance(row) for row in transaction.post_token_balances],
            "innerInstructions": [
                {"index": group.index, "instructions": [write(one, keys) for one in group.instructions]}
                for group in transaction.inner_instructions
            ],
            "logMessages": list(transaction.logs),
        },
    }


def every(transaction: ChainTransaction) -> list[ChainInstruction]:
    return [*transaction.instructions, *(one for group in transaction.inner_instructions for one in group.instructions)]


def compiled(instruction: ChainInstruction, keys: list[Any]) -> dict[str, Any]:
    return {
        "programIdIndex": keys.index(instruction.program),
        "accounts": [keys.index(one) for one in instruction.accounts],
        "data": base58.encode(instruction.data),
        "stackHeight": instruction.stack_height,
    }


def unparsed(instruction: ChainInstruction, _: list[Any]) -> dict[str, Any]:
    return {
        "programId": instruction.program,
        "accounts": list(instruction.accounts),
        "data": base58.encode(instruction.data),
        "stackHeight": instruction.stack_height,
    }


def balance(row: TokenBalance) -> dict[str, Any]:
    return {
        "accountIndex": row.account_index,
        "mint": row.mint,
        "owner": row.owner,
        "programId": row.program,
        "uiTokenAmount": {"amount": str(row.amount_raw), "decimals": row.decimals, "uiAmountString": "0", "uiAmount": None},
    }
