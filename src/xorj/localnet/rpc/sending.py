"""Methods that try or change something: sendTransaction, simulateTransaction, requestAirdrop."""

from solders.compute_budget import set_compute_unit_limit
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from xorj.chain.transactions import Commitment
from xorj.localnet.bank import Executed, Rejected
from xorj.localnet.blocks import BLOCKHASH_AGE_MAX_BLOCKS
from xorj.localnet.errors_text import transaction_error
from xorj.localnet.keys import FAUCET
from xorj.localnet.message import DecodedTransaction
from xorj.localnet.records import Json
from xorj.localnet.rendering.transactions import inner_instructions, return_data, token_balances
from xorj.localnet.rpc import arguments
from xorj.localnet.rpc.accounts import shown
from xorj.localnet.rpc.arguments import Config
from xorj.localnet.rpc.context import Node
from xorj.localnet.rpc.errors import INTERNAL_ERROR, PREFLIGHT_FAILED, RpcError, invalid
from xorj.localnet.rpc.wire import encoding_of_accounts, read_transaction
from xorj.localnet.simulation import Simulated, simulate

AIRDROP_TRIES = 64
AIRDROP_COMPUTE_UNITS = 10_000


async def send_transaction(node: Node, text: Json, config: Json) -> Json:
    """Executes at once; without preflight a transaction that cannot land is dropped without a word, as a validator does."""
    fields = Config(config)
    decoded = read_transaction(text, fields)
    commitment = fields.commitment(name="preflightCommitment")
    node.require_slot(fields, commitment)
    if not fields.flag("skipPreflight"):
        outcome = simulate(node.bank, decoded, verify=True, any_blockhash=False, commitment=commitment)
        if outcome.error is not None:
            message = f"Transaction simulation failed: {transaction_error(outcome.error)}"
            raise RpcError(PREFLIGHT_FAILED, message, _preflight_data(outcome))
    await node.chain.execute(decoded)
    return str(decoded.signature)


async def request_airdrop(node: Node, address: Json, lamports: Json, config: Json) -> Json:
    """A transfer from the faucet, whose funds are worthless; on the disk when it answers."""
    to, amount = arguments.pubkey(address), arguments.natural(lamports)
    Config(config).commitment()
    for attempt in range(AIRDROP_TRIES):
        decoded = DecodedTransaction.of(_airdrop(node, to, amount, attempt))
        outcome = await node.chain.execute(decoded)
        if isinstance(outcome, Executed):
            return str(outcome.signature)
        if not _was_repeated(outcome):
            break
    raise RpcError(INTERNAL_ERROR, "airdrop request failed. This can happen when the rate limit is reached.")


def simulate_transaction(node: Node, text: Json, config: Json) -> Json:
    fields = Config(config)
    verify, replace = fields.flag("sigVerify"), fields.flag("replaceRecentBlockhash")
    decoded = read_transaction(text, fields)
    if verify and replace:
        raise invalid("sigVerify may not be used with replaceRecentBlockhash")
    commitment = node.reached(fields)
    outcome = simulate(node.bank, decoded, verify=verify, any_blockhash=replace, commitment=commitment)
    value = _balances(outcome) | {
        "accounts": _asked_accounts(node, fields, decoded, outcome),
        "err": outcome.error,
        "fee": outcome.fee_lamports,
        "innerInstructions": _inner(outcome) if fields.flag("innerInstructions") else None,
        "loadedAccountsDataSize": outcome.loaded_bytes,
        "logs": list(outcome.logs),
        "replacementBlockhash": _replacement(node, commitment) if replace else None,
        "returnData": return_data(outcome.return_data) if outcome.return_data is not None else None,
        "unitsConsumed": outcome.compute_units,
    }
    return node.with_context(value, commitment)


def _preflight_data(outcome: Simulated) -> Json:
    return {
        "accounts": None,
        "err": outcome.error,
        "fee": outcome.fee_lamports,
        "innerInstructions": None,
        "loadedAccountsDataSize": outcome.loaded_bytes,
        "loadedAddresses": None,
        "logs": list(outcome.logs),
        "postBalances": None,
        "postTokenBalances": None,
        "preBalances": None,
        "preTokenBalances": None,
        "replacementBlockhash": None,
        "returnData": return_data(outcome.return_data) if outcome.return_data is not None else None,
        "unitsConsumed": outcome.compute_units,
    }


def _balances(outcome: Simulated) -> dict[str, Json]:
    if outcome.resolved is None or outcome.before is None or outcome.after is None:
        empty = ("loadedAddresses", "postBalances", "postTokenBalances", "preBalances", "preTokenBalances")
        return dict.fromkeys(empty)
    loaded = {
        "readonly": [str(key) for key in outcome.resolved.loaded_readonly],
        "writable": [str(key) for key in outcome.resolved.loaded_writable],
    }
    return {
        "loadedAddresses": loaded,
        "postBalances": outcome.after.lamports,
        "postTokenBalances": token_balances(outcome.after.tokens, null_when_zero=False),
        "preBalances": outcome.before.lamports,
        "preTokenBalances": token_balances(outcome.before.tokens, null_when_zero=False),
    }


def _inner(outcome: Simulated) -> Json:
    keys = [str(key) for key in outcome.resolved.keys] if outcome.resolved is not None else []
    return inner_instructions(outcome.inner_instructions, keys, parsed=True)


def _asked_accounts(node: Node, fields: Config, decoded: DecodedTransaction, outcome: Simulated) -> Json:
    if fields.get("accounts") is None:
        return None
    asked = Config(fields.get("accounts"))
    encoding, addresses = encoding_of_accounts(asked), arguments.texts(asked.get("addresses") or [])
    if len(addresses) > len(decoded.keys):
        raise invalid(f"Too many accounts provided; max {len(decoded.keys)}")
    keys = [arguments.pubkey(one) for one in addresses]
    if outcome.error is not None:
        return [None] * len(keys)
    return [shown(node, _afterwards(node, key, outcome), encoding, None) for key in keys]


def _afterwards(node: Node, key: Pubkey, outcome: Simulated) -> Json:
    changed = (outcome.accounts or {}).get(key)
    if changed is None:
        return node.bank.account(key)
    return changed if changed.lamports else None


def _replacement(node: Node, commitment: Commitment) -> Json:
    blockhash = node.bank.blocks.newest_hash(commitment)
    height = node.bank.blocks.last_valid_height(blockhash, commitment)
    return {"blockhash": str(blockhash), "lastValidBlockHeight": height if height is not None else BLOCKHASH_AGE_MAX_BLOCKS}


def _airdrop(node: Node, to: Pubkey, lamports: int, attempt: int) -> VersionedTransaction:
    """The faucet's transfer; a repetition within one block differs in its compute limit, or it would be the same transaction."""
    moves = [transfer(TransferParams(from_pubkey=FAUCET.pubkey(), to_pubkey=to, lamports=lamports))]
    if attempt:
        moves.insert(0, set_compute_unit_limit(AIRDROP_COMPUTE_UNITS + attempt))
    return VersionedTransaction(Message.new_with_blockhash(moves, FAUCET.pubkey(), node.bank.latest_blockhash()), [FAUCET])


def _was_repeated(outcome: Rejected) -> bool:
    return bool(outcome.error == "AlreadyProcessed")
