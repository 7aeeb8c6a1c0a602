"""How checks of the vault program are found and taken away, on Rust that could stand in it. `./xorj program mutate` tries the real ones."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from xorj.cli.mutants.checks import Finder, Mutant
from xorj.cli.mutants.job import Job
from xorj.cli.mutants.mutate import Noticed, Verdict, Worker, changed_lines, table
from xorj.cli.mutants.rust_source import Source
from xorj.cli.mutants.schemata import MARK, Case, Extra, Listed, cases, change_copy, switched_on

ROOT = Path(__file__).resolve().parents[2]
FRAMEWORK = {"HAS_ONE": "ConstraintHasOne", "SEEDS": "ConstraintSeeds"}


def found(body: str, returns: str = "Checked") -> list[str]:
    text = f"fn f(a: u64) -> {returns} {{\n    {body}\n}}\n"
    return [f"{mutant.kind} {mutant.text}" for mutant in Finder(Source("f.rs", text), FRAMEWORK).find()]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("if a > CAP {\n return Err(VaultError::InvalidAmount.into());\n }\n Ok(())", ["check a > CAP", "border a > CAP"]),
        ("if same(a, b) { Ok(()) } else { Err(HAS_ONE) }", ["check same(a, b)"]),
        ("if a || b { return Err(SEEDS); }\n Ok(())", ["check a || b", "part a", "part b"]),
        ("if !is_admin {\n if !is_guardian { return Err(HAS_ONE); }\n }\n Ok(())", ["check !is_admin", "check !is_guardian"]),
        ("let good = x.iter().any(|y| y.a == 1 && y.b);\n Ok(())", ["part y.a == 1", "part y.b"]),
        ("let f = || a && b;\n Ok(())", ["part a", "part b"]),
        ("match a {\n Some(n) if n != 1 => Err(SEEDS),\n None => Err(HAS_ONE),\n _ => Ok(()),\n }", ["check n != 1", "code HAS_ONE"]),
        ("signer(owner)?;\n Ok(())", ["call signer(owner)?;"]),
        ("check(a)?;\n check(b)", ["call check(a)?;", "call check(b)"]),
        ("let n = a.checked_sub(b).ok_or(VaultError::MathOverflow)?;\n Ok(())", ["overflow checked_sub(b)"]),
        (
            "require(a <= CAP, VaultError::InvalidAmount)?;\n require(same(a, b) || c, HAS_ONE)",
            [
                "check a <= CAP",
                "border a <= CAP",
                "check same(a, b) || c",
                "part same(a, b)",
                "part c",
            ],
        ),
        ("let x = m.get(1).ok_or(VaultError::InvalidMint)?;\n Ok(())", ["code VaultError::InvalidMint"]),
        ("let is_own = is_given(0) | same(a, b);\n let n = a >> b & 1;\n Ok(())", ["part is_given(0)", "part same(a, b)"]),
        ("let n = a.map_or(0, |x| x) | b;\n Ok(())", []),
    ],
)
def test_what_is_a_check(body: str, expected: list[str]) -> None:
    assert sorted(found(body)) == sorted(expected)


def test_the_table_of_instructions_asks_for_one_thing_less() -> None:
    row = "known(tag::PAUSE, Fixed(0, instructions::pause), 3, &[1, 2], OF_BOT, 0),"
    text = f"static INSTRUCTIONS: [Instruction; 1] = [\n    {row}\n];\n"
    rows = [mutant.row for mutant in Finder(Source("lib.rs", text), FRAMEWORK).find()]
    others = [("&[2]", "OF_BOT"), ("&[1]", "OF_BOT"), *(("&[1, 2]", f"(OF_BOT) & !{flag}") for flag in ("SIGNED", "VAULT", "POLICY"))]
    assert rows == [f"known(tag::PAUSE, Fixed(0, instructions::pause), 3, {written}, {checks}, 0)" for written, checks in others]


def test_host_tests_hold_no_checks() -> None:
    text = "fn f() {}\n\n#[cfg(test)]\nmod tests {\n fn t() { if a { return Err(SEEDS); } }\n}\n"
    assert Finder(Source("f.rs", text), FRAMEWORK).find() == []


def test_no_error_of_the_vault_can_be_returned_that_no_mutant_is_about(tmp_path: Path) -> None:
    mutants = change_copy(ROOT / "programs", tmp_path / "programs", ())
    about = {error for mutant in mutants for error in mutant.errors}
    source = ROOT / "programs" / "vault" / "src"
    named = {word for path in source.rglob("*.rs") if path.name != "error.rs" for word in _codes(path.read_text())}
    assert named <= about
    assert len({mutant.name for mutant in mutants}) == len(mutants)


def _codes(text: str) -> set[str]:
    used = text.split("#[cfg(test)]\nmod tests", 1)[0]
    return {part.split(".")[0].split(")")[0].split(",")[0].split(";")[0].strip() for part in used.split("VaultError::")[1:]}


def test_every_name_on_the_list_is_in_the_source(tmp_path: Path) -> None:
    from xorj.cli.mutants.schemata import read_list

    listed = read_list(ROOT / "programs")
    mutants = change_copy(ROOT / "programs", tmp_path / "programs", listed.extra)
    tried = cases(mutants, listed)
    assert sum(len(case.mutants) for case in tried) + len(listed.equal) == len(mutants)
    assert all(len(why) > 20 for why in listed.equal.values())


def _mutant(number: int) -> Mutant:
    return Mutant("check", "a.rs", "f", f"text {number}", 1, 2, 0, 1, (), [], number)


def test_a_pair_is_tried_together_and_what_changes_nothing_not_at_all() -> None:
    mutants = [_mutant(n) for n in (1, 2, 3, 4)]
    names = [mutant.name for mutant in mutants]
    tried = cases(mutants, Listed(((names[0], names[1]),), {names[2]: "why"}, ()))
    assert [[mutant.number for mutant in case.mutants] for case in tried] == [[4], [1, 2]]
    with pytest.raises(ValueError, match="gone"):
        cases(mutants, Listed((), {"gone": "why"}, ()))


def test_the_built_file_is_told_by_number() -> None:
    program = b"before" + MARK + bytes(16) + b"after"
    changed = switched_on(program, Case((_mutant(5), _mutant(7))))
    assert changed == b"before" + MARK + b"\x05\0\0\0\x07\0\0\0" + bytes(8) + b"after"
    with pytest.raises(ValueError, match="0 times"):
        switched_on(b"", Case((_mutant(5),)))


def test_what_is_changed_by_hand_must_stand_there_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="0 times"):
        change_copy(ROOT / "programs", tmp_path / "programs", [Extra("token.rs", "no such text", "nothing", "why")])


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_changed_lines_are_those_of_the_new_file(tmp_path: Path) -> None:
    source = tmp_path / "programs" / "vault" / "src"
    source.mkdir(parents=True)
    (source / "a.rs").write_text("1\n2\n3\n")

    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    (source / "a.rs").write_text("1\ntwo\n3\nfour\n")
    assert changed_lines(tmp_path, "HEAD") == {"a.rs": {2, 4}}


def test_the_table_counts_by_file() -> None:
    verdicts = [Verdict("x", "a.rs:1", "test", 1.0), Verdict("y", "a.rs:2", "", 2.0), Verdict("z", "b.rs:1", "test", 0.0)]
    rows = [line.split() for line in table(verdicts).split("\n")[1:]]
    assert rows == [["a.rs", "2", "1", "3"], ["b.rs", "1", "1", "0"], ["together", "3", "2", "3"]]


def test_who_noticed_is_remembered_of_mutants_that_are_there_and_were_caught(tmp_path: Path) -> None:
    path = tmp_path / "noticed.json"
    first = Noticed.read(path, {"a", "b", "c"})
    for case, test in (("a", "test 1"), ("b", "test 2"), ("c", "test 3")):
        first.note(Verdict(case, "f.rs:1", test, 1.0))
    again = Noticed.read(path, {"a", "b"})
    again.note(Verdict("a", "f.rs:1", "", 1.0))
    assert Noticed.read(path, {"a", "b", "c"}).by_case == {"b": "test 2"}


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    """Tries on two tests that fail, between one that passes and one that kills its process."""
    tests = tmp_path / "tests" / "program"
    tests.mkdir(parents=True)
    (tests / "test_some.py").write_text(
        "import os\ndef test_passes(): pass\ndef test_one(): assert False\ndef test_other(): assert False\ndef test_dies(): os._exit(1)\n"
    )
    started = Worker(tmp_path)
    yield started
    started.close()


def test_what_noticed_last_is_tried_first(worker: Worker) -> None:
    one, other = (f"tests/program/test_some.py::test_{name}" for name in ("one", "other"))
    for first in (other, one):
        answer = worker.ask(Job("folder", first=first))
        assert (answer.failed, answer.is_cut_short) == ((first,), False)


def test_a_run_that_does_not_come_to_its_end_says_so(worker: Worker) -> None:
    answer = worker.ask(Job("folder", to_the_end=True))
    assert answer.is_cut_short
    assert answer.failed[-1] == "tests/program/test_some.py::test_dies"
