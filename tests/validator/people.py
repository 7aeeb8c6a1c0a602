"""Wallets on a running chain that act through SolanaNode: fund, make mints and token accounts, send and wait, look up what happened."""

import asyncio
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

import httpx2
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from solders.transaction import VersionedTransaction

from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.chain.transactions import ChainTransaction, Commitment, SignatureStatus
from xorj.primitives.ids import Address, Signature
from xorj.vault.accounts import TOKEN_PROGRAM, token_account_address
from xorj.vault.instructions import create_token_account

LAMPORTS = 10_000_000_000
MINT_BYTES = 82
WAIT_S_MAX = 40.0
POLL_S = 0.1


@dataclass(frozen=True)
class Landed:
    """A transaction that succeeded, as the node tells it."""

    signature: Signature
    read: ChainTransaction


class People:
    def __init__(self, node: SolanaNode, url: str) -> None:
        self.node = node
        self._url = url

    async def funded(self, *keys: Keypair) -> None:
        """By the chain's faucet, which is no port of ours."""
        async with httpx2.AsyncClient() as client:
            for key in keys:
                params = [str(key.pubkey()), LAMPORTS, {"commitment": "confirmed"}]
                await client.post(self._url, json={"jsonrpc": "2.0", "id": 1, "method": "requestAirdrop", "params": params})
        for key in keys:
            await until(partial(self._has_lamports, key))

    async def lands(self, *given: Instruction, by: Sequence[Keypair]) -> Landed:
        """Sends, waits until confirmed, and fails the test when the chain says no."""
        signature, status = await self._sent(given, by)
        (read,) = await self.node.transactions([signature], commitment=Commitment.CONFIRMED)
        assert status.error is None, (status.error, read.logs if read else None)
        assert read is not None
        return Landed(signature, read)

    async def is_refused(self, *given: Instruction, by: Sequence[Keypair]) -> str:
        """The chain's own word for a transaction that landed and failed, and the same from a simulation before."""
        simulated = await self.node.simulate(bytes(await self._signed(given, by)))
        _, status = await self._sent(given, by)
        assert status.error is not None
        assert status.error == simulated.error
        return status.error

    async def mint(self, payer: Keypair, mint: Keypair) -> Pubkey:
        """A classic mint of 6 decimals whose authority is the payer."""
        rent = 1_461_600
        create = create_account(
            CreateAccountParams(from_pubkey=payer.pubkey(), to_pubkey=mint.pubkey(), lamports=rent, space=MINT_BYTES, owner=TOKEN_PROGRAM)
        )
        begin = Instruction(TOKEN_PROGRAM, b"\x14\x06" + bytes(payer.pubkey()) + b"\0", [AccountMeta(mint.pubkey(), False, True)])
        await self.lands(create, begin, by=[payer, mint])
        return mint.pubkey()

    async def holds(self, payer: Keypair, owner: Pubkey, mint: Pubkey, amount: int = 0) -> None:
        """Makes the associated token account, and mints to it."""
        account = token_account_address(owner, mint)
        metas = [AccountMeta(mint, False, True), AccountMeta(account, False, True), AccountMeta(payer.pubkey(), True, False)]
        more = [Instruction(TOKEN_PROGRAM, b"\x07" + struct.pack("<Q", amount), metas)] if amount else []
        await self.lands(create_token_account(payer.pubkey(), owner, mint), *more, by=[payer])

    async def data(self, address: Pubkey) -> bytes | None:
        (account,) = await self.node.accounts([Address(str(address))])
        return account.data if account else None

    async def _has_lamports(self, key: Keypair) -> bool:
        return await self.node.lamports(Address(str(key.pubkey()))) > 0

    async def _sent(self, given: Sequence[Instruction], by: Sequence[Keypair]) -> tuple[Signature, SignatureStatus]:
        transaction = await self._signed(given, by)
        signature = Signature(str(transaction.signatures[0]))
        hint = await self.node.send(bytes(transaction))
        assert hint.accepted, hint.detail
        found: list[SignatureStatus] = []

        async def is_confirmed() -> bool:
            _, (status,) = await self.node.statuses([signature])
            if status is not None and status.commitment.rank >= Commitment.CONFIRMED.rank:
                found.append(status)
            return bool(found)

        await until(is_confirmed)
        return signature, found[0]

    async def _signed(self, given: Sequence[Instruction], by: Sequence[Keypair]) -> VersionedTransaction:
        latest = await self.node.latest_blockhash()
        message = MessageV0.try_compile(by[0].pubkey(), list(given), [], Hash.from_string(latest.blockhash))
        return VersionedTransaction(message, list(by))


async def until(is_true: Callable[[], Awaitable[bool]]) -> None:
    """Asks again and again, because a node over HTTP tells nobody that something has happened."""
    async with asyncio.timeout(WAIT_S_MAX):
        for pause in count():
            if await is_true():
                return
            await asyncio.sleep(POLL_S if pause else 0)
