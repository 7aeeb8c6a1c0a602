"""Methods that read what has happened: transactions, signatures, statuses, blocks."""

from bisect import bisect_left
from collections.abc import Sequence

from solders.signature import Signature

from xorj.chain.transactions import Commitment
from xorj.localnet.blocks import Block
from xorj.localnet.keys import NODE
from xorj.localnet.message import LEGACY, DecodedTransaction
from xorj.localnet.records import Json, StoredTransaction
from xorj.localnet.rendering.transactions import account_keys, meta, status, transaction_and_meta, version_of
from xorj.localnet.rpc import arguments
from xorj.localnet.rpc.arguments import TRANSACTION_ENCODINGS, Config
from xorj.localnet.rpc.context import Node
from xorj.localnet.rpc.errors import TRANSACTION_NOT_FOUND, RpcError, invalid, not_available, skipped, unknown_variant, unsupported_version

SIGNATURES_MAX = 1_000
STATUSES_MAX = 256
# how far back statuses are known without a search of the history
STATUS_CACHE_BLOCKS = 300
BLOCKS_MAX = 500_000
_DETAILS = ("full", "signatures", "none", "accounts")


def get_transaction(node: Node, text: Json, config: Json) -> Json:
    wanted, fields = arguments.signature(text), _encoding_or_config(config)
    encoding, newest = fields.encoding(TRANSACTION_ENCODINGS) or "json", fields.natural("maxSupportedTransactionVersion")
    commitment = fields.final_or_confirmed()
    found = _landed(node, wanted, commitment)
    if found is None:
        return None
    stored, block = found
    decoded = DecodedTransaction.of(stored.raw)
    _require_version(decoded, newest)
    shown = transaction_and_meta(stored, decoded, encoding, in_block=False)
    shown |= {"blockTime": block.unix_seconds, "slot": block.slot, "transactionIndex": stored.index}
    return shown if newest is None else shown | {"version": version_of(decoded)}


def get_signatures_for_address(node: Node, address: Json, config: Json) -> Json:
    key, fields = arguments.pubkey(address), Config(config)
    before, until = (arguments.signature(given) if (given := fields.get(name)) is not None else None for name in ("before", "until"))
    limit = fields.natural("limit")
    limit = SIGNATURES_MAX if limit is None else limit
    if not 1 <= limit <= SIGNATURES_MAX:
        raise invalid(f"Invalid limit; max {SIGNATURES_MAX}")
    commitment = fields.final_or_confirmed()
    node.require_slot(fields, commitment)
    ordinals = node.bank.history.of_address(key)
    end = _end_of_page(node, ordinals, before, commitment)
    start = 0
    if until is not None and (stop := node.bank.history.ordinal(bytes(until))) is not None:
        start = bisect_left(ordinals, stop + 1)
    return [_signature_row(node, ordinals[position]) for position in range(end - 1, max(start, end - limit) - 1, -1)]


def get_signature_statuses(node: Node, signatures: Json, config: Json) -> Json:
    given = arguments.texts(signatures)
    if len(given) > STATUSES_MAX:
        raise invalid(f"Too many inputs provided; max {STATUSES_MAX}")
    wanted, search = [arguments.signature(one) for one in given], Config(config).flag("searchTransactionHistory")
    return node.with_context([_status(node, one, search=search) for one in wanted], Commitment.PROCESSED)


def get_block(node: Node, slot: Json, config: Json) -> Json:
    number, fields = arguments.natural(slot), _encoding_or_config(config)
    encoding, newest = fields.encoding(TRANSACTION_ENCODINGS) or "json", fields.natural("maxSupportedTransactionVersion")
    details = fields.get("transactionDetails") or "full"
    if details not in _DETAILS:
        raise unknown_variant(str(details), *_DETAILS)
    block = _block(node, number, fields.final_or_confirmed())
    blocks = node.bank.blocks
    parent = blocks.by_height(block.height - 1).slot if block.slot != blocks.first_slot else block.slot
    shown: dict[str, Json] = {
        "blockHeight": block.height,
        "blockTime": block.unix_seconds,
        "blockhash": str(blocks.hash_of(block.slot)),
        "parentSlot": parent,
        "previousBlockhash": str(blocks.hash_of(parent)),
    }
    if details == "signatures":
        shown["signatures"] = [_first_signature(node.bank.history.read(ordinal)) for ordinal in range(block.first, block.last)]
    elif details != "none":
        shown["transactions"] = [_in_block(node, ordinal, encoding, newest, details) for ordinal in range(block.first, block.last)]
    if fields.get("rewards") is not False:
        shown["rewards"] = []
    return shown


def get_blocks(node: Node, first: Json, last_or_config: Json, config: Json) -> Json:
    start = arguments.natural(first)
    last, given = (None, last_or_config) if isinstance(last_or_config, dict) else (last_or_config, config)
    newest = node.bank.blocks.slot_at(Config(given).final_or_confirmed())
    end = newest if last is None else min(arguments.natural(last), newest)
    if end - start > BLOCKS_MAX:
        raise invalid(f"Slot range too large; max {BLOCKS_MAX}")
    return node.bank.blocks.slots_between(start, end)


def get_blocks_with_limit(node: Node, first: Json, limit: Json, config: Json) -> Json:
    start, count = arguments.natural(first), arguments.natural(limit, "usize")
    if count > BLOCKS_MAX:
        raise invalid(f"Limit too large; max {BLOCKS_MAX}")
    newest = node.bank.blocks.slot_at(Config(config).final_or_confirmed())
    return node.bank.blocks.slots_between(start, newest)[:count]


def get_block_time(node: Node, slot: Json) -> Json:
    return _block(node, arguments.natural(slot), Commitment.FINALIZED).unix_seconds


def _encoding_or_config(given: Json) -> Config:
    """An encoding alone may stand where the object is expected, as it did in the beginning."""
    return Config({"encoding": given} if isinstance(given, str) else given)


def _landed(node: Node, wanted: Signature, commitment: Commitment) -> tuple[StoredTransaction, Block] | None:
    ordinal = node.bank.history.ordinal(bytes(wanted))
    if ordinal is None:
        return None
    block = node.bank.blocks.of_transaction(ordinal)
    if block.height > node.bank.blocks.height_at(commitment):
        return None
    return node.bank.history.read(ordinal), block


def _require_version(decoded: DecodedTransaction, newest: int | None) -> None:
    if decoded.version != LEGACY and (newest is None or decoded.version > newest):
        raise unsupported_version(decoded.version)


def _end_of_page(node: Node, ordinals: Sequence[int], before: Signature | None, commitment: Commitment) -> int:
    """One past the newest row that may be shown."""
    blocks = node.bank.blocks
    end = bisect_left(ordinals, blocks.by_height(blocks.height_at(commitment)).last)
    if before is None:
        return end
    ordinal = node.bank.history.ordinal(bytes(before))
    if ordinal is None:
        raise RpcError(TRANSACTION_NOT_FOUND, f"Transaction {before} not found")
    return min(end, bisect_left(ordinals, ordinal))


def _signature_row(node: Node, ordinal: int) -> Json:
    stored, block = node.bank.history.read(ordinal), node.bank.blocks.of_transaction(ordinal)
    return {
        "blockTime": block.unix_seconds,
        "confirmationStatus": node.bank.blocks.commitment_of(block.height).value,
        "err": stored.meta.error,
        "memo": stored.meta.memo,
        "signature": _first_signature(stored),
        "slot": block.slot,
        "transactionIndex": stored.index,
    }


def _status(node: Node, wanted: Signature, *, search: bool) -> Json:
    ordinal = node.bank.history.ordinal(bytes(wanted))
    if ordinal is None:
        return None
    blocks = node.bank.blocks
    block = blocks.of_transaction(ordinal)
    if not search and blocks.height - block.height > STATUS_CACHE_BLOCKS:
        return None
    commitment, error = blocks.commitment_of(block.height), node.bank.history.read(ordinal).meta.error
    return {
        "confirmationStatus": commitment.value,
        "confirmations": None if commitment is Commitment.FINALIZED else blocks.height - block.height,
        "err": error,
        "slot": block.slot,
        "status": status(error),
    }


def _block(node: Node, slot: int, commitment: Commitment) -> Block:
    block = node.bank.blocks.by_slot(slot)
    if slot > node.bank.blocks.slot_at(commitment):
        raise not_available(slot)
    if block is None:
        raise skipped(slot)
    return block


def _in_block(node: Node, ordinal: int, encoding: str, newest: int | None, details: str) -> Json:
    stored = node.bank.history.read(ordinal)
    decoded = DecodedTransaction.of(stored.raw)
    _require_version(decoded, newest)
    if details == "accounts":
        keys = [*map(str, decoded.keys), *stored.meta.loaded_writable, *stored.meta.loaded_readonly]
        whole = meta(stored.meta, keys, "jsonParsed", in_block=True)
        kept = ("err", "fee", "postBalances", "postTokenBalances", "preBalances", "preTokenBalances", "status")
        signatures = [str(one) for one in decoded.transaction.signatures]
        body = {"accountKeys": account_keys(stored.meta, decoded, keys), "signatures": signatures}
        shown = {"meta": {name: whole[name] for name in kept}, "transaction": body}
    else:
        shown = transaction_and_meta(stored, decoded, encoding, in_block=True)
    return shown if newest is None else shown | {"version": version_of(decoded)}


def _first_signature(stored: StoredTransaction) -> str:
    return str(DecodedTransaction.of(stored.raw).signature)


def is_node_mark(decoded: DecodedTransaction) -> bool:
    """Whether this is the node's own transaction at the head of a block, which log subscribers of "all" do not see, as with votes."""
    return bool(decoded.keys[0] == NODE.pubkey())
