"""A built program that may not be shipped is named by what is wrong with it."""

import struct
from importlib.resources import files
from pathlib import Path

import pytest
import typer

from xorj.cli.program import FILES, checked, differing
from xorj.cli.program_file import (
    CALL,
    ELF_HEADER,
    EXECUTABLE,
    INSTRUCTION,
    PROGRAM_HEADER,
    SYSCALLS,
    WRITABLE,
    code_faults,
    faults,
    symbol_hash,
)

NAMES = ("xorj_vault", "local_amm", "local_router")
STORE, MOVE, ADD, EXIT = 0x7B, 0xBF, 0x07, 0x95


def shipped(name: str = "xorj_vault") -> bytes:
    return (files("xorj.localnet") / "programs" / f"{name}.so").read_bytes()


def instruction(code: int, target: int = 0, source: int = 0, offset: int = 0, number: int = 0) -> bytes:
    return INSTRUCTION.pack(code, target | source << 4, offset, number)


def crafted(elf: bytes, code: bytes) -> bytes:
    """The same file, its first instructions replaced."""
    headers_at, count = ELF_HEADER.unpack_from(elf)[5], ELF_HEADER.unpack_from(elf)[10]
    headers = [PROGRAM_HEADER.unpack_from(elf, headers_at + n * PROGRAM_HEADER.size) for n in range(count)]
    at = next(offset for _, access, offset, *_ in headers if access & EXECUTABLE)
    return elf[:at] + code + elf[at + len(code) :]


def external_call(name: str) -> bytes:
    return instruction(CALL, number=struct.unpack("<i", struct.pack("<I", symbol_hash(name)))[0])


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shipped_has_no_fault(name: str) -> None:
    assert faults(shipped(name)) == []


def test_hashes_are_the_runtimes() -> None:
    assert {name: symbol_hash(name) for name in ("abort", "sol_memcpy_", "sol_log_", "sol_invoke_signed_c")} == {
        "abort": 0xB6FC_1A11,
        "sol_memcpy_": 0x717C_C4A3,
        "sol_log_": 0x2075_59BD,
        "sol_invoke_signed_c": 0xA22B_9C85,
    }


@pytest.mark.parametrize(
    ("what", "code", "fault"),
    [
        ("a symbol that nobody defines", external_call("missing_function"), "undefined symbol"),
        ("a product of two floats", external_call("__muldf3"), "float arithmetic: __muldf3"),
        ("a float made of a whole number", external_call("__floatdidf"), "float arithmetic: __floatdidf"),
        ("an atomic addition", instruction(0xDB, 1, 2), "unknown instruction 0xdb"),
        ("a store below the frame", instruction(STORE, 10, 1, -4_104), "a stack frame of 4104 bytes"),
        ("an address below the frame", instruction(MOVE, 1, 10) + instruction(ADD, 1, number=-5_000), "a stack frame of 5000 bytes"),
    ],
)
def test_bad_code_is_named(what: str, code: bytes, fault: str) -> None:
    found = faults(crafted(shipped(), code))
    assert [line for line in found if line.startswith(fault)], (what, found)


def test_a_writable_section_is_named() -> None:
    elf = bytearray(shipped())
    at = ELF_HEADER.unpack_from(elf)[5] + 4
    elf[at : at + 4] = struct.pack("<I", 4 | WRITABLE)
    assert [line for line in faults(bytes(elf)) if line.startswith("a writable section")]


def test_another_version_and_what_is_no_program_are_named() -> None:
    elf = bytearray(shipped())
    elf[48:52] = struct.pack("<I", 0)
    assert faults(bytes(elf))[0] == "sBPF version 0, not 3"
    assert faults(b"#!/bin/sh") == ["not an ELF file"]
    assert faults(shipped()[:100]) == ["its program headers are not whole"]


@pytest.mark.parametrize("name", SYSCALLS)
def test_syscalls_and_the_whole_frame_are_allowed(name: str) -> None:
    assert code_faults(external_call(name) + instruction(STORE, 10, 1, -4_096) + instruction(EXIT)) == []


def test_the_build_fails_on_a_bad_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "xorj_vault.so"
    bad.write_bytes(crafted(shipped(), external_call("__adddf3")))
    with pytest.raises(typer.Exit) as failed:
        checked({"xorj_vault": bad})
    assert failed.value.exit_code == 1
    assert "xorj_vault.so: float arithmetic: __adddf3" in capsys.readouterr().err


def test_the_build_fails_on_a_file_that_is_too_large(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    large = tmp_path / "xorj_vault.so"
    large.write_bytes(shipped() + bytes(40_001 - len(shipped())))
    with pytest.raises(typer.Exit):
        checked({"xorj_vault": large})
    assert "xorj_vault.so has 40001 bytes, more than 40000" in capsys.readouterr().err


def test_a_build_with_other_bytes_is_named(tmp_path: Path) -> None:
    fresh = {name: tmp_path / name for name in FILES}
    for name, folder in FILES.items():
        fresh[name].write_bytes((folder / f"{name}.so").read_bytes())
    assert differing(fresh) == []
    fresh["local_amm"].write_bytes(fresh["local_amm"].read_bytes() + b"\0")
    assert differing(fresh) == ["local_amm"]
