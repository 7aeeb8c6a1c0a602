"""The real program beside the model: the same people, mints and accounts by name, instructions built by name, and everything compared.

Used by `machine.py`. One LiteSVM lives through one sequence; signatures are not checked (the program sees flags, not signatures).
"""

import struct
from collections.abc import Callable, Sequence

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.token.state import TokenAccountState
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata
from tests.program.model.mirror import Mirror, mint_of, token_program_of
from tests.program.model.vault_model import (
    Model,
    TokenAccount,
    Trade,
    World,
    policy_of,
    till_of,
    trade_authority_of,
    vault_of,
)
from tests.program.program_files import program
from tests.program.vault_world import NOW, RICH, SLOT, VaultWorld, error_name, key

from xorj.router import jupiter_v6
from xorj.vault import accounts, instructions
from xorj.vault.accounts import TOKEN_PROGRAM, token_account_address

OWNERS = ("ana", "ben")
PEOPLE = (*OWNERS, "bot", "spare bot", "eve", "admin", "guard")
MINTS = ("usdc", "bonk", "wif", "t22", "dog")
HOLDERS = tuple(holder for owner in OWNERS for holder in (owner, vault_of(owner), trade_authority_of(owner)))
STRANGERS_HOLDERS = ("loot", *(till_of(owner) for owner in OWNERS))
PLENTY = 10**15
MANY = 10**12
SYSTEM = Pubkey.default()
SIGNER, WRITABLE = 1, 2
TRANSFER, APPROVE, SET_AUTHORITY, CLOSE = b"\x03", b"\x04", b"\x06", b"\x09"
ACCOUNT_OWNER, CLOSE_AUTHORITY = b"\x02\x01", b"\x03\x01"
TRANSFER_LAMPORTS = 2
# Places among the router's accounts: route_v2's own, then what the script needs.
AUTHORITY, SOURCE, DESTINATION, TOKENS = 0, 1, 2, 5
LOOT, TILL, TILL_BACK, EVE, DOG, DOG_LOOT, SYSTEM_PLACE = range(jupiter_v6.ROUTE_PREFIX_ACCOUNTS, jupiter_v6.ROUTE_PREFIX_ACCOUNTS + 7)

Call = tuple[int, list[tuple[int, int]], bytes]


def script_of(calls: Sequence[Call]) -> bytes:
    """As programs/evil_router reads it."""
    parts = [bytes([len(calls)])]
    for callee, metas, data in calls:
        parts.append(bytes([callee, len(metas), *(byte for meta in metas for byte in meta)]) + struct.pack("<H", len(data)) + data)
    return b"".join(parts)


class Chain:
    """The program in LiteSVM, its model, and the names of both."""

    def __init__(self) -> None:
        self.world = VaultWorld(router=program("evil_router"))
        self.svm = self.world.svm.with_sigverify(False).with_transaction_history(0)
        self.world.svm = self.svm
        self.blockhash = self.svm.latest_blockhash()
        self.model = Model(World(SLOT, NOW), lambda kind: self.rents[kind])
        self.rents = {
            "vault": self.svm.minimum_balance_for_rent_exemption(accounts.VAULT_BYTES),
            "policy": self.svm.minimum_balance_for_rent_exemption(accounts.POLICY_BYTES),
        }
        self.addresses = self._addresses()
        self.watched = {name: address for name, address in self.addresses.items() if name not in ("admin", "nobody")}
        self.watched |= {f"{holder}/{mint}": self.token(holder, mint) for holder in (*HOLDERS, *STRANGERS_HOLDERS) for mint in MINTS}
        self._furnish()
        self.mirror = Mirror(self.addresses)

    # Names

    def _addresses(self) -> dict[str, Pubkey]:
        found = {name: key(name).pubkey() for name in PEOPLE}
        for owner in OWNERS:
            vault = accounts.vault_address(found[owner])
            found |= {vault_of(owner): vault, policy_of(owner): accounts.policy_address(vault)}
            found[trade_authority_of(owner)] = accounts.trade_authority_address(vault)
        return found | {"config": accounts.config_address(), "nobody": SYSTEM}

    def token(self, holder: str, mint: str) -> Pubkey:
        if holder in STRANGERS_HOLDERS:
            return key(f"{holder} {mint}").pubkey()
        return token_account_address(self.addresses[holder], mint_of(mint), token_program_of(mint))

    def _furnish(self) -> None:
        """Mints, everybody's token accounts, riches for the owners, and a till that the trade authorities may pay out of."""
        for mint in MINTS:
            self.world.plant_mint(mint_of(mint), token_program=token_program_of(mint))
            for holder in HOLDERS:
                self.plant_token(holder, mint, MANY if holder in OWNERS else 0)
            for holder in STRANGERS_HOLDERS:
                self.plant_token(holder, mint, 0 if holder == "loot" else PLENTY)
        for person in PEOPLE:
            self.plant_lamports(person, RICH)
        for owner in OWNERS:
            self.plant_lamports(trade_authority_of(owner), 0)

    def plant_token(self, holder: str, mint: str, amount: int, *, frozen: bool = False, delegate: bool = False) -> None:
        """A token account as a stranger, an issuer or an older program could have made it. A till lets its vault's trades pay out of it."""
        is_till = holder in STRANGERS_HOLDERS[1:]
        delegate_name = trade_authority_of(holder.removesuffix("'s till")) if is_till else "eve"
        delegated = self.addresses[delegate_name] if is_till or delegate else None
        owner = self.addresses["eve" if holder in STRANGERS_HOLDERS else holder]
        state = TokenAccountState.Frozen if frozen else TokenAccountState.Initialized
        address = self.token(holder, mint)
        self.world.hold(owner, mint_of(mint), amount, at=address, delegate=delegated, state=state, token_program=token_program_of(mint))
        self.model.world.tokens[holder, mint] = TokenAccount(amount, frozen, delegate or is_till, RICH)

    def plant_lamports(self, name: str, lamports: int) -> None:
        """Of an address without data, or more of them at an account of the program's."""
        world, owner = self.model.world, name.removesuffix("'s vault").removesuffix("'s policy")
        vault = world.vaults.get(owner) if name != owner else None
        if vault is None:
            world.lamports[name] = lamports
            self.svm.set_account(self.addresses[name], Account(lamports, b"", SYSTEM, False, 0))
            return
        if name == vault_of(owner):
            vault.lamports = lamports
        else:
            vault.policy_lamports = lamports
        there = self.svm.get_account(self.addresses[name])
        self.svm.set_account(self.addresses[name], Account(lamports, bytes(there.data), there.owner, False, 0))

    def at(self, slot: int, now: int) -> None:
        self.model.world.slot, self.model.world.now = slot, now
        self.world.at(slot, now)

    # Trades

    def trade(self, trade: Trade) -> Instruction:
        owner = self.addresses[trade.owner]
        source, target = (self.token(trade_authority_of(trade.owner), mint) for mint in (trade.input_mint, trade.output_mint))
        authority = self.addresses[trade_authority_of(trade.owner)]
        fixed = jupiter_v6.RouteAccounts(authority, source, target, mint_of(trade.input_mint), mint_of(trade.output_mint))
        extra = [
            self.token("loot", trade.input_mint),
            self.token(till_of(trade.owner), trade.output_mint),
            self.token(till_of(trade.owner), trade.input_mint),
            self.addresses["eve"],
            self.token(trade_authority_of(trade.owner), "dog"),
            self.token("loot", "dog"),
        ]
        metas = list(jupiter_v6.route_instruction(fixed, b"", [*(AccountMeta(each, False, True) for each in extra)]).accounts)
        metas[AUTHORITY] = AccountMeta(authority, False, True)
        metas.append(AccountMeta(SYSTEM, False, False))
        metas = self._misplaced(trade, self._with_stowaway(trade, metas))
        built = instructions.bot_trade(
            self.addresses[trade.signer],
            owner,
            input_mint=mint_of(trade.input_mint),
            output_mint=mint_of(trade.output_mint),
            router_program=jupiter_v6.PROGRAM if trade.router == "jupiter" else TOKEN_PROGRAM,
            amount_in=trade.amount_in,
            minimum_amount_out=trade.minimum,
            route_data=route_data(trade, self._deeds(trade)),
            route_accounts=metas,
            guard=instructions.Guard(trade.guard.nonce, trade.guard.epoch, trade.guard.deadline),
        )
        return self.with_policy_of(built, trade.policy_of)

    def _deeds(self, trade: Trade) -> list[Call]:
        """A deed that needs lamports or tokens takes all there are."""
        authority = trade_authority_of(trade.owner)
        dogs = self.model.world.tokens.get((authority, "dog"), TokenAccount(0)).amount
        lamports = struct.pack("<IQ", TRANSFER_LAMPORTS, self.model.world.lamports.get(authority, 0))
        eve = bytes(self.addresses["eve"])
        deeds: dict[str, Call] = {
            "give input back": transfer(TILL_BACK, SOURCE, trade.route.pay),
            "approve": (TOKENS, [(SOURCE, WRITABLE), (EVE, 0), (AUTHORITY, SIGNER)], APPROVE + number(1)),
            "give away": (TOKENS, [(DESTINATION, WRITABLE), (AUTHORITY, SIGNER)], SET_AUTHORITY + ACCOUNT_OWNER + eve),
            "close authority": (TOKENS, [(DESTINATION, WRITABLE), (AUTHORITY, SIGNER)], SET_AUTHORITY + CLOSE_AUTHORITY + eve),
            "close": (TOKENS, [(SOURCE, WRITABLE), (EVE, WRITABLE), (AUTHORITY, SIGNER)], CLOSE),
            "drain another": transfer(DOG, DOG_LOOT, dogs),
            "take lamports": (SYSTEM_PLACE, [(AUTHORITY, SIGNER | WRITABLE), (EVE, WRITABLE)], lamports),
        }
        deed = [deeds[trade.route.deed]] if trade.route.deed else []
        return [transfer(SOURCE, LOOT, trade.route.take), transfer(TILL, DESTINATION, trade.route.pay), *deed]

    def _with_stowaway(self, trade: Trade, metas: list[AccountMeta]) -> list[AccountMeta]:
        stowaways = {
            "": [],
            "bot": [self.addresses[trade.signer]],
            "owner": [self.addresses[trade.owner]],
            "vault": [self.addresses[vault_of(trade.owner)]],
            "policy": [self.addresses[policy_of(trade.owner)]],
            "vault token": [self.token(vault_of(trade.owner), trade.output_mint)],
            "51 accounts": [self.addresses["eve"]] * (51 - len(metas)),
        }
        return metas + [AccountMeta(each, False, False) for each in stowaways[trade.route.stowaway]]

    def _misplaced(self, trade: Trade, metas: list[AccountMeta]) -> list[AccountMeta]:
        eve = AccountMeta(self.addresses["eve"], False, True)
        if trade.route.shape == "few accounts":
            return metas[: jupiter_v6.ROUTE_PREFIX_ACCOUNTS - 1]
        if trade.route.shape == "other destination":
            metas[7] = AccountMeta(self.token("loot", trade.output_mint), False, True)
        if trade.route.shape == "other authority":
            metas[AUTHORITY] = eve
        return metas

    def with_policy_of(self, built: Instruction, owner: str) -> Instruction:
        metas = list(built.accounts)
        metas[2] = AccountMeta(self.addresses[policy_of(owner)], False, metas[2].is_writable)
        return Instruction(built.program_id, built.data, metas)

    def signed_by(self, built: Instruction, signer: str) -> Instruction:
        first = built.accounts[0]
        return Instruction(
            built.program_id, built.data, [AccountMeta(self.addresses[signer], first.is_signer, first.is_writable), *built.accounts[1:]]
        )

    # Steps

    def send(self, built: Instruction) -> str | None:
        message = MessageV0.try_compile(self.addresses["admin"], [built], [], self.blockhash)
        signatures = [Signature.default()] * message.header.num_required_signatures
        done = self.svm.send_transaction(VersionedTransaction.populate(message, signatures))
        return error_name(done.err()) if isinstance(done, FailedTransactionMetadata) else None

    def step(self, predict: Callable[[], None], built: Instruction) -> str | None:
        """Does it on both sides and compares everything. Returns the error, None on success."""
        expected = self.model.attempt(predict)
        self._sent(built, expected)
        return expected

    def refused(self, built: Instruction, expected: str) -> None:
        """An instruction that is refused whatever the state is."""
        self._sent(built, expected)

    def _sent(self, built: Instruction, expected: str | None) -> None:
        before = self.mirror.raw if self.mirror.raw else self.look()
        error = self.send(built)
        assert error == expected, f"the program says {error}, the model {expected}"
        after = self.look()
        if error is not None:
            assert after == before, "a refused instruction changed an account"
        self.mirror.compare(after, self.model.world)

    def look(self) -> dict[str, bytes | None]:
        """Every account that anything here can reach, whole."""
        found = {name: self.svm.get_account(address) for name, address in self.watched.items()}
        return {name: bytes(account) if account else None for name, account in found.items()}

    def looked_again(self) -> None:
        """After somebody else than the program changed something."""
        self.mirror.compare(self.look(), self.model.world)


def number(value: int) -> bytes:
    return value.to_bytes(8, "little")


def transfer(source: int, destination: int, amount: int) -> Call:
    return TOKENS, [(source, WRITABLE), (destination, WRITABLE), (AUTHORITY, SIGNER)], TRANSFER + number(amount)


def route_data(trade: Trade, deeds: Sequence[Call]) -> bytes:
    """route_v2 with the script after its head, or what is no such thing."""
    amount = trade.amount_in + 1 if trade.route.shape == "another amount" else trade.amount_in
    fees = {"platform fee": (1, 0), "positive slippage": (0, 1)}.get(trade.route.shape, (0, 0))
    steps = 0 if trade.route.shape == "no steps" else 1
    start = {"exact out": b"\x01" * 8, "v1": bytes.fromhex("e517cb977ae3ad2a")}.get(trade.route.shape, jupiter_v6.ROUTE_V2)
    data = start + struct.pack("<QQHHHI", amount, 1, 0, *fees, steps) + script_of(deeds)
    cut = {"short": data[:33], "empty": b"", "long": data + bytes(1_025 - len(data))}
    return cut.get(trade.route.shape, data)
