"""A local chain in this process, in the words of its users: wallets, tokens, sending, slots passing. No ports and no clock."""

import base64
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from xorj.localnet.bank import Bank
from xorj.localnet.genesis import TOKEN_PROGRAM, Genesis, local_genesis, mint_account, token_account, wallet_account
from xorj.localnet.live import LiveChain
from xorj.localnet.rpc.context import Node
from xorj.localnet.rpc.dispatch import answer_bytes

ANA, BEN, NOBODY = (Keypair.from_seed(bytes([number]) * 32) for number in (101, 102, 103))
MINT, ANA_TOKENS, BEN_TOKENS = (Keypair.from_seed(bytes([number]) * 32).pubkey() for number in (111, 112, 113))
UNKNOWN_BLOCKHASH = Hash(bytes([9]) * 32)
ANA_LAMPORTS, BEN_LAMPORTS, ANA_TOKENS_RAW = 5_000_000_000, 1_000_000_000, 1_000_000_000
FINALITY_SLOTS = 32


def world_genesis(**changes: Any) -> Genesis:
    accounts = {
        ANA.pubkey(): wallet_account(ANA_LAMPORTS),
        BEN.pubkey(): wallet_account(BEN_LAMPORTS),
        MINT: mint_account(ANA.pubkey(), decimals=6, supply_raw=ANA_TOKENS_RAW),
        ANA_TOKENS: token_account(MINT, ANA.pubkey(), ANA_TOKENS_RAW),
        BEN_TOKENS: token_account(MINT, BEN.pubkey(), 0),
    }
    return local_genesis(**changes).with_accounts(accounts)


def lamports_to(receiver: Pubkey, lamports: int, sender: Keypair = ANA) -> Instruction:
    return transfer(TransferParams(from_pubkey=sender.pubkey(), to_pubkey=receiver, lamports=lamports))


def tokens_to(receiver: Pubkey, amount_raw: int, sender: Keypair = ANA, source: Pubkey = ANA_TOKENS) -> Instruction:
    accounts = [
        AccountMeta(source, is_signer=False, is_writable=True),
        AccountMeta(MINT, is_signer=False, is_writable=False),
        AccountMeta(receiver, is_signer=False, is_writable=True),
        AccountMeta(sender.pubkey(), is_signer=True, is_writable=False),
    ]
    return Instruction(TOKEN_PROGRAM, b"\x0c" + struct.pack("<Q", amount_raw) + b"\x06", accounts)


def text_of(transaction: VersionedTransaction) -> str:
    return base64.b64encode(bytes(transaction)).decode()


class LocalnetWorld:
    """Calls the RPC as a client would, byte for byte, without a socket."""

    def __init__(self, directory: Path | None = None, **genesis: Any) -> None:
        self.bank = Bank.open(directory, world_genesis(**genesis))
        self.bank.advance(1, self.bank.unix_seconds + 1)
        self.chain = LiveChain(self.bank, slot_ms=200, block_seconds=lambda: self.bank.unix_seconds + 1)
        self.node = Node(self.chain)

    def signed(
        self, *instructions: Instruction, by: Sequence[Keypair] = (ANA,), blockhash: Hash | None = None, legacy: bool = False
    ) -> VersionedTransaction:
        recent = blockhash or self.bank.latest_blockhash()
        if legacy:
            message: Message | MessageV0 = Message.new_with_blockhash(list(instructions), by[0].pubkey(), recent)
        else:
            message = MessageV0.try_compile(by[0].pubkey(), list(instructions), [], recent)
        return VersionedTransaction(message, list(by))

    def slots_pass(self, count: int = 1) -> None:
        for _ in range(count):
            self.chain.advance()

    def becomes_final(self) -> None:
        self.slots_pass(FINALITY_SLOTS)

    async def post(self, body: bytes) -> Any:
        reply = await answer_bytes(self.node, body)
        return orjson.loads(reply) if reply else None

    async def reply(self, method: str, *params: Any) -> Any:
        return await self.post(orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))

    async def result(self, method: str, *params: Any) -> Any:
        reply = await self.reply(method, *params)
        assert "result" in reply, reply
        return reply["result"]

    async def value(self, method: str, *params: Any) -> Any:
        return (await self.result(method, *params))["value"]

    async def error(self, method: str, *params: Any) -> tuple[int, str]:
        reply = await self.reply(method, *params)
        assert "error" in reply, reply
        return reply["error"]["code"], reply["error"]["message"]

    async def sends(self, transaction: VersionedTransaction, **options: Any) -> str:
        options = {"encoding": "base64", "preflightCommitment": "processed"} | options
        return str(await self.result("sendTransaction", text_of(transaction), options))

    async def send_error(self, transaction: VersionedTransaction, **options: Any) -> Any:
        options = {"encoding": "base64", "preflightCommitment": "processed"} | options
        return (await self.reply("sendTransaction", text_of(transaction), options))["error"]

    async def transaction(self, signature: str, **options: Any) -> Any:
        options = {"maxSupportedTransactionVersion": 1, "commitment": "confirmed"} | options
        return await self.result("getTransaction", signature, options)
