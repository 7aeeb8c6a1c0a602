"""What is confirmed and not final yet, over HTTP, for whoever shows the service token. Mounted by services/quant_engine."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from xorj.engine_api.service_token import require_token
from xorj.primitives.ids import Wallet, parse_pubkey
from xorj.swaps.overlay import Overlay
from xorj.swaps.swap import Swap

SHOWN_MAX = 1_000


class ConfirmedSwap(BaseModel):
    """A swap that a fork may still undo; raw amounts as texts."""

    model_config = ConfigDict(frozen=True)

    wallet: str
    signature: str
    slot: int
    input_mint: str
    input_amount: str
    output_mint: str
    output_amount: str


def overlay_routes(token: str, overlay: Overlay) -> APIRouter:
    """`/internal/confirmed-swaps`: the newest SHOWN_MAX of all wallets or of one, oldest first."""
    router = APIRouter(prefix="/internal", dependencies=[Depends(require_token(token))])

    @router.get("/confirmed-swaps")
    async def confirmed_swaps(wallet: Annotated[str | None, Query(max_length=64)] = None) -> list[ConfirmedSwap]:
        records = overlay.records(None if wallet is None else Wallet(parse_pubkey(wallet, "wallet")))
        swaps = [swap for record in records if isinstance(record.outcome, tuple) for swap in record.outcome]
        return [_shown(swap) for swap in swaps[-SHOWN_MAX:]]

    return router


def _shown(swap: Swap) -> ConfirmedSwap:
    return ConfirmedSwap(
        wallet=swap.wallet,
        signature=swap.signature,
        slot=swap.order.slot,
        input_mint=swap.input.mint,
        input_amount=str(swap.input.raw),
        output_mint=swap.output.mint,
        output_amount=str(swap.output.raw),
    )
