"""A person who follows: signs in, makes a vault, sets its limits, pays in, lets the bot trade and turns copying on.

Every step goes through the gateway's API, as a wallet in a browser would do it, and is looked at on the chain afterwards; what is
done already is left as it is. The key is derived from a public text and worthless. Called by services/demo_follower.py.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from xorj.adapters.solana_rpc.clock import NodeClock
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.chain.transactions import Commitment
from xorj.client.api import Action, XorjClient
from xorj.client.problem import Problem
from xorj.demo.stage import token_transfer
from xorj.demo.tokens import USDC_DECIMALS, USDC_MINT
from xorj.localnet.keys import FAUCET
from xorj.observability import logging
from xorj.primitives.errors import BrokenInvariant, RefusedForSafety, Unavailable
from xorj.primitives.ids import LOCAL_GENESIS, USDC, Address, Signature, Wallet
from xorj.vault.accounts import (
    ANY_MINT,
    VaultAccount,
    VaultPolicy,
    decode_policy,
    decode_vault,
    policy_address,
    vault_address,
)
from xorj.vault.instructions import create_token_account

DEPOSIT_RAW = 500_000_000
POCKET_LAMPORTS, POCKET_USDC_RAW = 10_000_000_000, 1_000_000_000
FLOAT_LAMPORTS = 20_000_000_000
BOT_LIFE_S = 90 * 86_400
LIMITS = {
    "spend_per_trade_raw": "100000000",
    "spend_per_trade_bps": 2_000,
    "spend_per_day_raw": "500000000",
    "spend_per_day_bps": 10_000,
    "loss_per_day_raw": "250000000",
    "loss_per_day_bps": 5_000,
    "mint_mode": "any",
}
STEP_TIMEOUT_S = 90.0
CONFLICT = 409
POLL_S = 0.3

T = TypeVar("T")
log = logging.get("demo-follower")


@dataclass(frozen=True, slots=True)
class OnChain:
    """The follower's vault as the chain has it; None before it is made."""

    vault: VaultAccount | None
    policy: VaultPolicy | None


@dataclass(frozen=True, slots=True)
class Follower:
    """One person: his wallet's address, a node to look at the chain, and the API, which his wallet signs for."""

    address: Pubkey
    node: SolanaNode
    api: XorjClient

    async def follow(self) -> list[str]:
        """Goes through all steps; returns the names of those that were needed. Doing it again needs none.

        Raises RefusedForSafety on any chain but the local one: the key is public.
        """
        if await self.node.genesis_hash() != LOCAL_GENESIS:
            raise RefusedForSafety("the demo follower's key is public; it is for the local chain only")
        await _patiently(self.api.sign_in)
        steps: list[tuple[str, Callable[[], Awaitable[bool]], Callable[[], Awaitable[None]]]] = [
            ("took funds from the faucet", self._has_funds, self._take_funds),
            ("made the vault", self._has_vault, lambda: self._act("deploy")),
            ("set the limits", self._has_limits, self._set_limits),
            ("paid in", self._has_paid_in, lambda: self._act("deposit", {"amount_raw": str(DEPOSIT_RAW)})),
            ("let the bot trade", self._has_granted, lambda: self._act("grant")),
            ("filled the bot's float", self._bot_can_pay, self._fill_float),
            ("resumed the vault", self._may_trade, lambda: self._act("resume")),
            ("turned copying on", self._copies, self._turn_copying_on),
        ]
        done = []
        for name, is_done, act in steps:
            if not await is_done():
                await act()
                await _until(is_done, name)
                log.info("follower_stepped", step=name)
                done.append(name)
        return done

    async def _act(self, action: Action, body: Mapping[str, Any] | None = None) -> None:
        """One action of his vault: built by the gateway, signed by his wallet, sent; returns when it is confirmed."""
        signature = await _patiently(lambda: self.api.act(action, body))

        async def landed() -> bool:
            found = await self.api.landing(signature)
            if found.state == "failed":
                raise BrokenInvariant("the demo follower's transaction failed", action=action, error=found.error)
            return found.state in ("confirmed", "finalized")

        await _until(landed, action)

    async def _on_chain(self) -> OnChain:
        vault = vault_address(self.address)
        found, policy = await self.node.accounts([Address(str(vault)), Address(str(policy_address(vault)))])
        return OnChain(decode_vault(found.data) if found else None, decode_policy(policy.data) if policy else None)

    async def _has_funds(self) -> bool:
        if await self._has_paid_in():
            return True
        wallet = Wallet(str(self.address))
        _, tokens = await self.node.token_balances(wallet)
        return await self.node.lamports(Address(wallet)) >= POCKET_LAMPORTS // 2 and tokens.get(USDC, 0) >= DEPOSIT_RAW

    async def _take_funds(self) -> None:
        me, faucet = self.address, FAUCET.pubkey()
        funds = transfer(TransferParams(from_pubkey=faucet, to_pubkey=me, lamports=POCKET_LAMPORTS))
        await self._from_faucet(
            [funds, create_token_account(faucet, me, USDC_MINT), token_transfer(faucet, me, USDC_MINT, USDC_DECIMALS, POCKET_USDC_RAW)]
        )

    async def _from_faucet(self, instructions: Sequence[Instruction]) -> None:
        """The local chain's faucet has a public key; returns when its gift is confirmed."""
        blockhash = Hash.from_string((await self.node.latest_blockhash()).blockhash)
        signed = VersionedTransaction(MessageV0.try_compile(FAUCET.pubkey(), list(instructions), [], blockhash), [FAUCET])
        await self.node.send(bytes(signed))
        signature = Signature(str(signed.signatures[0]))

        async def landed() -> bool:
            _, (status,) = await self.node.statuses([signature])
            return status is not None and status.commitment is not Commitment.PROCESSED

        await _until(landed, "faucet")

    async def _has_vault(self) -> bool:
        return (await self._on_chain()).vault is not None

    async def _has_limits(self) -> bool:
        now = await NodeClock(self.node).now()
        policy = (await self._on_chain()).policy
        if policy is None:
            return False
        limits = policy.limits(now.unix_seconds)
        return limits.mint_mode == ANY_MINT and limits.spend_per_trade > 0 and limits.bot_expires_at > now.unix_seconds

    async def _set_limits(self) -> None:
        now = await NodeClock(self.node).now()
        await self._act("policy", LIMITS | {"bot_expires_at": now.unix_seconds + BOT_LIFE_S})

    async def _has_paid_in(self) -> bool:
        vault = (await self._on_chain()).vault
        return vault is not None and vault.total_deposited >= DEPOSIT_RAW

    async def _has_granted(self) -> bool:
        vault = (await self._on_chain()).vault
        return vault is not None and vault.bot_authority is not None

    async def _may_trade(self) -> bool:
        """An emergency stop has paused it; after it, that is for its owner to undo."""
        policy = (await self._on_chain()).policy
        return policy is not None and not policy.paused

    async def _bot_can_pay(self) -> bool:
        return await self.node.lamports(Address(str(await self._bot()))) >= FLOAT_LAMPORTS // 2

    async def _fill_float(self) -> None:
        """What an operator does elsewhere: the bot pays network fees and rent from its own lamports."""
        give = TransferParams(from_pubkey=FAUCET.pubkey(), to_pubkey=await self._bot(), lamports=FLOAT_LAMPORTS)
        await self._from_faucet([transfer(give)])

    async def _bot(self) -> Pubkey:
        vault = (await self._on_chain()).vault
        if vault is None or vault.bot_authority is None:
            raise BrokenInvariant("the demo follower's vault has no bot after the grant")
        return vault.bot_authority

    async def _copies(self) -> bool:
        return (await self.api.bot_configuration()).enabled

    async def _turn_copying_on(self) -> None:
        """The database hears of the vault from the chain, a moment after it was made."""
        await _patiently(self.api.enable_bot)


async def _until(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + STEP_TIMEOUT_S
    while not await holds():
        if time.monotonic() > deadline:
            raise Unavailable("demo", f"{what}: not done after {STEP_TIMEOUT_S:.0f} s")
        await asyncio.sleep(POLL_S)


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Asks again while the answer is not yet. Raises Unavailable with the last reason."""
    deadline = time.monotonic() + STEP_TIMEOUT_S
    while True:
        try:
            return await ask()
        except Unavailable:
            if time.monotonic() > deadline:
                raise
        except Problem as problem:
            if problem.status != CONFLICT or time.monotonic() > deadline:
                raise
        await asyncio.sleep(POLL_S * 5)
