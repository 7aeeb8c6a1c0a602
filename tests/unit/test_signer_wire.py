"""The signer's lines: what is not exactly a request or a reply is refused, whatever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorj.adapters.signer import wire
from xorj.adapters.signer.wire import AddressRequest, SignReply, SignRequest
from xorj.primitives.errors import InvalidInput


@given(st.binary(min_size=1, max_size=wire.MESSAGE_BYTES_MAX), st.integers(0, wire.EPOCH_MAX))
def test_a_request_comes_back_as_it_was(message: bytes, epoch: int) -> None:
    line = wire.encode_request(SignRequest(message, epoch))
    assert line.endswith(b"\n")
    assert len(line) <= wire.LINE_BYTES_MAX
    assert wire.decode_request(line) == SignRequest(message, epoch)


def test_the_question_for_the_address_comes_back_too() -> None:
    assert wire.decode_request(wire.encode_request(AddressRequest())) == AddressRequest()


@pytest.mark.parametrize(
    "reply", [SignReply(signature="s"), SignReply(address="a"), SignReply(refused=("r", "d")), SignReply(unavailable="u")]
)
def test_a_reply_comes_back_as_it_was(reply: SignReply) -> None:
    assert wire.decode_reply(wire.encode_reply(reply)) == reply


REQUESTS = [
    b"",
    b"\n",
    b"[]",
    b"1",
    b"{}",
    b'{"message":"AQ=="}',
    b'{"message":"AQ==","lease_epoch":true}',
    b'{"message":"AQ==","lease_epoch":"1"}',
    b'{"message":"AQ==","lease_epoch":1.5}',
    b'{"message":"AQ==","lease_epoch":-1}',
    b'{"message":"AQ==","lease_epoch":9223372036854775808}',
    b'{"message":"AQ==","lease_epoch":1,"more":1}',
    b'{"message":"","lease_epoch":1}',
    b'{"message":"?","lease_epoch":1}',
    b'{"message":"\xc3\xa9","lease_epoch":1}',
    b'{"message":' + b'"' + b"A" * 8_000 + b'","lease_epoch":1}',
    b'{"address":1}',
]


@pytest.mark.parametrize("line", REQUESTS)
def test_anything_else_is_no_request(line: bytes) -> None:
    with pytest.raises(InvalidInput):
        wire.decode_request(line)


@pytest.mark.parametrize(
    "line", [b"", b"{}", b'{"signature":1}', b'{"signature":"s","address":"a"}', b'{"refused":{"rule":"r"}}', b"nonsense"]
)
def test_anything_else_is_no_reply(line: bytes) -> None:
    with pytest.raises(InvalidInput):
        wire.decode_reply(line)
