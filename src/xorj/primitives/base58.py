"""Base58 of any bytes, as Solana writes instruction data and account data. Pure; keys and signatures go through solders instead."""

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_PAIR = 58**2
_CHUNK_DIGITS = 10
_CHUNK = 58**_CHUNK_DIGITS


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
    number = 0
    for start in range(0, len(text), _CHUNK_DIGITS):
        chunk, digits = 0, text[start : start + _CHUNK_DIGITS]
        for letter in digits:
            value = _VALUES.get(letter)
            if value is None:
                raise NotBase58(letter, text.index(letter))
            chunk = chunk * 58 + value
        number = number * 58 ** len(digits) + chunk
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
