"""The signer's protocol: one JSON object a line in each direction over a unix socket, requests answered in order.

Request {"message": base64, "lease_epoch": n}; reply {"signature": base58}, {"refused": {"rule", "detail"}} or {"unavailable": cause}.
Request {"address": true}; reply {"address": base58}.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from typing import Any

import orjson

from xorj.primitives.errors import InvalidInput

# In the folder of sockets: signatures on the one, /livez, /readyz, /metrics and /version over HTTP on the other.
SIGNING_SOCKET, HEALTH_SOCKET = "signing.sock", "signer.sock"

LINE_BYTES_MAX = 16_384
MESSAGE_BYTES_MAX = 4_096
TEXT_CHARACTERS_MAX = 500
EPOCH_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class SignRequest:
    message: bytes
    lease_epoch: int


@dataclass(frozen=True, slots=True)
class AddressRequest:
    """Whose signatures these are."""


@dataclass(frozen=True, slots=True)
class SignReply:
    """Exactly one of the four is not None; `refused` is (rule, detail)."""

    signature: str | None = None
    address: str | None = None
    refused: tuple[str, str] | None = None
    unavailable: str | None = None


def encode_request(request: SignRequest | AddressRequest) -> bytes:
    if isinstance(request, AddressRequest):
        return orjson.dumps({"address": True}) + b"\n"
    return orjson.dumps({"message": b64encode(request.message).decode(), "lease_epoch": request.lease_epoch}) + b"\n"


def decode_request(line: bytes) -> SignRequest | AddressRequest:
    """Raises InvalidInput for anything that is not exactly a request."""
    fields = _object(line)
    if fields.get("address") is True and len(fields) == 1:
        return AddressRequest()
    message, epoch = fields.get("message"), fields.get("lease_epoch")
    if set(fields) != {"message", "lease_epoch"} or not isinstance(message, str) or isinstance(epoch, bool) or not isinstance(epoch, int):
        raise InvalidInput("request", given=sorted(fields), rule="message and lease_epoch")
    if not 0 <= epoch <= EPOCH_MAX:
        raise InvalidInput("lease_epoch", given=epoch, rule=f"0 to {EPOCH_MAX}")
    try:
        data = b64decode(message, validate=True)
    except (Base64Error, ValueError) as error:
        raise InvalidInput("message", given=len(message), rule="base64") from error
    if not 0 < len(data) <= MESSAGE_BYTES_MAX:
        raise InvalidInput("message", given=len(data), rule=f"1 to {MESSAGE_BYTES_MAX} bytes")
    return SignRequest(data, epoch)


def encode_reply(reply: SignReply) -> bytes:
    if reply.signature is not None:
        return orjson.dumps({"signature": reply.signature}) + b"\n"
    if reply.address is not None:
        return orjson.dumps({"address": reply.address}) + b"\n"
    if reply.refused is not None:
        rule, detail = reply.refused
        return orjson.dumps({"refused": {"rule": rule, "detail": detail[:TEXT_CHARACTERS_MAX]}}) + b"\n"
    return orjson.dumps({"unavailable": (reply.unavailable or "unknown")[:TEXT_CHARACTERS_MAX]}) + b"\n"


def decode_reply(line: bytes) -> SignReply:
    """Raises InvalidInput for anything that is not exactly a reply."""
    fields = _object(line)
    match fields:
        case {"signature": str(signature), **rest} if not rest:
            return SignReply(signature=signature)
        case {"address": str(address), **rest} if not rest:
            return SignReply(address=address)
        case {"refused": {"rule": str(rule), "detail": str(detail)}, **rest} if not rest:
            return SignReply(refused=(rule, detail))
        case {"unavailable": str(cause), **rest} if not rest:
            return SignReply(unavailable=cause)
    raise InvalidInput("reply", given=sorted(fields), rule="signature, address, refused or unavailable")


def _object(line: bytes) -> dict[str, Any]:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InvalidInput("line", given=line[:40], rule="one JSON object") from error
    if not isinstance(fields, dict):
        raise InvalidInput("line", given=type(fields).__name__, rule="one JSON object")
    return fields
