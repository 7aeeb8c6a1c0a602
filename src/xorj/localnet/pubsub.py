"""WebSocket subscriptions: slots, signatures, logs, accounts, programs. One Subscriber a connection; used by the server."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import orjson
from solders.pubkey import Pubkey

from xorj.chain.transactions import Commitment
from xorj.localnet.blocks import Block
from xorj.localnet.message import DecodedTransaction
from xorj.localnet.records import Json, StoredTransaction
from xorj.localnet.rendering.accounts import Slice
from xorj.localnet.rpc import arguments as args
from xorj.localnet.rpc.accounts import Filter, read_filters, shown
from xorj.localnet.rpc.arguments import ACCOUNT_ENCODINGS, Config
from xorj.localnet.rpc.context import Node
from xorj.localnet.rpc.dispatch import METHODS, answer, arguments, failed, malformed, succeeded
from xorj.localnet.rpc.errors import METHOD_NOT_FOUND, PARSE_ERROR, RpcError, invalid, invalid_type, unknown_variant
from xorj.localnet.rpc.history import is_node_mark

SUBSCRIPTIONS_MAX = 10_000

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one subscription wants to hear; the methods return what to tell, nothing when it is not concerned."""

    kind: str
    commitment: Commitment

    def on_slot(self, slot: int, parent: int, root: int) -> list[Json]:
        return [{"slot": slot, "parent": parent, "root": root}] if self.kind == "slot" else []

    def on_transaction(self, stored: StoredTransaction, decoded: DecodedTransaction) -> list[Json]:
        del stored, decoded
        return []

    def on_block(self, node: Node, block: Block) -> list[Json]:
        del node, block
        return []


@dataclass(frozen=True, slots=True)
class SignatureSubscription(Subscription):
    """Told once, when the signature reaches the commitment."""

    signature: bytes

    def on_transaction(self, stored: StoredTransaction, decoded: DecodedTransaction) -> list[Json]:
        if bytes(decoded.signature) != self.signature:
            return []
        return [_at(stored.slot, {"err": stored.meta.error})]


@dataclass(frozen=True, slots=True)
class LogsSubscription(Subscription):
    """Told of every transaction, or of those that name an address."""

    mentions: str | None
    with_votes: bool

    def on_transaction(self, stored: StoredTransaction, decoded: DecodedTransaction) -> list[Json]:
        if self.mentions is not None:
            named = [*map(str, decoded.keys), *stored.meta.loaded_writable, *stored.meta.loaded_readonly]
            if self.mentions not in named:
                return []
        elif is_node_mark(decoded) and not self.with_votes:
            return []
        told = {"signature": str(decoded.signature), "err": stored.meta.error, "logs": stored.meta.logs}
        return [_at(stored.slot, told)]


@dataclass(frozen=True, slots=True)
class AccountSubscription(Subscription):
    """Told the account's state after each block that changed it."""

    address: Pubkey
    encoding: str | None
    part: Slice | None

    def on_block(self, node: Node, block: Block) -> list[Json]:
        if self.address not in node.bank.changed_in(block.height):
            return []
        found = node.bank.account(self.address, self.commitment)
        return [_at(block.slot, shown(node, found, self.encoding, self.part) or _closed())]


@dataclass(frozen=True, slots=True)
class ProgramSubscription(Subscription):
    """Told every changed account of a program that passes the filters."""

    program: Pubkey
    encoding: str | None
    part: Slice | None
    filters: list[Filter]

    def on_block(self, node: Node, block: Block) -> list[Json]:
        told = []
        for address in node.bank.changed_in(block.height):
            found = node.bank.account(address, self.commitment)
            if found is not None and found.owner == self.program and all(one.matches(found) for one in self.filters):
                body = {"pubkey": str(address), "account": shown(node, found, self.encoding, self.part)}
                told.append(_at(block.slot, body))
        return told


class Subscriber:
    """One WebSocket connection. `send` takes the text of a message and must not block."""

    def __init__(self, node: Node, send: Callable[[bytes], None]) -> None:
        self._node = node
        self._send = send
        self._subscriptions: dict[int, Subscription] = {}

    async def receive(self, message: bytes) -> None:
        """Answers one message of the client."""
        try:
            request = orjson.loads(message)
        except orjson.JSONDecodeError:
            self._send(orjson.dumps(failed(None, RpcError(PARSE_ERROR, "Parse error"))))
            return
        for one in request if isinstance(request, list) else [request]:
            await self._receive_one(one)

    def transaction_processed(self, ordinal: int) -> None:
        wanted = self._of(Commitment.PROCESSED)
        if wanted:
            self._tell_transaction(ordinal, wanted)

    def block_reached(self, block: Block, commitment: Commitment) -> None:
        wanted = self._of(commitment)
        if commitment is Commitment.CONFIRMED:
            # accounts are told at the end of their block also where processed is enough
            wanted = [*wanted, *(pair for pair in self._of(Commitment.PROCESSED) if pair[1].kind in ("account", "program"))]
        if not wanted or block.first == block.last:
            return
        for ordinal in range(block.first, block.last):
            self._tell_transaction(ordinal, [pair for pair in wanted if pair[1].commitment is commitment])
        for number, subscription in wanted:
            self._tell(number, subscription, subscription.on_block(self._node, block))

    def slot_began(self, slot: int, parent: int, root: int) -> None:
        for number, subscription in list(self._subscriptions.items()):
            self._tell(number, subscription, subscription.on_slot(slot, parent, root))

    async def _receive_one(self, request: Json) -> None:
        error = malformed(request)
        if error is not None:
            self._send(orjson.dumps(failed(request.get("id") if isinstance(request, dict) else None, error)))
        elif request["method"] in METHODS:
            reply = await answer(self._node, request)
            if reply is not None:
                self._send(orjson.dumps(reply))
        else:
            self._manage(request)

    def _manage(self, request: Json) -> None:
        """Subscribes or unsubscribes; the reply goes out before the first notification."""
        identifier, method, params = request.get("id"), request["method"], request.get("params")
        try:
            if method in SUBSCRIBE:
                subscription = SUBSCRIBE[method](params)
                number = self._add(subscription)
                self._send(orjson.dumps(succeeded(identifier, number)))
                self._tell_past(number, subscription)
            elif method in UNSUBSCRIBE:
                self._remove(arguments(params, 1, 1)[0])
                self._send(orjson.dumps(succeeded(identifier, True)))
            else:
                raise RpcError(METHOD_NOT_FOUND, "Method not found")
        except RpcError as problem:
            self._send(orjson.dumps(failed(identifier, problem)))

    def _add(self, subscription: Subscription) -> int:
        if len(self._subscriptions) >= SUBSCRIPTIONS_MAX:
            raise RpcError(-32603, "Internal Error: Subscription refused. Node subscription limit reached")
        number = next(_numbers)
        self._subscriptions[number] = subscription
        return number

    def _remove(self, given: Json) -> None:
        if args.natural(given) not in self._subscriptions:
            raise invalid("Invalid subscription id.")
        del self._subscriptions[given]

    def _tell_past(self, number: int, subscription: Subscription) -> None:
        """A signature that is there already is told at once."""
        if not isinstance(subscription, SignatureSubscription):
            return
        ordinal = self._node.bank.history.ordinal(subscription.signature)
        if ordinal is None:
            return
        blocks = self._node.bank.blocks
        if blocks.of_transaction(ordinal).height <= blocks.height_at(subscription.commitment):
            self._tell_transaction(ordinal, [(number, subscription)])

    def _of(self, commitment: Commitment) -> list[tuple[int, Subscription]]:
        return [pair for pair in self._subscriptions.items() if pair[1].commitment is commitment]

    def _tell_transaction(self, ordinal: int, wanted: list[tuple[int, Subscription]]) -> None:
        if not any(pair[1].kind in ("logs", "signature") for pair in wanted):
            return
        stored = self._node.bank.history.read(ordinal)
        decoded = DecodedTransaction.of(stored.raw)
        for number, subscription in wanted:
            self._tell(number, subscription, subscription.on_transaction(stored, decoded))

    def _tell(self, number: int, subscription: Subscription, results: list[Json]) -> None:
        for result in results:
            params = {"result": result, "subscription": number}
            self._send(orjson.dumps({"jsonrpc": "2.0", "method": f"{subscription.kind}Notification", "params": params}))
        if results and subscription.kind == "signature":
            self._subscriptions.pop(number, None)


def _at(slot: int, value: Json) -> Json:
    return {"context": {"slot": slot}, "value": value}


def _closed() -> Json:
    """An account that is gone, as a node tells it."""
    system = "11111111111111111111111111111111"
    return {"lamports": 0, "data": ["", "base64"], "owner": system, "executable": False, "rentEpoch": 0, "space": 0}


def _slot(params: Json) -> Subscription:
    arguments(params, 0, 0)
    return Subscription("slot", Commitment.PROCESSED)


def _signature(params: Json) -> Subscription:
    text, config = arguments(params, 1, 2)
    return SignatureSubscription("signature", Config(config).commitment(), bytes(args.signature(text)))


def _logs(params: Json) -> Subscription:
    wanted, config = arguments(params, 1, 2)
    commitment = Config(config).commitment()
    if isinstance(wanted, str):
        if wanted not in ("all", "allWithVotes"):
            raise unknown_variant(wanted, "all", "allWithVotes", "mentions")
        return LogsSubscription("logs", commitment, None, wanted == "allWithVotes")
    if not isinstance(wanted, dict):
        raise invalid_type(wanted, "string or map")
    addresses = args.texts(wanted.get("mentions"))
    if len(addresses) != 1:
        raise invalid("Invalid Request: Only 1 address supported")
    return LogsSubscription("logs", commitment, str(args.pubkey(addresses[0])), with_votes=True)


def _account(params: Json) -> Subscription:
    text, given = arguments(params, 1, 2)
    config = Config(given)
    return AccountSubscription("account", config.commitment(), args.pubkey(text), config.encoding(ACCOUNT_ENCODINGS), config.part())


def _program(params: Json) -> Subscription:
    text, given = arguments(params, 1, 2)
    config = Config(given)
    return ProgramSubscription(
        "program",
        config.commitment(),
        args.pubkey(text),
        config.encoding(ACCOUNT_ENCODINGS),
        config.part(),
        read_filters(config.get("filters")),
    )


SUBSCRIBE: dict[str, Callable[[Json], Subscription]] = {
    "accountSubscribe": _account,
    "logsSubscribe": _logs,
    "programSubscribe": _program,
    "signatureSubscribe": _signature,
    "slotSubscribe": _slot,
}
UNSUBSCRIBE = frozenset(name.replace("Subscribe", "Unsubscribe") for name in SUBSCRIBE)
