"""Base58 of any bytes, as Solana writes instruction data and account data. Pure; keys and signatures go through solders instead."""

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_PAIR = 58**2
_CHUNK_DIGITS = 10
_CHUNK = 58**_CHUNK_DIGITS
_NO_DIGIT = 255
_DIGITS = bytes(_VALUES.get(chr(byte), _NO_DIGIT) for byte in range(256))


class NotBase58(ValueError):
    """A character outside the alphabet, at `position`."""

    def __init__(self, character: str, position: int) -> None:
        self.character, self.position = character, position
        super().__init__(f"{character!r} at {position} is not base58")


def encode(data: bytes) -> str:
    """The base58 text of `data`; leading zero bytes become leading ones."""
    number = int.from_bytes(data, "big")
    chunks = []
    while number:
        number, chunk = divmod(number, _CHUNK)
        pairs = []
        for _ in range(_CHUNK_DIGITS // 2):
            chunk, pair = divmod(chunk, _PAIR)
            pairs.append(_PAIRS[pair])
        chunks.append("".join(reversed(pairs)))
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(chunks)).lstrip("1")


def decode(text: str) -> bytes:
    """The bytes of a base58 text. Raises NotBase58."""
    digits = text.encode(errors="replace").translate(_DIGITS)
    if _NO_DIGIT in digits:
        position = next(at for at, letter in enumerate(text) if letter not in _VALUES)
        raise NotBase58(text[position], position)
    number, head = 0, len(digits) % _CHUNK_DIGITS
    for digit in digits[:head]:
        number = number * 58 + digit
    # written out, since instruction data are most of what it costs to read a transaction
    for a, b, c, d, e, f, g, h, i, j in zip(*[iter(digits[head:])] * _CHUNK_DIGITS, strict=True):
        high = a * 11_316_496 + b * 195_112 + c * 3_364 + d * 58 + e
        number = number * _CHUNK + high * 656_356_768 + f * 11_316_496 + g * 195_112 + h * 3_364 + i * 58 + j
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
