"""The tables of docs/vault-program.md: made from the interface, put back where somebody changed them, and nothing left out."""

import re
from pathlib import Path

import pytest

from xorj.vault.accounts import CONFIG_OFFSETS, POLICY_OFFSETS
from xorj.vault.checks import CHECKS
from xorj.vault.interface import CONSTANTS, ERRORS, EVENTS, FRAMEWORK_ERRORS, INSTRUCTIONS
from xorj.vault.tables import filled

ROOT = Path(__file__).resolve().parents[2]
PAPER = (ROOT / "docs" / "vault-program.md").read_text()
PARTS = ["accounts", "constants", "instructions", "checks", "events", "errors", "provocations"]


def part(name: str) -> str:
    return filled(f"<!-- generated: {name} -->\n<!-- end -->")


def test_the_paper_has_every_table_as_it_is_made_now() -> None:
    assert re.findall(r"<!-- generated: (\w+) -->", PAPER) == PARTS
    assert filled(PAPER) == PAPER
    assert all(part(name).strip() in PAPER for name in PARTS)


def test_a_table_that_was_changed_by_hand_is_put_back() -> None:
    spoilt = PAPER.replace("| `bot_epoch` | 109 |", "| `bot_epoch` | 110 |")
    assert spoilt != PAPER
    assert filled(spoilt) == PAPER


def test_what_is_between_no_marks_is_left_alone() -> None:
    text = "# Words\n\nOffsets: 1, 2, 3.\n"
    assert filled(text) == text


def test_a_place_for_a_table_that_there_is_not_is_an_error() -> None:
    with pytest.raises(KeyError, match="offsets"):
        filled("<!-- generated: offsets -->\n<!-- end -->")


@pytest.mark.parametrize(("offsets", "account"), [(POLICY_OFFSETS, "VaultPolicy"), (CONFIG_OFFSETS, "Config")])
def test_fields_stand_where_the_codec_reads_them(offsets: dict[str, int], account: str) -> None:
    table = part("accounts").split(f"**{account}**")[1].split("**")[0]
    shown = {name: int(at) for name, at in re.findall(r"^\| `?(\w+)`? \| (\d+) \|", table, re.MULTILINE)}
    assert shown == offsets


def test_the_vaults_later_fields_have_both_their_places() -> None:
    table = part("accounts").split("**VaultPolicy**")[0]
    assert "| `is_active` | 49 | 81 | bool |" in table
    assert "| `bump` | 58 | 90 | u8 |" in table


def test_nothing_is_left_out() -> None:
    assert all(f"| `{each.name}` | `{each.discriminator.hex()}` |" in part("instructions") for each in INSTRUCTIONS)
    assert all(f"| `{each.name}` |" in part("events") for each in EVENTS)
    numbered = re.findall(r"^\| (\d+) \| (\w+) \|", part("errors"), re.MULTILINE)
    assert numbered == [(str(code), name) for code, name in FRAMEWORK_ERRORS.items()] + [
        (str(6_000 + n), name) for n, (name, _) in enumerate(ERRORS)
    ]
    assert all(f"| `{name}` | {value:,} |" in part("constants") for name, _, value in CONSTANTS)
    assert all(f"**`{each.name}`**" in part("checks") for each in INSTRUCTIONS)


def test_every_check_is_told_with_its_code() -> None:
    told = part("checks")
    for check in {check for checks in CHECKS.values() for check in checks}:
        assert re.search(re.escape(f"{check.what}: {check.errors[0]} ") + r"\d{3,4}", told), check
