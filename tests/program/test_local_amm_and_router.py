"""The local pool and router in the real runtime: what they pay, what they refuse, and that Python quotes what they pay."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address
from tests.program.amm_world import RICH, AmmWorld

from xorj.market import local_amm
from xorj.router import jupiter_v6


@pytest.fixture
def world() -> AmmWorld:
    world = AmmWorld()
    world.pool(world.a, world.b, 1_000_000_000, 2_000_000_000)
    world.pool(world.b, world.c, 500_000_000, 50_000_000)
    return world


def reserves(world: AmmWorld, pool: local_amm.Pool, given: Pubkey) -> tuple[int, int]:
    other = pool.mint_b if given == pool.mint_a else pool.mint_a
    return world.balance(pool.address, given), world.balance(pool.address, other)


def straight(world: AmmWorld, amount_in: int, floor: int, **changes: Pubkey) -> Instruction:
    trader = world.trader.pubkey()
    source, destination = (get_associated_token_address(trader, mint) for mint in (world.a, world.b))
    places = {"owner": trader, "source": source, "destination": destination, **changes}
    return local_amm.swap(local_amm.pool_of(world.a, world.b), **places, input_mint=world.a, amount_in=amount_in, amount_out_min=floor)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10**15), st.integers(1, 10**15), st.integers(1, RICH))
def test_python_quotes_to_the_unit_what_the_program_pays(reserve_in: int, reserve_out: int, amount_in: int) -> None:
    world = AmmWorld()
    pool = world.pool(world.a, world.b, reserve_in, reserve_out)
    quoted = local_amm.amount_out(reserve_in, reserve_out, amount_in)
    error = world.send(straight(world, amount_in, quoted))
    if quoted == 0:
        assert error is not None
        return
    assert error is None
    assert world.balance(world.trader.pubkey(), world.b) == RICH + quoted
    now_in, now_out = reserves(world, pool, world.a)
    assert now_in * now_out >= reserve_in * reserve_out


@given(st.integers(1, 10**15), st.integers(2, 10**15), st.data())
def test_the_least_input_for_an_output_is_the_least(reserve_in: int, reserve_out: int, data: st.DataObject) -> None:
    wanted = data.draw(st.integers(1, reserve_out - 1))
    least = local_amm.amount_in_for(reserve_in, reserve_out, wanted)
    if least is None:
        # the pool can hold no input that buys as much
        assert local_amm.amount_out(reserve_in, reserve_out, 2**64 - 1 - reserve_in) < wanted
        return
    if reserve_in + least < 2**64:
        assert local_amm.amount_out(reserve_in, reserve_out, least) >= wanted
    assert local_amm.amount_out(reserve_in, reserve_out, least - 1) < wanted


def test_one_hop_pays_the_quote_returns_it_and_says_so(world: AmmWorld) -> None:
    quoted = local_amm.amount_out(1_000_000_000, 2_000_000_000, 1_000_000)
    done = world.transact(world.route(world.a, world.b, amount_in=1_000_000, quoted=quoted))
    assert world.balance(world.trader.pubkey(), world.b) == RICH + quoted
    assert int.from_bytes(done.return_data().data, "little") == quoted
    events = [jupiter_v6.decode_swap_event(bytes(each.instruction().data)) for group in done.inner_instructions() for each in group]
    assert [event for event in events if event] == [
        jupiter_v6.SwapEvent(str(local_amm.PROGRAM), str(world.a), 1_000_000, str(world.b), quoted)
    ]


def test_two_hops_pass_the_whole_output_on(world: AmmWorld) -> None:
    middle = local_amm.amount_out(1_000_000_000, 2_000_000_000, 1_000_000)
    quoted = local_amm.amount_out(500_000_000, 50_000_000, middle)
    assert world.send(world.route(world.a, world.b, world.c, amount_in=1_000_000, quoted=quoted)) is None
    trader = world.trader.pubkey()
    assert [world.balance(trader, mint) - RICH for mint in (world.a, world.b, world.c)] == [-1_000_000, 0, quoted]


@pytest.mark.parametrize(("slippage_bps", "excess", "lands"), [(0, 0, True), (0, 1, False), (100, 1.0100, True), (100, 1.0102, False)])
def test_the_floor_is_the_quote_less_the_slippage(world: AmmWorld, slippage_bps: int, excess: float, lands: bool) -> None:
    pays = local_amm.amount_out(1_000_000_000, 2_000_000_000, 10_000_000)
    quoted = pays + excess if isinstance(excess, int) else int(pays * excess)
    error = world.send(world.route(world.a, world.b, amount_in=10_000_000, quoted=int(quoted), slippage_bps=slippage_bps))
    assert (error is None) == lands
    if error:
        assert "Custom(6001)" in error


def shared_route(world: AmmWorld, amount_in: int, quoted: int) -> Instruction:
    authority, _ = Pubkey.find_program_address([b"authority", b"\x05"], jupiter_v6.PROGRAM)
    trader = world.trader.pubkey()
    inner = {mint: world.hold(authority, mint, 0) for mint in (world.a, world.b)}
    source, destination = (get_associated_token_address(trader, mint) for mint in (world.a, world.b))
    steps = local_amm.step_accounts(local_amm.pool_of(world.a, world.b), authority, inner[world.a], inner[world.b], world.a)
    steps = [AccountMeta(meta.pubkey, is_signer=False, is_writable=meta.is_writable) for meta in steps]
    plain = [authority, None, None, None, None, None, world.a, world.b, steps[-1].pubkey, steps[-1].pubkey]
    metas = [AccountMeta(each, is_signer=False, is_writable=False) if each else None for each in plain]
    metas[1] = AccountMeta(trader, is_signer=True, is_writable=False)
    for slot, account in ((2, source), (3, inner[world.a]), (4, inner[world.b]), (5, destination)):
        metas[slot] = AccountMeta(account, is_signer=False, is_writable=True)
    metas += [jupiter_v6.step_program(each) for each in (jupiter_v6.EVENT_AUTHORITY, jupiter_v6.PROGRAM, local_amm.PROGRAM)]
    return Instruction(
        jupiter_v6.PROGRAM, jupiter_v6.encode_route(amount_in, quoted, 0, [jupiter_v6.RouteStep()], shared_id=5), [*metas, *steps]
    )


def test_the_shared_route_passes_through_the_routers_own_accounts(world: AmmWorld) -> None:
    quoted = local_amm.amount_out(1_000_000_000, 2_000_000_000, 1_000_000)
    assert world.send(shared_route(world, 1_000_000, quoted)) is None
    assert world.balance(world.trader.pubkey(), world.b) == RICH + quoted


def without(instruction: Instruction, slot: int, other: Pubkey) -> Instruction:
    metas = list(instruction.accounts)
    metas[slot] = AccountMeta(other, is_signer=metas[slot].is_signer, is_writable=metas[slot].is_writable)
    return Instruction(instruction.program_id, instruction.data, metas)


@pytest.mark.parametrize("slot", [2, 8, 9, 13, 14], ids=["destination", "event authority", "router", "step source", "step destination"])
def test_an_account_in_anothers_slot_is_refused(world: AmmWorld, slot: int) -> None:
    instruction = world.route(world.a, world.b, amount_in=1_000_000, quoted=1)
    third = get_associated_token_address(world.trader.pubkey(), world.c)
    assert world.send(without(instruction, slot, third)) is not None
    assert world.balance(world.trader.pubkey(), world.a) == RICH


def test_the_event_can_only_come_from_the_router_itself(world: AmmWorld) -> None:
    forged = Instruction(jupiter_v6.PROGRAM, jupiter_v6.EVENT_TAG + bytes(120), [AccountMeta(jupiter_v6.EVENT_AUTHORITY, False, False)])
    assert "MissingRequiredSignature" in str(world.send(forged))


def test_a_pools_vaults_are_its_own(world: AmmWorld) -> None:
    fake = get_associated_token_address(world.trader.pubkey(), world.b)
    assert "Custom(2)" in str(world.send(without(straight(world, 1_000, 1), 5, fake)))
    assert "Custom(3)" in str(world.send(straight(world, 1_000, 10_000)))
    pool = local_amm.pool_of(world.a, world.c)
    world.hold(world.trader.pubkey(), world.a, RICH)
    assert world.send(local_amm.initialize_pool(world.trader.pubkey(), pool)) is not None


def test_a_route_with_another_venue_or_a_fee_is_refused(world: AmmWorld) -> None:
    good = world.route(world.a, world.b, amount_in=1_000, quoted=1)
    for at, byte in ((34, 17), (26, 1), (28, 1), (35, 1)):
        data = bytearray(good.data)
        data[at] = byte
        assert "Custom(6900)" in str(world.send(Instruction(good.program_id, bytes(data), good.accounts)))
