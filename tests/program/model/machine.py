"""Random sequences of everything that owner, bot, admin, router and strangers can do, on the program and on its model at once.

`test_vault_model.py` runs it. Amounts, nonces, times and prices are drawn near the borders that the state has at that moment.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from tests.program.model.chain import OWNERS, PLENTY, SIGNER, WRITABLE, Chain, mint_of, script_of, token_program_of
from tests.program.model.vault_model import (
    ALLOWLIST,
    ANY,
    BASE,
    CEILING,
    DAY,
    DELAY_MAX,
    DELAY_MIN,
    HOUR,
    SHAPES,
    STOWAWAYS,
    TAMPERINGS,
    U64_MAX,
    Booking,
    Guard,
    Route,
    Trade,
    Vault,
    policy_of,
    trade_authority_of,
    vault_of,
)
from tests.program.vault_world import USDC

from xorj.router import jupiter_v6
from xorj.vault import instructions
from xorj.vault.accounts import PROGRAM_ID

FILLERS = tuple(f"mint {n}" for n in range(17))
LIMIT_VALUES = {
    "spend_per_trade": (0, USDC, 60 * USDC, 100 * USDC, 10**12, U64_MAX),
    "spend_per_day": (0, 10 * USDC, 120 * USDC, 500 * USDC, 10**12),
    "loss_per_day": (0, 1, USDC, 3 * USDC, 50 * USDC, 10**12),
    "spend_per_trade_bps": (0, 1, 333, 1_000, 10_000, 10_001),
    "spend_per_day_bps": (0, 1_234, 5_000, 10_000, 65_535),
    "loss_per_day_bps": (0, 7, 200, 2_000, 10_000),
    "bot_expires_at": (-1, 0, 1, HOUR, 29 * DAY, 31 * DAY, 400 * DAY),
    "mint_mode": (0, 1, 1, 2),
}
PAIRS = ((BASE, "bonk"), (BASE, "bonk"), ("bonk", BASE), ("bonk", BASE), (BASE, "wif"), ("wif", BASE))
ODD_PAIRS = (("bonk", "wif"), (BASE, BASE), (BASE, "t22"), ("t22", BASE), (BASE, "dog"), ("dog", BASE))
FAULTS = (
    *(f"shape {shape}" for shape in SHAPES),
    *("pair",) * 6,
    *("epoch",) * 2,
    *(f"stowaway {stowaway}" for stowaway in STOWAWAYS),
    *(f"deed {deed}" for deed in (*TAMPERINGS, "give input back")),
    *("signer", "policy", "router", "minimum 0", "minimum too high"),
    *("late", "last slot", "far deadline", "deadline too far"),
    *(f"nonce {n}" for n in ("used", "base - 1", "base + 255", "base + 256", "base + 511", "base + 512", "2^63", "max")),
)
MALFORMED = {
    "trailing byte": "InstructionDidNotDeserialize",
    "cut": "InstructionDidNotDeserialize",
    "one account less": "AccountNotEnoughKeys",
    "not signed": "AccountNotSigner",
    "not writable": "ConstraintMut",
    "unknown": "InstructionFallbackNotFound",
}

owners = st.sampled_from(("ana",) * 5 + ("ben",))
seldom = st.sampled_from((False,) * 7 + (True,))
nearly_always = st.sampled_from((True,) * 5 + (False,))
sizes = st.sampled_from(("some", "some", "trade cap", "trade cap + 1", "day", "day + 1", "all", "all + 1", "nothing"))
prices = st.sampled_from(("fair", "fair", "better", "worse", "worst", "loss cap", "loss cap + 1", "less taken", "more taken", "none"))
shares = st.one_of(st.sampled_from((0, 1, 2, 499, 500, 999, 1_000)), st.integers(0, 1_000))


class VaultMachine(RuleBasedStateMachine):
    """`steps` and `outcomes` count over all sequences; the test clears and reads them."""

    steps = 0
    outcomes: ClassVar[Counter[tuple[str, str]]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.chain = Chain()
        self.model = self.chain.model
        self.age = 0

    # Saying and doing

    def does(self, name: str, predict: Callable[[], None], built: Instruction) -> str | None:
        error = self.chain.step(predict, built)
        self.outcomes[name, error or "ok"] += 1
        return error

    def by(self, name: str, method: Callable[..., None], built: Instruction, who: tuple[str, str, str], *arguments: object) -> None:
        """An instruction of (signer, owner, owner of the policy) whose accounts begin with signer, vault, policy."""
        signer, _, policy = who
        given = self.chain.signed_by(self.chain.with_policy_of(built, policy), signer)
        self.does(name, lambda: method(*who, *arguments), given)

    def key(self, name: str) -> Pubkey:
        return self.chain.addresses[name]

    def vault(self, owner: str) -> Vault | None:
        return self.model.world.vaults.get(owner)

    def held(self, holder: str, mint: str) -> int:
        account = self.model.world.tokens.get((holder, mint))
        return account.amount if account else 0

    def who(self, owner: str, stranger: str | None, other_policy: bool) -> tuple[str, str, str]:
        other = next(each for each in OWNERS if each != owner)
        return stranger or owner, owner, other if other_policy else owner

    # Config

    @initialize(
        cap=st.sampled_from((1_000 * USDC, 1_000 * USDC, 400 * USDC)),
        delay=st.sampled_from((DAY, DAY, HOUR)),
        mode=st.sampled_from((ALLOWLIST, ANY)),
        loss=st.sampled_from((10 * USDC, 10**12, USDC)),
    )
    def begin(self, cap: int, delay: int, mode: int, loss: int) -> None:
        self.initialize_config("eve", cap, delay)
        self.initialize_config("admin", CEILING + 1, delay)
        self.initialize_config("admin", cap, delay)
        for owner in OWNERS:
            self.initialize_vault(owner, False)
        self.deposit("ana", 500, None, False)
        wide = {"mint_mode": mode, "spend_per_trade_bps": 10_000, "spend_per_day": 10**12, "spend_per_trade": 10**12, "loss_per_day": loss}
        self._set_policy(("ana", "ana", "ana"), wide, ["bonk", "wif"], [])

    def initialize_config(self, authority: str, cap: int, delay: int) -> None:
        payer, guardian = self.key("admin"), self.key("guard")
        built = instructions.initialize_config(
            payer, self.key(authority), mint_of(BASE), admin=payer, guardian=guardian, vault_cap=cap, loosening_delay_s=delay
        )
        self.does("initialize_config", lambda: self.model.initialize_config(authority, "guard", cap, delay), built)

    @rule(
        authority=st.sampled_from(("admin", "admin", "admin", "guard", "guard", "spare bot", "eve")),
        changes=st.sampled_from(
            (
                {"paused": True},
                {"paused": False},
                {"paused": False},
                {"routers": 0},
                {"routers": 1},
                {"routers": 1},
                {"routers": 2},
                {"routers": 1, "paused": False},
                {"vault_cap": 1_000 * USDC},
                {"vault_cap": 450 * USDC},
                {"vault_cap": CEILING + 1},
                {"loosening_delay_s": DELAY_MIN - 1},
                {"loosening_delay_s": DELAY_MIN},
                {"loosening_delay_s": DELAY_MAX + 1},
                {"pending_admin": "spare bot"},
                {"pending_admin": "admin", "paused": True},
                {"guardian": "guard"},
                {"guardian": "eve", "vault_cap": U64_MAX},
                {},
            )
        ),
    )
    def update_config(self, authority: str, changes: dict[str, object]) -> None:
        keys = {name: self.key(str(value)) if name in ("pending_admin", "guardian") else value for name, value in changes.items()}
        built = instructions.update_config(self.key(authority), **keys)  # type: ignore[arg-type]  # a table of keyword arguments
        self.does("update_config", lambda: self.model.update_config(authority, changes), built)

    @rule(authority=st.sampled_from(("spare bot", "admin", "eve")), cap=st.sampled_from((None, None, 0, CEILING, U64_MAX)))
    def take_office(self, authority: str, cap: int | None) -> None:
        """By accepting it, or by making the config once more."""
        if cap is not None:
            self.initialize_config(authority, cap, DAY)
            return
        self.does("accept_admin", lambda: self.model.accept_admin(authority), instructions.accept_admin(self.key(authority)))

    # The owner

    @precondition(lambda self: len(self.model.world.vaults) < len(OWNERS) or self.age % 16 == 0)
    @rule(owner=owners, by_eve=seldom)
    def initialize_vault(self, owner: str, by_eve: bool) -> None:
        signer = "eve" if by_eve else owner
        built = self.chain.signed_by(instructions.initialize_vault(self.key(owner)), signer)
        self.does("initialize_vault", lambda: self.model.initialize_vault(signer, owner), built)

    @rule(owner=owners, share=shares, stranger=st.sampled_from((None,) * 9 + ("eve", "bot")), other_mint=seldom)
    def deposit(self, owner: str, share: int, stranger: str | None, other_mint: bool) -> None:
        """999 and 1,000 thousandths are the cap and one unit above it."""
        vault, mint = self.vault(owner), "bonk" if other_mint else BASE
        room = max(0, min(self.model.config.vault_cap, CEILING) - (vault.total_deposited if vault else 0))
        amount = {999: room, 1_000: room + 1, 2: U64_MAX}.get(share, room * share // 1_000)
        built = instructions.deposit(self.key(owner), mint_of(mint), amount)
        self.by("deposit", self.model.deposit, built, self.who(owner, stranger, False), mint, amount)

    @rule(
        owner=owners,
        mint=st.sampled_from((BASE, "bonk", "bonk", "wif", "t22")),
        share=shares,
        stranger=st.sampled_from((None,) * 9 + ("eve", "bot")),
        other_policy=seldom,
    )
    def withdraw(self, owner: str, mint: str, share: int, stranger: str | None, other_policy: bool) -> None:
        """999 and 1,000 thousandths are all there is and one unit more."""
        there = self.held(vault_of(owner), mint)
        amount = {999: there, 1_000: there + 1}.get(share, there * share // 3_000)
        built = instructions.withdraw(self.key(owner), mint_of(mint), amount, token_program=token_program_of(mint))
        self.by("withdraw", self.model.withdraw, built, self.who(owner, stranger, other_policy), mint, amount)

    @rule(
        owner=owners,
        bot=st.sampled_from(("bot",) * 5 + ("spare bot", "nobody", "ana", "ana's vault", "ana's policy", "ana's trade authority")),
        stranger=st.sampled_from((None,) * 9 + ("eve", "bot")),
        other_policy=seldom,
    )
    def grant(self, owner: str, bot: str, stranger: str | None, other_policy: bool) -> None:
        built = instructions.grant_bot_authority(self.key(owner), self.key(bot))
        self.by("grant_bot_authority", self.model.grant, built, self.who(owner, stranger, other_policy), bot)

    @rule(owner=owners, stranger=st.sampled_from((None, None, "eve", "bot")), other_policy=seldom)
    def revoke(self, owner: str, stranger: str | None, other_policy: bool) -> None:
        built = instructions.revoke_bot_authority(self.key(owner))
        self.by("revoke_bot_authority", self.model.revoke, built, self.who(owner, stranger, other_policy))

    @rule(owner=owners, really=seldom, other_policy=seldom)
    def deactivate(self, owner: str, really: bool, other_policy: bool) -> None:
        built = instructions.deactivate_vault(self.key(owner))
        self.by("deactivate_vault", self.model.deactivate, built, self.who(owner, None if really else "eve", other_policy))

    @rule(owner=owners, stranger=st.sampled_from((None, None, None, "eve", "bot")))
    def resume(self, owner: str, stranger: str | None) -> None:
        self.by("resume_vault", self.model.resume, instructions.resume_vault(self.key(owner)), self.who(owner, stranger, False))

    @rule(owner=owners, stranger=st.sampled_from((None, None, "eve", "bot")), other_policy=seldom, really=seldom)
    def close_vault(self, owner: str, stranger: str | None, other_policy: bool, really: bool) -> None:
        """Most vaults have a bot; then it is taken away first, when it really is to be. Then a griefer sends lamports to where it was."""
        vault = self.vault(owner)
        if really and vault is not None and vault.bot is not None:
            self.by("revoke_bot_authority", self.model.revoke, instructions.revoke_bot_authority(self.key(owner)), (owner, owner, owner))
        built = instructions.close_vault(self.key(owner))
        self.by("close_vault", self.model.close_vault, built, self.who(owner, stranger, other_policy))
        if really and self.vault(owner) is None:
            self._send_lamports(owner, vault_of(owner), 1_000_000)
            self.chain.looked_again()
            self.resume(owner, None)

    @rule(
        owner=owners,
        limits=st.dictionaries(st.sampled_from(tuple(LIMIT_VALUES)), st.integers(0, 100), max_size=3),
        pin=st.lists(st.sampled_from(("bonk", "bonk", "wif", "dog", "mint 0", BASE, "nobody")), max_size=2),
        unpin=st.lists(st.sampled_from(("bonk", "wif", "mint 0", "nobody")), max_size=2),
        stranger=st.sampled_from((None,) * 9 + ("eve", "bot")),
    )
    def set_policy(self, owner: str, limits: dict[str, int], pin: list[str], unpin: list[str], stranger: str | None) -> None:
        values = {name: LIMIT_VALUES[name][place % len(LIMIT_VALUES[name])] for name, place in limits.items()}
        if values.get("bot_expires_at", 0) >= HOUR:
            values["bot_expires_at"] += self.model.world.now
        self._set_policy(self.who(owner, stranger, False), values, pin, unpin)

    def _set_policy(self, who: tuple[str, str, str], values: dict[str, int], pin: list[str], unpin: list[str]) -> None:
        keys = {"pin": [mint_of(mint) for mint in pin], "unpin": [mint_of(mint) for mint in unpin]}
        built = instructions.set_policy(self.key(who[1]), **keys, **values)  # type: ignore[arg-type]  # a table of keyword arguments
        self.by("set_policy", self.model.set_policy, built, who, values, pin, unpin)

    @rule(owner=owners, count=st.integers(13, 17), off=st.booleans())
    def fill_slots(self, owner: str, count: int, off: bool) -> None:
        """Takes nearly all slots, or gives them back."""
        given = list(FILLERS[:count])
        self._set_policy((owner, owner, owner), {}, [] if off else given, given if off else [])

    @rule(owner=owners, mint=st.sampled_from((BASE, "bonk", "wif", "t22")), stranger=st.sampled_from((None, None, None, "eve")))
    def recover(self, owner: str, mint: str, stranger: str | None) -> None:
        signer = stranger or owner
        built = instructions.recover_trade_account(self.key(owner), mint_of(mint), token_program=token_program_of(mint))
        self.does("recover_trade_account", lambda: self.model.recover(signer, owner, mint), self.chain.signed_by(built, signer))

    @rule(
        owner=owners,
        mint=st.sampled_from(("wif", "t22", "dog", "bonk")),
        whose=st.sampled_from((vault_of, trade_authority_of, str)),
        stranger=st.sampled_from((None, None, None, "eve")),
    )
    def close_token_account(self, owner: str, mint: str, whose: Callable[[str], str], stranger: str | None) -> None:
        signer, holder = stranger or owner, whose(owner)
        built = instructions.close_token_account(self.key(owner), mint_of(mint), token_program=token_program_of(mint))
        metas = list(built.accounts)
        metas[2] = AccountMeta(self.key(holder), False, False)
        metas[3] = AccountMeta(self.chain.token(holder, mint), False, True)
        built = self.chain.signed_by(Instruction(built.program_id, built.data, metas), signer)
        self.does("close_token_account", lambda: self.model.close_token_account(signer, owner, holder, mint), built)

    # Owner or bot

    @rule(owner=owners, signer=st.sampled_from(("bot", "bot", "ana", "eve", "ben")), other_policy=seldom)
    def pause(self, owner: str, signer: str, other_policy: bool) -> None:
        built = instructions.pause_vault(self.key(signer), self.key(owner))
        self.by("pause_vault", self.model.pause, built, self.who(owner, signer, other_policy))

    @rule(owner=owners, signer=st.sampled_from(("bot", "bot", "ana", "eve")), fault=st.sampled_from(FAULTS))
    def burn_nonce(self, owner: str, signer: str, fault: str) -> None:
        guard = self._guard(owner, {fault})
        built = instructions.burn_nonce(self.key(signer), self.key(owner), instructions.Guard(guard.nonce, guard.epoch, guard.deadline))
        self.by("burn_nonce", self.model.burn_nonce, built, self.who(owner, signer, fault == "policy"), guard)

    # The bot

    @rule(owner=owners, pair=st.integers(0, 5), size=sizes, price=prices, share=st.integers(1, 1_000), ready=nearly_always)
    def bot_trade(self, owner: str, pair: int, size: str, price: str, share: int, ready: bool) -> None:
        if ready:
            self._make_ready(owner, share)
        self._trade(owner, pair, size, price, share, set())

    @rule(owner=owners, kept=st.integers(1, 900), price=prices, share=st.integers(1, 1_000))
    def bot_buys_and_sells(self, owner: str, kept: int, price: str, share: int) -> None:
        self._make_ready(owner, share)
        self._trade(owner, 0, "some", "fair", share, set())
        self._trade(owner, 2, "some", price, 2 * kept, set())

    @rule(
        owner=owners,
        pair=st.integers(0, 5),
        share=st.integers(1, 1_000),
        price=prices,
        fault=st.sampled_from(FAULTS),
        other=st.sampled_from(FAULTS),
    )
    def bot_trades_badly(self, owner: str, pair: int, share: int, price: str, fault: str, other: str) -> None:
        self._make_ready(owner, share)
        self._trade(owner, pair, "some", price, share, {fault, other} if share % 4 == 0 else {fault})

    def _trade(self, owner: str, pair: int, size: str, price: str, share: int, faults: set[str]) -> None:
        source, target = (ODD_PAIRS if "pair" in faults else PAIRS)[pair]
        amount_in = self._amount_in(owner, source, size, share)
        route = self._route(owner, source, amount_in, price, share)
        for fault in sorted(faults):
            kind, _, value = fault.partition(" ")
            if kind in ("shape", "stowaway", "deed"):
                route = replace(route, **{kind: value})
        vault = self.vault(owner)
        trade = Trade(
            signer="eve" if "signer" in faults else (vault.bot if vault else None) or "bot",
            owner=owner,
            policy_of=self.who(owner, None, "policy" in faults)[2],
            input_mint=source,
            output_mint=target,
            amount_in=amount_in,
            minimum=0 if "minimum 0" in faults else route.pay + ("minimum too high" in faults) or 1,
            guard=self._guard(owner, faults),
            route=route,
            router="tokens" if "router" in faults else "jupiter",
        )
        before = {mint: self.held(vault_of(owner), mint) + self.held(trade_authority_of(owner), mint) for mint in (source, target)}
        losses = len(vault.lost) if vault else 0
        if self.does("bot_trade", lambda: self.model.bot_trade(trade), self.chain.trade(trade)) is None:
            self._is_contained(trade, before)
            self._is_within_caps(trade, losses)

    def _amount_in(self, owner: str, source: str, size: str, share: int) -> int:
        vault = self.vault(owner)
        there = self.held(vault_of(owner), source) + self.held(trade_authority_of(owner), source)
        trade_cap = vault.cap("spend_per_trade", vault.total_deposited) if vault else 0
        day = vault.cap("spend_per_day", vault.total_deposited) - vault.in_day(vault.spent) if vault else 0
        least = min(trade_cap, there) if source == BASE else there
        amounts = {
            "trade cap": trade_cap,
            "trade cap + 1": trade_cap + 1,
            "day": day,
            "day + 1": day + 1,
            "all": there,
            "all + 1": there + 1,
        }
        return min(U64_MAX, max(0, amounts.get(size, 0 if size == "nothing" else max(1, least * share // 2_000))))

    def _route(self, owner: str, source: str, amount_in: int, price: str, share: int) -> Route:
        vault = self.vault(owner)
        position = vault.position(source) if vault else None
        cost = amount_in if source == BASE else 0
        if position is not None and position.units:
            cost = -(-position.cost * min(amount_in, position.units) // position.units)
        room = vault.cap("loss_per_day", vault.loss_basis()) - vault.in_day(vault.lost) if vault else 0
        fair = max(1, cost * (1_000 + share % 7) // 1_000)
        pays = {
            "better": 2 * fair,
            "worse": fair * 97 // 100,
            "worst": 1,
            "loss cap": cost - room,
            "loss cap + 1": cost - room - 1,
            "none": 0,
        }
        takes = {"less taken": amount_in * share // 1_000, "more taken": amount_in + 1}
        return Route(min(U64_MAX, takes.get(price, amount_in)), min(PLENTY, max(0, pays.get(price, fair))))

    def _guard(self, owner: str, faults: set[str]) -> Guard:
        vault, slot = self.vault(owner), self.model.world.slot
        base = vault.nonce_base if vault else 0
        used = max(vault.nonces_used, default=0) if vault else 0
        nonces = {
            "nonce used": used,
            "nonce base - 1": max(0, base - 1),
            "nonce base + 255": base + 255,
            "nonce base + 256": base + 256,
            "nonce base + 511": base + 511,
            "nonce base + 512": base + 512,
            "nonce 2^63": 2**63,
            "nonce max": U64_MAX,
        }
        deadlines = {"late": max(0, slot - 1), "last slot": slot, "far deadline": slot + 512, "deadline too far": slot + 513}
        return Guard(
            next((nonce for fault, nonce in nonces.items() if fault in faults), used + 1),
            (vault.epoch if vault else 0) + ("epoch" in faults),
            next((deadline for fault, deadline in deadlines.items() if fault in faults), slot + 10),
        )

    # Anybody

    def _called_by_a_program(self, owner: str) -> None:
        """The hostile router, called straight, calls bot_trade."""
        trade = self.chain.trade(Trade("bot", owner, owner, BASE, "bonk", USDC, 1, self._guard(owner, set()), Route(1, 1)))
        places = [(n + 1, SIGNER * meta.is_signer | WRITABLE * meta.is_writable) for n, meta in enumerate(trade.accounts)][:15]
        data = jupiter_v6.encode_route(1, 1, 0, [])[:34] + script_of([(0, places, bytes(trade.data))])
        metas = [AccountMeta(PROGRAM_ID, False, False), *trade.accounts[:15]]
        self.chain.refused(Instruction(jupiter_v6.PROGRAM, data, metas), "CalledByProgram")
        self.outcomes["bot_trade", "CalledByProgram"] += 1

    @rule(place=st.integers(0, 17), what=st.sampled_from(tuple(MALFORMED)))
    def malformed(self, place: int, what: str) -> None:
        if place == 17:
            self._called_by_a_program("ana")
        else:
            self._malformed(place, what)

    def _malformed(self, place: int, what: str) -> None:
        owner, bot = self.key("ana"), self.key("bot")
        guard = instructions.Guard(0, 0, 0)
        all_of_them = (
            instructions.initialize_config(
                bot, self.key("admin"), mint_of(BASE), admin=bot, guardian=bot, vault_cap=1, loosening_delay_s=DAY
            ),
            instructions.update_config(bot, paused=True),
            instructions.accept_admin(bot),
            instructions.initialize_vault(owner),
            instructions.deposit(owner, mint_of(BASE), 1),
            instructions.withdraw(owner, mint_of(BASE), 1),
            instructions.grant_bot_authority(owner, bot),
            instructions.revoke_bot_authority(owner),
            instructions.deactivate_vault(owner),
            instructions.pause_vault(bot, owner),
            instructions.resume_vault(owner),
            instructions.burn_nonce(bot, owner, guard),
            instructions.set_policy(owner),
            instructions.recover_trade_account(owner, mint_of(BASE)),
            instructions.close_token_account(owner, mint_of(BASE)),
            instructions.close_vault(owner),
            self.chain.trade(Trade("bot", "ana", "ana", BASE, "bonk", 1, 1, Guard(0, 0, 0), Route(1, 1))),
        )
        good = all_of_them[place]
        fixed = 15 if place == 16 else 7 if place in (5, 13) else len(good.accounts)
        data, metas = bytes(good.data), list(good.accounts[:fixed])
        first = metas[0]
        if what == "trailing byte":
            data += b"\x00"
        elif what == "cut":
            data = data[:-1]
        elif what == "one account less":
            metas.pop()
        elif what == "not signed":
            metas[0] = AccountMeta(first.pubkey, False, first.is_writable)
        elif what == "not writable":
            metas = [AccountMeta(meta.pubkey, meta.is_signer, False) for meta in metas]
        else:
            data = bytes(8) + data[8:]
        without_arguments = what == "cut" and len(good.data) == 8
        expected = "InstructionFallbackNotFound" if without_arguments else MALFORMED[what]
        self.chain.refused(Instruction(good.program_id, data, metas), expected)
        self.outcomes["malformed", expected] += 1

    @rule(
        slots=st.sampled_from((0, 1, 1, 1, 5, 600, -3)),
        seconds=st.sampled_from((0, 1, 60, HOUR, HOUR, 7 * HOUR, DAY, 25 * HOUR, 31 * DAY, -HOUR, -DAY)),
    )
    def wait(self, slots: int, seconds: int) -> None:
        """Also backwards."""
        world = self.model.world
        self.chain.at(max(1, world.slot + slots), world.now + seconds)

    @rule(
        owner=owners,
        what=st.sampled_from(("tokens", "tokens", "lamports", "frozen", "delegate", "nothing wrong", "nothing wrong")),
        is_vault=st.booleans(),
        mint=st.sampled_from(("usdc", "bonk", "wif", "t22", "dog")),
        amount=st.integers(1, 10**9),
    )
    def others_touch(self, owner: str, what: str, is_vault: bool, mint: str, amount: int) -> None:
        """Strangers send tokens and lamports and make token accounts, an issuer freezes; a delegate cannot really come to be."""
        holder = vault_of(owner) if is_vault else trade_authority_of(owner)
        account = self.model.world.tokens.get((holder, mint))
        if what == "lamports":
            self._send_lamports(owner, (holder, policy_of(owner))[amount % 2], 1_000_000 + amount)
        elif account is None:
            self.chain.plant_token(holder, mint, 0)
        elif what == "tokens":
            self.chain.plant_token(holder, mint, account.amount + amount, frozen=account.is_frozen, delegate=account.delegate)
        else:
            frozen = what == "frozen" and is_vault and mint == "wif"
            self.chain.plant_token(holder, mint, account.amount, frozen=frozen, delegate=what == "delegate" and mint == "wif")
        self.chain.looked_again()

    def _send_lamports(self, owner: str, name: str, lamports: int) -> None:
        vault = self.vault(owner)
        there = self.model.world.lamports.get(name, 0)
        if vault is not None and name != trade_authority_of(owner):
            there = vault.lamports if name == vault_of(owner) else vault.policy_lamports
        self.chain.plant_lamports(name, there + lamports)

    @rule(owner=owners, wide=st.booleans(), share=st.integers(300, 999))
    def set_right(self, owner: str, wide: bool, share: int) -> None:
        if wide:
            self._set_policy((owner, owner, owner), {"mint_mode": ANY, "spend_per_trade_bps": 10_000, "spend_per_day": 10**12}, [], [])
        self._make_ready(owner, share)

    def _make_ready(self, owner: str, share: int) -> None:
        """Owner and admin make trading possible again, so that sequences do not end in refusals."""
        config, world = self.model.config, self.model.world
        if config.is_paused and share % 8:
            built = instructions.update_config(self.key(config.admin), paused=False)
            self.does("update_config", lambda: self.model.update_config(config.admin, {"paused": False}), built)
        if not config.admits_router(world.now):
            built = instructions.update_config(self.key(config.admin), routers=1)
            self.does("update_config", lambda: self.model.update_config(config.admin, {"routers": 1}), built)
            self.chain.at(world.slot + 1, world.now + DAY)
        vault = self.vault(owner)
        if vault is not None and not vault.is_active:
            self.close_vault(owner, None, False, True)
        if self.vault(owner) is None:
            self.initialize_vault(owner, False)
        self._make_bot_ready(owner, share)

    def _make_bot_ready(self, owner: str, share: int) -> None:
        vault, who = self.model.world.vaults[owner], (owner, owner, owner)
        if vault.total_deposited < 50 * USDC:
            self.deposit(owner, 300 + share % 600, None, False)
        if vault.limits["mint_mode"] == ALLOWLIST and not (vault.may_be_bought("bonk", self.model.world.now) or share % 8 == 0):
            self._set_policy(who, {}, ["bonk"], list(FILLERS[:16]))
            position = self.model.world.vaults[owner].position("bonk")
            if position is not None:
                self.chain.at(self.model.world.slot + 1, max(self.model.world.now, position.listed_from))
        if vault.is_paused and share % 4:
            self.by("resume_vault", self.model.resume, instructions.resume_vault(self.key(owner)), who)
        if vault.bot is not None and self.model.world.now >= vault.limits["bot_expires_at"] and share % 8:
            self.by("revoke_bot_authority", self.model.revoke, instructions.revoke_bot_authority(self.key(owner)), who)
        if self.model.world.vaults[owner].bot is None:
            self.grant(owner, "bot", None, False)
        if self.model.world.slot <= self.model.world.vaults[owner].epoch and share % 8:
            self.chain.at(self.model.world.vaults[owner].epoch + 1, self.model.world.now)

    # What must always hold, whatever the model says

    def _is_contained(self, trade: Trade, before: dict[str, int]) -> None:
        """A trade took at most `amount_in` of one mint and brought at least the minimum of the other; nothing is left in between."""
        vault, authority = vault_of(trade.owner), trade_authority_of(trade.owner)
        after = {mint: self._on_chain(vault, mint) for mint in (trade.input_mint, trade.output_mint)}
        assert after[trade.input_mint] >= before[trade.input_mint] - trade.amount_in
        assert after[trade.output_mint] >= before[trade.output_mint] + trade.minimum
        assert self._on_chain(authority, trade.input_mint) == self._on_chain(authority, trade.output_mint) == 0

    def _is_within_caps(self, trade: Trade, losses_before: int) -> None:
        """Counted by the second over the last 24 hours, as if there were no buckets."""
        vault = self.model.world.vaults[trade.owner]
        if trade.input_mint == BASE:
            assert _in_true_day(vault.spent) <= vault.limits["spend_per_day"]
        elif len(vault.lost) > losses_before:
            assert _in_true_day(vault.lost) <= vault.limits["loss_per_day"]

    def _on_chain(self, holder: str, mint: str) -> int:
        raw = self.chain.mirror.raw[f"{holder}/{mint}"]
        return int.from_bytes(raw[16 + 64 : 16 + 72], "little") if raw else 0

    @invariant()
    def holds(self) -> None:
        type(self).steps += 1
        self.age += 1
        world = self.model.world
        for vault in world.vaults.values():
            assert vault.total_deposited <= CEILING
            assert vault.is_active or vault.bot is None
            assert len({slot.mint for slot in vault.slots if slot}) == sum(slot is not None for slot in vault.slots)
            assert all(slot.units or slot.cost == 0 for slot in vault.slots if slot)


def _in_true_day(book: list[Booking]) -> int:
    """A clock that went back does not make older what was booked before."""
    newest = max(booking.at for booking in book)
    return sum(booking.amount for booking in book if booking.at > newest - DAY and booking.hour > book[-1].hour - 24)
