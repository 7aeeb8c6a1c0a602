"""Methods about the node and the chain as a whole: health, slots, epochs, blockhashes, fees, supply."""

from base64 import b64decode
from binascii import Error as Base64Error

from solders.message import from_bytes_versioned
from solders.pubkey import Pubkey

from xorj.chain.transactions import Commitment
from xorj.localnet.bank import Bank
from xorj.localnet.effects import LAMPORTS_PER_SIGNATURE
from xorj.localnet.keys import FAUCET, NODE, VOTE_ACCOUNT
from xorj.localnet.message import MICRO, DecodedTransaction, price_micro_lamports
from xorj.localnet.records import Json
from xorj.localnet.rpc import arguments
from xorj.localnet.rpc.arguments import Config
from xorj.localnet.rpc.context import API_VERSION, FEATURE_SET, Node
from xorj.localnet.rpc.errors import invalid
from xorj.localnet.runtime import SLOTS_PER_EPOCH

FEE_BLOCKS = 150
FEE_ACCOUNTS_MAX = 128
_OUT_OF_CIRCULATION = (FAUCET, NODE, VOTE_ACCOUNT)


def get_health(_node: Node) -> Json:
    return "ok"


def get_version(_node: Node) -> Json:
    return {"feature-set": FEATURE_SET, "solana-core": API_VERSION}


def get_genesis_hash(node: Node) -> Json:
    return node.bank.genesis.genesis_hash


def get_identity(_node: Node) -> Json:
    return {"identity": str(NODE.pubkey())}


def get_slot(node: Node, config: Json) -> Json:
    return node.bank.blocks.slot_at(node.reached(Config(config)))


def get_block_height(node: Node, config: Json) -> Json:
    return node.bank.blocks.height_at(node.reached(Config(config)))


def get_epoch_info(node: Node, config: Json) -> Json:
    commitment = node.reached(Config(config))
    slot = node.bank.blocks.slot_at(commitment)
    return {
        "absoluteSlot": slot,
        "blockHeight": node.bank.blocks.height_at(commitment),
        "epoch": slot // SLOTS_PER_EPOCH,
        "slotIndex": slot % SLOTS_PER_EPOCH,
        "slotsInEpoch": SLOTS_PER_EPOCH,
        "transactionCount": _transactions(node, commitment),
    }


def get_transaction_count(node: Node, config: Json) -> Json:
    return _transactions(node, node.reached(Config(config)))


def get_first_available_block(node: Node) -> Json:
    return node.bank.blocks.first_slot


def get_latest_blockhash(node: Node, config: Json) -> Json:
    commitment = node.reached(Config(config))
    blockhash = node.bank.blocks.newest_hash(commitment)
    value = {"blockhash": str(blockhash), "lastValidBlockHeight": node.bank.blocks.last_valid_height(blockhash, commitment)}
    return node.with_context(value, commitment)


def is_blockhash_valid(node: Node, text: Json, config: Json) -> Json:
    blockhash = arguments.blockhash(text)
    commitment = node.reached(Config(config))
    return node.with_context(node.bank.blocks.is_valid(blockhash, commitment), commitment)


def get_fee_for_message(node: Node, text: Json, config: Json) -> Json:
    try:
        message = from_bytes_versioned(b64decode(arguments.text(text), validate=True))
    except (Base64Error, ValueError) as error:
        raise invalid(f"failed to deserialize solana_message::versions::VersionedMessage: {error}") from error
    commitment = node.reached(Config(config))
    if not node.bank.blocks.is_valid(message.recent_blockhash, commitment):
        return node.with_context(None, commitment)
    price, limit = price_micro_lamports(message)
    fee = LAMPORTS_PER_SIGNATURE * message.header.num_required_signatures + -(-price * limit // MICRO)
    return node.with_context(fee, commitment)


def get_minimum_balance(node: Node, size: Json, config: Json) -> Json:
    Config(config).commitment()
    return node.bank.runtime.rent_exempt_lamports(arguments.natural(size, "usize"))


def get_supply(node: Node, config: Json) -> Json:
    """Sum of all accounts: kept small by a local chain having few."""
    fields = Config(config)
    commitment = fields.commitment()
    bank = node.bank
    total = sum(_lamports(bank, address, commitment) for address in {*bank.genesis.accounts, *bank.accounts.touched})
    apart = sum(_lamports(bank, key.pubkey(), commitment) for key in _OUT_OF_CIRCULATION)
    listed = [] if fields.flag("excludeNonCirculatingAccountsList") else [str(key.pubkey()) for key in _OUT_OF_CIRCULATION]
    value = {"circulating": total - apart, "nonCirculating": apart, "nonCirculatingAccounts": listed, "total": total}
    return node.with_context(value, commitment)


def get_recent_prioritization_fees(node: Node, addresses: Json) -> Json:
    """Per recent block with transactions: the lowest price that one writing these accounts paid."""
    wanted = [arguments.pubkey(one) for one in arguments.texts(addresses)] if addresses is not None else []
    if len(wanted) > FEE_ACCOUNTS_MAX:
        raise invalid(f"Too many inputs provided; max {FEE_ACCOUNTS_MAX}")
    blocks = node.bank.blocks
    rows = []
    for height in range(max(blocks.height_at(Commitment.FINALIZED) - FEE_BLOCKS, blocks.first_slot), blocks.height):
        block = blocks.by_height(height)
        if block.last > block.first:
            rows.append({"prioritizationFee": _lowest_price(node.bank, block.first, block.last, wanted), "slot": block.slot})
    return rows[-FEE_BLOCKS:]


def _lowest_price(bank: Bank, first: int, last: int, wanted: list[Pubkey]) -> int:
    prices: list[int] = []
    by_account: dict[Pubkey, int] = {}
    for ordinal in range(first, last):
        decoded = DecodedTransaction.of(bank.history.read(ordinal).raw)
        if decoded.keys[0] == NODE.pubkey():
            continue
        price, _ = price_micro_lamports(decoded.transaction.message)
        prices.append(price)
        for index, key in enumerate(decoded.keys):
            if decoded.is_writable(index, 0):
                by_account[key] = min(price, by_account.get(key, price))
    return max([min(prices, default=0), *(by_account.get(key, 0) for key in wanted)])


def _transactions(node: Node, commitment: Commitment) -> int:
    blocks = node.bank.blocks
    return blocks.by_height(blocks.height_at(commitment)).last


def _lamports(bank: Bank, address: Pubkey, commitment: Commitment) -> int:
    account = bank.account(address, commitment)
    return account.lamports if account is not None else 0
