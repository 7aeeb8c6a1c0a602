"""The key with its policy: reads the vault from the chain, judges the message, signs, verifies. Used by services/signer alone."""

import asyncio

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from xorj.adapters.signer import wire
from xorj.adapters.signer.epoch_file import EpochFile
from xorj.chain.ports import AccountReader
from xorj.observability import logging, metrics
from xorj.primitives.clock import ChainClock
from xorj.primitives.errors import BrokenInvariant
from xorj.primitives.ids import Address
from xorj.signing import message_policy, request
from xorj.signing.message_policy import NoView, Rules, VaultView
from xorj.signing.request import Refused
from xorj.vault.accounts import PROGRAM_ID

log = logging.get("signer")


class VaultKey:
    """Signs what the policy allows. `epochs` remembers the newest lease epoch across restarts."""

    def __init__(self, key: Keypair, rules: Rules, accounts: AccountReader, clock: ChainClock, epochs: EpochFile) -> None:
        self._key, self._rules, self._accounts, self._clock, self._epochs = key, rules, accounts, clock, epochs

    @property
    def address(self) -> Pubkey:
        return self._key.pubkey()

    async def answer(self, asked: wire.SignRequest | wire.AddressRequest) -> wire.SignReply:
        """Raises Unavailable when the chain cannot be read: what cannot be judged is not signed."""
        if isinstance(asked, wire.AddressRequest):
            return wire.SignReply(address=str(self.address))
        if not self._epochs.accept(asked.lease_epoch):
            return self._refused(Refused("lease_epoch", f"{asked.lease_epoch} is below {self._epochs.newest}"))
        read = request.read(asked.message, self.address)
        if isinstance(read, Refused):
            return self._refused(read)
        wanted = message_policy.accounts_to_read(read)
        if isinstance(wanted, Refused):
            return self._refused(wanted)
        seen = await self._view(wanted)
        if isinstance(seen, NoView):
            return self._refused(Refused("vault", seen.detail))
        verdict = message_policy.judge(read, seen, self._rules)
        if isinstance(verdict, Refused):
            return self._refused(verdict)
        signature = self._key.sign_message(asked.message)
        if not signature.verify(self.address, asked.message):
            raise BrokenInvariant("a signature of ours does not verify", key=str(self.address))
        metrics.SIGNATURES.labels("signed").inc()
        log.info("message_signed", action=verdict.action, vault=str(verdict.vault), nonce=verdict.nonce, signature=str(signature))
        return wire.SignReply(signature=str(signature))

    async def _view(self, wanted: tuple[Pubkey, Pubkey, Pubkey]) -> VaultView | NoView:
        now, found = await asyncio.gather(self._clock.now(), self._accounts.accounts([Address(str(key)) for key in wanted]))
        vault, policy, config = found
        if vault is None or policy is None or config is None:
            return NoView("vault, policy or config does not exist")
        if any(account.owner != str(PROGRAM_ID) for account in (vault, policy, config)):
            return NoView("vault, policy or config belongs to another program")
        return message_policy.view(wanted[0], (vault.data, policy.data, config.data), max(now.slot, vault.slot), now.unix_seconds)

    def _refused(self, refused: Refused) -> wire.SignReply:
        metrics.SIGNATURES.labels(refused.rule).inc()
        log.warning("message_refused", rule=refused.rule, detail=refused.detail)
        return wire.SignReply(refused=(refused.rule, refused.detail))
