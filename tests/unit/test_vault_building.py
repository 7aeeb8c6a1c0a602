"""Which of a vault's token accounts an amount is taken from."""

import pytest
from solders.pubkey import Pubkey
from tests.fakes.spec_table import table

from xorj.chain.transactions import TokenHolding
from xorj.gateway.vault_building import ACCOUNTS_PER_TRANSACTION_MAX, CannotTake, takings
from xorj.primitives.ids import Address

NAMES = {name: Pubkey.from_bytes(bytes([number]) * 32) for number, name in enumerate(("usual", "a", "b", "c"), 1)}
WORDS = {str(key): name for name, key in NAMES.items()}

CASES = table("""
    what                                      | held                | wanted | taken
    the usual account alone                   | usual 10            | 4      | usual 4
    all of it                                 | usual 10            | 10     | usual 10
    the usual one first, then the fullest     | a 2, usual 3, b 9   | 13     | usual 3, b 9, a 1
    only what is needed                       | a 2, usual 3, b 9   | 12     | usual 3, b 9
    not in the usual one at all               | a 2                 | 2      | a 2
    empty accounts are left out               | usual 0, a 5, b 0   | 5      | a 5
    more than there is                        | usual 3, a 2        | 6      | the vault holds 5 base units in 2 token accounts
    nothing there                             |                     | 1      | the vault holds 0 base units in 0 token accounts
""")


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["what"]))
def test_taking(case: dict[str, str]) -> None:
    pairs = [each.split() for each in case["held"].split(",") if each.strip()]
    held = [TokenHolding(Address(str(NAMES[name])), int(raw)) for name, raw in pairs]
    found = takings(held, NAMES["usual"], int(case["wanted"]))
    shown = found.why if isinstance(found, CannotTake) else ", ".join(f"{WORDS[str(one.account)]} {one.amount_raw}" for one in found)
    assert shown == case["taken"]


def test_more_accounts_than_a_transaction_takes_are_named_with_what_it_can() -> None:
    held = [
        TokenHolding(Address(str(Pubkey.from_bytes(bytes([number]) * 32))), 10) for number in range(1, ACCOUNTS_PER_TRANSACTION_MAX + 2)
    ]
    found = takings(held, NAMES["usual"], sum(one.amount_raw for one in held))
    assert found == CannotTake("it lies in 9 token accounts; one transaction takes at most 80 base units")
