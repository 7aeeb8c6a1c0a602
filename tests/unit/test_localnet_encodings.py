"""Base58 and uncompressed zstandard frames against what other libraries read and write."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from xorj.localnet.rendering.amounts import token_amount
from xorj.localnet.rendering.zstandard import frame
from xorj.primitives.base58 import NotBase58, decode, encode


@given(st.binary(min_size=32, max_size=32))
def test_base58_of_a_key_is_soldiers_base58(raw: bytes) -> None:
    assert encode(raw) == str(Pubkey.from_bytes(raw))


@given(st.binary(max_size=300))
def test_base58_comes_back(raw: bytes) -> None:
    assert decode(encode(raw)) == raw


def test_a_wrong_letter_is_named_with_its_place() -> None:
    with pytest.raises(NotBase58, match="'0' at 2"):
        decode("ab0")


@pytest.mark.parametrize("data", [b"", b"a", b"\0" * 200_000, bytes(range(256)) * 2_000], ids=["empty", "one", "zeros", "mixed"])
def test_any_zstandard_decoder_reads_our_frames(data: bytes) -> None:
    if data:
        assert pa.decompress(frame(data), decompressed_size=len(data), codec="zstd", asbytes=True) == data
    assert len(frame(b"\0" * 200_000)) < 40


@pytest.mark.parametrize(
    ("raw", "decimals", "text"),
    [(0, 6, "0"), (1_500_000, 6, "1.5"), (1_000_000_000, 6, "1000"), (7, 0, "7"), (100, 0, "100"), (1, 9, "0.000000001")],
)
def test_token_amounts_lose_their_trailing_zeros_only_behind_the_point(raw: int, decimals: int, text: str) -> None:
    assert token_amount(raw, decimals)["uiAmountString"] == text
    assert token_amount(raw, decimals)["amount"] == str(raw)
