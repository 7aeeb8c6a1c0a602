"""Methods that read accounts and token accounts at a commitment."""

from base64 import b64decode
from binascii import Error as Base64Error

from solders.account import Account
from solders.pubkey import Pubkey

from xorj.chain.transactions import Commitment
from xorj.localnet.effects import TOKEN_PROGRAMS, is_token_account
from xorj.localnet.genesis import MINT_BYTES
from xorj.localnet.records import Json
from xorj.localnet.rendering.accounts import BASE58_BYTES_MAX, Slice, TooLargeForBase58, account
from xorj.localnet.rendering.amounts import token_amount
from xorj.localnet.rpc import arguments
from xorj.localnet.rpc.arguments import ACCOUNT_ENCODINGS, Config
from xorj.localnet.rpc.context import Node
from xorj.localnet.rpc.errors import INVALID_REQUEST, RpcError, invalid
from xorj.primitives import base58

ACCOUNTS_MAX = 100
FILTERS_MAX = 4


def get_balance(node: Node, address: Json, config: Json) -> Json:
    key = arguments.pubkey(address)
    commitment = node.reached(Config(config))
    found = node.bank.account(key, commitment)
    return node.with_context(found.lamports if found is not None else 0, commitment)


def get_account_info(node: Node, address: Json, config: Json) -> Json:
    key, fields = arguments.pubkey(address), Config(config)
    encoding, part = fields.encoding(ACCOUNT_ENCODINGS), fields.part()
    commitment = node.reached(fields)
    return node.with_context(shown(node, node.bank.account(key, commitment), encoding, part), commitment)


def get_multiple_accounts(node: Node, addresses: Json, config: Json) -> Json:
    given, fields = arguments.texts(addresses), Config(config)
    if len(given) > ACCOUNTS_MAX:
        raise invalid(f"Too many inputs provided; max {ACCOUNTS_MAX}")
    keys = [arguments.pubkey(one) for one in given]
    encoding, part = fields.encoding(ACCOUNT_ENCODINGS) or "base64", fields.part()
    commitment = node.reached(fields)
    return node.with_context([shown(node, node.bank.account(key, commitment), encoding, part) for key in keys], commitment)


def get_program_accounts(node: Node, program: Json, config: Json) -> Json:
    key, fields = arguments.pubkey(program), Config(config)
    encoding, part = fields.encoding(ACCOUNT_ENCODINGS), fields.part()
    filters = read_filters(fields.get("filters"))
    commitment = node.reached(fields)
    rows = [
        {"account": shown(node, found, encoding, part), "pubkey": str(address)}
        for address, found in node.bank.program_accounts(key, commitment)
        if all(one.matches(found) for one in filters)
    ]
    return node.with_context(rows, commitment) if fields.flag("withContext") else rows


def get_token_account_balance(node: Node, address: Json, config: Json) -> Json:
    key = arguments.pubkey(address)
    commitment = node.reached(Config(config))
    found = node.bank.account(key, commitment)
    if found is None:
        raise invalid("Invalid param: could not find account")
    if found.owner not in TOKEN_PROGRAMS or not is_token_account(found, found.data):
        raise invalid("Invalid param: not a Token account")
    decimals = node.bank.accounts.decimals(found.data[:32])
    if decimals is None:
        raise invalid("Invalid param: could not find mint")
    return node.with_context(token_amount(int.from_bytes(found.data[64:72], "little"), decimals), commitment)


def get_token_supply(node: Node, mint: Json, config: Json) -> Json:
    key = arguments.pubkey(mint)
    commitment = node.reached(Config(config))
    found = node.bank.account(key, commitment)
    if found is None:
        raise invalid("Invalid param: could not find account")
    if found.owner not in TOKEN_PROGRAMS or len(found.data) < MINT_BYTES or is_token_account(found, found.data):
        raise invalid("Invalid param: not a Token mint")
    return node.with_context(token_amount(int.from_bytes(found.data[36:44], "little"), found.data[44]), commitment)


def get_token_accounts_by_owner(node: Node, owner: Json, selector: Json, config: Json) -> Json:
    key, chosen, fields = arguments.pubkey(owner), Config(selector), Config(config)
    mint = arguments.pubkey(chosen.get("mint")) if chosen.get("mint") is not None else None
    program = arguments.pubkey(chosen.get("programId")) if chosen.get("programId") is not None else None
    if (mint is None) == (program is None):
        raise invalid("Invalid params: unknown variant, expected one of `mint`, `programId`.")
    encoding, part = fields.encoding(ACCOUNT_ENCODINGS), fields.part()
    commitment = node.reached(fields)
    if mint is not None:
        program = _program_of_mint(node, mint, commitment)
    elif program not in TOKEN_PROGRAMS:
        raise invalid("Invalid param: unrecognized Token program id")
    rows = [
        {"account": shown(node, found, encoding, part), "pubkey": str(address)}
        for address, found in node.bank.token_accounts(key, commitment)
        if found.owner == program and (mint is None or found.data[:32] == bytes(mint))
    ]
    return node.with_context(rows, commitment)


class DataSize:
    """Keeps accounts with exactly this much data."""

    def __init__(self, size: int) -> None:
        self._size = size

    def matches(self, found: Account) -> bool:
        return len(found.data) == self._size


class DataBytes:
    """Keeps accounts whose data has these bytes at an offset."""

    def __init__(self, offset: int, wanted: bytes) -> None:
        self._offset, self._wanted = offset, wanted

    def matches(self, found: Account) -> bool:
        return found.data[self._offset : self._offset + len(self._wanted)] == self._wanted


class InitialisedToken:
    """Keeps initialised token accounts."""

    def matches(self, found: Account) -> bool:
        return is_token_account(found, found.data)


Filter = DataSize | DataBytes | InitialisedToken


def read_filters(given: Json) -> list[Filter]:
    """The filters of getProgramAccounts and programSubscribe."""
    if given is None:
        return []
    if not isinstance(given, list):
        raise invalid("Invalid params: invalid type, expected a sequence.")
    if len(given) > FILTERS_MAX:
        raise invalid(f"Too many filters provided; max {FILTERS_MAX}")
    return [_filter(one) for one in given]


def shown(node: Node, found: Account | None, encoding: str | None, part: Slice | None) -> Json:
    """An account in the asked-for encoding, None when there is none."""
    if found is None:
        return None
    try:
        return account(found, None if encoding == "binary" else encoding, part, node.bank.accounts.decimals)
    except TooLargeForBase58:
        message = f"Encoded binary (base 58) data should be less than {BASE58_BYTES_MAX} bytes, please use Base64 encoding."
        raise RpcError(INVALID_REQUEST, message) from None


def _filter(given: Json) -> Filter:
    if given == "tokenAccountState":
        return InitialisedToken()
    fields = Config(given)
    size, compared = fields.natural("dataSize"), fields.get("memcmp")
    if size is not None:
        return DataSize(size)
    if compared is None:
        raise invalid("Invalid params: unknown variant, expected one of `dataSize`, `memcmp`, `tokenAccountState`.")
    inner = Config(compared)
    return DataBytes(inner.natural("offset") or 0, _compared_bytes(inner))


def _compared_bytes(inner: Config) -> bytes:
    wanted = inner.get("bytes")
    if isinstance(wanted, list):
        return bytes(wanted)
    try:
        if inner.get("encoding") == "base64":
            return b64decode(arguments.text(wanted), validate=True)
        return base58.decode(arguments.text(wanted))
    except (Base64Error, base58.NotBase58) as error:
        raise invalid(f"Invalid param: {error}") from error


def _program_of_mint(node: Node, mint: Pubkey, commitment: Commitment) -> Pubkey:
    found = node.bank.account(mint, commitment)
    if found is None:
        raise invalid("Invalid param: could not find mint")
    if found.owner not in TOKEN_PROGRAMS:
        raise invalid("Invalid param: not a Token mint")
    return found.owner
