"""A vault's whole life through the API: built here, signed by its owner's wallet, executed by the real program on a local chain."""

import base64
from collections.abc import AsyncIterator, Iterator

import pytest
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from solders.transaction import VersionedTransaction
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.eventually import becoming
from tests.fakes.gateway_world import GatewayWorld, place
from tests.fakes.trading_chain import BOT, OWNER, USDC_RAW, TradingChain

from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.chain.transactions import Commitment
from xorj.client.api import XorjClient
from xorj.client.problem import Problem
from xorj.primitives.ids import USDC, Address, Signature, Wallet
from xorj.vault import accounts, instructions

pytestmark = pytest.mark.database
CAT = Keypair.from_seed(bytes([9]) * 32)
CATS_VAULT = accounts.vault_address(CAT.pubkey())
BASE = accounts.Pubkey.from_string(USDC)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TradingChain]:
    with TradingChain(tmp_path_factory.mktemp("chain")) as chain:
        yield chain


@pytest.fixture
async def node(chain: TradingChain) -> AsyncIterator[SolanaNode]:
    async with SolanaNode(chain.rpc_url) as node:
        yield node


@pytest.fixture
def world(engine: AsyncEngine, node: SolanaNode) -> GatewayWorld:
    return GatewayWorld(engine, at=place(bot=Address(str(BOT.pubkey()))), node=node)


async def confirmed(cat: XorjClient, signature: Signature) -> None:
    async def landed() -> bool:
        found = await cat.landing(signature)
        assert found.error is None, found
        return found.state in {"confirmed", "finalized"}

    await becoming(landed, "the transaction is confirmed")


async def funded(node: SolanaNode) -> None:
    """Cat gets SOL for fees and 100 USDC from the owner of the world."""
    giver, taker = OWNER.pubkey(), CAT.pubkey()
    source, target = (accounts.token_account_address(each, BASE) for each in (giver, taker))
    metas = [
        AccountMeta(source, False, True),
        AccountMeta(BASE, False, False),
        AccountMeta(target, False, True),
        AccountMeta(giver, True, False),
    ]
    moves = [
        transfer(TransferParams(from_pubkey=giver, to_pubkey=taker, lamports=10**9)),
        instructions.create_token_account(giver, taker, BASE),
        Instruction(
            accounts.TOKEN_PROGRAM, b"\x0c" + (100 * USDC_RAW).to_bytes(8, "little") + b"\x06", [*metas, AccountMeta(giver, True, False)]
        ),
    ]
    blockhash = Hash.from_string((await node.latest_blockhash()).blockhash)
    sent = VersionedTransaction(Message.new_with_blockhash(moves, giver, blockhash), [OWNER])
    await node.send(bytes(sent))

    async def arrived() -> bool:
        _, held = await node.token_balances(Wallet(str(taker)))
        return held.get(USDC, 0) >= 100 * USDC_RAW

    await becoming(arrived, "the funds have arrived")


async def vault_of_cat(node: SolanaNode) -> accounts.VaultAccount | None:
    (found,) = await node.accounts([Address(str(CATS_VAULT))], commitment=Commitment.CONFIRMED)
    return accounts.decode_vault(found.data) if found else None


async def test_a_vault_from_deployment_to_close(world: GatewayWorld, node: SolanaNode) -> None:
    await funded(node)
    async with world.wallet(CAT) as cat:

        async def does(action: str, **body: object) -> None:
            await confirmed(cat, await cat.act(action, body))  # type: ignore[arg-type]  # the action's name is the test's table

        await does("deploy")
        made = await vault_of_cat(node)
        assert made is not None
        assert (made.total_deposited, made.bot_authority, made.is_active) == (0, None, True)
        await does("policy", spend_per_trade_raw="10000000", spend_per_trade_bps=2_000, mint_mode="any")
        await does("deposit", amount_raw=str(40 * USDC_RAW))
        await does("grant")
        granted = await vault_of_cat(node)
        assert granted is not None
        assert (granted.total_deposited, granted.bot_authority) == (40 * USDC_RAW, BOT.pubkey())
        (found,) = await node.accounts([Address(str(accounts.policy_address(CATS_VAULT)))])
        assert found is not None
        policy = accounts.decode_policy(found.data)
        assert (policy.stored.spend_per_trade, policy.stored.spend_per_trade_bps, policy.stored.mint_mode) == (
            10_000_000,
            2_000,
            accounts.ANY_MINT,
        )
        await does("pause")
        await does("resume")
        await does("withdraw", mint=USDC, amount_raw=str(40 * USDC_RAW))
        assert (await node.token_balances(Wallet(str(CAT.pubkey()))))[1][USDC] == 100 * USDC_RAW
        await does("revoke")
        await does("deactivate")
        await does("close")
    assert await vault_of_cat(node) is None


def made_account(payer: Pubkey, holder: Pubkey, fresh: Pubkey) -> list[Instruction]:
    """A token account of `holder` for the base mint at an address of its own."""
    metas = [AccountMeta(fresh, False, True), AccountMeta(BASE, False, False)]
    making = CreateAccountParams(from_pubkey=payer, to_pubkey=fresh, lamports=3_000_000, space=165, owner=accounts.TOKEN_PROGRAM)
    return [create_account(making), Instruction(accounts.TOKEN_PROGRAM, b"\x12" + bytes(holder), metas)]


def gives(giver: Pubkey, target: Pubkey, amount: int) -> Instruction:
    source = accounts.token_account_address(giver, BASE)
    keys = [AccountMeta(source, False, True), AccountMeta(BASE, False, False), AccountMeta(target, False, True)]
    return Instruction(accounts.TOKEN_PROGRAM, b"\x0c" + amount.to_bytes(8, "little") + b"\x06", [*keys, AccountMeta(giver, True, False)])


async def lands(node: SolanaNode, given: list[Instruction], *signers: Keypair) -> None:
    blockhash = Hash.from_string((await node.latest_blockhash()).blockhash)
    whole = VersionedTransaction(Message.new_with_blockhash(given, signers[0].pubkey(), blockhash), signers)
    assert (await node.send(bytes(whole))).accepted

    async def landed() -> bool:
        _, (found,) = await node.statuses([Signature(str(whole.signatures[0]))])
        assert found is None or found.error is None, found
        return found is not None and found.commitment is not Commitment.PROCESSED

    await becoming(landed, "it has landed")


async def test_tokens_are_withdrawn_from_whatever_account_they_lie_in_and_what_trades_left_is_recovered(
    world: GatewayWorld, node: SolanaNode
) -> None:
    """Somebody has put 7 and 5 USDC into accounts of the vault that are not its associated one, and 3 into one of the trade authority."""
    owner, vault = OWNER.pubkey(), accounts.vault_address(OWNER.pubkey())
    trade = accounts.trade_authority_address(vault)
    strays = [Keypair.from_seed(bytes([seed]) * 32) for seed in (41, 42, 43)]
    for stray, holder, usdc in zip(strays, (vault, vault, trade), (7, 5, 3), strict=True):
        await lands(node, [*made_account(owner, holder, stray.pubkey()), gives(owner, stray.pubkey(), usdc * USDC_RAW)], OWNER, stray)
    _, before = await node.token_balances(Wallet(str(owner)))
    async with world.wallet(OWNER) as wallet:
        with pytest.raises(Problem) as refused:
            await wallet.act("withdraw", {"mint": USDC, "amount_raw": str(513 * USDC_RAW)})
        assert "holds 512000000 base units in 3 token accounts" in refused.value.detail
        await confirmed(wallet, await wallet.act("withdraw", {"mint": USDC, "amount_raw": str(510 * USDC_RAW)}))
        held = await node.token_accounts(Address(str(vault)), USDC)
        assert sorted(one.amount_raw for one in held) == [0, 0, 2 * USDC_RAW], "the usual one first, then the fullest"
        await confirmed(wallet, await wallet.act("recover", {"mint": USDC}))
        usual = str(accounts.token_account_address(vault, BASE))
        assert {one.address: one.amount_raw for one in await node.token_accounts(Address(str(vault)), USDC)}[Address(usual)] == 3 * USDC_RAW
        for stray in (strays[0], strays[2]):
            await confirmed(wallet, await wallet.act("close-account", {"account": str(stray.pubkey())}))
        for account, status in ((strays[1], 409), (OWNER, 422), (strays[0], 422)):
            with pytest.raises(Problem) as refused:
                await wallet.act("close-account", {"account": str(account.pubkey())})
            assert refused.value.status == status, account
        with pytest.raises(Problem) as refused:
            await wallet.act("recover", {"mint": USDC})
        assert refused.value.kind == "nothing-to-recover"
        # Back to what the other tests begin with.
        await confirmed(wallet, await wallet.act("withdraw", {"mint": USDC, "amount_raw": str(5 * USDC_RAW)}))
        await confirmed(wallet, await wallet.act("deposit", {"amount_raw": str(500 * USDC_RAW)}))
    _, after = await node.token_balances(Wallet(str(owner)))
    assert after[USDC] - before[USDC] == (512 + 3 - 500) * USDC_RAW


class TestWhatWouldFail:
    """Nothing is signed that the chain would refuse."""

    async def test_is_refused_before_signing_with_the_programs_reason(self, world: GatewayWorld) -> None:
        async with world.wallet(OWNER) as owner:
            for action, body, reason in (
                ("deploy", {}, "0x0"),
                ("deposit", {"amount_raw": "999999999999"}, "Cap"),
                ("close", {}, "revoke the bot first"),
                ("withdraw", {"mint": USDC, "amount_raw": str(10**15)}, ""),
            ):
                with pytest.raises(Problem) as refused:
                    await owner.act(action, body)  # type: ignore[arg-type]  # from the table above
                assert (refused.value.status, refused.value.kind) == (409, "would-fail"), action
                assert reason in refused.value.detail or action == "deploy", refused.value.detail

    async def test_a_mint_that_is_none_is_named(self, world: GatewayWorld) -> None:
        async with world.wallet(OWNER) as owner:
            for mint in (str(Keypair().pubkey()), str(OWNER.pubkey())):
                with pytest.raises(Problem) as refused:
                    await owner.act("withdraw", {"mint": mint, "amount_raw": "1"})
                assert (refused.value.status, list(refused.value.fields)) == (422, ["mint"])


async def test_the_same_bytes_sent_twice_are_one_transaction(world: GatewayWorld) -> None:
    headers = {"authorization": f"Bearer {await world.token(OWNER)}"}
    async with world.browser(headers=headers) as browser:
        built = (await browser.post("/api/vault/deposit", json={"amount_raw": "1"})).json()
        message = base64.b64decode(built["message"])
        signed = base64.b64encode(b"\x01" + bytes(OWNER.sign_message(message)) + message).decode()
        answers = [await browser.post("/api/vault/transactions", json={"transaction": signed}) for _ in range(2)]
    assert answers[0].status_code == 200
    assert answers[0].json()["actions"] == ["deposit"]
    assert answers[1].status_code in {200, 409}


async def test_what_a_vault_needs_to_know_before_it_exists(world: GatewayWorld) -> None:
    async with world.browser() as browser:
        found = (await browser.get("/api/vault/deploy", params={"network": "local", "wallet": str(CAT.pubkey())})).json()
        elsewhere = await browser.get("/api/vault/deploy", params={"network": "devnet"})
    assert (found["vault"], found["base_mint"], found["bot_authority"]) == (str(CATS_VAULT), USDC, str(BOT.pubkey()))
    assert (elsewhere.status_code, elsewhere.json()["errors"][0]["field"]) == (422, "network")


async def test_a_signature_that_nobody_knows_is_unknown(world: GatewayWorld) -> None:
    async with world.wallet(CAT) as cat:
        assert (await cat.landing(Signature(str(CAT.sign_message(b"x"))))).state == "unknown"
