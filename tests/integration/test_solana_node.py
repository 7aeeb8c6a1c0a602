"""The node adapter against a real local chain process, by the ports alone, and its notifications across a restart of the node."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from solders.hash import Hash
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from tests.fakes.localnet_process import LocalnetProcess
from tests.fakes.localnet_world import ANA, ANA_TOKENS_RAW, BEN, BEN_LAMPORTS, BEN_TOKENS, MINT, NOBODY, lamports_to, tokens_to

from xorj.adapters.solana_rpc.clock import NodeClock
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.adapters.solana_rpc.subscriptions import AccountChanged, Gap, Logged, SignatureReached, SlotBegun, Subscriptions
from xorj.chain.transactions import Commitment
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import LOCAL_GENESIS, Address, Signature, Wallet

WAIT_S_MAX = 15.0


@pytest.fixture
async def chain(tmp_path: Path) -> AsyncIterator[LocalnetProcess]:
    process = await asyncio.to_thread(LocalnetProcess(tmp_path).__enter__)
    yield process
    await asyncio.to_thread(process.__exit__, None, None, None)


@pytest.fixture
async def node(chain: LocalnetProcess) -> AsyncIterator[SolanaNode]:
    async with SolanaNode(chain.url, name="local") as node:
        yield node


async def signed(node: SolanaNode, lamports: int) -> VersionedTransaction:
    blockhash = Hash.from_string((await node.latest_blockhash()).blockhash)
    instructions = [lamports_to(BEN.pubkey(), lamports), tokens_to(BEN_TOKENS, lamports)]
    return VersionedTransaction(MessageV0.try_compile(ANA.pubkey(), instructions, [], blockhash), [ANA])


async def landed(node: SolanaNode, lamports: int, commitment: Commitment = Commitment.FINALIZED) -> Signature:
    transaction = await signed(node, lamports)
    signature = Signature(str(transaction.signatures[0]))
    hint = await node.send(bytes(transaction))
    assert hint.accepted, hint
    async with asyncio.timeout(WAIT_S_MAX):
        while True:
            _, (status,) = await node.statuses([signature])
            if status is not None and status.commitment.rank >= commitment.rank:
                return signature
            await asyncio.sleep(0.02)


async def test_a_transaction_is_read_back_as_it_was_executed(node: SolanaNode) -> None:
    signature = await landed(node, 7)
    read, unknown = await node.transactions([signature, Signature(str(NOBODY.sign_message(b"never sent")))])
    assert unknown is None
    assert read is not None
    assert (read.signature, read.error, read.version, read.signers_count, read.account_keys[0]) == (
        signature,
        None,
        0,
        1,
        str(ANA.pubkey()),
    )
    ben = read.account_keys.index(Address(str(BEN.pubkey())))
    assert (read.pre_balances[ben], read.post_balances[ben]) == (BEN_LAMPORTS, BEN_LAMPORTS + 7)
    assert read.pre_balances[0] - read.post_balances[0] == read.fee_lamports + 7
    moved = {balance.owner: balance.amount_raw for balance in read.post_token_balances}
    assert moved == {str(ANA.pubkey()): ANA_TOKENS_RAW - 7, str(BEN.pubkey()): 7}
    assert [len(instruction.data) for instruction in read.instructions] == [12, 10]


async def test_the_history_of_an_address_is_paged_newest_first(node: SolanaNode) -> None:
    sent = [await landed(node, lamports, Commitment.CONFIRMED) for lamports in (1, 2, 3)]
    ben = Address(str(BEN.pubkey()))
    newest = await node.signatures(ben, limit=2, commitment=Commitment.CONFIRMED)
    older = await node.signatures(ben, before=newest[-1].signature, commitment=Commitment.CONFIRMED)
    assert [row.signature for row in (*newest, *older)] == sent[::-1]
    assert [row.signature for row in await node.signatures(ben, until=sent[0], commitment=Commitment.CONFIRMED)] == sent[:0:-1]
    with pytest.raises(Unavailable, match="not found"):
        await node.signatures(ben, before=Signature(str(NOBODY.sign_message(b"never sent"))))


async def test_accounts_and_balances_are_read_by_owner_and_address(node: SolanaNode) -> None:
    ana, nobody = Address(str(ANA.pubkey())), Address(str(Pubkey.from_bytes(bytes([77]) * 32)))
    wallet, token, missing = await node.accounts([ana, Address(str(BEN_TOKENS)), nobody])
    assert missing is None
    assert wallet is not None
    assert token is not None
    assert (wallet.slot, len(token.data), await node.lamports(ana), await node.lamports(nobody)) == (token.slot, 165, wallet.lamports, 0)
    _, balances = await node.token_balances(Wallet(ana))
    assert balances == {str(MINT): ANA_TOKENS_RAW}


async def test_the_chain_says_who_it_is_and_where_it_stands(node: SolanaNode) -> None:
    blockhash = await node.latest_blockhash()
    finalized, confirmed = await node.epoch_info(), await node.epoch_info(commitment=Commitment.CONFIRMED)
    now = await NodeClock(node).now()
    assert await node.genesis_hash() == LOCAL_GENESIS
    assert finalized.slot <= confirmed.slot <= now.slot
    assert now.unix_seconds >= 1_700_000_000
    assert (await node.is_blockhash_valid(blockhash.blockhash, commitment=Commitment.CONFIRMED))[1]
    assert await node.first_available_block() >= 0
    assert blockhash.last_valid_block_height > confirmed.block_height
    assert all(fee >= 0 for fee in await node.recent_priority_fees([Address(str(ANA.pubkey()))]))


async def test_a_simulation_shows_the_accounts_as_they_would_be(node: SolanaNode) -> None:
    outcome = await node.simulate(bytes(await signed(node, 9)), accounts=[Address(str(BEN.pubkey()))])
    assert (outcome.error, outcome.compute_units > 0, bool(outcome.logs)) == (None, True, True)
    (ben,) = outcome.accounts
    assert ben is not None
    assert ben.lamports == BEN_LAMPORTS + 9
    assert await node.lamports(Address(str(BEN.pubkey()))) == BEN_LAMPORTS


async def test_what_is_sent_but_cannot_land_is_a_hint_and_no_verdict(node: SolanaNode) -> None:
    hint = await node.send(b"\x01" + bytes(64) + b"not a message")
    assert not hint.accepted
    assert "deserialize" in hint.detail


async def test_logs_of_an_address_are_told_and_a_restart_of_the_node_is_a_gap(chain: LocalnetProcess, node: SolanaNode) -> None:
    following = Subscriptions(chain.websocket_url, name="local").logs(Address(str(BEN.pubkey())))
    async with contextlib.aclosing(following), asyncio.timeout(4 * WAIT_S_MAX):
        assert await anext(following) == Gap(None)
        first = await landed(node, 1, Commitment.CONFIRMED)
        told = await anext(following)
        assert isinstance(told, Logged)
        assert (told.signature, told.error) == (first, None)
        await asyncio.to_thread(chain.kill)
        await asyncio.to_thread(chain.start)
        gap = await anext(following)
        assert isinstance(gap, Gap)
        assert gap.cause is not None
        second = await landed(node, 2, Commitment.CONFIRMED)
        told = await anext(following)
        assert isinstance(told, Logged)
        assert told.signature == second


async def test_an_account_that_changes_is_told(chain: LocalnetProcess, node: SolanaNode) -> None:
    ben = Address(str(BEN.pubkey()))
    following = Subscriptions(chain.websocket_url, name="local").account(ben)
    async with contextlib.aclosing(following), asyncio.timeout(WAIT_S_MAX):
        assert await anext(following) == Gap(None)
        await landed(node, 3, Commitment.CONFIRMED)
        told = await anext(following)
        assert isinstance(told, AccountChanged)
        assert told.address == ben
        (account,) = await node.accounts([ben], slot_min=told.slot)
        assert account is not None
        assert account.lamports == BEN_LAMPORTS + 3


async def test_a_subscription_that_the_node_refuses_is_not_asked_for_again(chain: LocalnetProcess) -> None:
    with pytest.raises(Unavailable, match="refused"):
        await anext(Subscriptions(chain.websocket_url, name="local").logs(Address("not an address")))


async def test_a_signature_is_told_once_and_slots_as_they_begin(chain: LocalnetProcess, node: SolanaNode) -> None:
    subscriptions = Subscriptions(chain.websocket_url, name="local")
    signature = await landed(node, 1, Commitment.CONFIRMED)
    async with asyncio.timeout(WAIT_S_MAX):
        told = [event async for event in subscriptions.signature(signature)]
        assert [type(event) for event in told] == [Gap, SignatureReached]
        slots = subscriptions.slots()
        async with contextlib.aclosing(slots):
            events = [await anext(slots) for _ in range(3)]
    begun = [event.slot for event in events if isinstance(event, SlotBegun)]
    assert begun == sorted(begun)
    assert len(begun) == 2
