"""Every store of copying and portfolio in one memory: what the flows run on. Its contract suite runs on PostgreSQL as well."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from xorj.copying.cause import Cause, derived_id, intent_id
from xorj.copying.decision import Decision, Side
from xorj.copying.follow import Caps, Follow, FollowMode
from xorj.copying.leader_trade import LeaderTrade
from xorj.copying.ports import UNDECIDED_TRADES_PER_ROUND_MAX, IdlePosition, PlannedCopy
from xorj.copying.situation import OpenIntent, Portfolio, Running, Switch
from xorj.copying.subscription import FollowChanges, Ranked, Subscription
from xorj.portfolio.attribution import Bought, Change, Holdings, Moved, Sold, attribute
from xorj.portfolio.ledger import LedgerCause, LedgerEntry
from xorj.portfolio.observed_vault import ObservedVault
from xorj.portfolio.ports import Copying
from xorj.primitives.ids import Address, Mint, Signature, Slot, UserId, Wallet

UNENDED = ("new", "reserved", "in_flight", "quarantined")


@dataclass
class IntentRow:
    """As much of an intent as copying writes and reads."""

    id: str
    vault: Address
    cause: Cause
    leg: int
    leader: Wallet
    side: Side
    input_mint: Mint
    output_mint: Mint
    amount_in_raw: int
    created_slot: Slot
    expires_slot: Slot
    has_decision: bool
    state: str = "new"
    reason: str | None = None


@dataclass
class SubscriptionRow:
    id: str
    user_id: UserId
    vault: Address
    leaders_max: int
    allocation_bps: int
    state: str = "active"
    reason: str | None = None


@dataclass(frozen=True)
class FillRow:
    vault: Address
    leader: Wallet
    side: Side
    slot: Slot
    block_time: int
    input_mint: Mint
    input_raw: int
    output_mint: Mint
    output_raw: int


@dataclass
class Memory:
    """The tables. Follows, subscriptions and vaults are made by `tests.fakes.copy_rows`."""

    users: dict[Wallet, UserId] = field(default_factory=dict)
    vaults: dict[Address, ObservedVault] = field(default_factory=dict)
    subscriptions: dict[str, SubscriptionRow] = field(default_factory=dict)
    follows: dict[str, Follow] = field(default_factory=dict)
    end_reasons: dict[str, str] = field(default_factory=dict)
    ranking: list[Ranked] | None = None
    cursors: dict[Wallet, Slot] = field(default_factory=dict)
    trades: dict[str, LeaderTrade] = field(default_factory=dict)
    decided: set[str] = field(default_factory=set)
    decisions: dict[tuple[str, Address], Decision] = field(default_factory=dict)
    intents: dict[str, IntentRow] = field(default_factory=dict)
    fills: list[FillRow] = field(default_factory=list)
    ledger: dict[tuple[Address, Signature, Mint], LedgerEntry] = field(default_factory=dict)
    vault_cursors: dict[Address, tuple[Signature, Slot]] = field(default_factory=dict)
    switch: Switch = field(default_factory=Running)

    def holdings_of(self, vault: Address) -> Holdings:
        base = self.vaults[vault].base_mint
        changes: list[Change] = [_trade(fill) for fill in self.fills if fill.vault == vault]
        entries = [each for each in self.ledger.values() if each.vault == vault and each.cause is not LedgerCause.TRADE]
        changes += [Moved(entry.slot, entry.mint, entry.delta_raw) for entry in entries if entry.mint != base]
        return attribute(vault, sorted(changes, key=lambda change: change.slot))


def _trade(fill: FillRow) -> Bought | Sold:
    if fill.side is Side.BUY:
        return Bought(fill.slot, fill.leader, fill.output_mint, fill.output_raw, fill.input_raw)
    return Sold(fill.slot, fill.leader, fill.input_mint, fill.input_raw, fill.output_raw)


class MemoryKillSwitch:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def state(self) -> Switch:
        return self._memory.switch


class MemoryFollows:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def undecided(self, trade: LeaderTrade) -> list[Follow]:
        found: dict[Address, Follow] = {}
        for follow in sorted(self._memory.follows.values(), key=lambda each: each.valid_from_slot):
            began = follow.valid_from_slot <= trade.slot
            lasts = follow.valid_to_slot is None or follow.valid_to_slot > trade.slot
            if follow.leader == trade.leader and began and lasts and (trade.id, follow.vault) not in self._memory.decisions:
                found[follow.vault] = follow
        return [found[vault] for vault in sorted(found)]

    async def leaders(self) -> list[Wallet]:
        return sorted({follow.leader for follow in self._memory.follows.values() if follow.valid_to_slot is None})


class MemoryLeaderTrades:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def cursor(self, leader: Wallet) -> Slot | None:
        return self._memory.cursors.get(leader)

    async def record(self, leader: Wallet, trades: Sequence[LeaderTrade], *, read_to: Slot) -> None:
        for trade in trades:
            self._memory.trades.setdefault(trade.id, trade)
        self._memory.cursors[leader] = max(read_to, self._memory.cursors.get(leader, read_to))

    async def undecided(self, limit: int = UNDECIDED_TRADES_PER_ROUND_MAX) -> list[LeaderTrade]:
        left = [trade for trade in self._memory.trades.values() if trade.id not in self._memory.decided]
        return sorted(left, key=lambda each: (each.slot, each.signature, each.swap_index))[:limit]


class MemoryDecisions:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def record(self, trade: LeaderTrade, copies: Sequence[PlannedCopy], *, is_decided: bool) -> None:
        for copy in copies:
            key = (trade.id, copy.follow.vault)
            if key not in self._memory.decisions:
                self._memory.decisions[key] = copy.decision
                add_intents(self._memory, copy, has_decision=True)
        if is_decided:
            self._memory.decided.add(trade.id)


def add_intents(memory: Memory, copy: PlannedCopy, *, has_decision: bool) -> None:
    for leg in copy.decision.legs:
        row = IntentRow(
            id=intent_id(copy.follow.vault, copy.cause, leg.index),
            vault=copy.follow.vault,
            cause=copy.cause,
            leg=leg.index,
            leader=copy.follow.leader,
            side=leg.side,
            input_mint=Mint(leg.input.mint),
            output_mint=leg.output_mint,
            amount_in_raw=leg.input.raw,
            created_slot=copy.slot,
            expires_slot=Slot(copy.slot + leg.life_slots),
            has_decision=has_decision,
        )
        memory.intents.setdefault(row.id, row)


class MemoryPortfolios:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def portfolios(self, vaults: Sequence[Address], *, since_unix_seconds: int) -> dict[Address, Portfolio]:
        return {vault: self._portfolio(vault, since_unix_seconds) for vault in vaults}

    def _portfolio(self, vault: Address, since: int) -> Portfolio:
        bought: defaultdict[Wallet, int] = defaultdict(int)
        for fill in self._memory.fills:
            if fill.vault == vault and fill.side is Side.BUY and fill.block_time >= since:
                bought[fill.leader] += fill.input_raw
        opened = [_open(row) for row in self._memory.intents.values() if row.vault == vault and row.state in UNENDED]
        return Portfolio(self._memory.holdings_of(vault), opened, dict(bought))


def _open(row: IntentRow) -> OpenIntent:
    return OpenIntent(
        row.side, row.leader, row.input_mint, row.output_mint, row.amount_in_raw, row.cause.kind, is_in_doubt=row.state == "quarantined"
    )


class MemoryMissedExits:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def idle_positions(self) -> list[IdlePosition]:
        busy_leaders = {trade.leader for trade in self._memory.trades.values() if trade.id not in self._memory.decided}
        opened = [each for each in self._memory.follows.values() if each.valid_to_slot is None and each.leader not in busy_leaders]
        return [
            IdlePosition(follow, position, *self._tried(follow, position.mint))
            for follow in opened
            for position in self._memory.holdings_of(follow.vault).open_positions()
            if position.leader == follow.leader and self._is_idle(follow, position.mint)
        ]

    async def record(self, copies: Sequence[PlannedCopy]) -> None:
        for copy in copies:
            add_intents(self._memory, copy, has_decision=False)

    def _is_idle(self, follow: Follow, mint: Mint) -> bool:
        rows = [row for row in self._memory.intents.values() if row.vault == follow.vault and row.state in UNENDED]
        touching = [
            each for each in self._memory.trades.values() if each.leader == follow.leader and mint in (each.input.mint, each.output.mint)
        ]
        last = max(touching, key=lambda each: (each.slot, each.swap_index), default=None)
        is_busy = any(_open(row).mint == mint and row.leader == follow.leader for row in rows)
        return not is_busy and last is not None and last.input.mint == mint

    def _tried(self, follow: Follow, mint: Mint) -> tuple[int, Slot | None]:
        rows = [row for row in self._memory.intents.values() if not row.has_decision and row.input_mint == mint]
        ours = [row.created_slot for row in rows if row.vault == follow.vault and row.leader == follow.leader]
        return len(ours), max(ours, default=None)


class MemorySubscriptions:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def newest_ranking(self) -> Sequence[Ranked] | None:
        return self._memory.ranking

    async def active(self) -> list[Subscription]:
        return [self._subscription(row) for row in self._memory.subscriptions.values() if row.state == "active"]

    async def apply(self, subscription: Subscription, changes: FollowChanges, *, slot: Slot) -> None:
        if self._memory.subscriptions[subscription.id].state != "active":
            return
        followed = {follow.leader: follow.id for follow in subscription.follows}
        for leader in changes.ended:
            end_follow(self._memory, followed[leader], "left the ranking", slot)
        for leader in changes.restored:
            self._set_mode(followed[leader], FollowMode.COPY)
        for leader in changes.exit_only:
            if leader in followed:
                self._set_mode(followed[leader], FollowMode.EXIT_ONLY)
            else:
                self._open(subscription, leader, FollowMode.EXIT_ONLY, slot)
        for leader in changes.opened:
            self._open(subscription, leader, FollowMode.COPY, slot)

    def _set_mode(self, follow_id: str, mode: FollowMode) -> None:
        self._memory.follows[follow_id] = replace(self._memory.follows[follow_id], mode=mode)

    def _open(self, subscription: Subscription, leader: Wallet, mode: FollowMode, slot: Slot) -> None:
        if not any(each.leader == leader and each.valid_to_slot is None for each in self._memory.follows.values()):
            self._memory.cursors[leader] = max(slot, self._memory.cursors.get(leader, slot))
        follow_id = derived_id("follow", subscription.id, leader, str(slot))
        made = Follow(
            follow_id,
            subscription.user_id,
            subscription.owner,
            subscription.vault,
            leader,
            subscription.allocation_bps,
            mode,
            slot,
            caps=subscription.caps,
        )
        self._memory.follows.setdefault(follow_id, made)

    def _subscription(self, row: SubscriptionRow) -> Subscription:
        opened = tuple(each for each in self._memory.follows.values() if each.vault == row.vault and each.valid_to_slot is None)
        held = {each.leader for each in self._memory.holdings_of(row.vault).open_positions() if each.leader}
        held |= {each.leader for each in self._memory.intents.values() if each.vault == row.vault and each.state in UNENDED}
        owner = self._memory.vaults[row.vault].owner
        return Subscription(row.id, row.user_id, owner, row.vault, row.leaders_max, row.allocation_bps, Caps(), opened, frozenset(held))


def end_follow(memory: Memory, follow_id: str, reason: str, slot: Slot) -> None:
    follow = memory.follows[follow_id]
    if follow.valid_to_slot is None:
        memory.follows[follow_id] = replace(follow, valid_to_slot=max(slot, follow.valid_from_slot))
        memory.end_reasons[follow_id] = reason


class MemoryVaults:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def known(self) -> list[ObservedVault]:
        return [vault for _, vault in sorted(self._memory.vaults.items()) if not vault.is_closed]

    async def wallets_without_vault(self) -> list[Wallet]:
        owners = {vault.owner for vault in self._memory.vaults.values() if not vault.is_closed}
        return [wallet for wallet in self._memory.users if wallet not in owners]

    async def copying(self) -> dict[Address, Copying]:
        found: dict[Address, Copying] = {}
        for row in self._memory.subscriptions.values():
            if row.state == "active":
                found[row.vault] = Copying((row.id,))
        for follow in self._memory.follows.values():
            if follow.valid_to_slot is None:
                before = found.get(follow.vault, Copying())
                found[follow.vault] = replace(before, follows=(*before.follows, follow.id))
        return found

    async def observe(self, vault: ObservedVault) -> None:
        before = self._memory.vaults.get(vault.address)
        if before is None or before.slot <= vault.slot:
            self._memory.vaults[vault.address] = vault

    async def end_copying(self, vault: Address, copying: Copying, reason: str, slot: Slot) -> None:
        for subscription_id in copying.subscriptions:
            row = self._memory.subscriptions[subscription_id]
            if row.state == "active":
                row.state, row.reason = "ended", reason
        for follow_id in copying.follows:
            end_follow(self._memory, follow_id, reason, slot)
        for intent in self._memory.intents.values():
            if intent.vault == vault and intent.state == "new":
                intent.state, intent.reason = "cancelled", reason


class MemoryLedger:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def book(self, entries: Sequence[LedgerEntry]) -> int:
        new = {(entry.vault, entry.signature, entry.mint): entry for entry in entries} | self._memory.ledger
        count = len(new) - len(self._memory.ledger)
        self._memory.ledger = new
        return count

    async def balances(self, vault: Address, *, at: Slot) -> dict[Mint, int]:
        sums: defaultdict[Mint, int] = defaultdict(int)
        for entry in self._memory.ledger.values():
            if entry.vault == vault and entry.slot <= at:
                sums[entry.mint] += entry.delta_raw
        return dict(sums)

    async def mints_under_way(self, vault: Address) -> frozenset[Mint]:
        rows = [row for row in self._memory.intents.values() if row.vault == vault and row.state in ("in_flight", "quarantined")]
        return frozenset(mint for row in rows for mint in (row.input_mint, row.output_mint))

    async def cursor(self, vault: Address) -> Signature | None:
        found = self._memory.vault_cursors.get(vault)
        return found[0] if found else None

    async def move_cursor(self, vault: Address, signature: Signature, slot: Slot) -> None:
        found = self._memory.vault_cursors.get(vault)
        if found is None or found[1] <= slot:
            self._memory.vault_cursors[vault] = (signature, slot)
