"""Reading a method's arguments as Agave reads them, with its words for what is wrong. Pure."""

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from xorj.chain.transactions import Commitment
from xorj.localnet.records import Json
from xorj.localnet.rendering.accounts import Slice
from xorj.localnet.rpc.errors import invalid, invalid_type, unknown_variant
from xorj.primitives.base58 import NotBase58, decode

ACCOUNT_ENCODINGS = ("binary", "base58", "base64", "jsonParsed", "base64+zstd")
TRANSACTION_ENCODINGS = ("binary", "base64", "base58", "json", "jsonParsed")

_COMMITMENTS = {
    "processed": Commitment.PROCESSED,
    "recent": Commitment.PROCESSED,
    "confirmed": Commitment.CONFIRMED,
    "single": Commitment.CONFIRMED,
    "singleGossip": Commitment.CONFIRMED,
    "finalized": Commitment.FINALIZED,
    "max": Commitment.FINALIZED,
    "root": Commitment.FINALIZED,
}
_KEY_TEXT_MAX, _SIGNATURE_TEXT_MAX = 44, 88
_KEY_BYTES, _SIGNATURE_BYTES = 32, 64


class Config:
    """The optional object at the end of a method's arguments."""

    def __init__(self, given: Json) -> None:
        if given is not None and not isinstance(given, dict):
            raise invalid_type(given, "a map")
        self._fields: dict[str, Json] = given or {}

    def get(self, name: str) -> Json:
        return self._fields.get(name)

    def commitment(self, default: Commitment = Commitment.FINALIZED, *, name: str = "commitment") -> Commitment:
        given = self.get(name)
        if given is None:
            return default
        if not isinstance(given, str):
            raise invalid_type(given, "string or map")
        if given not in _COMMITMENTS:
            raise unknown_variant(given, "processed", "confirmed", "finalized")
        return _COMMITMENTS[given]

    def final_or_confirmed(self) -> Commitment:
        """The commitment of a method that reads blocks: processed is too little."""
        commitment = self.commitment()
        if commitment is Commitment.PROCESSED:
            raise invalid("Method does not support commitment below `confirmed`")
        return commitment

    def encoding(self, known: tuple[str, ...], *, name: str = "encoding") -> str | None:
        given = self.get(name)
        if given is None:
            return None
        if not isinstance(given, str):
            raise invalid_type(given, "string or map")
        if given not in known:
            raise unknown_variant(given, *known)
        return given

    def natural(self, name: str) -> int | None:
        """A whole number from 0, None when not given."""
        given = self.get(name)
        return None if given is None else natural(given, "u64")

    def flag(self, name: str) -> bool:
        given = self.get(name)
        if given is not None and not isinstance(given, bool):
            raise invalid_type(given, "a boolean")
        return bool(given)

    def part(self) -> Slice | None:
        """The `dataSlice`."""
        given = self.get("dataSlice")
        if given is None:
            return None
        fields = Config(given)
        offset, length = fields.natural("offset"), fields.natural("length")
        if offset is None or length is None:
            raise invalid(f"Invalid params: missing field `{'offset' if offset is None else 'length'}`.")
        return Slice(offset, length)


def natural(given: Json, kind: str = "u64") -> int:
    """A whole number from 0."""
    if isinstance(given, bool) or not isinstance(given, int):
        raise invalid_type(given, kind)
    if not 0 <= given < 2**64:
        raise invalid(f"Invalid params: invalid value: integer `{given}`, expected {kind}.")
    return given


def text(given: Json) -> str:
    if not isinstance(given, str):
        raise invalid_type(given, "a string")
    return given


def texts(given: Json) -> list[str]:
    if not isinstance(given, list):
        raise invalid_type(given, "a sequence")
    return [text(one) for one in given]


def pubkey(given: Json) -> Pubkey:
    return Pubkey.from_bytes(_decoded(text(given), _KEY_BYTES, _KEY_TEXT_MAX, "Invalid param: "))


def signature(given: Json) -> Signature:
    return Signature.from_bytes(_decoded(text(given), _SIGNATURE_BYTES, _SIGNATURE_TEXT_MAX, "Invalid param: "))


def blockhash(given: Json) -> Hash:
    return Hash.from_bytes(_decoded(text(given), _KEY_BYTES, _KEY_TEXT_MAX, ""))


def _decoded(given: str, size: int, text_max: int, prefix: str) -> bytes:
    if len(given) > text_max:
        raise invalid(prefix + "WrongSize")
    try:
        raw = decode(given)
    except NotBase58:
        raise invalid(prefix + "Invalid") from None
    if len(raw) != size:
        raise invalid(prefix + "WrongSize")
    return raw
