"""A wallet at the API: signs in by a challenge, stays signed in, builds, signs and sends its own transactions, and steers its bot.

The key never comes here: `sign` is given bytes and gives their Ed25519 signature. Used by programs and by the tests of the gateway.
"""

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from uuid import uuid4

import httpx2
import orjson
from pydantic import TypeAdapter, ValidationError
from solders.message import to_bytes_versioned
from solders.signature import Signature as RawSignature
from solders.transaction import VersionedTransaction

from xorj.client.problem import Problem
from xorj.primitives.errors import RefusedForSafety, Unavailable
from xorj.primitives.ids import Signature, Wallet
from xorj.reporting.account import BotConfiguration, BotStatus, PerformanceMetrics, UserSettings, UserStatus
from xorj.reporting.overview import Overview, Vault
from xorj.reporting.ports import DecisionPage, MovementPage, TradePage
from xorj.reporting.stops import VaultStop

TIMEOUT_S = 20.0
# A token that ends sooner than this is renewed before it is used again.
RENEW_BEFORE = timedelta(minutes=2)

Sign = Callable[[bytes], Awaitable[bytes]]
Action = Literal[
    "deploy",
    "policy",
    "deposit",
    "withdraw",
    "recover",
    "close-account",
    "grant",
    "revoke",
    "pause",
    "resume",
    "deactivate",
    "close",
]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a sent transaction stands, as the node says."""

    signature: Signature
    state: Literal["unknown", "processed", "confirmed", "finalized", "failed"]
    slot: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Stopping:
    """`complete` when every vault is paused on chain and no trade of it is in doubt."""

    stopped: bool
    complete: bool
    vaults: list[VaultStop]
    vaults_count: int


class XorjClient:
    """One wallet. An async context manager; every method raises Problem for a refusal and Unavailable when there is no answer."""

    def __init__(self, base_url: str, wallet: Wallet, sign: Sign, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self.wallet = wallet
        self._sign = sign
        self._http = httpx2.AsyncClient(base_url=base_url, timeout=TIMEOUT_S, transport=transport)
        self._ends: datetime | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._http.aclose()

    async def sign_in(self) -> None:
        """Answers a challenge; from then on the session renews itself before it ends."""
        asked = await self._ask("POST", "/api/auth/challenge", {"wallet_address": self.wallet})
        signature = str(RawSignature.from_bytes(await self._sign(asked["message"].encode())))
        body = {"wallet_address": self.wallet, "signature": signature, "message": asked["message"]}
        self._use(await self._ask("POST", "/api/auth/authenticate", body))

    async def sign_out(self) -> None:
        await self._ask("POST", "/api/auth/logout")
        self._http.headers.pop("authorization", None)
        self._ends = None

    async def act(self, action: Action, body: Mapping[str, Any] | None = None) -> Signature:
        """Has one action's transaction built, signs it, sends it. Raises RefusedForSafety for one that is not this wallet's alone."""
        built = await self._signed_in("POST", f"/api/vault/{action}", body or {})
        signed = await self._approve(base64.b64decode(built["transaction"]))
        sent = await self._signed_in("POST", "/api/vault/transactions", {"transaction": base64.b64encode(signed).decode()})
        return Signature(sent["signature"])

    async def landing(self, signature: Signature) -> Landing:
        return _read(Landing, await self._signed_in("GET", f"/api/vault/transactions/{signature}"))

    async def vaults(self) -> list[Vault]:
        return _read(list[Vault], await self._signed_in("GET", "/api/vault"))

    async def overview(self) -> Overview:
        """What this wallet may see; works signed out too."""
        return _read(Overview, await self._ask("GET", "/api/overview"))

    async def enable_bot(self, *, leaders_max: int | None = None, allocation_bps: int | None = None) -> str:
        """Begins copying; returns what the API says. Repeated after a lost answer, it is done once."""
        body = {name: value for name, value in {"leaders_max": leaders_max, "allocation_bps": allocation_bps}.items() if value is not None}
        return str((await self._signed_in("POST", "/api/bot/enable", body, once=True))["message"])

    async def disable_bot(self, reason: str) -> str:
        return str((await self._signed_in("POST", "/api/bot/disable", {"reason": reason}, once=True))["message"])

    async def bot_status(self) -> BotStatus:
        return _read(BotStatus, await self._signed_in("GET", "/api/bot/status"))

    async def bot_configuration(self) -> BotConfiguration:
        return _read(BotConfiguration, await self._signed_in("GET", "/api/bot/configuration"))

    async def emergency(self, action: Literal["stop", "resume"], reason: str) -> bool:
        """Stops or resumes everybody's trading; returns whether it is stopped now. Needs an operator's wallet."""
        return bool((await self._signed_in("POST", "/api/bot/emergency", {"action": action, "reason": reason}, once=True))["stopped"])

    async def stopping(self) -> Stopping:
        """Whether trading is stopped, and what was done for it in the vaults that this wallet may see."""
        return _read(Stopping, await self._signed_in("GET", "/api/bot/emergency"))

    async def trades(self, *, limit: int = 50, cursor: str | None = None) -> TradePage:
        return _read(TradePage, await self._signed_in("GET", _paged("/api/bot/trades", limit, cursor)))

    async def decisions(self, *, limit: int = 50, cursor: str | None = None) -> DecisionPage:
        return _read(DecisionPage, await self._signed_in("GET", _paged("/api/bot/decisions", limit, cursor)))

    async def movements(self, *, limit: int = 50, cursor: str | None = None) -> MovementPage:
        return _read(MovementPage, await self._signed_in("GET", _paged("/api/user/transactions", limit, cursor)))

    async def user(self) -> UserStatus:
        return _read(UserStatus, await self._signed_in("GET", "/api/user/status"))

    async def performance(self) -> PerformanceMetrics:
        return _read(PerformanceMetrics, await self._signed_in("GET", "/api/user/performance"))

    async def settings(self) -> UserSettings:
        return _read(UserSettings, await self._signed_in("GET", "/api/user/settings"))

    async def save_settings(self, settings: UserSettings) -> UserSettings:
        limit = settings.max_trade_amount_usd
        body = {
            "risk_profile": settings.risk_profile,
            "max_trade_amount_usd": None if limit is None else str(limit),
            "slippage_tolerance_percent": str(settings.slippage_tolerance_percent),
        }
        return _read(UserSettings, await self._signed_in("PUT", "/api/user/settings", body))

    async def _signed_in(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, once: bool = False) -> Any:
        if self._ends is None:
            await self.sign_in()
        elif self._ends - datetime.now(UTC) < RENEW_BEFORE:
            await self._renew()
        return await self._ask(method, path, body, {"idempotency-key": uuid4().hex} if once else None)

    async def _renew(self) -> None:
        """Another copy of this client may have renewed the session already; then it is begun anew."""
        try:
            self._use(await self._ask("POST", "/api/auth/refresh"))
        except Problem as problem:
            if problem.status != httpx2.codes.UNAUTHORIZED:
                raise
            self._http.headers.pop("authorization", None)
            await self.sign_in()

    def _use(self, answer: Mapping[str, Any]) -> None:
        self._http.headers["authorization"] = f"Bearer {answer['session_token']}"
        self._ends = datetime.fromisoformat(answer["expires_at"])

    async def _approve(self, unsigned: bytes) -> bytes:
        message = VersionedTransaction.from_bytes(unsigned).message
        if message.header.num_required_signatures != 1 or str(message.account_keys[0]) != self.wallet:
            raise RefusedForSafety("the API built a transaction that is not this wallet's alone")
        signature = await self._sign(to_bytes_versioned(message))
        return b"\x01" + signature + to_bytes_versioned(message)

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None) -> Any:
        try:
            answer = await self._http.request(method, path, json=body, headers=headers)
            content = orjson.loads(answer.content)
        except httpx2.HTTPError as error:
            raise Unavailable("the XORJ API", f"{path}: {type(error).__name__}") from error
        except orjson.JSONDecodeError as error:
            raise Unavailable("the XORJ API", f"{path}: not JSON") from error
        if answer.status_code != httpx2.codes.OK:
            raise Problem(answer.status_code, content if isinstance(content, dict) else {})
        return content


def _read(kind: type[T], content: Any) -> T:
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        raise Unavailable("the XORJ API", f"an answer of another shape: {error.errors()[0]['loc']}") from error


def _paged(path: str, limit: int, cursor: str | None) -> str:
    query: dict[str, str | int] = {"limit": limit} | ({"cursor": cursor} if cursor is not None else {})
    return f"{path}?{httpx2.QueryParams(query)}"
