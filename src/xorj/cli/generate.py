"""The files of the checkout that are made from others: each is written by `python -m xorj.cli.generate` and compared by `xorj check`.

Imports of the sources stand inside the generators, so that one that cannot run does not stop the rest.
"""

import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
UNSTATED = "see its distribution"


def env_example() -> str:
    """Every setting with its default, unit and whether it is secret."""
    from xorj import settings

    return settings.example()


def openapi() -> str:
    """The API's own description, for clients and for the page's types."""
    from xorj.gateway.openapi import description

    return description()


def idl() -> str:
    """The vault program's interface in Anchor's format."""
    from xorj.vault.idl import anchor

    return anchor()


def idl_legacy() -> str:
    """The vault program's interface in the format of Anchor before 0.30."""
    from xorj.vault.idl import legacy

    return legacy()


def idl_vectors() -> str:
    """What each instruction, account and event is on the wire, for the tests of other clients."""
    from xorj.vault.vectors import vectors

    return vectors()


def vault_program() -> str:
    """The paper on the vault program: its own words, its tables made anew."""
    from xorj.vault.tables import filled

    return filled(_written("docs/vault-program.md") or "")


def schema() -> str:
    """The database's tables and indexes as SQL, for reading."""
    from xorj.adapters.postgres.schema import readable

    return readable()


def notice() -> str:
    """Third-party notices: name, version and licence of each locked package that users run, from the packages' own metadata.

    A package that this platform does not install keeps the line that a platform with it wrote, so that every platform writes the same.
    """
    before = dict(line.split(": ", 1) for line in (_written("NOTICE") or "").splitlines() if ": " in line)
    lines = [
        "XORJ",
        "Copyright 2025-2026 the XORJ developers",
        "",
        "This product includes the following third-party software, installed from its own distribution:",
        "",
    ]
    for name, version in _locked("--no-dev"):
        lines.append(f"{name} {version}: {_licence(name, version) or before.get(f'{name} {version}', UNSTATED)}")
    lines += ["", "The dashboard's script includes:", "", *_web_notices()]
    return "\n".join(lines) + "\n"


GENERATED: dict[str, Callable[[], str]] = {
    ".env.example": env_example,
    "docs/openapi.json": openapi,
    "src/xorj/adapters/postgres/schema.sql": schema,
    "idl/xorj_vault.json": idl,
    "idl/xorj_vault.legacy.json": idl_legacy,
    "idl/xorj_vault.vectors.json": idl_vectors,
    "docs/vault-program.md": vault_program,
    "NOTICE": notice,
}


def main(arguments: list[str]) -> int:
    """Writes what differs; with --check only names it. Returns 1 when --check found a difference."""
    for name in (different := differing()):
        sys.stdout.write(f"{'differs from its source' if '--check' in arguments else 'written'}: {name}\n")
        if "--check" not in arguments:
            (ROOT / name).write_text(GENERATED[name]())
    return int("--check" in arguments and bool(different))


def differing(root: Path = ROOT, names: Iterable[str] = GENERATED) -> list[str]:
    """Which of the files under `root` are not what their sources give, or are not there."""
    return [name for name in names if _written(name, root) != GENERATED[name]()]


def _written(name: str, root: Path = ROOT) -> str | None:
    path = root / name
    return path.read_text() if path.exists() else None


def _locked(*groups: str) -> list[tuple[str, str]]:
    """(name, version) of each locked requirement of the exported file that pip uses, in its order."""
    text = (ROOT / ("requirements.txt" if "--no-dev" in groups else "requirements-dev.txt")).read_text()
    pairs = (line.split(" ")[0].split("==") for line in text.splitlines() if "==" in line and not line.startswith((" ", "#")))
    return [(name.split("[")[0], version.rstrip("\\").strip()) for name, version in pairs]


def _licence(name: str, version: str) -> str:
    """What the installed package says of itself; an empty text when this very version is not installed here."""
    try:
        package = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    if package["Version"] != version:
        return ""
    classifiers = [value.rsplit(" :: ", 1)[-1] for value in package.get_all("Classifier") or [] if value.startswith("License ::")]
    stated = (package.get_all("License-Expression") or ["; ".join(classifiers)])[0]
    older = (package.get_all("License") or [""])[0].splitlines()
    return (stated or (older[0] if older else UNSTATED)).strip()


def _web_notices() -> list[str]:
    import json

    lock = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    shipped = {path: facts for path, facts in lock.items() if path and not facts.get("dev")}
    return [
        f"{path.removeprefix('node_modules/')} {facts['version']}: {facts.get('license', 'see its distribution')}"
        for path, facts in sorted(shipped.items())
    ]


def export_requirements() -> None:
    """Writes the hash-pinned files for pip from uv.lock. Needs uv; run after every change of the lock."""
    for name, groups in (
        ("requirements.txt", ["--no-dev"]),
        ("requirements-dev.txt", []),
        ("requirements-peers.txt", ["--no-dev", "--group", "peers", "--extra", "cluster"]),
    ):
        command = [
            "uv",
            "export",
            "--quiet",
            "--frozen",
            "--no-emit-project",
            "--no-annotate",
            "--no-header",
            *groups,
            "--output-file",
            name,
        ]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    if "--requirements" in sys.argv:
        export_requirements()
    sys.exit(main(sys.argv[1:]))
