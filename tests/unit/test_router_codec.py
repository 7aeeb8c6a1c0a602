"""Jupiter v6 in Python, byte by byte at the offsets that recorded mainnet transactions have."""

import struct

import pytest
from solders.instruction import AccountMeta
from solders.pubkey import Pubkey

from xorj.primitives.errors import InvalidInput
from xorj.router import jupiter_v6
from xorj.router.jupiter_v6 import RouteAccounts, RouteStep, SwapEvent

KEYS = [Pubkey.from_bytes(bytes([n]) * 32) for n in range(1, 9)]


def test_route_v2_has_its_fields_at_their_offsets() -> None:
    data = jupiter_v6.encode_route(1_000_000, 990_000, 50, [RouteStep()])
    assert data[:8].hex() == "bb64facc31c4af14"
    in_amount, quoted, slippage, fee, positive, steps = (
        struct.unpack_from(layout, data, at)[0] for layout, at in (("<Q", 8), ("<Q", 16), ("<H", 24), ("<H", 26), ("<H", 28), ("<I", 30))
    )
    assert (in_amount, quoted, slippage, fee, positive, steps) == (1_000_000, 990_000, 50, 0, 0, 1)
    assert data[34:].hex() == "0310270001", "variant 3, 10000 bps, from 0 to 1"


def test_the_shared_route_has_an_id_and_everything_one_byte_later() -> None:
    plain = jupiter_v6.encode_route(1, 2, 3, [RouteStep()])
    shared = jupiter_v6.encode_route(1, 2, 3, [RouteStep()], shared_id=7)
    assert shared.hex() == "d19853937cfed8e9" + "07" + plain[8:].hex()


def test_a_step_with_fields_of_a_recorded_route_is_read_up_to_the_plan() -> None:
    """One Whirlpool step as recorded: variant 17, a_to_b, 10000 bps, 0 -> 1; the platform fee of 10 bps is told."""
    data = jupiter_v6.ROUTE_V2 + struct.pack("<QQHHHI", 5, 4, 100, 10, 2, 1) + bytes.fromhex("110110270001")
    head = jupiter_v6.decode_head(data)
    assert (head.shared_id, head.in_amount, head.quoted_out_amount, head.slippage_bps) == (None, 5, 4, 100)
    assert (head.platform_fee_bps, head.positive_slippage_bps, head.steps_count) == (10, 2, 1)


@pytest.mark.parametrize("shared_id", [None, 0, 255])
def test_a_head_comes_back(shared_id: int | None) -> None:
    head = jupiter_v6.decode_head(jupiter_v6.encode_route(10, 20, 30, [RouteStep(), RouteStep(input_index=1, output_index=2)], shared_id))
    assert head == jupiter_v6.RouteHead(shared_id, 10, 20, 30, 0, 0, 2)


@pytest.mark.parametrize(
    ("quoted", "slippage", "floor"), [(10_000, 50, 9_950), (9_999, 1, 9_998), (1, 10_000, 0), (2**64 - 1, 0, 2**64 - 1)]
)
def test_the_floor_is_rounded_down(quoted: int, slippage: int, floor: int) -> None:
    assert jupiter_v6.decode_head(jupiter_v6.encode_route(1, quoted, slippage, [RouteStep()])).out_amount_min == floor


@pytest.mark.parametrize(
    "data", [b"", jupiter_v6.ROUTE_V2 + bytes(25), jupiter_v6.SHARED_ACCOUNTS_ROUTE_V2, b"\xe5\x17\xcb\x97" + bytes(40)]
)
def test_what_is_no_route_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="route_data"):
        jupiter_v6.decode_head(data)


@pytest.mark.parametrize("slippage", [-1, 10_001])
def test_slippage_stays_within_the_whole(slippage: int) -> None:
    with pytest.raises(InvalidInput, match="slippage_bps"):
        jupiter_v6.encode_route(1, 1, slippage, [RouteStep()])


def test_the_accounts_of_route_v2_stand_in_jupiters_slots() -> None:
    authority, source, destination, source_mint, destination_mint, venue = KEYS[:6]
    fixed = RouteAccounts(authority, source, destination, source_mint, destination_mint)
    built = jupiter_v6.route_instruction(fixed, b"data", [jupiter_v6.step_program(venue), AccountMeta(KEYS[6], False, True)])
    token, router, events = (
        Pubkey.from_string(each)
        for each in (
            "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
            "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4",
            "D8cy77BBepLMngZx6ZukaTff5hCt1HrWyKk3Hnd9oitf",
        )
    )
    expected = [authority, source, destination, source_mint, destination_mint, token, token, router, events, router, venue, KEYS[6]]
    assert [meta.pubkey for meta in built.accounts] == expected
    assert [n for n, meta in enumerate(built.accounts) if meta.is_signer] == [0]
    assert [n for n, meta in enumerate(built.accounts) if meta.is_writable] == [1, 2, 11]
    assert built.program_id == router


def test_a_swap_event_is_read_after_its_tag() -> None:
    amm, given, got = KEYS[:3]
    data = bytes.fromhex("e445a52e51cb9a1d40c6cde8260871e2") + bytes(amm) + bytes(given) + struct.pack("<Q", 11) + bytes(got)
    assert jupiter_v6.decode_swap_event(data + struct.pack("<Q", 12)) == SwapEvent(str(amm), str(given), 11, str(got), 12)
    assert jupiter_v6.decode_swap_event(data) is None
    assert jupiter_v6.decode_swap_event(bytes(128)) is None
