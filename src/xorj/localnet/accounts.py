"""What the bank remembers about accounts beside the runtime: token accounts by owner, decimals of mints, which ever changed."""

from collections.abc import Mapping, Sequence

from solders.account import Account
from solders.pubkey import Pubkey

from xorj.localnet.effects import TOKEN_PROGRAMS, is_token_account, loaded_bytes
from xorj.localnet.runtime import Runtime

_MINT_BYTES, _DECIMALS_AT = 82, 44


class AccountIndex:
    """Kept up to date by `changed`, which the bank calls for every account a transaction may have written."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._owner_of: dict[Pubkey, bytes] = {}
        self._tokens_of: dict[bytes, set[Pubkey]] = {}
        self._decimals: dict[bytes, int] = {}
        self._program_bytes: dict[Pubkey, int] = {}
        self.touched: set[Pubkey] = set()
        for program in TOKEN_PROGRAMS:
            for address, account in runtime.program_accounts(program):
                self._index(address, account)

    def changed(self, address: Pubkey, account: Account | None) -> None:
        """`account` is what stands at `address` from now on."""
        self.touched.add(address)
        self._program_bytes.pop(address, None)
        self._index(address, account)

    def token_accounts(self, owner: Pubkey) -> set[Pubkey]:
        """Addresses of the token accounts this wallet owns now, of both token programs."""
        return self._tokens_of.get(bytes(owner), set())

    def decimals(self, mint: bytes) -> int | None:
        """Decimals of a mint, None when there is no such mint."""
        known = self._decimals.get(mint)
        if known is not None:
            return known
        account = self._runtime.account(Pubkey.from_bytes(mint))
        if account is None or account.owner not in TOKEN_PROGRAMS or len(account.data) < _MINT_BYTES:
            return None
        known = self._decimals[mint] = account.data[_DECIMALS_AT]
        return known

    def loaded_bytes(self, keys: Sequence[Pubkey], accounts: Mapping[Pubkey, Account | None]) -> int:
        """As effects.loaded_bytes, with the sizes of programs remembered: their files are large and rarely change."""
        total = 0
        for key in keys:
            known = self._program_bytes.get(key)
            if known is None:
                account = accounts[key]
                known = loaded_bytes([key], self._runtime.account if account is not None and account.executable else accounts.get)
                if account is not None and account.executable:
                    self._program_bytes[key] = known
            total += known
        return total

    def _index(self, address: Pubkey, account: Account | None) -> None:
        data = account.data if account is not None and account.owner in TOKEN_PROGRAMS else b""
        owner = data[32:64] if account is not None and is_token_account(account, data) else None
        was = self._owner_of.get(address)
        if len(data) >= _MINT_BYTES and owner is None:
            self._decimals.pop(bytes(address), None)
        if owner == was:
            return
        if was is not None:
            self._tokens_of[was].discard(address)
            del self._owner_of[address]
        if owner is not None:
            self._tokens_of.setdefault(owner, set()).add(address)
            self._owner_of[address] = owner
