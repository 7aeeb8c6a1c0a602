"""The smaller rules of execution: states, fees, prices, messages, vault and simulation checks, fills."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.message import MessageV1, from_bytes_versioned
from solders.pubkey import Pubkey
from tests.fakes.simulated_chain import BONK, BOT, EPOCH, TRADE, VAULT, SimulatedChain, quote_for
from tests.fakes.simulated_desk import AMOUNT_RAW, an_intent

from xorj.chain.transactions import Account, Commitment, Simulation
from xorj.copying.decision import Side
from xorj.execution import message, vault_state
from xorj.execution.bounds import Bounds
from xorj.execution.fill import changes_of, cost_of
from xorj.execution.intent import TERMINAL, Intent, IntentState, may_become
from xorj.execution.priority_fee import priority_fee_lamports
from xorj.execution.rejected import Passed, Rejected
from xorj.execution.simulation_checks import check_simulation
from xorj.execution.vault_checks import check_nonce, check_vault
from xorj.execution.vault_state import TradeAddresses, VaultState
from xorj.prices.price import Price, fair_output_raw, floor_output_raw
from xorj.primitives.amounts import Usd
from xorj.primitives.ids import USDC, Address, Mint, Slot, Wallet
from xorj.vault import accounts
from xorj.vault.instructions import Guard
from xorj.vault.open_vault import NoVault

CHAIN = SimulatedChain()
BOUNDS = Bounds()
NOW = 1_700_001_000
BLOCKHASH = "11111111111111111111111111111111"


def state(**changes: object) -> VaultState:
    slot = CHAIN.slot_at(Commitment.CONFIRMED)
    found = [CHAIN.account(address, slot) for address in (*TradeAddresses.of(an_intent()).in_order, Address(str(BOT.pubkey())))]
    read = vault_state.read(found)
    assert isinstance(read, VaultState)
    return replace(read, **changes)  # type: ignore[arg-type]  # named fields


# States


def test_ends_lead_nowhere_and_every_state_can_end() -> None:
    for end in TERMINAL:
        assert end.is_terminal
        assert not any(may_become(end, following) for following in IntentState)
    for start in IntentState:
        if not start.is_terminal:
            assert any(may_become(start, end) for end in TERMINAL)
    assert IntentState.NEW.is_open
    assert not IntentState.QUARANTINED.is_open


def test_the_token_of_a_trade_is_the_leg_that_is_not_the_base() -> None:
    assert an_intent().token_mint == BONK
    assert an_intent(Side.SELL).token_mint == BONK


# Fees and prices

FEES = [
    ([], 200_000, 0),
    ([0, 0], 200_000, 0),
    ([1_000_000], 200_000, 200_000),
    ([1_000], 200_000, 200),
    ([1], 200_000, 1),
    ([0, 10, 20, 30, 40_000_000], 100_000, 200_000),
    ([82 * 10**9], 1_400_000, 200_000),
]


@pytest.mark.parametrize(("recent", "units", "expected"), FEES)
def test_the_priority_fee_is_a_clamped_percentile(recent: list[int], units: int, expected: int) -> None:
    assert priority_fee_lamports(recent, units, percentile=75, lamports_max=200_000) == expected


@given(st.lists(st.integers(0, 10**18), max_size=150), st.integers(1, 1_400_000), st.integers(0, 100))
def test_no_market_makes_us_pay_more_than_the_cap(recent: list[int], units: int, percentile: int) -> None:
    assert 0 <= priority_fee_lamports(recent, units, percentile=percentile, lamports_max=200_000) <= 200_000


def price(mint: Mint, usd: str, decimals: int, slot: int | None = 100) -> Price:
    return Price(mint, Usd(Decimal(usd)), decimals, None if slot is None else Slot(slot), "test")


def test_a_fair_output_counts_price_and_decimals() -> None:
    dollars, bonk = price(USDC, "1", 6), price(BONK, "0.00002", 5)
    assert fair_output_raw(10_000_000, dollars, bonk) == 50_000_000_000
    assert fair_output_raw(50_000_000_000, bonk, dollars) == 10_000_000
    assert floor_output_raw(10_000_000, dollars, bonk, 100) == 49_500_000_000
    assert dollars.value(2_500_000) == Decimal("2.5")


def test_an_age_is_never_negative_and_may_be_unknown() -> None:
    assert price(USDC, "1", 6).age_slots(Slot(130)) == 30
    assert price(USDC, "1", 6).age_slots(Slot(90)) == 0
    assert price(USDC, "1", 6, None).age_slots(Slot(90)) is None


@pytest.mark.parametrize("usd", ["0", "-1", "NaN", "Infinity"])
def test_a_price_is_above_zero(usd: str) -> None:
    with pytest.raises(ValueError, match="above zero"):
        price(USDC, usd, 6)


# The vault

VAULTS: dict[str, tuple[dict[str, object], Intent, str]] = {
    "another owner": ({}, replace(an_intent(), owner=Wallet(str(BOT.pubkey()))), "owner"),
    "inactive": ({"vault": replace(state().vault, is_active=False)}, an_intent(), "vault_inactive"),
    "another bot": ({"vault": replace(state().vault, bot_authority=None)}, an_intent(), "bot_authority"),
    "paused": ({"policy": replace(state().policy, paused=True)}, an_intent(), "vault_paused"),
    "all paused": ({"config": replace(state().config, paused=True)}, an_intent(), "program_paused"),
    "expired": ({"policy": replace(state().policy, stored=replace(state().policy.stored, bot_expires_at=NOW))}, an_intent(), "bot_expired"),
    "no base leg": ({}, replace(an_intent(), input_mint=BONK), "base_leg"),
    "a buy of the base": ({}, replace(an_intent(), output_mint=USDC), "base_leg"),
    "not listed": (
        {"policy": replace(state().policy, stored=replace(state().policy.stored, mint_mode=0))},
        an_intent(),
        "mint_not_allowed",
    ),
    "too little": ({"vault_input_raw": AMOUNT_RAW - 1}, an_intent(), "balance"),
    "nothing": ({"vault_input_raw": None}, an_intent(Side.SELL), "balance"),
    "cap of a trade": (
        {"policy": replace(state().policy, stored=replace(state().policy.stored, spend_per_trade=AMOUNT_RAW - 1))},
        an_intent(),
        "spend_per_trade",
    ),
    "cap of the day": (
        {"policy": replace(state().policy, stored=replace(state().policy.stored, spend_per_day=AMOUNT_RAW - 1))},
        an_intent(),
        "spend_per_day",
    ),
    "no float": ({"bot_lamports": 1}, an_intent(), "sol_float"),
}


@pytest.mark.parametrize(("changes", "intent", "rule"), VAULTS.values(), ids=VAULTS)
def test_a_vault_that_would_refuse_is_not_asked(changes: dict[str, object], intent: Intent, rule: str) -> None:
    found = check_vault(intent, state(**changes), BOT.pubkey(), NOW, BOUNDS)
    assert isinstance(found, Rejected)
    assert found.rule == rule
    assert found.is_final is (rule != "sol_float")


def test_a_willing_vault_is() -> None:
    assert check_vault(an_intent(), state(), BOT.pubkey(), NOW, BOUNDS) == Passed()
    held = state(vault_input_raw=AMOUNT_RAW)
    assert check_vault(an_intent(Side.SELL), held, BOT.pubkey(), NOW, BOUNDS) == Passed()


def test_a_reserved_nonce_must_be_free_under_its_own_grant() -> None:
    reserved = replace(an_intent(), nonce=3, bot_epoch=EPOCH)
    assert check_nonce(reserved, state()) == Passed()
    used = state(policy=replace(state().policy, nonce_bitmap=1 << 3))
    assert isinstance(check_nonce(reserved, used), Rejected)
    assert isinstance(check_nonce(replace(reserved, bot_epoch=EPOCH + 1), state()), Rejected)
    assert isinstance(check_nonce(an_intent(), state()), Rejected)


def accounts_of(**changes: Account | None) -> list[Account | None]:
    slot = CHAIN.slot_at(Commitment.CONFIRMED)
    found = [CHAIN.account(address, slot) for address in (*TradeAddresses.of(an_intent()).in_order, Address(str(BOT.pubkey())))]
    names = ("vault", "policy", "config", "vault_input", "vault_output", "trade_input", "trade_output", "bot")
    return [changes.get(name, account) for name, account in zip(names, found, strict=True)]


def test_accounts_that_are_no_vault_are_named() -> None:
    (vault, *_) = accounts_of()
    assert vault is not None
    assert isinstance(vault_state.read([None, *accounts_of()[1:]]), NoVault)
    assert isinstance(vault_state.read([replace(vault, owner=Address(USDC)), *accounts_of()[1:]]), NoVault)
    assert isinstance(vault_state.read([replace(vault, data=b"short"), *accounts_of()[1:]]), NoVault)


def test_a_token_account_of_another_program_counts_as_none() -> None:
    (_, _, _, token, *_) = accounts_of()
    assert token is not None
    assert vault_state.balance_raw(token) == 1_000_000_000
    assert vault_state.balance_raw(replace(token, owner=Address(USDC))) is None
    assert vault_state.balance_raw(replace(token, data=b"")) is None


# The message


def built(**changes: object) -> bytes | Rejected:
    options: dict[str, object] = {
        "minimum_out_raw": 1,
        "passing_mints": (),
        "guard": Guard(0, EPOCH, 1_040),
        "blockhash": BLOCKHASH,
        "budget": message.Budget(200_000, 1_000),
    }
    return message.trade_message(
        an_intent(), BOT.pubkey(), changes.pop("state", state()), quote_for(USDC, BONK, AMOUNT_RAW), **(options | changes)
    )  # type: ignore[arg-type]  # a table of keywords


def test_a_message_is_of_version_1_with_its_budget_and_one_signer() -> None:
    data = built()
    assert isinstance(data, bytes)
    parsed = from_bytes_versioned(data)
    assert isinstance(parsed, MessageV1)
    assert (parsed.config.compute_unit_limit, parsed.config.priority_fee) == (200_000, 1_000)
    assert parsed.header.num_required_signatures == 1
    assert len(parsed.instructions) == 1
    assert len(data) < 1_232, "an ordinary trade fits the old limit too"


def test_only_missing_accounts_are_made() -> None:
    bare = state(vault_output_raw=None, trade_input_raw=None, trade_output_raw=None)
    intermediate, known = Pubkey([5] * 32), Pubkey.from_string(BONK)
    data = built(state=bare, passing_mints=(intermediate, known))
    assert isinstance(data, bytes)
    parsed = from_bytes_versioned(data)
    assert len(parsed.instructions) == 5
    assert accounts.token_account_address(TRADE, intermediate) in parsed.account_keys


def test_a_message_that_does_not_fit_is_refused() -> None:
    found = built(passing_mints=tuple(Pubkey([n] * 32) for n in range(1, 60)))
    assert isinstance(found, Rejected)
    assert (found.rule, found.is_final) == ("transaction_size", False)


@pytest.mark.parametrize(("used", "expected"), [(0, 50_000), (100_000, 120_000), (1_400_000, 1_400_000)])
def test_compute_is_what_was_used_and_a_margin(used: int, expected: int) -> None:
    assert message.compute_units_for(used, 20) == expected


# The simulation


def simulated(spent: int = AMOUNT_RAW, gained: int = AMOUNT_RAW, left: int = 0, error: str | None = None) -> Simulation:
    slot = Slot(1_000)

    def token(raw: int) -> Account:
        data = bytes(64) + raw.to_bytes(8, "little") + bytes(93)
        return Account(Address("a"), Address(str(accounts.TOKEN_PROGRAM)), 1, data, slot)

    before = state().vault_input_raw or 0
    logs = ("Program log: hello", "Program X failed: custom program error: 0x1771")
    return Simulation(error, logs, 90_000, (token(before - spent), token(gained), token(left), token(0)), slot)


SIMULATIONS = {
    "as asked": (simulated(), None),
    "spends less": (simulated(spent=AMOUNT_RAW - 5), None),
    "spends more": (simulated(spent=AMOUNT_RAW + 1), "simulation_delta"),
    "spends nothing": (simulated(spent=0), "simulation_delta"),
    "gains too little": (simulated(gained=899), "simulation_delta"),
    "leaves something outside": (simulated(left=1), "simulation_delta"),
    "fails": (simulated(error='{"Custom":6001}'), "simulation"),
    "shows no accounts": (replace(simulated(), accounts=()), "simulation"),
}


@pytest.mark.parametrize(("outcome", "rule"), SIMULATIONS.values(), ids=SIMULATIONS)
def test_a_simulation_must_do_what_was_asked_and_nothing_else(outcome: Simulation, rule: str | None) -> None:
    found = check_simulation(an_intent(), 900, state(), outcome)
    assert found == Passed() if rule is None else isinstance(found, Rejected)
    if isinstance(found, Rejected):
        assert (found.rule, found.is_final) == (rule, False)
    if outcome.error is not None:
        assert "0x1771" in str(found)


def test_dust_that_strangers_left_is_not_counted_as_ours() -> None:
    dusty = state(trade_input_raw=7, trade_output_raw=9)
    swept = simulated(spent=AMOUNT_RAW - 7, gained=900 + 9)
    assert check_simulation(an_intent(), 900, dusty, swept) == Passed()
    assert isinstance(check_simulation(an_intent(), 901, dusty, swept), Rejected)


# The fill


def test_changes_and_costs_are_read_from_the_transaction() -> None:
    chain = SimulatedChain()
    data = built(guard=Guard(0, EPOCH, chain.slot + 40), blockhash=_fresh(chain))
    assert isinstance(data, bytes)
    chain.accept(message.unsigned(data))
    chain.passes(2)
    shown = chain.transaction(chain.landed[0].signature, Slot(chain.slot))
    assert shown is not None
    assert {one.mint: one.delta_raw for one in changes_of(str(VAULT), shown)} == {USDC: -AMOUNT_RAW, BONK: AMOUNT_RAW}
    assert changes_of("nobody", shown) == ()
    assert cost_of(shown).fee_lamports == 5_000
    dear = replace(shown, post_balances=(shown.post_balances[0] - 2_000_000,))
    assert cost_of(dear).rent_lamports == 2_000_000
    refunded = replace(shown, post_balances=shown.pre_balances)
    assert cost_of(refunded).rent_lamports == 0


def _fresh(chain: SimulatedChain) -> str:
    return str(Pubkey.from_bytes(chain.height.to_bytes(32, "big")))
