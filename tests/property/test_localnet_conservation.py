"""Whatever is sent, no token appears or vanishes, lamports leave only as fees, and a replay finds every balance again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tests.fakes.localnet_world import ANA, ANA_TOKENS, ANA_TOKENS_RAW, BEN, BEN_TOKENS, LocalnetWorld, lamports_to, tokens_to

from xorj.chain.transactions import Commitment
from xorj.localnet.bank import Executed
from xorj.localnet.replay import replay

SIDES = {"ana": (ANA, ANA_TOKENS, BEN, BEN_TOKENS), "ben": (BEN, BEN_TOKENS, ANA, ANA_TOKENS)}

moves = st.tuples(
    st.sampled_from(sorted(SIDES)),
    st.sampled_from(["tokens", "lamports"]),
    st.one_of(st.integers(0, 2_000), st.integers(0, 2**64 - 1)),
    st.integers(0, 3),
)


def tokens(world: LocalnetWorld, address: Pubkey) -> int:
    return int.from_bytes(world.bank.account(address).data[64:72], "little")


def lamports(world: LocalnetWorld) -> int:
    return sum(world.bank.account(key.pubkey()).lamports for key in (ANA, BEN))


def run(world: LocalnetWorld, sender: Keypair, source: Pubkey, receiver: Keypair, target: Pubkey, what: str, amount: int) -> int:
    instruction = tokens_to(target, amount, sender, source) if what == "tokens" else lamports_to(receiver.pubkey(), amount, sender)
    outcome = world.bank.execute(world.signed(instruction, by=[sender]))
    return outcome.meta.fee_lamports if isinstance(outcome, Executed) else 0


@settings(max_examples=25, deadline=None)
@given(st.lists(moves, max_size=25))
def test_tokens_are_conserved_lamports_leave_as_fees_and_a_replay_agrees(steps: list[tuple[str, str, int, int]]) -> None:
    world = LocalnetWorld()
    before, fees = lamports(world), 0
    for side, what, amount, slots in steps:
        sender, source, receiver, target = SIDES[side]
        fees += run(world, sender, source, receiver, target, what, amount)
        world.slots_pass(slots)
    assert tokens(world, ANA_TOKENS) + tokens(world, BEN_TOKENS) == ANA_TOKENS_RAW
    assert lamports(world) == before - fees
    fresh = replay(world.bank)
    for key in (ANA.pubkey(), BEN.pubkey(), ANA_TOKENS, BEN_TOKENS):
        assert bytes(fresh.account(key)) == bytes(world.bank.account(key))


@pytest.mark.parametrize("distance", [0, 1, 5, 31, 40])
def test_the_state_of_a_past_block_is_what_it_was_then(distance: int) -> None:
    world = LocalnetWorld()
    seen = []
    for amount in range(60):
        world.bank.execute(world.signed(tokens_to(BEN_TOKENS, amount)))
        seen.append(tokens(world, BEN_TOKENS))
        world.slots_pass()
    world.slots_pass(distance)
    final = world.bank.account(BEN_TOKENS, Commitment.FINALIZED)
    assert int.from_bytes(final.data[64:72], "little") == seen[min(len(seen) - 1, len(seen) - 31 + distance)]
