"""Finds every check in the program's source, and how to take it away. Pure; used by `schemata`.

A check is found by what it looks like, so that a new one cannot be left out: each condition whose branch refuses, each part of a condition,
each border of a comparison, each call that may refuse, each account that must be writable, each row of a table that is gone through. An
error code that stands in none of them gets another code instead, so that none can be returned that no mutant is about.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from xorj.cli.mutants.rust_source import Function, Source, Token
from xorj.vault.interface import FRAMEWORK_ERRORS

# Rust is told to take a check away where this is true.
_IS = "crate::mutant::is({number})"
_BORDERS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_REFUSALS = (["return", "None"], ["return", "false"])
_UNIT_RESULTS = {"Checked", "Result<(),VaultError>"}
_TABLE = "INSTRUCTIONS"
# What stands for which checks there.
_FLAGS = {
    "0": (),
    "SIGNED": ("SIGNED",),
    "OF_BOT": ("SIGNED", "VAULT", "POLICY"),
    "OF_OWNER": ("SIGNED", "VAULT", "OWNED", "POLICY"),
    "SIGNED | VAULT | OWNED": ("SIGNED", "VAULT", "OWNED"),
}
_STATEMENT_BORDERS = ("{", "}", ";")
_FRAMEWORK = re.compile(r"pub const (\w+): Fault = Fault::framework\((\d+)\)")
# The error that stands for another, and what stands for that.
_OTHER_ERROR, _OTHER_FAULT = ("VaultError::Unauthorized", "VaultError::InvalidAmount"), ("crate::error::HAS_ONE", "crate::error::SEEDS")


@dataclass(frozen=True, slots=True)
class Insertion:
    """Text that goes into the source at `at`. Of two at one place, the one of the wider mutant is the outer one."""

    at: int
    text: str
    is_closing: bool
    width: int


@dataclass(slots=True)
class Mutant:
    """One check, one way to take it away. `errors` are those in it, or else in its function; by `number` the program is told of it."""

    kind: str
    file: str
    function: str
    text: str
    first_line: int
    last_line: int
    start: int
    end: int
    errors: tuple[str, ...]
    insertions: list[Insertion] = field(default_factory=list)
    number: int = 0
    twin: int = 0
    # Of the kind "shape": what the table of instructions has in its stead.
    row: str = ""

    @property
    def name(self) -> str:
        return self.name_of_first + (f" #{self.twin + 1}" if self.twin else "")

    @property
    def name_of_first(self) -> str:
        return f"{self.file} {self.function}: {self.kind} `{self.text}`"


def framework_errors(error_source: str) -> dict[str, str]:
    """The program's names of Anchor's own codes, which stand without `VaultError::`, and Anchor's."""
    return {name: FRAMEWORK_ERRORS[int(code)] for name, code in _FRAMEWORK.findall(error_source)}


class Finder:
    """Finds the mutants of one file."""

    def __init__(self, source: Source, framework: Mapping[str, str]) -> None:
        self.source = source
        self.framework = framework
        self.found: list[Mutant] = []

    def find(self) -> list[Mutant]:
        inside = [place for place in range(len(self.source.tokens)) if self.source.function_at(place)]
        for place in inside:
            self._at(place, self.source.tokens[place])
        for function in self.source.functions:
            self._tail(function)
        self._instructions()
        self._codes()
        for n, mutant in enumerate(self.found):
            mutant.twin = sum(other.name_of_first == mutant.name_of_first for other in self.found[:n])
        return self.found

    def _at(self, place: int, token: Token) -> None:
        finders: dict[str, Callable[[int], None]] = {
            "if": self._condition,
            "&&": self._chain,
            "||": self._chain,
            "|": self._eager_chain,
            "&": self._eager_chain,
            "&=": self._assigned,
            "require": self._requirement,
            "checked_add": self._arithmetic,
            "checked_sub": self._arithmetic,
            "for": self._table,
            "filter": self._closure,
            "is_some_and": self._closure,
            "then_some": self._then_some,
            "?": self._call,
        }
        if (finder := finders.get(token.text)) is not None:
            finder(place)

    # Kinds

    def _condition(self, place: int) -> None:
        """`if CONDITION { refusal }`, `if CONDITION { .. } else { refusal }`, and a match arm's `if CONDITION => Err(..)`."""
        source, first = self.source, place + 1
        if source[first] == "let":
            return
        end = first
        while source[end] not in ("{", "=>"):
            end = source.partner[end] + 1 if source[end] in ("(", "[") else end + 1
        if source[end] == "=>":
            if source[end + 1] == "Err":
                self._wrap("check", first, end, "!{is} && (", ")", until=source.partner[end + 2])
            return
        close = source.partner[end]
        otherwise = source.partner[close + 2] if source[close + 1] == "else" and source[close + 2] == "{" else None
        if self._refuses(end):
            self._wrap("check", first, end, "!{is} && (", ")", until=close)
        elif otherwise is not None and self._refuses(close + 2):
            self._wrap("check", first, end, "{is} || (", ")", until=otherwise)
        else:
            return
        if not source.top_level(first, end, "&&", "||"):
            self._border(first, end)

    def _then_some(self, place: int) -> None:
        """`(CONDITION).then_some(..)`."""
        if self.source[place - 2] == ")":
            self._wrap("part", self.source.partner[place - 2], place - 1, "({is} || ", ")")

    def _assigned(self, place: int) -> None:
        """`is_well &= CONDITION`."""
        self._wrap("part", place + 1, self._end(place), "({is} || ", ")")

    def _refuses(self, brace: int) -> bool:
        """Whether something is refused in the block."""
        inside = [self.source[n] for n in range(brace + 1, self.source.partner[brace])]
        return "Err" in inside or inside[:2] in _REFUSALS

    def _chain(self, place: int) -> None:
        """Every part of a chain of `&&` and `||`: one that no longer counts."""
        source = self.source
        first, end = self._start(place), self._end(place)
        if place in source.closure_bars:
            return
        if any(source[n] == "let" for n in range(first, end)) or place != source.top_level(first, end, "&&", "||")[0]:
            return
        for one, other in source.split(first, end, "||"):
            if (first, end) != (one, other):
                self._wrap("part", one, other, "(!{is} && (", "))")
            parts = source.split(one, other, "&&")
            for part, part_end in parts:
                if len(parts) > 1:
                    self._wrap("part", part, part_end, "({is} || ", ")")
                self._border(part, part_end)

    def _eager_chain(self, place: int) -> None:
        """As `_chain`, of `|` and `&` between truths, where both sides are always worked out."""
        source, sign = self.source, self.source[place]
        first, end = self._start(place), self._end(place)
        if place in source.closure_bars or place not in source.top_level(first, end, sign)[:1]:
            return
        parts = source.split(first, end, sign)
        if len(parts) > 1 and all(one < other and self._is_truth(one) for one, other in parts):
            for one, other in parts:
                self._wrap("part", one, other, *(("(!{is} & ", ")") if sign == "|" else ("({is} | ", ")")))

    def _is_truth(self, place: int) -> bool:
        """By its name: `same(..)`, `is_..`, or the opposite of something."""
        return self.source[place] in ("!", "same") or self.source[place].startswith("is_")

    def _requirement(self, place: int) -> None:
        """`require(CONDITION, error)`."""
        if self.source[place + 1] != "(":
            return
        source, close = self.source, self.source.partner[place + 1]
        comma = source.top_level(place + 2, close, ",")[0]
        self._wrap("check", place + 2, comma, "{is} || (", ")", until=close)
        if not source.top_level(place + 2, comma, "&&", "||"):
            self._border(place + 2, comma)

    def _border(self, first: int, end: int) -> None:
        """`<` for `<=`: what happens exactly at the border."""
        signs = [n for n in self.source.top_level(first, end, *_BORDERS) if self.source[n - 1] != "::"]
        if len(signs) == 1:
            sign = self.source.tokens[signs[0]]
            other = self.source.text[self.source.tokens[first].start : sign.start] + _BORDERS[sign.text]
            other += self.source.text[sign.end : self.source.tokens[end - 1].end]
            self._wrap("border", first, end, f"(if {{is}} {{{{ {_braced(other)} }}}} else {{{{ ", " }})")

    def _arithmetic(self, place: int) -> None:
        """A sum that wraps instead of being refused."""
        call = self.source.partner[place + 1]
        mutant = self._mutant("overflow", place, call + 1, self._end(place))
        name, bracket = self.source.tokens[place], self.source.tokens[place + 1]
        mutant.insertions += [Insertion(name.end, "_unless", False, 0), Insertion(bracket.end, "{is}, ", False, 0)]

    def _table(self, place: int) -> None:
        """`for .. in &TABLE {`: each row of a table that is gone through."""
        source = self.source
        word = next((n for n in range(place, place + 12) if source[n] == "in"), place)
        if source[word + 1] != "&" or source[word + 3] != "{" or not source[word + 2].isupper():
            return
        rows = re.search(rf"static {source[word + 2]}: \[.*; (\d+)\]", source.text)
        for row in range(int(rows.group(1)) if rows else 0):
            mutant = self._mutant("row", place, word + 3, source.partner[word + 3])
            mutant.text += f", row {row}"
            if row == 0:
                at = source.tokens
                mutant.insertions += [
                    Insertion(at[place + 1].start, "(row, ", False, 0),
                    Insertion(at[word - 1].end, ")", False, 0),
                    Insertion(at[word + 1].start, "(", False, 0),
                    Insertion(at[word + 2].end, ").iter().enumerate()", False, 0),
                    Insertion(at[word + 3].end, " if crate::mutant::is({number} + row as u32) {{ continue; }}", False, 0),
                ]

    def _instructions(self) -> None:
        """The table of instructions: each account that must be writable and each thing checked of the first three."""
        source = self.source
        start = next((n for n in range(len(source.tokens)) if source[n] == "static" and source[n + 1] == _TABLE), None)
        if start is None:
            return
        rows = [n for n in range(start, len(source.tokens)) if source[n] == "known" and source[n + 1] == "("]
        for row in (n for n in rows if source[n - 1] in ("[", ",")):
            parts = source.split(row + 2, source.partner[row + 1], ",")
            tag, run, count, written, checks, config = (source.slice(*part) for part in parts if part[0] < part[1])
            places = re.findall(r"\d+", written)
            variants = {f"written {place}": (f"&[{', '.join(p for p in places if p != place)}]", checks) for place in places}
            variants |= {f"{flag}": (written, f"({checks}) & !{flag}") for flag in _FLAGS[checks]}
            for what, (others, fewer) in variants.items():
                mutant = self._mutant("shape", row, row + 1, source.partner[row + 1])
                mutant.function, mutant.text = tag, what
                mutant.row = f"known({tag}, {run}, {count}, {others}, {fewer}, {config})"

    def _closure(self, place: int) -> None:
        """The condition in `filter(|x| ..)` and its like, where it is no chain."""
        source = self.source
        bar = next((n for n in range(place + 2, place + 9) if n in source.closure_bars), None)
        close = source.partner.get(place + 1, place)
        if bar is None or bar > close or source[bar + 1] == "{" or source.top_level(bar + 1, close, "&&", "||"):
            return
        self._wrap("part", bar + 1, close, "({is} || ", ")")
        self._border(bar + 1, close)

    def _call(self, place: int) -> None:
        """`check(..)?;`: a call that may refuse, left out."""
        if self.source[place + 1] != ";":
            return
        first = self._statement(place)
        if self.source[first] not in ("let", "return", "require") and not self.source.top_level(first, place, "="):
            self._wrap("call", first, place + 2, "if !{is} {{ ", " }}")

    def _tail(self, function: Function) -> None:
        """The last call of a function that only checks."""
        source = self.source
        if function.returns not in _UNIT_RESULTS or source[function.close - 1] != ")":
            return
        first = self._statement(function.close)
        is_plain = source[first] == "Ok" and "?" not in [source[n] for n in range(first, function.close)]
        if first < function.close and not is_plain and source[first] not in ("Err", "require"):
            self._wrap("call", first, function.close, "if {is} {{ Ok(()) }} else {{ ", " }}")

    def _codes(self) -> None:
        """What no other mutant holds: the code itself, for another."""
        for place in self._code_places():
            if not self._is_held(place):
                first = place if self.source[place] in self.framework else place - 2
                while self.source[first - 1] == "::":
                    first -= 2
                pair = _OTHER_FAULT if self.source[place] in self.framework else _OTHER_ERROR
                other = pair[self.source.slice(first, place + 1).endswith(pair[0].rsplit("::", 1)[-1])]
                self._wrap("code", first, place + 1, f"(if {{is}} {{{{ {other} }}}} else {{{{ ", " }})")

    def _code_places(self) -> Iterator[int]:
        is_import = False
        for place, token in enumerate(self.source.tokens):
            is_import = token.text == "use" or (is_import and token.text != ";")
            is_ours = self.source[place - 2] == "VaultError" and self.source[place - 1] == "::"
            if not is_import and (is_ours or (token.text in self.framework and self.source[place + 1] != ":")):
                yield place

    def _is_held(self, place: int) -> bool:
        at = self.source.tokens[place].start
        return any(mutant.start <= at < mutant.end and mutant.kind != "border" for mutant in self.found)

    # Spans

    def _statement(self, place: int) -> int:
        """Where the statement begins that ends before `place`."""
        source, first = self.source, place
        while source[first - 1] not in _STATEMENT_BORDERS or (source[first - 1] == "}" and source[first] == "."):
            first = source.partner[first - 1] if source[first - 1] in (")", "]", "}") else first - 1
        return first

    def _start(self, place: int) -> int:
        """Where the expression around an operator begins."""
        source, first = self.source, place
        while first - 1 not in source.closure_bars and source[first - 1] not in _LEFT_BORDERS:
            first = source.partner[first - 1] if source[first - 1] in (")", "]") else first - 1
        return first

    def _end(self, place: int) -> int:
        """The token after the expression around an operator."""
        source, end = self.source, place
        while source[end] not in _RIGHT_BORDERS:
            end = source.partner[end] + 1 if source[end] in ("(", "[") else end + 1
        return end

    def _wrap(self, kind: str, first: int, end: int, before: str, after: str, *, until: int | None = None, shown: str = "") -> None:
        mutant = self._mutant(kind, first, end, until or end)
        mutant.text = " ".join(shown.split()) or mutant.text
        width = end - first
        at = self.source.tokens[first].start, self.source.tokens[end - 1].end
        mutant.insertions += [Insertion(at[0], before, False, width), Insertion(at[1], after, True, width)]

    def _errors_near(self, first: int, end: int) -> tuple[str, ...]:
        """What the functions return that are named between two places, or else the one around."""
        named = [each for each in self.source.functions if each.name in {self.source[n] for n in range(first, end)}]
        around = self.source.around(first)
        near = named or ([around] if around else [])
        return tuple(dict.fromkeys(error for each in near for error in self._errors(each.open, each.close)))

    def _errors(self, first: int, end: int) -> tuple[str, ...]:
        """The names of what is returned between two places, as the interface has them."""
        words = [self.source[n] for n in range(first, end) if self.source[n - 2] == "VaultError" or self.source[n] in self.framework]
        return tuple(dict.fromkeys(self.framework.get(word, word) for word in words))

    def _mutant(self, kind: str, first: int, end: int, until: int) -> Mutant:
        source = self.source
        text = " ".join(source.slice(first, end).split())
        errors = self._errors(first, until) or self._errors_near(first, until)
        mutant = Mutant(
            kind,
            source.name,
            source.function_at(first),
            text,
            source.line(first),
            source.line(until - 1),
            source.tokens[first].start,
            source.tokens[until - 1].end,
            errors,
        )
        self.found.append(mutant)
        return mutant


_LEFT_BORDERS = {"(", "[", "{", "}", ";", ",", "=>", "=", "return", "if", "while", "match", "else", "&=", "in", ""}
_RIGHT_BORDERS = {")", "]", "}", "{", ";", ",", "=>", "?", ""}


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
