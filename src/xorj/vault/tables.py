"""The vault program's interface as tables for people: fills the marked places of docs/vault-program.md. Called by `xorj.cli.generate`."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from xorj.vault.accounts import VAULT_BYTES
from xorj.vault.borsh import size_of
from xorj.vault.checks import CHECKS, GROUPS, Check
from xorj.vault.errors import VaultError
from xorj.vault.interface import (
    ACCOUNTS,
    CONSTANTS,
    ERROR_BASE,
    ERRORS,
    EVENTS,
    FRAMEWORK_ERRORS,
    INSTRUCTIONS,
    TYPES,
    Field,
    IdlType,
    Interface,
    Structure,
)
from xorj.vault.provocations import ACCEPTED_BY, provocations

_PLACE = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_CODES = {each.name: each.value for each in VaultError} | {name: code for code, name in FRAMEWORK_ERRORS.items()}
_DISCRIMINATOR_BYTES = 8
_PUBKEY_BYTES = 32


def filled(paper: str) -> str:
    """The paper with every place between `<!-- generated: NAME -->` and `<!-- end -->` made anew. Raises KeyError for another name."""
    return _PLACE.sub(lambda place: f"{place[1]}\n{_PARTS[place[2]]().strip()}\n\n{place[3]}", paper)


def _accounts() -> str:
    return "\n\n".join(_account(each) for each in ACCOUNTS) + "\n\n" + "\n\n".join(_struct(each) for each in TYPES)


def _account(account: Structure) -> str:
    head = f"**{account.name}**, discriminator `{(account.discriminator or b'').hex()}`. {account.doc}"
    if account.name == "VaultAccount":
        rows = zip(_rows(account.fields, _DISCRIMINATOR_BYTES), _rows(account.fields, _DISCRIMINATOR_BYTES, present=True), strict=True)
        table = [(name, without, offset, kind, doc) for (name, without, kind, doc), (_, offset, _, _) in rows]
        return f"{head}\n\n" + _table(
            ("field", "offset without a bot", "with a bot", "type", ""), [*table, ("end", VAULT_BYTES, "", "", "")]
        )
    return f"{head}\n\n" + _table(("field", "offset", "type", ""), _rows(account.fields, _DISCRIMINATOR_BYTES, with_end=True))


def _struct(structure: Structure) -> str:
    rows = _rows(structure.fields, 0, with_end=True)
    return f"**{structure.name}**, inside an account or an argument. {structure.doc}\n\n" + _table(("field", "offset", "type", ""), rows)


def _rows(fields: Sequence[Field], start: int, *, present: bool = False, with_end: bool = False) -> list[tuple[str, int, str, str]]:
    """(name, offset, type, doc) of each field; an option takes one byte, and when `present` what is in it."""
    rows, at = [], start
    for field in fields:
        rows.append((f"`{field.name}`", at, _kind(field.type), field.doc))
        is_option = not isinstance(field.type, str) and "option" in field.type
        at += 1 + _PUBKEY_BYTES * present if is_option else size_of(field.type)
    return [*rows, ("end", at, "", "")] if with_end else rows


def _instructions() -> str:
    rows = []
    for each in INSTRUCTIONS:
        roles = ", ".join(f"{role.name}{' ' * bool(role.flags)}{' '.join(role.flags)}" for role in each.accounts)
        arguments = ", ".join(f"{field.name} {_kind(field.type)}" for field in each.arguments)
        rows.append((f"`{each.name}`", f"`{each.discriminator.hex()}`", roles, arguments))
    return _table(("instruction", "discriminator", "accounts (s signer, w writable)", "arguments"), rows)


def _checks() -> str:
    groups = [f"**{name.capitalize()} checks**\n\n{_numbered(_folded(checks, without=name))}" for name, checks in reversed(GROUPS)]
    return "\n\n".join([*groups, *(_of_instruction(each) for each in INSTRUCTIONS)])


def _of_instruction(interface: Interface) -> str:
    return f"**`{interface.name}`** {interface.doc}\n\n{_numbered(_folded(CHECKS[interface.name]))}"


def _folded(checks: Sequence[Check], without: str = "") -> list[str]:
    """A line for each check; a group that is printed apart is one line."""
    lines, at = [], 0
    while at < len(checks):
        name, size = _group_at(checks[at:], without)
        lines.append(f"the {name} checks" if size else _line(checks[at]))
        at += size or 1
    return lines


def _group_at(checks: Sequence[Check], without: str) -> tuple[str, int]:
    """The longest group that stands here; a group is not made of itself."""
    for name, group in GROUPS:
        if name != without and tuple(checks[: len(group)]) == group:
            return name, len(group)
    return "", 0


def _line(check: Check) -> str:
    first, *others = (f"{name} {_CODES[name]}" for name in check.errors)
    return f"{check.what}: {first}" + "".join(f", or {other}" for other in others)


def _errors() -> str:
    own = [(ERROR_BASE + n, name, message) for n, (name, message) in enumerate(ERRORS)]
    return _table(("code", "name", "when"), [*((code, name, "as in Anchor") for code, name in FRAMEWORK_ERRORS.items()), *own])


def _provocations() -> str:
    rows = [(f"`{name}`", "is accepted", f"`{ACCEPTED_BY}[{name}]`") for name in CHECKS]
    for each in provocations():
        how = f"`{each.instruction}`, check: {each.check}" if each.instruction else "a test of its own"
        rows.append((f"{_CODES[each.error]} {each.error}", how, f"`{each.test}`"))
    return _table(("instruction or error", "how", "test in `tests/program`"), rows)


def _events() -> str:
    rows = []
    for each in EVENTS:
        fields = ", ".join(f"{field.name} {_kind(field.type)}" for field in each.fields)
        rows.append((f"`{each.name}`", f"`{(each.discriminator or b'').hex()}`", fields, each.doc))
    return _table(("event", "discriminator", "fields", ""), rows)


def _constants() -> str:
    return _table(("compiled in", "value"), [(f"`{name}`", f"{value:,}") for name, _, value in CONSTANTS])


def _kind(kind: IdlType) -> str:
    if isinstance(kind, str):
        return kind
    ((word, inner),) = kind.items()
    if word == "option":
        return f"option {_kind(cast('IdlType', inner))}"
    if word == "vec":
        return f"vec {_kind(cast('IdlType', inner))}"
    if word == "defined":
        return cast("dict[str, str]", inner)["name"]
    element, count = cast("tuple[IdlType, int]", inner)
    return f"{count} x {_kind(element)}"


def _numbered(lines: Iterable[str]) -> str:
    return "\n".join(f"{n}. {line}" for n, line in enumerate(lines, 1))


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines).replace("|  |", "| |")


_PARTS: dict[str, Callable[[], str]] = {
    "accounts": _accounts,
    "instructions": _instructions,
    "checks": _checks,
    "errors": _errors,
    "provocations": _provocations,
    "events": _events,
    "constants": _constants,
}
