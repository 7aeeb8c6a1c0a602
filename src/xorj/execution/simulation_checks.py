"""Does the simulated trade do what we asked and nothing else? Compares the vault's token accounts before and after."""

from xorj.chain.transactions import Simulation
from xorj.execution.intent import Intent
from xorj.execution.rejected import PASSED, Passed, Rejected
from xorj.execution.vault_state import VaultState
from xorj.vault.open_vault import balance_raw


def check_simulation(intent: Intent, minimum_out_raw: int, before: VaultState, outcome: Simulation) -> Passed | Rejected:
    """`outcome.accounts` are vault input, vault output, trade input, trade output, in that order.

    A refusal is never final: the state it ran on may be another in the next slot.
    """
    if outcome.error is not None:
        return Rejected("simulation", f"{outcome.error} {_last_words(outcome)}".strip(), is_final=False)
    if len(outcome.accounts) != 4:
        return Rejected("simulation", f"{len(outcome.accounts)} accounts came back, not 4", is_final=False)
    after = [balance_raw(account) for account in outcome.accounts]
    vault_input, vault_output, trade_input, trade_output = (balance or 0 for balance in after)
    spent = (before.vault_input_raw or 0) - vault_input
    gained = vault_output - (before.vault_output_raw or 0)
    # What strangers left in the trade accounts is swept into the vault by the same trade.
    if not 0 < spent + (before.trade_input_raw or 0) <= intent.amount_in_raw:
        return Rejected("simulation_delta", f"{spent} would leave the vault, {intent.amount_in_raw} was asked", is_final=False)
    if gained - (before.trade_output_raw or 0) < minimum_out_raw:
        return Rejected("simulation_delta", f"{gained} would arrive, {minimum_out_raw} is the least", is_final=False)
    if trade_input or trade_output:
        return Rejected("simulation_delta", "something would be left outside the vault", is_final=False)
    return PASSED


def _last_words(outcome: Simulation) -> str:
    failed = [line for line in outcome.logs if "failed" in line or "Error" in line]
    return failed[-1][:200] if failed else ""
