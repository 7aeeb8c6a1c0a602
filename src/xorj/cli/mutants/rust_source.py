"""Just enough of Rust to find conditions in formatted source: tokens, brackets, functions. Used by `checks`.

It knows nothing of types. Where it errs, the changed copy does not compile, and the build says where.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

_TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*)
      | (?P<string>b?"(?:[^"\\]|\\.)*")
      | (?P<char>b?'(?:[^'\\]|\\.)')
      | (?P<lifetime>'\w+)
      | (?P<word>\w+)
      | (?P<sign>\.\.=|<<=|>>=|&&|\|\||=>|->|==|!=|<=|>=|\.\.|::|\+=|-=|&=|\|=|<<|>>|.)""",
    re.VERBOSE,
)
_OPEN, _CLOSE = "([{", ")]}"
# After these a bar begins a closure's parameters, and `&&` takes a reference.
_BEFORE_AN_OPERAND = {"(", ",", "=", "move", "{", "return", "=>", "&&", "||", ";", "[", "else", "!"}


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True)
class Function:
    """A function by the places of its body's braces among the tokens."""

    name: str
    returns: str
    open: int
    close: int


class Source:
    """One file, without its host tests."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.tokens = _tokens(text.split("#[cfg(test)]\nmod tests", 1)[0])

    def __getitem__(self, place: int) -> str:
        """The token's text, empty beyond the ends."""
        return self.tokens[place].text if 0 <= place < len(self.tokens) else ""

    @cached_property
    def partner(self) -> dict[int, int]:
        """Each bracket's other one."""
        found: dict[int, int] = {}
        opened: list[int] = []
        for place, token in enumerate(self.tokens):
            if token.text in _OPEN:
                opened.append(place)
            elif token.text in _CLOSE:
                other = opened.pop()
                found[place], found[other] = other, place
        return found

    @cached_property
    def closure_bars(self) -> set[int]:
        """Bars that close a closure's parameters, the empty `||` among them."""
        found: set[int] = set()
        place = 0
        while place < len(self.tokens):
            if self[place] == "||" and self[place - 1] in _BEFORE_AN_OPERAND:
                found.add(place)
            elif self[place] == "|" and self[place - 1] in _BEFORE_AN_OPERAND:
                depth = self.tokens[place].depth
                place = next(n for n in range(place + 1, len(self.tokens)) if self[n] == "|" and self.tokens[n].depth == depth)
                found.add(place)
            place += 1
        return found

    @cached_property
    def functions(self) -> list[Function]:
        found = []
        for place, token in enumerate(self.tokens):
            if token.text != "fn":
                continue
            body = place + 1
            while self[body] not in ("{", ";"):
                body = self.partner[body] + 1 if self[body] in ("(", "[") else body + 1
            if self[body] == "{":
                arrow = next((n for n in range(place, body) if self[n] == "->"), body)
                found.append(Function(self[place + 1], "".join(self[n] for n in range(arrow + 1, body)), body, self.partner[body]))
        return found

    def around(self, place: int) -> Function | None:
        """The innermost function around a token."""
        around = [function for function in self.functions if function.open < place < function.close]
        return min(around, key=lambda each: each.close - each.open, default=None)

    def function_at(self, place: int) -> str:
        """Its name, empty outside any."""
        around = self.around(place)
        return around.name if around else ""

    def line(self, place: int) -> int:
        return self.text.count("\n", 0, self.tokens[place].start) + 1

    def slice(self, first: int, end: int) -> str:
        """The source from one token up to another, which is not in it."""
        return self.text[self.tokens[first].start : self.tokens[end - 1].end]

    def top_level(self, first: int, end: int, *signs: str) -> list[int]:
        """Where these signs stand between two places, outside all brackets and closures that begin there."""
        depth = min(self.tokens[n].depth for n in range(first, end))
        bar = next((n for n in range(first, end) if n in self.closure_bars and self.tokens[n].depth == depth), end)
        return [n for n in range(first, bar) if self[n] in signs and self.tokens[n].depth == depth and n not in self.closure_bars]

    def split(self, first: int, end: int, sign: str) -> list[tuple[int, int]]:
        """The operands of a chain."""
        borders = [first - 1, *self.top_level(first, end, sign), end]
        return [(one + 1, other) for one, other in pairwise(borders)]


def _tokens(text: str) -> list[Token]:
    found, depth = [], 0
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "skip":
            continue
        word = match.group()
        depth -= word in _CLOSE
        found.append(Token(word, match.start(), match.end(), depth))
        depth += word in _OPEN
    return found
