"""`GET /swap/v2/build` as execution's Router: a quote with its raw instructions, or NoRoute. Every field is read strictly.

What the instructions do is not judged here: execution's quote_checks trusts none of it.
"""

from collections.abc import Mapping
from typing import Any

from xorj.adapters.jupiter import fields
from xorj.adapters.jupiter.http import JupiterHttp
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Mint, Slot
from xorj.router.quote import NoRoute, RouteQuote

PATH = "/swap/v2/build"
SETUP_INSTRUCTIONS_MAX = 8
LOOKUP_TABLES_MAX = 16
ADDRESSES_PER_TABLE_MAX = 256
# Accounts of the steps alone. 64 may be locked; the vault's own call and the route's head need the rest.
ACCOUNTS_MAX = 36
BPS_MAX = 10_000

_NO_ROUTE = frozenset(
    (
        "NO_ROUTES_FOUND",
        "COULD_NOT_FIND_ANY_ROUTE",
        "ROUTE_PLAN_DOES_NOT_CONSUME_ALL_THE_AMOUNT",
        "MARKET_NOT_FOUND",
        "TOKEN_NOT_TRADABLE",
        "NOT_SUPPORTED",
        "CANNOT_COMPUTE_OTHER_AMOUNT_THRESHOLD",
    )
)


class JupiterRouter:
    def __init__(self, http: JupiterHttp) -> None:
        self._http = http

    async def quote(
        self, input_mint: Mint, output_mint: Mint, amount_in_raw: int, *, slippage_bps: int, taker: Address, payer: Address, output: Address
    ) -> RouteQuote | NoRoute:
        """A route whose user is `taker`, ending in the token account `output`. Raises Unavailable."""
        query: dict[str, str | int] = {
            "inputMint": input_mint,
            "outputMint": output_mint,
            "amount": str(amount_in_raw),
            "slippageBps": slippage_bps,
            "taker": taker,
            "payer": payer,
            "destinationTokenAccount": output,
            "wrapAndUnwrapSol": "false",
            "maxAccounts": ACCOUNTS_MAX,
        }
        status, body = await self._http.get(PATH, query)
        return _quote(body) if status == 200 else _refusal(status, body)


def _refusal(status: int, body: Any) -> NoRoute:
    found = fields.structure(body, "refusal")
    code = found.get("errorCode") or found.get("error") or ""
    if isinstance(code, str) and code in _NO_ROUTE:
        return NoRoute(code)
    raise Unavailable(fields.SYSTEM, f"{PATH}: HTTP {status} {str(code)[:80]}")


def _quote(body: Any) -> RouteQuote:
    found = fields.structure(body, "quote")
    slot = found.get("contextSlot")
    impact = fields.number(found.get("priceImpactPct"), "priceImpactPct")
    setup = fields.items(
        found.get("setupInstructions", []),
        "setupInstructions",
        lambda one: fields.instruction(one, "setupInstruction"),
        most=SETUP_INSTRUCTIONS_MAX,
    )
    return RouteQuote(
        input_mint=Mint(str(fields.pubkey(found.get("inputMint"), "inputMint"))),
        output_mint=Mint(str(fields.pubkey(found.get("outputMint"), "outputMint"))),
        in_amount=fields.amount(found.get("inAmount"), "inAmount"),
        out_amount=fields.amount(found.get("outAmount"), "outAmount"),
        out_amount_min=fields.amount(found.get("otherAmountThreshold"), "otherAmountThreshold"),
        slippage_bps=fields.integer(found.get("slippageBps"), "slippageBps", least=0, most=BPS_MAX),
        price_impact_fraction=float(impact),
        swap_instruction=fields.instruction(found.get("swapInstruction"), "swapInstruction"),
        setup_instructions=setup,
        lookup_tables=_tables(found.get("addressesByLookupTableAddress", {})),
        context_slot=None if slot is None else Slot(fields.integer(slot, "contextSlot", least=0, most=fields.U64_MAX)),
    )


def _tables(value: Any) -> Mapping[Address, tuple[Address, ...]]:
    tables = fields.structure(value, "addressesByLookupTableAddress")
    if len(tables) > LOOKUP_TABLES_MAX:
        raise fields.malformed("too many lookup tables")
    return {
        _address(table): fields.items(addresses, "lookup table", lambda one: _address(one), most=ADDRESSES_PER_TABLE_MAX)
        for table, addresses in tables.items()
    }


def _address(value: Any) -> Address:
    return Address(str(fields.pubkey(value, "lookup table")))
