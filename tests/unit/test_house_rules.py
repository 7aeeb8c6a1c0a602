"""The rules of the house that import-linter and ruff cannot hold. Each failure names the file and the rule."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "xorj"
DOMAIN = [
    "primitives",
    "chain",
    "prices",
    "market",
    "vault",
    "router",
    "swaps",
    "performance",
    "trust",
    "portfolio",
    "copying",
    "signing",
    "execution",
    "identity",
    "notifications",
]
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "core", "misc", "manager", "managers"}
LINES_PER_FILE_MAX = 500
LINES_PER_TEST_FILE_MAX = 800
LINES_PER_FUNCTION_MAX = 70
LINES_PER_FUNCTION_P90 = 30
VERBS = (
    "authenticate",
    "ingest",
    "compute",
    "score",
    "plan",
    "execute",
    "reconcile",
    "follow",
    "value",
    "discover",
    "sweep",
    "relay",
    "deliver",
    "read",
    "extend",
    "complete",
    "ask",
    "apply",
    "mend",
)


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_is_too_long_to_read() -> None:
    limits = [(python_files("src", "bench"), LINES_PER_FILE_MAX), (python_files("tests"), LINES_PER_TEST_FILE_MAX)]
    long = [f"{named(path)}: {n} lines" for paths, most in limits for path in paths if (n := len(path.read_text().splitlines())) > most]
    assert long == []


def test_no_function_is_too_long_to_read() -> None:
    lengths = {f"{named(path)}:{f.name}": length(f) for path in python_files("src") for f in functions(ast.parse(path.read_text()))}
    assert {name: n for name, n in lengths.items() if n > LINES_PER_FUNCTION_MAX} == {}
    ordered = sorted(lengths.values())
    assert ordered[int(len(ordered) * 0.9)] <= LINES_PER_FUNCTION_P90


def test_no_package_is_a_drawer_for_odds_and_ends() -> None:
    assert [named(path) for path in SOURCE.rglob("*") if path.stem in FORBIDDEN_NAMES] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [named(path) for path in python_files("src") if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def noun_files() -> list[Path]:
    """The pure files of the domain: everything but ports and the workflows, whose names begin with a verb."""
    paths = [path for package in DOMAIN for path in (SOURCE / package).rglob("*.py")]
    return [path for path in paths if path.stem not in {"ports", "clock"} and not path.stem.startswith(tuple(f"{verb}_" for verb in VERBS))]


@pytest.mark.parametrize("path", noun_files(), ids=named)
def test_noun_files_are_pure(path: Path) -> None:
    tree = ast.parse(path.read_text())
    asynchronous = [f.name for f in functions(tree) if isinstance(f, ast.AsyncFunctionDef)]
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    impure = {
        name
        for name in imported
        if name.split(".")[0] in {"asyncio", "logging", "time", "random", "secrets", "structlog", "os", "socket", "subprocess"}
    }
    impure |= {name for name in imported if name.startswith("xorj.observability")}
    assert (asynchronous, impure) == ([], set())


GUIDES = [
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "docs/vault-program.md",
    *(path.relative_to(ROOT).as_posix() for folder in ("how-to", "runbooks") for path in sorted((ROOT / "docs" / folder).glob("*.md"))),
]


@pytest.mark.parametrize("guide", GUIDES)
def test_every_path_that_a_guide_names_exists(guide: str) -> None:
    paths = set(re.findall(r"`((?:src|programs|idl|web|tests|bench|deploy|docs)/[\w./-]*)`", (ROOT / guide).read_text()))
    assert paths, "it names no paths"
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_the_map_can_be_read_at_a_sitting() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 150


def test_comments_do_not_keep_what_was_not_done() -> None:
    left = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    this = Path(__file__).resolve()
    assert [named(path) for path in python_files("src", "tests", "bench") if path != this and left.search(path.read_text())] == []


def test_silenced_checks_name_the_rule_they_silence() -> None:
    bare = re.compile(r"#\s*(?:noqa(?!: ?[A-Z]+\d+)|type: ignore(?!\[))")
    this = Path(__file__).resolve()
    assert [named(path) for path in python_files("src", "tests", "bench") if path != this and bare.search(path.read_text())] == []


# what NumPy hands to a linear algebra library or to code of its own for each processor: the last digits differ
UNPORTABLE = {"linalg", "dot", "vdot", "inner", "matmul", "tensordot", "exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "power"}


def test_stored_figures_are_made_without_a_linear_algebra_library() -> None:
    paths = [path for package in ("trust", "market", "performance") for path in (SOURCE / package).rglob("*.py")]
    found = [f"{named(path)}:{line}" for path in paths for line in unportable(ast.parse(path.read_text()), UNPORTABLE - NATIVE_ONLY)]
    assert found == []


def test_scores_are_made_without_what_differs_between_processors() -> None:
    # rho and drift are found on a grid of whole thousandths, and kept: nothing is computed from the log score's last digits
    paths = [path for package in ("trust", "market") for path in (SOURCE / package).rglob("*.py") if path.name != "calibration.py"]
    found = [f"{named(path)}:{line}" for path in paths for line in unportable(ast.parse(path.read_text()), UNPORTABLE | {"einsum"})]
    assert found == []


# the kernel of performance takes its logarithms itself, outside of what a receipt holds
NATIVE_ONLY = {"exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "power"}


def unportable(tree: ast.AST, names: set[str]) -> list[int]:
    """Lines with a matrix product, or with one of NumPy's functions of these names."""
    products = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.MatMult)]
    called = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "np" and node.attr in names
    ]
    return products + called


@pytest.mark.parametrize("line", ["a @ b", "np.linalg.solve(a, b)", "np.dot(a, b)", "a @= b", "np.exp(a)"])
def test_the_rule_against_them_sees_them(line: str) -> None:
    assert unportable(ast.parse(line), UNPORTABLE) == [1]
