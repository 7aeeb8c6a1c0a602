"""Routes of the trade-bot on 8002: what it is doing, and telling it to plan nothing new. Mounted by services/trade_bot."""

from collections.abc import Awaitable, Callable
from typing import Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from xorj.engine_api.service_token import require_token


class BotStatus(BaseModel):
    """`open_intents` counts those that have not come to an end, by state; `halted` are vaults that must not trade, with the reason."""

    model_config = ConfigDict(frozen=True)

    state: Literal["stopped", "draining", "starting", "trading"]
    stopped_reason: str | None
    gate_open: bool
    draining: bool
    lease_epoch: int | None
    heartbeat_slot: int | None
    open_intents: dict[str, int]
    open_attempts: int
    in_doubt: int
    halted: dict[str, str]
    watched_leaders: int


class DrainRequest(BaseModel):
    """True: plan nothing new, settle what is open. False: go on."""

    model_config = ConfigDict(extra="forbid", strict=True)

    drain: bool


def trade_bot_routes(
    token: str, read_status: Callable[[], Awaitable[BotStatus]], set_draining: Callable[[bool], Awaitable[None]]
) -> APIRouter:
    """`/internal/status` and `/internal/drain`, for whoever shows the service token."""
    router = APIRouter(prefix="/internal", dependencies=[Depends(require_token(token))])

    @router.get("/status")
    async def status() -> BotStatus:
        return await read_status()

    @router.post("/drain")
    async def drain(request: DrainRequest) -> BotStatus:
        await set_draining(request.drain)
        return await read_status()

    return router
