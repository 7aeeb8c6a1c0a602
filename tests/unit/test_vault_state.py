"""A vault as plan_copies reads it: only what the vault program owns counts, only classic token accounts hold anything."""

from dataclasses import replace

import pytest
from tests.fakes.simulated_chain import BONK, DEPOSIT_RAW, OWNER, SimulatedChain
from tests.fakes.situations import amount, prices, vault_state

from xorj.chain.transactions import Account
from xorj.copying.vault_state import VaultState, addresses, read
from xorj.market.token_screen import ClassicToken, UnfitToken, screen
from xorj.primitives.ids import USDC, Address, Mint, Slot, Wallet
from xorj.vault.open_vault import NoVault, balance_raw

BEN = Wallet(str(OWNER.pubkey()))
MINTS = [USDC, BONK]
TOKEN_PROGRAM = Address("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")


def found() -> list[Account | None]:
    chain = SimulatedChain()
    return [chain.account(address, Slot(chain.slot)) for address in addresses(BEN, MINTS)]


def test_a_vault_is_read_with_what_it_holds() -> None:
    state = read(BEN, MINTS, found())
    assert isinstance(state, VaultState)
    assert (state.base_mint, state.base_raw, state.balances_raw) == (USDC, DEPOSIT_RAW, {USDC: DEPOSIT_RAW, BONK: 0})


@pytest.mark.parametrize("at", [0, 1, 2], ids=["vault", "policy", "config"])
def test_without_one_of_its_accounts_or_with_anothers_there_is_no_vault(at: int) -> None:
    accounts = found()
    given = accounts[at]
    assert given is not None
    for wrong in (None, replace(given, owner=TOKEN_PROGRAM), replace(given, data=b"something else")):
        assert isinstance(read(BEN, MINTS, [*accounts[:at], wrong, *accounts[at + 1 :]]), NoVault)


def test_only_a_classic_token_account_holds_an_amount() -> None:
    token = found()[3]
    assert token is not None
    assert balance_raw(token) == DEPOSIT_RAW
    for wrong in (None, replace(token, owner=Address(BEN)), replace(token, data=token.data[:100])):
        assert balance_raw(wrong) is None


def test_equity_counts_what_has_a_price_in_units_of_the_base_mint() -> None:
    held = vault_state("100 USDC", "40 BONK")
    assert held.equity_raw(prices()) == amount("120 USDC").raw
    assert held.equity_raw({USDC: prices()[USDC]}) == amount("100 USDC").raw
    assert held.equity_raw({}) == amount("100 USDC").raw
    assert held.equity_raw(prices(USDC="0.5")) == amount("140 USDC").raw


def mint(data: bytes = bytes(44) + b"\x05\x01" + bytes(36), owner: Address = TOKEN_PROGRAM) -> Account:
    return Account(Address(BONK), owner, 1, data, Slot(1))


def test_a_classic_mint_passes_the_screen_and_nothing_else_does() -> None:
    assert screen(Mint(BONK), mint()) == ClassicToken(BONK, 5)
    for wrong in (None, mint(owner=Address(BEN)), mint(bytes(82)), mint(bytes(44) + b"\x05\x01" + bytes(200))):
        assert isinstance(screen(Mint(BONK), wrong), UnfitToken)
