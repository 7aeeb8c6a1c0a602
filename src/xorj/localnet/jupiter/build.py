"""The reply of GET /swap/v2/build: a quote and the raw instructions that execute it. Used by the API."""

import base64
import time
from typing import Any

from solders.compute_budget import set_compute_unit_price
from solders.instruction import AccountMeta, Instruction
from solders.system_program import TransferParams, transfer

from xorj.chain.transactions import Commitment
from xorj.localnet.bank import Bank
from xorj.localnet.blocks import BLOCKHASH_AGE_MAX_BLOCKS
from xorj.localnet.jupiter.pools import SOL_MINT, PoolBook
from xorj.localnet.jupiter.query import BuildQuery, Refused
from xorj.localnet.jupiter.routes import Hop, Route, best_route, route_instruction
from xorj.router.jupiter_v6 import ALL_BPS
from xorj.vault.accounts import TOKEN_PROGRAM, token_account_address
from xorj.vault.instructions import create_token_account

VENUE_LABEL = "Local AMM"
_SYNC_NATIVE, _CLOSE_ACCOUNT = b"\x11", b"\x09"


def build_reply(bank: Bank, book: PoolBook, query: BuildQuery) -> dict[str, Any]:
    """Raises Refused where Jupiter would answer with an error: unknown mints, no route, nothing to be had for the amount."""
    for mint, name in ((query.input_mint, "inputMint"), (query.output_mint, "outputMint")):
        if book.decimals(mint) is None or next(book.with_mint(mint), None) is None:
            raise Refused("TOKEN_NOT_TRADABLE", f"The token {mint} ({name}) is not tradable")
    route = best_route(book, query.input_mint, query.output_mint, query.amount, accounts_max=query.accounts_max)
    if route is None:
        raise Refused("NO_ROUTES_FOUND", "No routes found")
    return _quote(book, query, route) | _instructions(query, route) | _blockhash(bank, query)


def _quote(book: PoolBook, query: BuildQuery, route: Route) -> dict[str, Any]:
    return {
        "inputMint": str(query.input_mint),
        "outputMint": str(query.output_mint),
        "inAmount": str(route.amount_in),
        "outAmount": str(route.amount_out),
        "otherAmountThreshold": str(route.amount_out * (ALL_BPS - query.slippage_bps) // ALL_BPS),
        "swapMode": "ExactIn",
        "slippageBps": query.slippage_bps,
        "priceImpactPct": f"{float(route.price_impact):.10f}",
        "routePlan": [_plan_step(book, hop) for hop in route.hops],
    }


def _plan_step(book: PoolBook, hop: Hop) -> dict[str, Any]:
    worth = book.worth(hop.input_mint)
    return {
        "percent": 100,
        "bps": ALL_BPS,
        "usdValue": float(worth.usd_per_raw * hop.amount_in) if worth is not None else None,
        "swapInfo": {
            "ammKey": str(hop.pool.address),
            "label": VENUE_LABEL,
            "inputMint": str(hop.input_mint),
            "outputMint": str(hop.output_mint),
            "inAmount": str(hop.amount_in),
            "outAmount": str(hop.amount_out),
        },
    }


def _instructions(query: BuildQuery, route: Route) -> dict[str, Any]:
    destination = query.destination or token_account_address(query.taker, query.output_mint)
    swap = route_instruction(route, authority=query.taker, destination=destination, slippage_bps=query.slippage_bps)
    cleanup = _cleanup(query)
    return {
        "computeBudgetInstructions": [_shown(set_compute_unit_price(0))],
        "setupInstructions": [_shown(one) for one in _setup(query, route)],
        "swapInstruction": _shown(swap),
        "cleanupInstruction": _shown(cleanup) if cleanup is not None else None,
        "otherInstructions": [],
        "tipInstruction": None,
        "addressesByLookupTableAddress": {},
    }


def _setup(query: BuildQuery, route: Route) -> list[Instruction]:
    made = list(route.mints[1:] if query.destination is None else route.mints[1:-1])
    if query.wraps_sol and query.input_mint == SOL_MINT:
        made.insert(0, SOL_MINT)
    setup = [create_token_account(query.payer, query.taker, mint) for mint in made]
    if query.wraps_sol and query.input_mint == SOL_MINT:
        wrapped = token_account_address(query.taker, SOL_MINT)
        setup.append(transfer(TransferParams(from_pubkey=query.taker, to_pubkey=wrapped, lamports=query.amount)))
        setup.append(Instruction(TOKEN_PROGRAM, _SYNC_NATIVE, [AccountMeta(wrapped, is_signer=False, is_writable=True)]))
    return setup


def _cleanup(query: BuildQuery) -> Instruction | None:
    """Turns wrapped SOL back into lamports of the taker."""
    gets_sol = query.output_mint == SOL_MINT and query.destination is None
    if not query.wraps_sol or not (gets_sol or query.input_mint == SOL_MINT):
        return None
    metas = [
        AccountMeta(token_account_address(query.taker, SOL_MINT), is_signer=False, is_writable=True),
        AccountMeta(query.taker, is_signer=False, is_writable=True),
        AccountMeta(query.taker, is_signer=True, is_writable=False),
    ]
    return Instruction(TOKEN_PROGRAM, _CLOSE_ACCOUNT, metas)


def _blockhash(bank: Bank, query: BuildQuery) -> dict[str, Any]:
    newest = bank.blocks.newest_hash(Commitment.CONFIRMED)
    last_valid = bank.blocks.last_valid_height(newest, Commitment.CONFIRMED) or bank.blocks.height
    fetched_ns = time.time_ns()
    return {
        "blockhashWithMetadata": {
            "blockhash": list(bytes(newest)),
            "lastValidBlockHeight": last_valid - max(0, BLOCKHASH_AGE_MAX_BLOCKS - query.blockhash_slots),
            "fetchedAt": {"secs_since_epoch": fetched_ns // 10**9, "nanos_since_epoch": fetched_ns % 10**9},
        }
    }


def _shown(instruction: Instruction) -> dict[str, Any]:
    return {
        "programId": str(instruction.program_id),
        "accounts": [_shown_meta(meta) for meta in instruction.accounts],
        "data": base64.b64encode(bytes(instruction.data)).decode(),
    }


def _shown_meta(meta: AccountMeta) -> dict[str, Any]:
    return {"pubkey": str(meta.pubkey), "isSigner": meta.is_signer, "isWritable": meta.is_writable}
