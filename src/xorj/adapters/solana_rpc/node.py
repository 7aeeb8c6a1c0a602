"""One Solana node, behind every port of xorj.chain.ports. Built by the services and the command line.

Every method raises Unavailable when the node cannot answer, answers with an error or answers what cannot be.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from typing import Self, TypeVar
from urllib.parse import urlsplit

import httpx2

from xorj.adapters.solana_rpc.batches import in_batches
from xorj.adapters.solana_rpc.fields import (
    Json,
    optional,
    read_amount,
    read_list,
    read_natural,
    read_object,
    read_pubkey,
    read_text,
)
from xorj.adapters.solana_rpc.json_rpc import READ_ATTEMPTS_MAX, JsonRpc, NodeError
from xorj.adapters.solana_rpc.told_rate import ToldRate
from xorj.adapters.solana_rpc.transactions import error_text, parse_result, parse_signature_info
from xorj.chain.ports import ACCOUNTS_PER_CALL_MAX, SIGNATURES_PER_PAGE_MAX, SIGNATURES_PER_STATUS_CALL_MAX
from xorj.chain.transactions import (
    Account,
    Blockhash,
    ChainTransaction,
    Commitment,
    EpochInfo,
    SendHint,
    SignatureInfo,
    SignatureStatus,
    Simulation,
    TokenHolding,
)
from xorj.primitives.clock import ChainTime
from xorj.primitives.errors import InvalidInput, Unavailable
from xorj.primitives.ids import Address, Mint, Signature, Slot, Wallet

T = TypeVar("T")

TRANSACTION_VERSION_MAX = 1
FEE_ACCOUNTS_PER_CALL_MAX = 128
TOKEN_PROGRAMS = ("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")


class SolanaNode:
    """`name` stands for the node in errors, metrics and settlement; without one it is the host, so that a key in the URL stays there.

    Of several nodes of which any may answer, each is tried once: `read_attempts`.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        read_attempts: int = READ_ATTEMPTS_MAX,
    ) -> None:
        host = urlsplit(url).hostname
        if not url.startswith(("http://", "https://")) or not host:
            raise InvalidInput("rpc_url", given=url.split("?", maxsplit=1)[0], rule="an http:// or https:// URL")
        self.name = name or host
        self._rpc = JsonRpc(url, name=self.name, transport=transport, read_attempts=read_attempts)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._rpc.close()

    @property
    def told_rate(self) -> ToldRate:
        """What the newest answer said of how fast the node may be asked."""
        return self._rpc.told

    def requests_for(self, signatures: Sequence[Signature]) -> int:
        """How many requests reading these transactions is: providers count the calls of a batch one by one."""
        return len(signatures)

    async def signatures(
        self,
        address: Address,
        *,
        limit: int = SIGNATURES_PER_PAGE_MAX,
        before: Signature | None = None,
        until: Signature | None = None,
        commitment: Commitment = Commitment.FINALIZED,
    ) -> list[SignatureInfo]:
        """One page, newest first."""
        options: dict[str, Json] = {"limit": limit, "commitment": commitment.value}
        options |= {name: value for name, value in (("before", before), ("until", until)) if value is not None}
        rows = await self._rpc.read("getSignaturesForAddress", [address, options])
        return self._checked("getSignaturesForAddress", lambda: [parse_signature_info(row, self.name) for row in read_list(rows, "result")])

    async def transactions(
        self, signatures: Sequence[Signature], *, commitment: Commitment = Commitment.FINALIZED
    ) -> list[ChainTransaction | None]:
        """In the order asked; None where the node does not know the signature at that commitment."""
        return await in_batches(signatures, lambda batch: self._batch(batch, commitment))

    async def accounts(
        self, addresses: Sequence[Address], *, commitment: Commitment = Commitment.CONFIRMED, slot_min: Slot | None = None
    ) -> list[Account | None]:
        """In the order asked, all at one context slot. Raises InvalidInput for more than ACCOUNTS_PER_CALL_MAX."""
        if len(addresses) > ACCOUNTS_PER_CALL_MAX:
            raise InvalidInput("addresses", given=len(addresses), rule=f"at most {ACCOUNTS_PER_CALL_MAX}, or they are not of one slot")
        options: dict[str, Json] = {"encoding": "base64", "commitment": commitment.value}
        if slot_min is not None:
            options["minContextSlot"] = slot_min
        reply = await self._rpc.read("getMultipleAccounts", [list(addresses), options])
        return self._checked("getMultipleAccounts", lambda: _accounts(*_with_slot(reply), addresses))

    async def token_balances(self, owner: Wallet, *, commitment: Commitment = Commitment.CONFIRMED) -> tuple[Slot, dict[Mint, int]]:
        """Summed by mint over both token programs; the slot is the older of the two context slots."""
        options = {"encoding": "jsonParsed", "commitment": commitment.value}
        method = "getTokenAccountsByOwner"
        replies = await self._rpc.read_batch(method, [[owner, {"programId": program}, options] for program in TOKEN_PROGRAMS])
        return self._checked(method, lambda: _summed([_with_slot(reply) for reply in replies]))

    async def token_accounts(self, owner: Address, mint: Mint, *, commitment: Commitment = Commitment.CONFIRMED) -> list[TokenHolding]:
        """Every token account of `owner` for that mint, associated or not, in the order of addresses."""
        method = "getTokenAccountsByOwner"
        reply = await self._rpc.read(method, [owner, {"mint": mint}, {"encoding": "jsonParsed", "commitment": commitment.value}])
        return self._checked(method, lambda: _holdings(_with_slot(reply)[1]))

    async def lamports(self, address: Address, *, commitment: Commitment = Commitment.CONFIRMED) -> int:
        reply = await self._rpc.read("getBalance", [address, {"commitment": commitment.value}])
        return self._checked("getBalance", lambda: read_natural(_with_slot(reply)[1], "value"))

    async def statuses(self, signatures: Sequence[Signature]) -> tuple[Slot, list[SignatureStatus | None]]:
        """Statuses with history search, and the context slot of the answer. Raises InvalidInput for more than one call takes."""
        if len(signatures) > SIGNATURES_PER_STATUS_CALL_MAX:
            raise InvalidInput("signatures", given=len(signatures), rule=f"at most {SIGNATURES_PER_STATUS_CALL_MAX}")
        reply = await self._rpc.read("getSignatureStatuses", [list(signatures), {"searchTransactionHistory": True}])

        def read() -> tuple[Slot, list[SignatureStatus | None]]:
            slot, value = _with_slot(reply)
            return slot, [_status(row) for row in _as_many(read_list(value, "value"), len(signatures))]

        return self._checked("getSignatureStatuses", read)

    async def epoch_info(self, *, commitment: Commitment = Commitment.FINALIZED) -> EpochInfo:
        reply = await self._rpc.read("getEpochInfo", [{"commitment": commitment.value}])

        def read() -> EpochInfo:
            fields = read_object(reply, "result")
            slot, height = (read_natural(fields.get(name), name) for name in ("absoluteSlot", "blockHeight"))
            return EpochInfo(Slot(slot), height)

        return self._checked("getEpochInfo", read)

    async def is_blockhash_valid(self, blockhash: str, *, commitment: Commitment = Commitment.FINALIZED) -> tuple[Slot, bool]:
        reply = await self._rpc.read("isBlockhashValid", [blockhash, {"commitment": commitment.value}])

        def read() -> tuple[Slot, bool]:
            slot, value = _with_slot(reply)
            if not isinstance(value, bool):
                raise InvalidInput("value", given=value, rule="true or false")
            return slot, value

        return self._checked("isBlockhashValid", read)

    async def first_available_block(self) -> Slot:
        reply = await self._rpc.read("getFirstAvailableBlock", [])
        return self._checked("getFirstAvailableBlock", lambda: Slot(read_natural(reply, "result")))

    async def genesis_hash(self) -> str:
        reply = await self._rpc.read("getGenesisHash", [])
        return self._checked("getGenesisHash", lambda: read_text(reply, "result"))

    async def slot(self, *, commitment: Commitment = Commitment.CONFIRMED) -> Slot:
        reply = await self._rpc.read("getSlot", [{"commitment": commitment.value}])
        return self._checked("getSlot", lambda: Slot(read_natural(reply, "result")))

    async def block_time(self, slot: Slot) -> ChainTime | None:
        """Slot, block height and block time of a confirmed slot, None where it has no block or its time is not known yet."""
        options = {"transactionDetails": "none", "rewards": False, "commitment": "confirmed", **ANY_VERSION}
        try:
            reply = await self._rpc.read("getBlock", [slot, options])
        except NodeError as error:
            if error.code in _NO_SUCH_BLOCK:
                return None
            raise

        def read() -> ChainTime | None:
            fields = read_object(reply, "result")
            height, seconds = (optional(fields.get(name), name, read_natural) for name in ("blockHeight", "blockTime"))
            return None if height is None or seconds is None else ChainTime(slot, height, seconds)

        return self._checked("getBlock", read)

    async def latest_blockhash(self, *, commitment: Commitment = Commitment.CONFIRMED) -> Blockhash:
        reply = await self._rpc.read("getLatestBlockhash", [{"commitment": commitment.value}])

        def read() -> Blockhash:
            slot, value = _with_slot(reply)
            fields = read_object(value, "value")
            height = read_natural(fields.get("lastValidBlockHeight"), "value.lastValidBlockHeight")
            return Blockhash(read_pubkey(fields.get("blockhash"), "value.blockhash"), height, slot)

        return self._checked("getLatestBlockhash", read)

    async def recent_priority_fees(self, addresses: Sequence[Address]) -> list[int]:
        """Micro-lamports per compute unit of recent slots for these writable accounts. Raises InvalidInput for too many."""
        if len(addresses) > FEE_ACCOUNTS_PER_CALL_MAX:
            raise InvalidInput("addresses", given=len(addresses), rule=f"at most {FEE_ACCOUNTS_PER_CALL_MAX}")
        reply = await self._rpc.read("getRecentPrioritizationFees", [list(addresses)])
        method = "getRecentPrioritizationFees"
        return self._checked(method, lambda: [_fee(row) for row in read_list(reply, "result")])

    async def send(self, transaction: bytes) -> SendHint:
        """Tried once, without preflight and the node's own repeats. That a node cannot be reached is a hint too, never a verdict."""
        options = {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}
        try:
            reply = await self._rpc.write("sendTransaction", [b64encode(transaction).decode(), options])
        except Unavailable as error:
            return SendHint(accepted=False, detail=error.cause)
        return SendHint(accepted=isinstance(reply, str), detail=str(reply))

    async def simulate(self, transaction: bytes, *, accounts: Sequence[Address] = ()) -> Simulation:
        """Executes without signature check against a fresh blockhash; `accounts` are returned as they would be afterwards."""
        options: dict[str, Json] = {"encoding": "base64", "sigVerify": False, "replaceRecentBlockhash": True, "commitment": "confirmed"}
        if accounts:
            options["accounts"] = {"encoding": "base64", "addresses": list(accounts)}
        reply = await self._rpc.read("simulateTransaction", [b64encode(transaction).decode(), options])
        return self._checked("simulateTransaction", lambda: _simulation(*_with_slot(reply), accounts))

    async def _batch(self, signatures: Sequence[Signature], commitment: Commitment) -> list[ChainTransaction | None]:
        options = {"encoding": "json", "commitment": commitment.value, **ANY_VERSION}
        replies = await self._rpc.read_batch_raw("getTransaction", [[signature, options] for signature in signatures])
        read = self._checked("getTransaction", lambda: [None if reply == b"null" else parse_result(reply) for reply in replies])
        for signature, transaction in zip(signatures, read, strict=True):
            if transaction is not None and transaction.signature != signature:
                raise Unavailable(self.name, f"getTransaction: asked for {signature}, answered {transaction.signature}")
        return read

    def _checked(self, method: str, read: Callable[[], T]) -> T:
        """What `read` makes of a reply; a reply that breaks a rule means that this node cannot be used."""
        try:
            return read()
        except InvalidInput as error:
            raise Unavailable(self.name, f"{method}: malformed reply: {error}") from error


ANY_VERSION = {"maxSupportedTransactionVersion": TRANSACTION_VERSION_MAX}
# cleaned up, skipped, skipped in long-term storage
_NO_SUCH_BLOCK = frozenset({-32001, -32007, -32009})


def _with_slot(reply: Json) -> tuple[Slot, Json]:
    fields = read_object(reply, "result")
    slot = read_natural(read_object(fields.get("context"), "context").get("slot"), "context.slot")
    if "value" not in fields:
        raise InvalidInput("value", given=None, rule="a field of the reply")
    return Slot(slot), fields["value"]


def _as_many(rows: list[Json], count: int) -> list[Json]:
    if len(rows) != count:
        raise InvalidInput("value", given=len(rows), rule=f"{count} entries, one for each asked")
    return rows


def _accounts(slot: Slot, value: Json, addresses: Sequence[Address]) -> list[Account | None]:
    rows = _as_many(read_list(value, "value"), len(addresses))
    return [_account(address, row, slot) for address, row in zip(addresses, rows, strict=True)]


def _account(address: Address, row: Json, slot: Slot) -> Account | None:
    if row is None:
        return None
    fields = read_object(row, "account")
    data = read_list(fields.get("data"), "account.data")
    if len(data) != 2 or data[1] != "base64":
        raise InvalidInput("account.data", given=data[1:], rule="base64")
    try:
        raw = b64decode(read_text(data[0], "account.data"), validate=True)
    except Base64Error as error:
        raise InvalidInput("account.data", given=data[0], rule="base64") from error
    lamports = read_natural(fields.get("lamports"), "account.lamports")
    return Account(address, Address(read_pubkey(fields.get("owner"), "account.owner")), lamports, raw, slot)


def _summed(replies: Sequence[tuple[Slot, Json]]) -> tuple[Slot, dict[Mint, int]]:
    balances: dict[Mint, int] = {}
    for _, value in replies:
        for row in read_list(value, "value"):
            mint, raw = _held(row)
            balances[mint] = balances.get(mint, 0) + raw
    return min(slot for slot, _ in replies), balances


def _holdings(value: Json) -> list[TokenHolding]:
    rows = [read_object(row, "value") for row in read_list(value, "value")]
    found = [TokenHolding(Address(read_pubkey(row.get("pubkey"), "pubkey")), _held(row)[1]) for row in rows]
    return sorted(found, key=lambda one: one.address)


def _held(row: Json) -> tuple[Mint, int]:
    """Mint and raw amount of one token account in the node's parsed form."""
    account = read_object(read_object(row, "value").get("account"), "account")
    parsed = read_object(read_object(account.get("data"), "account.data").get("parsed"), "parsed")
    info = read_object(parsed.get("info"), "parsed.info")
    amount = read_object(info.get("tokenAmount"), "parsed.info.tokenAmount")
    return Mint(read_pubkey(info.get("mint"), "parsed.info.mint")), read_amount(amount.get("amount"), "parsed.info.tokenAmount.amount")


def _status(row: Json) -> SignatureStatus | None:
    if row is None:
        return None
    fields = read_object(row, "status")
    given = fields.get("confirmationStatus")
    if given not in {one.value for one in Commitment}:
        raise InvalidInput("confirmationStatus", given=given, rule="processed, confirmed or finalized")
    return SignatureStatus(Slot(read_natural(fields.get("slot"), "status.slot")), Commitment(given), error_text(fields.get("err")))


def _fee(row: Json) -> int:
    return read_natural(read_object(row, "fee").get("prioritizationFee"), "prioritizationFee")


def _simulation(slot: Slot, value: Json, addresses: Sequence[Address]) -> Simulation:
    fields = read_object(value, "value")
    logs = tuple(read_text(line, "logs") for line in read_list(fields.get("logs") or [], "logs"))
    rows = fields.get("accounts")
    after = [None] * len(addresses) if rows is None else _accounts(slot, rows, addresses)
    units = optional(fields.get("unitsConsumed"), "unitsConsumed", read_natural)
    return Simulation(error_text(fields.get("err")), logs, units or 0, tuple(after), slot)
