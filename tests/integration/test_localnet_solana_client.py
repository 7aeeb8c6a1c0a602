"""The Python client `solana` drives the local chain as it drives any node: airdrop, transfer, mint, confirm, history."""

import struct
from pathlib import Path

import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from solders.transaction import VersionedTransaction
from tests.fakes.localnet_process import LocalnetProcess

from xorj.localnet.genesis import MINT_BYTES, TOKEN_PROGRAM

SOL = 1_000_000_000
OWNER, FRIEND, MINT, ACCOUNT = (Keypair.from_seed(bytes([number]) * 32) for number in (121, 122, 123, 124))


@pytest.fixture
def chain(tmp_path: Path):
    with LocalnetProcess(tmp_path, slot_ms=20) as process:
        yield process


async def confirmed(client: AsyncClient, instructions: list[Instruction], signers: list[Keypair]):
    latest = (await client.get_latest_blockhash(Confirmed)).value
    message = MessageV0.try_compile(signers[0].pubkey(), instructions, [], Hash.from_bytes(bytes(latest.blockhash)))
    sent = await client.send_transaction(VersionedTransaction(message, signers))
    await client.confirm_transaction(sent.value, Confirmed, sleep_seconds=0.02, last_valid_block_height=latest.last_valid_block_height)
    return sent.value


def writable(key: Pubkey) -> AccountMeta:
    return AccountMeta(key, is_signer=False, is_writable=True)


async def test_a_wallet_lives_its_life(chain: LocalnetProcess) -> None:
    async with AsyncClient(chain.url, commitment=Confirmed) as client:
        airdrop = (await client.request_airdrop(OWNER.pubkey(), 10 * SOL)).value
        await client.confirm_transaction(airdrop, Confirmed, sleep_seconds=0.02)
        assert (await client.get_balance(OWNER.pubkey(), Confirmed)).value == 10 * SOL

        pay = transfer(TransferParams(from_pubkey=OWNER.pubkey(), to_pubkey=FRIEND.pubkey(), lamports=SOL))
        paid = await confirmed(client, [pay], [OWNER])
        assert (await client.get_balance(FRIEND.pubkey(), Confirmed)).value == SOL

        minted = await confirmed(client, await mint_instructions(client), [OWNER, MINT, ACCOUNT])
        assert (await client.get_token_supply(MINT.pubkey(), Confirmed)).value.amount == "5000000"
        balance = await client.get_token_account_balance(ACCOUNT.pubkey(), Confirmed)
        assert balance.value.ui_amount_string == "5"

        history = (await client.get_signatures_for_address(OWNER.pubkey(), commitment=Confirmed)).value
        assert [row.signature for row in history] == [minted, paid, airdrop]
        for encoding in ("json", "jsonParsed", "base64"):
            found = await client.get_transaction(minted, encoding, Confirmed, max_supported_transaction_version=0)
            assert found.value is not None
            assert found.value.transaction.meta.err is None
        block = await client.get_block(found.value.slot, max_supported_transaction_version=0)
        assert block.value is not None
        accounts = await client.get_program_accounts(TOKEN_PROGRAM, encoding="base64")
        assert ACCOUNT.pubkey() in {row.pubkey for row in accounts.value}


async def mint_instructions(client: AsyncClient) -> list[Instruction]:
    """A new mint, a token account of it, and five tokens there."""
    mint_rent, account_rent = [(await client.get_minimum_balance_for_rent_exemption(size)).value for size in (MINT_BYTES, 165)]
    owner, mint, account = OWNER.pubkey(), MINT.pubkey(), ACCOUNT.pubkey()
    new_mint = CreateAccountParams(from_pubkey=owner, to_pubkey=mint, lamports=mint_rent, space=MINT_BYTES, owner=TOKEN_PROGRAM)
    new_account = CreateAccountParams(from_pubkey=owner, to_pubkey=account, lamports=account_rent, space=165, owner=TOKEN_PROGRAM)
    signer = AccountMeta(owner, is_signer=True, is_writable=False)
    return [
        create_account(new_mint),
        Instruction(TOKEN_PROGRAM, b"\x14\x06" + bytes(owner) + b"\0", [writable(mint)]),
        create_account(new_account),
        Instruction(TOKEN_PROGRAM, b"\x12" + bytes(owner), [writable(account), AccountMeta(mint, is_signer=False, is_writable=False)]),
        Instruction(TOKEN_PROGRAM, b"\x07" + struct.pack("<Q", 5_000_000), [writable(mint), writable(account), signer]),
    ]
