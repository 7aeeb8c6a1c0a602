"""JSON-RPC 2.0 as Agave speaks it: bytes in, bytes out; batches, notifications, argument counts. Called by the server and by pubsub."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import isawaitable

import orjson

from xorj.localnet.records import Json
from xorj.localnet.rpc import accounts, history, node, sending
from xorj.localnet.rpc.context import Node
from xorj.localnet.rpc.errors import INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR, RpcError, invalid


@dataclass(frozen=True, slots=True)
class Method:
    """What answers a method, and how many arguments it must and may have."""

    answer: Callable[..., Json | Awaitable[Json]]
    required: int
    most: int


METHODS: dict[str, Method] = {
    "getAccountInfo": Method(accounts.get_account_info, 1, 2),
    "getBalance": Method(accounts.get_balance, 1, 2),
    "getBlock": Method(history.get_block, 1, 2),
    "getBlockHeight": Method(node.get_block_height, 0, 1),
    "getBlockTime": Method(history.get_block_time, 1, 1),
    "getBlocks": Method(history.get_blocks, 1, 3),
    "getBlocksWithLimit": Method(history.get_blocks_with_limit, 2, 3),
    "getEpochInfo": Method(node.get_epoch_info, 0, 1),
    "getFeeForMessage": Method(node.get_fee_for_message, 1, 2),
    "getFirstAvailableBlock": Method(node.get_first_available_block, 0, 0),
    "getGenesisHash": Method(node.get_genesis_hash, 0, 0),
    "getHealth": Method(node.get_health, 0, 0),
    "getIdentity": Method(node.get_identity, 0, 0),
    "getLatestBlockhash": Method(node.get_latest_blockhash, 0, 1),
    "getMinimumBalanceForRentExemption": Method(node.get_minimum_balance, 1, 2),
    "getMultipleAccounts": Method(accounts.get_multiple_accounts, 1, 2),
    "getProgramAccounts": Method(accounts.get_program_accounts, 1, 2),
    "getRecentPrioritizationFees": Method(node.get_recent_prioritization_fees, 0, 1),
    "getSignatureStatuses": Method(history.get_signature_statuses, 1, 2),
    "getSignaturesForAddress": Method(history.get_signatures_for_address, 1, 2),
    "getSlot": Method(node.get_slot, 0, 1),
    "getSupply": Method(node.get_supply, 0, 1),
    "getTokenAccountBalance": Method(accounts.get_token_account_balance, 1, 2),
    "getTokenAccountsByOwner": Method(accounts.get_token_accounts_by_owner, 2, 3),
    "getTokenSupply": Method(accounts.get_token_supply, 1, 2),
    "getTransaction": Method(history.get_transaction, 1, 2),
    "getTransactionCount": Method(node.get_transaction_count, 0, 1),
    "getVersion": Method(node.get_version, 0, 0),
    "isBlockhashValid": Method(node.is_blockhash_valid, 1, 2),
    "requestAirdrop": Method(sending.request_airdrop, 2, 3),
    "sendTransaction": Method(sending.send_transaction, 1, 2),
    "simulateTransaction": Method(sending.simulate_transaction, 1, 2),
}

_VERSION = "2.0"


async def answer_bytes(chain: Node, body: bytes) -> bytes:
    """The reply to one HTTP body or WebSocket message; empty where there is nothing to answer."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError:
        return orjson.dumps(failed(None, RpcError(PARSE_ERROR, "Parse error")))
    if not isinstance(request, list):
        reply = await answer(chain, request)
        return orjson.dumps(reply) if reply is not None else b""
    replies = [reply for one in request if (reply := await answer(chain, one)) is not None]
    return orjson.dumps(replies) if replies else b""


async def answer(chain: Node, request: Json) -> Json:
    """The reply object to one request; None for a notification."""
    error = malformed(request)
    if error is not None:
        return failed(request.get("id") if isinstance(request, dict) else None, error)
    if "id" not in request:
        return None
    try:
        method = METHODS.get(request["method"])
        if method is None:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        result = method.answer(chain, *arguments(request.get("params"), method.required, method.most))
        return succeeded(request["id"], await result if isawaitable(result) else result)
    except RpcError as problem:
        return failed(request["id"], problem)


def malformed(request: Json) -> RpcError | None:
    """What makes this no JSON-RPC 2.0 request, None when it is one."""
    whole = isinstance(request, dict) and request.get("jsonrpc") == _VERSION and isinstance(request.get("method"), str)
    return None if whole else RpcError(INVALID_REQUEST, "Invalid request")


def succeeded(identifier: Json, result: Json) -> Json:
    return {"jsonrpc": _VERSION, "result": result, "id": identifier}


def failed(identifier: Json, error: RpcError) -> Json:
    return {"jsonrpc": _VERSION, "error": error.body(), "id": identifier}


def arguments(given: Json, required: int, most: int) -> list[Json]:
    """The arguments filled up with None. Raises RpcError when there are too few, too many, or they are no list."""
    if given is None:
        given = []
    if not isinstance(given, list):
        raise invalid("`params` should be an array")
    if len(given) < required:
        raise invalid(f"`params` should have at least {required} argument(s)")
    if len(given) > most:
        if most == 0:
            raise RpcError(-32602, "Invalid parameters: No parameters were expected", f"Array([{', '.join(map(_debug, given))}])")
        raise RpcError(-32602, f"Expected from {required} to {most} parameters.", f'"Got: {len(given)}"')
    return [*given, *[None] * (most - len(given))]


def _debug(value: Json) -> str:
    """A JSON value as Rust's debug output shows it, which is what Agave sends."""
    if value is None:
        return "Null"
    if isinstance(value, bool):
        return f"Bool({str(value).lower()})"
    if isinstance(value, int | float):
        return f"Number({value})"
    if isinstance(value, str):
        return f"String({orjson.dumps(value).decode()})"
    if isinstance(value, list):
        return f"Array([{', '.join(map(_debug, value))}])"
    return "Object {" + ", ".join(f"{orjson.dumps(name).decode()}: {_debug(one)}" for name, one in value.items()) + "}"
