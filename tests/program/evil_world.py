"""The vault's world with a hostile router at Jupiter's address: it makes the calls that a test scripts, with the signatures it is handed.

The router is programs/evil_router. Places in a script are places among the router's accounts, in route_v2's order.
"""

import struct

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from tests.program.program_files import program
from tests.program.vault_world import USDC, Outcome, VaultWorld

from xorj.router import jupiter_v6
from xorj.vault.accounts import token_account_address

EVIL = program("evil_router")
TRANSFER, APPROVE, SET_AUTHORITY, BURN, CLOSE = b"\x03", b"\x04", b"\x06", b"\x08", b"\x09"
FREEZE, THAW, SYNC_NATIVE, WITHDRAW_EXCESS_LAMPORTS = b"\x0a", b"\x0b", b"\x11", b"\x26"
ACCOUNT_OWNER, CLOSE_AUTHORITY = b"\x02\x01", b"\x03\x01"
SIGNER, WRITABLE = 1, 2
AUTHORITY, SOURCE, DESTINATION, TOKENS = 0, 1, 2, 5
FIRST_EXTRA = jupiter_v6.ROUTE_PREFIX_ACCOUNTS
# Instead of a program's place.
LOG, SEIZE, SCRIBBLE = 255, 254, 253

Call = tuple[int, list[tuple[int, int]], bytes]


def script(*calls: Call) -> bytes:
    parts = [bytes([len(calls)])]
    for callee, metas, data in calls:
        parts.append(bytes([callee, len(metas), *(byte for meta in metas for byte in meta)]) + struct.pack("<H", len(data)) + data)
    return b"".join(parts)


def token_call(data: bytes, *places: int, tokens: int = TOKENS) -> Call:
    """A call of the token program on writable accounts, signed by the trade authority."""
    return tokens, [*((place, WRITABLE) for place in places), (AUTHORITY, SIGNER)], data


def transfer(source: int, destination: int, amount: int) -> Call:
    return token_call(TRANSFER + amount.to_bytes(8, "little"), source, destination)


def approve(account: int, delegate: int) -> Call:
    return TOKENS, [(account, WRITABLE), (delegate, 0), (AUTHORITY, SIGNER)], APPROVE + (2**64 - 1).to_bytes(8, "little")


def set_authority(kind: bytes, account: int, to: Pubkey) -> Call:
    return token_call(SET_AUTHORITY + kind + bytes(to), account)


def close(account: int, to: int) -> Call:
    return token_call(CLOSE, account, to)


def pay_lamports(system: int, source: int, destination: int, amount: int) -> Call:
    """The system program's transfer, `source` signing."""
    return system, [(source, SIGNER | WRITABLE), (destination, WRITABLE)], struct.pack("<IQ", 2, amount)


def seize(source: int, destination: int, amount: int) -> Call:
    """Takes lamports by writing to both accounts, as if the router owned them."""
    return SEIZE, [(source, WRITABLE), (destination, WRITABLE)], amount.to_bytes(8, "little")


def scribble(account: int, data: bytes) -> Call:
    """Writes to an account's data as if the router owned it."""
    return SCRIBBLE, [(account, WRITABLE)], data


def log(data: bytes, times: int = 1) -> Call:
    return LOG, [(0, 0)] * times, data


class EvilWorld(VaultWorld):
    """A granted bot whose router is hostile; `loot` is Eve's USDC, `pot` is BONK that Eve lets the trade authority pay out."""

    def __init__(self, *, features: str | None = None) -> None:
        super().__init__(router=EVIL, features=features)
        self.with_bot()
        self.loot = self.hold(self.stranger.pubkey(), self.usdc, 0)
        self.pot = self.hold(self.stranger.pubkey(), self.bonk, 10**9, delegate=self.trade)

    def attack(self, *calls: Call, extra: list[AccountMeta], amount_in: int = USDC, minimum: int = 1) -> Outcome:
        return self.send(self.attacking(*calls, extra=extra, amount_in=amount_in, minimum=minimum))

    def attacking(self, *calls: Call, extra: list[AccountMeta], amount_in: int = USDC, minimum: int = 1) -> Instruction:
        return self.trade_of(
            self.usdc, self.bonk, amount_in, minimum=minimum, route_data=self.evil_data(*calls, amount_in=amount_in), steps=extra
        )

    def evil_data(self, *calls: Call, amount_in: int = USDC) -> bytes:
        return jupiter_v6.encode_route(amount_in, 1, 0, [jupiter_v6.RouteStep()])[:34] + script(*calls)

    def holdings(self) -> dict[Pubkey, bytes | None]:
        tokens = [token_account_address(owner, mint) for owner in (self.vault, self.trade) for mint in (self.usdc, self.bonk, self.wif)]
        return self.state_of([self.vault, self.policy, self.trade, *tokens])


def w(*keys: Pubkey) -> list[AccountMeta]:
    """Writable accounts."""
    return [AccountMeta(each, False, True) for each in keys]


def r(*keys: Pubkey) -> list[AccountMeta]:
    """Read-only accounts."""
    return [AccountMeta(each, False, False) for each in keys]
