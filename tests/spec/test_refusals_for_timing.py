"""Which landed failures let a trade be tried anew, and which end it: one line a refusal, as the chain words it."""

from dataclasses import replace

import pytest
from solders.pubkey import Pubkey
from tests.fakes.simulated_chain import BONK, BOT, EPOCH, SimulatedChain, quote_for
from tests.fakes.simulated_desk import an_intent
from tests.fakes.spec_table import table
from tests.unit.test_settlement import ATTEMPT

from xorj.chain.transactions import Commitment
from xorj.execution import message, vault_state
from xorj.execution.attempt import Attempt
from xorj.execution.timing import is_refused_for_its_slot
from xorj.execution.vault_state import TradeAddresses, VaultState
from xorj.primitives.ids import Address, Slot
from xorj.vault.errors import VaultError
from xorj.vault.instructions import Guard

DEADLINE = 5_040

# The trade is the message's second instruction: the first makes the vault's account of the token. Slots are where it landed.
CASES = table("""
    what                                              | refusal                       | at instruction | landed | again
    the deadline was over                             | DeadlinePassed                | 1              | 5041   | yes
    long over                                         | DeadlinePassed                | 1              | 5150   | yes
    in the last slot: the deadline was too far ahead  | DeadlinePassed                | 1              | 5040   | no
    another program's error of the same number        | DeadlinePassed                | 0              | 5041   | no
    in the slot of the grant                          | EpochTooYoung                 | 1              | 7      | yes
    that refusal in another slot cannot be            | EpochTooYoung                 | 1              | 5010   | no
    the price had moved                               | SlippageExceeded              | 1              | 5041   | no
    the nonce was used                                | NonceUsed                     | 1              | 5041   | no
    another grant since                               | BotEpochMismatch              | 1              | 5041   | no
    the grant had run out                             | BotExpired                    | 1              | 5041   | no
    the owner had paused                              | VaultPaused                   | 1              | 5041   | no
    the day's cap was reached                         | SpendLimitExceeded            | 1              | 5041   | no
    the nonce is ahead of the window                  | NonceTooFar                   | 1              | 5041   | no
    not enough compute, after the deadline            | ProgramFailedToComplete       | 1              | 5041   | no
""")


def attempt() -> Attempt:
    """With a message that makes a token account before it trades."""
    chain, intent = SimulatedChain(), replace(an_intent(), nonce=3, bot_epoch=EPOCH)
    slot = chain.slot_at(Commitment.CONFIRMED)
    read = vault_state.read([chain.account(each, slot) for each in (*TradeAddresses.of(intent).in_order, Address(str(BOT.pubkey())))])
    assert isinstance(read, VaultState)
    built = message.trade_message(
        intent,
        BOT.pubkey(),
        replace(read, vault_output_raw=None),
        quote_for(intent.input_mint, BONK, intent.amount_in_raw, 100),
        minimum_out_raw=1,
        passing_mints=(),
        guard=Guard(3, EPOCH, DEADLINE),
        blockhash=str(Pubkey.default()),
        budget=message.Budget(),
    )
    assert isinstance(built, bytes)
    return replace(ATTEMPT, message=built, deadline_slot=Slot(DEADLINE), bot_epoch=EPOCH)


@pytest.mark.parametrize("case", CASES, ids=[case["what"] for case in CASES])
def test_a_refusal(case: dict[str, str]) -> None:
    name = case["refusal"]
    kind = f'{{"Custom":{VaultError[name].value}}}' if name in VaultError.__members__ else f'"{name}"'
    error = f'{{"InstructionError":[{case["at instruction"]},{kind}]}}'
    assert is_refused_for_its_slot(attempt(), Slot(int(case["landed"])), error) is (case["again"] == "yes")


@pytest.mark.parametrize(
    "error", ["", "null", "[]", '"BlockhashNotFound"', '{"InstructionError":[1]}', '{"InstructionError":[1,{"Custom":"x"}]}', "{"]
)
def test_an_error_of_unknown_shape_ends_the_trade(error: str) -> None:
    assert not is_refused_for_its_slot(attempt(), Slot(5_041), error)
