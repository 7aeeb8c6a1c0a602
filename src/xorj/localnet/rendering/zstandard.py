"""Zstandard frames without compression: any decoder reads them, and no library is needed to write them. Pure."""

_MAGIC = b"\x28\xb5\x2f\xfd"
_SINGLE_SEGMENT_8_BYTE_SIZE = b"\xe0"
_BLOCK_BYTES_MAX = 128 * 1024
_RAW, _RLE = 0, 1


def frame(data: bytes) -> bytes:
    """One frame that decompresses to `data`. A stretch of one repeated byte is written as such."""
    blocks = [data[at : at + _BLOCK_BYTES_MAX] for at in range(0, len(data), _BLOCK_BYTES_MAX)] or [b""]
    parts = [_MAGIC, _SINGLE_SEGMENT_8_BYTE_SIZE, len(data).to_bytes(8, "little")]
    for number, block in enumerate(blocks):
        repeated = len(block) > 1 and block.count(block[0]) == len(block)
        kind = _RLE if repeated else _RAW
        last = number == len(blocks) - 1
        parts.append((last | kind << 1 | len(block) << 3).to_bytes(3, "little"))
        parts.append(block[:1] if repeated else block)
    return b"".join(parts)
