"""Jupiter v6 on the wire: instruction data, account slots and the swap event, little endian, to the byte.

Both routes carry the same fields; the shared one has an id byte before them.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.token import ID as TOKEN_PROGRAM

from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import Address

PROGRAM_ID = Address("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4")
PROGRAM = Pubkey.from_string(PROGRAM_ID)
EVENT_AUTHORITY = Pubkey.find_program_address([b"__event_authority"], PROGRAM)[0]
ROUTE_V2 = bytes.fromhex("bb64facc31c4af14")
SHARED_ACCOUNTS_ROUTE_V2 = bytes.fromhex("d19853937cfed8e9")
EVENT_TAG = bytes.fromhex("e445a52e51cb9a1d")
SWAP_EVENT = bytes.fromhex("40c6cde8260871e2")
TOKEN_SWAP = 3
ALL_BPS = 10_000
ROUTE_PREFIX_ACCOUNTS = 10
SHARED_ROUTE_PREFIX_ACCOUNTS = 12
_HEAD = struct.Struct("<QQHHHI")
_STEP = struct.Struct("<BHBB")


@dataclass(frozen=True, slots=True)
class RouteStep:
    """One step through a venue without fields of its own; `bps` of the input go in."""

    variant: int = TOKEN_SWAP
    bps: int = ALL_BPS
    input_index: int = 0
    output_index: int = 1


@dataclass(frozen=True, slots=True)
class RouteHead:
    """The fields before the plan, and how many steps it has. `shared_id` is None for route_v2."""

    shared_id: int | None
    in_amount: int
    quoted_out_amount: int
    slippage_bps: int
    platform_fee_bps: int
    positive_slippage_bps: int
    steps_count: int

    @property
    def out_amount_min(self) -> int:
        """The floor that the router enforces with error 6001."""
        return self.quoted_out_amount * (ALL_BPS - self.slippage_bps) // ALL_BPS


@dataclass(frozen=True, slots=True)
class SwapEvent:
    """One executed hop, as the router tells itself."""

    amm: Address
    input_mint: Address
    input_amount: int
    output_mint: Address
    output_amount: int


def encode_route(
    in_amount: int, quoted_out_amount: int, slippage_bps: int, steps: Sequence[RouteStep], shared_id: int | None = None
) -> bytes:
    """Instruction data without platform fee. Raises InvalidInput when slippage_bps is not 0 to 10000."""
    if not 0 <= slippage_bps <= ALL_BPS:
        raise InvalidInput("slippage_bps", given=slippage_bps, rule="0 to 10000")
    start = ROUTE_V2 if shared_id is None else SHARED_ACCOUNTS_ROUTE_V2 + bytes([shared_id])
    plan = b"".join(_STEP.pack(step.variant, step.bps, step.input_index, step.output_index) for step in steps)
    return start + _HEAD.pack(in_amount, quoted_out_amount, slippage_bps, 0, 0, len(steps)) + plan


def decode_head(data: bytes) -> RouteHead:
    """The fields of either route. Raises InvalidInput for any other instruction."""
    if data.startswith(ROUTE_V2):
        shared_id, at = None, 8
    elif data.startswith(SHARED_ACCOUNTS_ROUTE_V2) and len(data) > 8:
        shared_id, at = data[8], 9
    else:
        raise InvalidInput("route_data", given=data[:8].hex(), rule="route_v2 or shared_accounts_route_v2")
    if len(data) < at + _HEAD.size:
        raise InvalidInput("route_data", given=len(data), rule=f"at least {at + _HEAD.size} bytes")
    return RouteHead(shared_id, *_HEAD.unpack_from(data, at))


@dataclass(frozen=True, slots=True)
class RouteAccounts:
    """Who gives, who gets, and through whose accounts: the fixed slots of route_v2."""

    authority: Pubkey
    source: Pubkey
    destination: Pubkey
    source_mint: Pubkey
    destination_mint: Pubkey


def route_instruction(accounts: RouteAccounts, data: bytes, steps: Sequence[AccountMeta]) -> Instruction:
    """route_v2 with classic token programs and the output left at `destination`."""
    metas = [
        AccountMeta(accounts.authority, is_signer=True, is_writable=False),
        AccountMeta(accounts.source, is_signer=False, is_writable=True),
        AccountMeta(accounts.destination, is_signer=False, is_writable=True),
        *(
            AccountMeta(key, is_signer=False, is_writable=False)
            for key in (accounts.source_mint, accounts.destination_mint, TOKEN_PROGRAM, TOKEN_PROGRAM, PROGRAM, EVENT_AUTHORITY, PROGRAM)
        ),
        *steps,
    ]
    return Instruction(PROGRAM, data, metas)


def step_program(program: Pubkey) -> AccountMeta:
    """Each step's accounts begin with its venue's program."""
    return AccountMeta(program, is_signer=False, is_writable=False)


def decode_swap_event(data: bytes) -> SwapEvent | None:
    """The swap event of one inner instruction of the router, None when it is something else."""
    if not data.startswith(EVENT_TAG + SWAP_EVENT) or len(data) != 128:
        return None
    amm, input_mint, output_mint = (Address(str(Pubkey.from_bytes(data[at : at + 32]))) for at in (16, 48, 88))
    return SwapEvent(amm, input_mint, int.from_bytes(data[80:88], "little"), output_mint, int.from_bytes(data[120:128], "little"))
