"""The errors of Agave's RPC: codes and sentences. Pure."""

from xorj.localnet.records import Json

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
PREFLIGHT_FAILED = -32002
BLOCK_NOT_AVAILABLE = -32004
SLOT_SKIPPED = -32007
UNSUPPORTED_VERSION = -32015
MIN_CONTEXT_SLOT_NOT_REACHED = -32016
TRANSACTION_NOT_FOUND = -32020


class RpcError(Exception):
    """An error reply: its code, its message and, where Agave sends one, its data."""

    def __init__(self, code: int, message: str, data: Json = None) -> None:
        self.code, self.message, self.data = code, message, data
        super().__init__(message)

    def body(self) -> Json:
        """The `error` object of the reply."""
        body = {"code": self.code, "message": self.message}
        return body if self.data is None else body | {"data": self.data}


def invalid(message: str) -> RpcError:
    """Parameters that are well formed and not allowed."""
    return RpcError(INVALID_PARAMS, message)


def invalid_type(given: Json, expected: str) -> RpcError:
    """A parameter of the wrong JSON type, in the words of Agave's parser."""
    return invalid(f"Invalid params: invalid type: {_described(given)}, expected {expected}.")


def unknown_variant(given: str, *known: str) -> RpcError:
    return invalid(f"Invalid params: unknown variant `{given}`, expected one of {', '.join(f'`{one}`' for one in known)}.")


def not_available(slot: int) -> RpcError:
    return RpcError(BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")


def skipped(slot: int) -> RpcError:
    return RpcError(SLOT_SKIPPED, f"Slot {slot} was skipped, or missing due to ledger jump to recent snapshot")


def unsupported_version(version: int) -> RpcError:
    return RpcError(
        UNSUPPORTED_VERSION,
        f"Transaction version ({version}) is not supported by the requesting client. Please try the request again with the"
        f' following configuration parameter: "maxSupportedTransactionVersion": {version}',
    )


def _described(given: Json) -> str:
    if isinstance(given, bool):
        return f"boolean `{str(given).lower()}`"
    if isinstance(given, int):
        return f"integer `{given}`"
    if isinstance(given, float):
        return f"floating point `{given}`"
    if isinstance(given, str):
        return f'string "{given}"'
    return {type(None): "null", list: "sequence"}.get(type(given), "map")
