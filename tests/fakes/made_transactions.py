"""Landed transactions made by hand: who held what before and after, and which programs ran. Names stand for addresses as in made_swaps."""

import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from solders.pubkey import Pubkey
from tests.fakes.made_swaps import FIRST_DAY_S, VENUE, amount, mint, signature, wallet

from xorj.chain.transactions import ChainInstruction, ChainTransaction, InnerInstructions, TokenBalance
from xorj.primitives.ids import SOL, Address, Mint, Slot
from xorj.swaps.programs import ASSOCIATED_TOKEN_PROGRAM, JUPITER_V6, SYSTEM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM

RENT = 2_039_280
FEE = 5_000
RICH = 10**12
WORLD = 10**15


def account(name: str) -> Address:
    return Address(wallet(name))


def token_account(owner: str, token: str) -> Address:
    return account(f"{owner}'s {token}")


@dataclass
class Made:
    """A transaction in the making. `payer` signs and pays; lamports are as given, tokens in whole units.

    Unless told otherwise what somebody gained an account of the world lost, since no chain makes tokens out of nothing.
    """

    payer: str = "ana"
    slot: int = 10
    index: int | None = 0
    also_sign: Sequence[str] = ()
    fee: int = FEE
    error: str | None = None
    lamports: dict[str, int] = field(default_factory=dict)
    tokens: dict[tuple[str, str], tuple[str | None, str | None]] = field(default_factory=dict)
    other_accounts: dict[Address, tuple[int, int]] = field(default_factory=dict)
    balanced: bool = True
    rent: int = RENT
    dust_lamports: dict[tuple[str, str], int] = field(default_factory=dict)
    tells_owners: bool = True
    instructions: list[tuple[ChainInstruction, tuple[ChainInstruction, ...]]] = field(default_factory=list)

    def moves(self, who: str, token: str, before: str | None, after: str | None) -> "Made":
        """The balance of who's account of a token, None where the account is not there."""
        self.tokens[(who, token)] = (before, after)
        return self

    def gains_lamports(self, who: str, change: int) -> "Made":
        self.lamports[who] = self.lamports.get(who, 0) + change
        return self

    def has(self, key: Address, before: int = 0, after: int = 0) -> "Made":
        """An account that is neither wallet nor token account, or one that is there only in between."""
        self.other_accounts[key] = (before, after)
        return self

    def runs(self, program: Address, *inner: ChainInstruction, accounts: Sequence[Address] = (), data: bytes = b"") -> "Made":
        self.instructions.append((ChainInstruction(program, tuple(accounts), data, 1), inner))
        return self

    def done(self) -> ChainTransaction:
        keys = [account(name) for name in (self.payer, *self.also_sign)]
        others = [account(name) for name in self.lamports if account(name) not in keys]
        held = [token_account(*pair) for pair in self.tokens]
        keys = [*keys, *others, *(key for key in (*held, *self.other_accounts) if key not in keys and key not in others)]
        pre, post, pre_rows, post_rows = [], [], [], []
        change = {account(name): value for name, value in self.lamports.items()}
        change[keys[0]] = change.get(keys[0], 0) - self.fee
        by_account = {token_account(*pair): (pair, held) for pair, held in self.tokens.items()}
        for at, key in enumerate(keys):
            if key in by_account:
                (owner, token), (before, after) = by_account[key]
                for text, lamports, rows in ((before, pre, pre_rows), (after, post, post_rows)):
                    raw = amount(f"{text} {token}").raw if text is not None else 0
                    dust = self.dust_lamports.get((owner, token), 0) if lamports is pre else 0
                    lamports.append(dust if text is None else self.rent + (raw if token == "SOL" else 0))
                    if text is not None:
                        decimals = amount(f"1 {token}").decimals
                        told = wallet(owner) if self.tells_owners else None
                        rows.append(TokenBalance(at, mint(token), told, TOKEN_PROGRAM, raw, decimals))
            elif key in self.other_accounts:
                pre.append(self.other_accounts[key][0])
                post.append(self.other_accounts[key][1])
            else:
                pre.append(RICH)
                post.append(RICH + change.get(key, 0))
        if self.balanced:
            self._let_the_world_balance(keys, pre, post, pre_rows, post_rows)
        inner = tuple(InnerInstructions(at, caused) for at, (_, caused) in enumerate(self.instructions) if caused)
        return ChainTransaction(
            signature=signature(self.slot * 1_000 + (self.index or 0)),
            slot=Slot(self.slot),
            transaction_index=self.index,
            block_time=FIRST_DAY_S + self.slot,
            version=0,
            error=self.error,
            fee_lamports=self.fee,
            signers_count=1 + len(self.also_sign),
            account_keys=tuple(keys),
            pre_balances=tuple(pre),
            post_balances=tuple(post),
            pre_token_balances=tuple(pre_rows),
            post_token_balances=tuple(post_rows),
            instructions=tuple(top for top, _ in self.instructions),
            inner_instructions=inner,
            logs=(),
        )

    def _let_the_world_balance(
        self, keys: list[Address], pre: list[int], post: list[int], pre_rows: list[TokenBalance], post_rows: list[TokenBalance]
    ) -> None:
        gained: Counter[Mint] = Counter()
        for sign, rows in ((-1, pre_rows), (1, post_rows)):
            for row in rows:
                gained[row.mint] += sign * row.amount_raw
        decimals = {row.mint: row.decimals for row in (*pre_rows, *post_rows)}
        for made in (one for top, caused in self.instructions for one in (top, *caused)):
            if made.program == TOKEN_PROGRAM and made.data[:1] in (b"\x07", b"\x08"):
                gained.pop(Mint(made.accounts[0 if made.data[:1] == b"\x07" else 1]), None)
        for token, raw in gained.items():
            if raw and token != SOL:
                keys.append(account(f"the world's {token}"))
                for held, lamports, rows in ((WORLD, pre, pre_rows), (WORLD - raw, post, post_rows)):
                    lamports.append(RENT)
                    rows.append(TokenBalance(len(keys) - 1, token, wallet("the world"), TOKEN_PROGRAM, held, decimals[token]))
        keys.append(account("the world"))
        pre.append(WORLD)
        post.append(WORLD + sum(pre) - WORLD - sum(post) - self.fee)


def sends_lamports(source: str, destination: str | Address, lamports: int) -> ChainInstruction:
    to = account(destination) if isinstance(destination, str) and len(destination) < 32 else Address(destination)
    return ChainInstruction(SYSTEM_PROGRAM, (account(source), to), struct.pack("<IQ", 2, lamports), 1)


def creates(funder: str, made: Address, lamports: int = RENT) -> ChainInstruction:
    return ChainInstruction(SYSTEM_PROGRAM, (account(funder), made), struct.pack("<IQQ", 0, lamports, 165) + bytes(32), 2)


def initializes(made: Address, owner: str, token: str) -> ChainInstruction:
    return ChainInstruction(TOKEN_PROGRAM, (made, Address(mint(token))), b"\x12" + bytes(Pubkey.from_string(wallet(owner))), 2)


def allocates(made: Address) -> ChainInstruction:
    return ChainInstruction(SYSTEM_PROGRAM, (made,), struct.pack("<IQ", 8, 165), 2)


def transfers_less_fee(source: Address, token: str, destination: Address, raw: int, fee: int) -> ChainInstruction:
    accounts = (source, Address(mint(token)), destination, account("authority"))
    return ChainInstruction(TOKEN_2022_PROGRAM, accounts, b"\x1a\x01" + struct.pack("<QBQ", raw, 6, fee), 2)


def opens(funder: str, owner: str, token: str) -> ChainInstruction:
    accounts = (account(funder), token_account(owner, token), account(owner), Address(mint(token)))
    return ChainInstruction(ASSOCIATED_TOKEN_PROGRAM, accounts, b"\x01", 1)


def closes(closed: Address, destination: str) -> ChainInstruction:
    return ChainInstruction(TOKEN_PROGRAM, (closed, account(destination)), b"\x09", 1)


def transfers(source: Address, destination: Address, raw: int, authority: str = "authority") -> ChainInstruction:
    return ChainInstruction(TOKEN_PROGRAM, (source, destination, account(authority)), struct.pack("<BQ", 3, raw), 2)


def mints(token: str, to: Address, raw: int) -> ChainInstruction:
    return ChainInstruction(TOKEN_PROGRAM, (Address(mint(token)), to), struct.pack("<BQ", 7, raw), 2)


def burns(token: str, source: Address, raw: int) -> ChainInstruction:
    return ChainInstruction(TOKEN_PROGRAM, (source, Address(mint(token))), struct.pack("<BQ", 8, raw), 2)


def swap_transaction(
    who: str, gives: str, gets: str, *, slot: int, index: int | None = 0, venue: Address = VENUE, holds: Mapping[str, str] | None = None
) -> ChainTransaction:
    """`who` swaps through a venue from and to token accounts that stay open."""
    given_amount, paid = gives.split()
    got_amount, bought = gets.split()
    held = dict(holds or {})
    after_paid, after_bought = (float(held.get(token, "1000000")) for token in (paid, bought))
    return (
        Made(payer=who, slot=slot, index=index)
        .moves(who, paid, f"{after_paid}", f"{after_paid - float(given_amount):.9f}")
        .moves(who, bought, f"{after_bought}", f"{after_bought + float(got_amount):.9f}")
        .runs(venue)
        .done()
    )


def routes(count: int = 19) -> list[ChainTransaction]:
    """Swaps over one pool, two, three and so on, again from one after six: what a history of routes looks like in size."""
    return [_route(1 + at % 6, slot=at + 1) for at in range(count)]


def _route(hops: int, *, slot: int) -> ChainTransaction:
    tokens = ["USDC", *(f"HOP{at}" for at in range(1, hops)), "BONK"]
    made = Made(slot=slot).moves("ana", "USDC", "9", "4").moves("ana", "BONK", "0", "5")
    inner = []
    for paid, bought in pairwise(tokens):
        made.moves("pool", paid, "900", "905").moves("pool", bought, "900", "895")
        gave = transfers(token_account("ana", paid), token_account("pool", paid), 5_000_000, "ana")
        got = transfers(token_account("pool", bought), token_account("ana", bought), 5_000_000)
        inner += [ChainInstruction(VENUE, (account("pool"), account("ana")), bytes(range(40)), 2), gave, got]
    return made.runs(JUPITER_V6, *inner, accounts=[account("ana"), account("pool")], data=bytes(range(48))).done()
