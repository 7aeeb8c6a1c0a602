"""Builds one program that holds every mutant, and makes of it the file with one of them switched on. Used by `mutate`.

Each mutant asks a number that stands in the file behind a mark. So the program is built once, and a mutant costs only its tests.
"""

import re
import shutil
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from xorj.cli.mutants.checks import Finder, Insertion, Mutant, framework_errors
from xorj.cli.mutants.rust_source import Source

MARK = b"xorj-mutant-mark"
# How many mutants can be switched on together.
TOGETHER_MAX = 4
_LIST = "mutants.toml"
_NOT_CHANGED = {"error.rs", "constants.rs", "mem.rs"}
_FOUND = "INSTRUCTIONS.iter().find(|known| known.tag == first)"
_ASKED = """//! Which checks are taken away. Only in the copy that `xorj program mutate` builds.
use core::ptr::{addr_of, read_volatile};

#[repr(C)]
struct Chosen {
    mark: [u8; 16],
    numbers: [u32; 4],
}

#[no_mangle]
static CHOSEN: Chosen = Chosen { mark: *b"xorj-mutant-mark", numbers: [0; 4] };

#[inline(never)]
pub fn is(number: u32) -> bool {
    // SAFETY: a static of this size.
    let chosen = unsafe { read_volatile(addr_of!(CHOSEN)) };
    core::hint::black_box(chosen.mark);
    chosen.numbers[0] == number || chosen.numbers[1] == number || chosen.numbers[2] == number || chosen.numbers[3] == number
}

pub trait Unless: Sized {
    fn checked_add_unless(self, taken_away: bool, other: Self) -> Option<Self>;
    fn checked_sub_unless(self, taken_away: bool, other: Self) -> Option<Self>;
}

impl Unless for u64 {
    fn checked_add_unless(self, taken_away: bool, other: u64) -> Option<u64> {
        if taken_away { Some(self.wrapping_add(other)) } else { self.checked_add(other) }
    }
    fn checked_sub_unless(self, taken_away: bool, other: u64) -> Option<u64> {
        if taken_away { Some(self.wrapping_sub(other)) } else { self.checked_sub(other) }
    }
}
"""


@dataclass(frozen=True, slots=True)
class Extra:
    """A mutant that no shape gives away: in `file`, `text` becomes `instead`."""

    file: str
    text: str
    instead: str
    why: str


@dataclass(frozen=True, slots=True)
class Listed:
    """programs/vault/mutants.toml: pairs that guard one thing on purpose, mutants that change nothing, and mutants by hand."""

    pairs: tuple[tuple[str, ...], ...]
    equal: dict[str, str]
    extra: tuple[Extra, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """What is switched on together: one mutant, or a pair."""

    mutants: tuple[Mutant, ...]

    @property
    def name(self) -> str:
        return " with ".join(mutant.name for mutant in self.mutants)


def read_list(programs: Path) -> Listed:
    values = tomllib.loads((programs / "vault" / _LIST).read_text())
    equal = {name: group["why"] for group in values.get("equal", []) for name in group["mutants"]}
    pairs = tuple(tuple(group["mutants"]) for group in values.get("pair", []))
    return Listed(pairs, equal, tuple(Extra(**each) for each in values.get("extra", [])))


def change_copy(programs: Path, copy: Path, extra: Iterable[Extra]) -> list[Mutant]:
    """Copies the workspace and puts every mutant into the vault's source. Returns them, numbered from 1."""
    shutil.copytree(programs, copy, ignore=shutil.ignore_patterns("target", "tools"))
    folder = copy / "vault" / "src"
    framework = framework_errors((folder / "error.rs").read_text())
    found: list[Mutant] = []
    for path in sorted(folder.rglob("*.rs")):
        name = path.relative_to(folder).as_posix()
        if name in _NOT_CHANGED:
            continue
        text = path.read_text()
        mutants = Finder(Source(name, text), framework).find() + [_by_hand(each, text) for each in extra if each.file == name]
        for number, mutant in enumerate(mutants, len(found) + 1):
            mutant.number = number
        found += mutants
        path.write_text(_with_import(_changed(text, mutants)))
    (folder / "mutant.rs").write_text(_ASKED)
    _put_rows_first(folder / "lib.rs", found)
    library = folder / "lib.rs"
    text = library.read_text().replace("\nmod ", "\npub mod mutant;\nmod ", 1)
    library.write_text(text.replace("\n#![", "\n#![allow(unused, unused_comparisons)]\n#![", 1))
    return found


def cases(mutants: Sequence[Mutant], listed: Listed) -> list[Case]:
    """What to try: each mutant, pairs together, without those that change nothing. Raises ValueError for names that no mutant has."""
    by_name = {mutant.name: mutant for mutant in mutants}
    paired = {name for pair in listed.pairs for name in pair}
    if gone := (paired | set(listed.equal)) - set(by_name):
        raise ValueError(f"{_LIST} names what is not in the source: {'; '.join(sorted(gone))}")
    alone = [Case((mutant,)) for mutant in mutants if mutant.name not in paired and mutant.name not in listed.equal]
    return alone + [Case(tuple(by_name[name] for name in pair)) for pair in listed.pairs]


def switched_on(program: bytes, case: Case) -> bytes:
    """The built file with these mutants in force. Raises ValueError when its mark is missing or stands twice."""
    if program.count(MARK) != 1:
        raise ValueError(f"the mark stands {program.count(MARK)} times in the built program")
    numbers = [mutant.number for mutant in case.mutants]
    at = program.index(MARK) + len(MARK)
    chosen = b"".join(number.to_bytes(4, "little") for number in (numbers + [0] * TOGETHER_MAX)[:TOGETHER_MAX])
    return program[:at] + chosen + program[at + len(chosen) :]


def _by_hand(extra: Extra, text: str) -> Mutant:
    if text.count(extra.text) != 1:
        raise ValueError(f"{_LIST}: `{extra.text}` stands {text.count(extra.text)} times in {extra.file}")
    start = text.index(extra.text)
    end = start + len(extra.text)
    line = text.count("\n", 0, start) + 1
    before = Insertion(start, f"(if {{is}} {{{{ {extra.instead.replace('{', '{{').replace('}', '}}')} }}}} else {{{{ ", False, 0)
    mutant = Mutant("by hand", extra.file, extra.why, extra.text, line, line, start, end, ())
    mutant.insertions += [before, Insertion(end, " }})", True, 0)]
    return mutant


def _changed(text: str, mutants: Sequence[Mutant]) -> str:
    placed = [(insertion, mutant.number) for mutant in mutants for insertion in mutant.insertions]
    placed.sort(key=_order)
    parts, done = [], 0
    for at, group in groupby(placed, key=lambda each: each[0].at):
        parts.append(text[done:at])
        parts += [each.text.format(**{"is": f"crate::mutant::is({number})", "number": number}) for each, number in group]
        done = at
    return "".join([*parts, text[done:]])


def _order(placed: tuple[Insertion, int]) -> tuple[int, bool, int, int]:
    """At one place: what closes comes first, the narrower one before the wider; then what opens, the other way round."""
    insertion, number = placed
    turn = -1 if insertion.is_closing else 1
    return insertion.at, not insertion.is_closing, -turn * insertion.width, turn * number


def _put_rows_first(library: Path, mutants: Sequence[Mutant]) -> None:
    """A second table of instructions, whose rows are found before the first one's where their mutant is chosen."""
    rows = [f"({mutant.number}, {mutant.row})," for mutant in mutants if mutant.row]
    text = library.read_text()
    if not rows or text.count(_FOUND) != 1:
        raise ValueError(f"lib.rs does not look for an instruction by `{_FOUND}`")
    wanted = "|(number, known)| known.tag == first && crate::mutant::is(*number)"
    chosen = f"CHANGED.iter().find({wanted}).map(|(_, known)| known).or_else(|| {_FOUND})"
    table = f"\nstatic CHANGED: [(u32, Instruction); {len(rows)}] = [{''.join(rows)}];\n"
    library.write_text(text.replace(_FOUND, chosen) + table)


def _with_import(text: str) -> str:
    """The trait's methods come into every file that uses one."""
    if "_unless(" not in text:
        return text
    first = re.search(r"^(pub )?(use|mod|const|#\[)", text, re.MULTILINE)
    at = first.start() if first else 0
    return text[:at] + "use crate::mutant::Unless as _;\n" + text[at:]
