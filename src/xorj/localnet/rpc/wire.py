"""A transaction as text on the wire: base58 or base64 to bytes to a decoded transaction, refusing in Agave's words. Pure."""

from base64 import b64decode
from binascii import Error as Base64Error

from solders.errors import BincodeError, SerdeJSONError
from solders.transaction import SanitizeError

from xorj.localnet.message import DecodedTransaction
from xorj.localnet.records import Json
from xorj.localnet.rpc import arguments
from xorj.localnet.rpc.arguments import TRANSACTION_ENCODINGS, Config
from xorj.localnet.rpc.errors import invalid, unknown_variant
from xorj.primitives import base58

TRANSACTION_TYPE = "solana_transaction::versioned::VersionedTransaction"
_V1_FIRST_BYTE = 0x81
_RAW_BYTES_MAX, _V1_RAW_BYTES_MAX = 1_232, 4_096
_BASE64_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


def read_transaction(given: Json, config: Config) -> DecodedTransaction:
    """The transaction a client sent, base58 unless the config says base64. Raises RpcError."""
    encoding = config.encoding(TRANSACTION_ENCODINGS) or "base58"
    text = arguments.text(given)
    if encoding == "base64":
        raw = _from_base64(text)
    elif encoding in ("base58", "binary"):
        raw = _from_base58(text)
    else:
        raise invalid(f"unsupported encoding: {encoding}. Supported encodings: base58, base64")
    limit = _raw_limit(raw)
    if len(raw) > limit:
        raise invalid(f"decoded {TRANSACTION_TYPE} too large: {len(raw)} bytes (max: {limit} bytes)")
    try:
        decoded = DecodedTransaction.of(raw)
    except (ValueError, BincodeError, SerdeJSONError):
        raise invalid(f"failed to deserialize {TRANSACTION_TYPE}: io error: failed to fill whole buffer") from None
    try:
        decoded.transaction.sanitize()
    except SanitizeError:
        raise invalid("invalid transaction: Transaction failed to sanitize accounts offsets correctly") from None
    return decoded


def encoding_of_accounts(config: Config) -> str:
    """The encoding of accounts in a simulation's reply."""
    given = config.get("encoding")
    if given in ("base58", "binary"):
        raise invalid("base58 encoding not supported")
    if given not in (None, "base64", "base64+zstd", "jsonParsed"):
        raise unknown_variant(str(given), *arguments.ACCOUNT_ENCODINGS)
    return given or "base64"


def _from_base64(text: str) -> bytes:
    starts_like_v1 = text[:4] and _first_byte(text) == _V1_FIRST_BYTE
    _require_short(text, "base64", _V1_RAW_BYTES_MAX if starts_like_v1 else _RAW_BYTES_MAX, 4 / 3)
    for position, value in enumerate(text.rstrip("=").encode()):
        if value not in _BASE64_ALPHABET:
            raise invalid(f"invalid base64 encoding: InvalidByte({position}, {value})")
    try:
        return b64decode(text, validate=True)
    except Base64Error:
        raise invalid("invalid base64 encoding: InvalidPadding") from None


def _from_base58(text: str) -> bytes:
    _require_short(text, "base58", _V1_RAW_BYTES_MAX, 1.366)
    try:
        return base58.decode(text)
    except base58.NotBase58 as error:
        bad = f"InvalidCharacter {{ character: {error.character!r}, index: {error.position} }}"
        raise invalid(f"invalid base58 encoding: {bad}") from None


def _require_short(text: str, encoding: str, raw_max: int, growth: float) -> None:
    encoded_max = int(-(-raw_max * growth // 4) * 4)
    if len(text) > encoded_max:
        raise invalid(f"{encoding} encoded {TRANSACTION_TYPE} too large: {len(text)} bytes (max: encoded/raw {encoded_max}/{raw_max})")


def _first_byte(text: str) -> int | None:
    try:
        return b64decode(text[:4], validate=True)[0]
    except (Base64Error, IndexError, ValueError):
        return None


def _raw_limit(raw: bytes) -> int:
    return _V1_RAW_BYTES_MAX if raw[:1] == bytes([_V1_FIRST_BYTE]) else _RAW_BYTES_MAX
