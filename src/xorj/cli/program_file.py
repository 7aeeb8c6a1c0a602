"""What a built on-chain program must be before it is shipped. Used by `./xorj program build` and `test`, which fail otherwise.

The linker turns a call of anything that it does not know into a syscall of that name's hash, so an undefined symbol would be found only
when it is called; and the target has no floats, so arithmetic on them is a call of a library routine. Both are seen in the hashes.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

FRAME_BYTES_MAX = 4_096
SBPF_VERSION = 3
ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
INSTRUCTION = struct.Struct("<BBhi")
LOADED, EXECUTABLE, WRITABLE = 1, 1, 2
FRAME_POINTER = 10
LOAD_WIDE, MOVE, ADD_NUMBER, CALL = 0x18, 0xBF, 0x07, 0x85
EXTERNAL = 0

SYSCALLS = [
    "abort",
    "sol_panic_",
    "sol_log_",
    "sol_log_64_",
    "sol_log_compute_units_",
    "sol_log_data",
    "sol_log_pubkey",
    "sol_memcpy_",
    "sol_memmove_",
    "sol_memcmp_",
    "sol_memset_",
    "sol_create_program_address",
    "sol_try_find_program_address",
    "sol_invoke_signed_c",
    "sol_get_sysvar",
    "sol_get_clock_sysvar",
    "sol_get_rent_sysvar",
    "sol_get_stack_height",
    "sol_set_return_data",
    "sol_get_return_data",
    "sol_sha256",
]
FLOAT_ROUTINES = [
    *(f"__{operation}{size}3" for operation in ("add", "sub", "mul", "div") for size in ("sf", "df")),
    *(f"__{comparison}{size}2" for comparison in ("eq", "ne", "lt", "le", "gt", "ge", "unord", "neg") for size in ("sf", "df")),
    *(f"__fix{sign}{size}{whole}" for sign in ("", "uns") for size in ("sf", "df") for whole in ("si", "di", "ti")),
    *(f"__float{sign}{whole}{size}" for sign in ("", "un") for size in ("sf", "df") for whole in ("si", "di", "ti")),
    *("__extendsfdf2", "__truncdfsf2", "__powisf2", "__powidf2"),
]

_MEMORY_LOADS = frozenset((0x61, 0x69, 0x71, 0x79))
_MEMORY_STORES = frozenset((0x62, 0x6A, 0x72, 0x7A, 0x63, 0x6B, 0x73, 0x7B))
_ARITHMETIC = frozenset(
    operation | source | width for operation in range(0x00, 0xD0, 0x10) for source in (0, 8) for width in (0x07, 0x04) if operation != 0x80
) | {0x87, 0x84, 0xD4, 0xDC}
_JUMPS = frozenset(operation | source | 0x05 for operation in range(0x10, 0xE0, 0x10) for source in (0, 8)) - {0x8D, 0x95, 0x9D, 0x85}
KNOWN = _MEMORY_LOADS | _MEMORY_STORES | _ARITHMETIC | _JUMPS | {LOAD_WIDE, 0x05, CALL, 0x8D, 0x95}


@dataclass(frozen=True, slots=True)
class Instruction:
    place: int
    code: int
    target: int
    source: int
    offset: int
    number: int


def faults(elf: bytes) -> list[str]:
    """Everything that is wrong with a program file, in words; empty when it may be shipped."""
    if len(elf) < ELF_HEADER.size or not elf.startswith(b"\x7fELF"):
        return ["not an ELF file"]
    _, _, _, _, _, headers_at, _, flags, _, header_bytes, header_count, *_ = ELF_HEADER.unpack_from(elf)
    if header_bytes != PROGRAM_HEADER.size or headers_at + header_bytes * header_count > len(elf):
        return ["its program headers are not whole"]
    found = [] if flags == SBPF_VERSION else [f"sBPF version {flags}, not {SBPF_VERSION}"]
    code = b""
    for n in range(header_count):
        kind, access, offset, address, _, size, *_ = PROGRAM_HEADER.unpack_from(elf, headers_at + n * header_bytes)
        if kind != LOADED:
            found.append(f"a section of kind {kind}: something is left to be linked when it is loaded")
        if access & WRITABLE:
            found.append(f"a writable section of {size} bytes at {address:#x}: a program has no memory of its own that lasts")
        if access & EXECUTABLE:
            code = elf[offset : offset + size]
    return found + code_faults(code)


def code_faults(code: bytes) -> list[str]:
    """What is wrong with the instructions: undefined symbols, floats, unknown instructions, frames that are too large."""
    found: list[str] = []
    frame_copy: int | None = None
    for each in _instructions(code):
        if each.code not in KNOWN:
            found.append(f"unknown instruction {each.code:#04x} at {each.place}")
        if each.code == CALL and each.source == EXTERNAL:
            found += _undefined(each)
        base = each.source if each.code in _MEMORY_LOADS else each.target if each.code in _MEMORY_STORES else None
        if base == FRAME_POINTER:
            found += _outside_frame(each, each.offset)
        if each.code == ADD_NUMBER and each.target == frame_copy:
            found += _outside_frame(each, each.number)
        frame_copy = each.target if each.code == MOVE and each.source == FRAME_POINTER else None
    return found if code else ["no code"]


def _instructions(code: bytes) -> Iterator[Instruction]:
    place = 0
    while place + INSTRUCTION.size <= len(code):
        operation, registers, offset, number = INSTRUCTION.unpack_from(code, place)
        yield Instruction(place, operation, registers & 0xF, registers >> 4, offset, number)
        place += INSTRUCTION.size * (2 if operation == LOAD_WIDE else 1)


def _undefined(call: Instruction) -> list[str]:
    called = call.number & 0xFFFF_FFFF
    if called in _SYSCALL_HASHES:
        return []
    if routine := _FLOAT_HASHES.get(called):
        return [f"float arithmetic: {routine} is called at {call.place}"]
    return [f"undefined symbol: the hash {called:#010x} that is called at {call.place} is of no syscall"]


def _outside_frame(each: Instruction, offset: int) -> list[str]:
    return [] if -FRAME_BYTES_MAX <= offset <= 0 else [f"a stack frame of {-offset} bytes, more than {FRAME_BYTES_MAX}, at {each.place}"]


def symbol_hash(name: str) -> int:
    """Murmur3, 32 bits, seed 0: how the runtime knows a syscall. Source: solana-sbpf, `ebpf::hash_symbol_name`."""
    data, value = name.encode(), 0
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        value = _rotated(value ^ _mixed(int.from_bytes(data[at : at + 4], "little")), 13) * 5 + 0xE654_6B64 & 0xFFFF_FFFF
    if data[whole:]:
        value ^= _mixed(int.from_bytes(data[whole:], "little"))
    value ^= len(data)
    for shift, factor in ((16, 0x85EB_CA6B), (13, 0xC2B2_AE35), (16, 1)):
        value = (value ^ value >> shift) * factor & 0xFFFF_FFFF
    return value


def _mixed(block: int) -> int:
    return _rotated(block * 0xCC9E_2D51 & 0xFFFF_FFFF, 15) * 0x1B87_3593 & 0xFFFF_FFFF


def _rotated(value: int, by: int) -> int:
    return (value << by | value >> 32 - by) & 0xFFFF_FFFF


_SYSCALL_HASHES = frozenset(symbol_hash(name) for name in SYSCALLS)
_FLOAT_HASHES = {symbol_hash(name): name for name in FLOAT_ROUTINES}
