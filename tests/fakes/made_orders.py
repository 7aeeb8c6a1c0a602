"""Instructions and events of Jupiter's routes and orders, as its programs write them, in few words."""

import struct

from solders.pubkey import Pubkey
from tests.fakes.made_swaps import amount, mint, wallet
from tests.fakes.made_transactions import account

from xorj.chain.transactions import ChainInstruction
from xorj.primitives.ids import Address
from xorj.swaps.programs import EVENT_TAG, JUPITER_DCA, JUPITER_V6, JUPITER_VALUE_AVERAGE, discriminator


def routed(who: str, hops: list[tuple[str, str, str]]) -> list[ChainInstruction]:
    """A route instruction of `who` and the event that tells its hops (venue, gives, gets)."""
    paid, bought = hops[0][1].split()[1], hops[-1][2].split()[1]
    accounts = [account("x") for _ in range(13)]
    accounts[0], accounts[3], accounts[4] = account(who), Address(mint(paid)), Address(mint(bought))
    told_hops = [(raw_key(venue), amount_bytes(gives), amount_bytes(gets)) for venue, gives, gets in hops]
    body = b"".join(given + got + venue for venue, given, got in told_hops)
    event = EVENT_TAG + bytes.fromhex("982f4eebc0606e6a") + struct.pack("<I", len(hops)) + body
    return [
        ChainInstruction(JUPITER_V6, tuple(accounts), discriminator("route_v2"), 1),
        ChainInstruction(JUPITER_V6, (account("events"),), event, 2),
    ]


def raw_key(address: str) -> bytes:
    return bytes(Pubkey.from_string(address))


def amount_bytes(text: str) -> bytes:
    held = amount(text)
    return raw_key(held.mint) + struct.pack("<Q", held.raw)


def dca_filled(user: str, order: str, gives: str, gets: str, fee: str) -> ChainInstruction:
    given, got, taken = amount(gives), amount(gets), amount(fee)
    keys = b"".join(raw_key(one) for one in (wallet(user), wallet(order), given.mint, got.mint))
    data = EVENT_TAG + bytes.fromhex("8604113fdd2db1ad") + keys + struct.pack("<QQ", given.raw, got.raw) + raw_key(taken.mint)
    return ChainInstruction(JUPITER_DCA, (account("events"),), data + struct.pack("<Q", taken.raw), 2)


def value_average_filled(user: str, gives: str, gets: str) -> ChainInstruction:
    given, got = amount(gives), amount(gets)
    keys = b"".join(raw_key(one) for one in (wallet("order"), wallet(user), wallet("keeper"), given.mint, got.mint))
    data = EVENT_TAG + bytes.fromhex("4ee1c79a56dbe0a9") + keys + struct.pack("<QQQ", given.raw, got.raw, 0)
    return ChainInstruction(JUPITER_VALUE_AVERAGE, (account("events"),), data, 2)
