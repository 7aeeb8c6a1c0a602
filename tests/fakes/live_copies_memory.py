"""How leaders stand with their copiers, in the memory of the flows. Its contract suite runs on PostgreSQL as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tests.fakes.copying_memory import UNENDED, FillRow, Memory

from xorj.copying.decision import Side
from xorj.copying.leader_trade import LeaderTrade
from xorj.copying.standing import SALE_SLOTS, WINDOWS_DAYS, Expectation, LeaderStanding, LiveDay, LiveLeader, Pause, SaleIntoCopies
from xorj.primitives.amounts import BPS_PER_ONE
from xorj.primitives.ids import USDC, Mint, Slot, Wallet

DAY_S = 86_400


@dataclass
class MemoryLiveCopies:
    """`promised` and `others` stand for the newest scoring run; `told` is what the outbox would hold, as (topic, key)."""

    memory: Memory
    promised: dict[Wallet, Expectation] = field(default_factory=dict)
    others: dict[Wallet, tuple[Wallet, ...]] = field(default_factory=dict)
    days: dict[tuple[Wallet, int], LiveDay] = field(default_factory=dict)
    pauses: dict[Wallet, Pause] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)

    async def standing(self, leader: Wallet, *, now_unix_seconds: int) -> LeaderStanding:
        others = self.others.get(leader, ())
        firsts = [fill.block_time for fill in self.memory.fills if fill.leader == leader]
        return LeaderStanding(
            leader=leader,
            leader_raw=self._at_stake(leader),
            owner_raw=sum(self._at_stake(each) for each in (leader, *others)),
            deposits_raw=sum(
                vault.total_deposited_raw for address, vault in self.memory.vaults.items() if not vault.is_closed and self._follows(address)
            ),
            live_days=max(0, now_unix_seconds - min(firsts)) // DAY_S if firsts else 0,
            others=others,
            pause=self.pauses.get(leader),
        )

    async def expected(self, leaders: Sequence[Wallet]) -> Mapping[Wallet, Expectation]:
        return {leader: self.promised[leader] for leader in leaders if leader in self.promised}

    async def live(self) -> list[LiveLeader]:
        found = []
        for leader in sorted({fill.leader for fill in self.memory.fills}):
            realised, held = 0, dict[Mint, tuple[int, int]]()
            for vault in {fill.vault for fill in self.memory.fills if fill.leader == leader}:
                for (whose, mint), position in self.memory.holdings_of(vault).positions.items():
                    if whose == leader:
                        realised += position.realised_raw
                        units, cost = held.get(mint, (0, 0))
                        held[mint] = units + position.units_raw, cost + position.base_cost_raw
            found.append(LiveLeader(leader, realised, {mint: both for mint, both in held.items() if both[0]}, self._allotted(leader)))
        return found

    async def looked(self, leader: Wallet, today: LiveDay) -> list[LiveDay]:
        self.days[leader, today.day] = today
        mine = sorted((day for (whose, _), day in self.days.items() if whose == leader and day.day <= today.day), key=lambda day: day.day)
        before = [day for day in mine if day.day <= today.day - max(WINDOWS_DAYS)]
        return [*before[-1:], *(day for day in mine if day.day > today.day - max(WINDOWS_DAYS))]

    async def sales(self, *, since_unix_seconds: int) -> list[SaleIntoCopies]:
        trades = sorted(self.memory.trades.values(), key=lambda trade: (trade.slot, trade.id))
        found = []
        for sale in trades:
            if sale.closed_mint is None or (sale.block_time or 0) < since_unix_seconds:
                continue
            copies = [fill for fill in self.memory.fills if _bought_before(fill, sale)]
            first = min((fill.slot for fill in copies), default=Slot(0))
            entries = [
                each for each in trades if each.leader == sale.leader and each.opened_mint == sale.closed_mint and each.slot <= first
            ]
            if copies and entries and (sold := _usd(sale)) is not None and entries[-1].value_usd is not None:
                entry = entries[-1]
                paid = sum(fill.input_raw for fill in copies), sum(fill.output_raw for fill in copies)
                decimals = sale.input.decimals
                found.append(
                    SaleIntoCopies(
                        sale.leader,
                        sale.id,
                        sale.closed_mint,
                        sale.slot,
                        Decimal(entries[-1].value_usd) / Decimal(entry.output.raw).scaleb(-decimals),
                        sold / Decimal(sale.input.raw).scaleb(-decimals),
                        Decimal(paid[0]).scaleb(-6) / Decimal(paid[1]).scaleb(-decimals),
                    )
                )
        return [sale for sale in found if sale.is_one]

    async def change(self, begun: Sequence[Pause], ended: Sequence[Wallet], sales: Sequence[SaleIntoCopies], slot: Slot) -> int:
        for pause in begun:
            if pause.leader not in self.pauses:
                self.pauses[pause.leader] = pause
                self.told.append(("leader_paused", f"{pause.leader}:{pause.slot}"))
        for leader in ended:
            if self.pauses.pop(leader, None) is not None:
                self.told.append(("leader_resumed", leader))
        new = [("leader_sold_into_copies", sale.trade_id) for sale in sales]
        new = [one for one in new if one not in self.told]
        self.told += new
        return len(new)

    async def paused(self) -> Mapping[Wallet, Pause]:
        return dict(self.pauses)

    def _at_stake(self, leader: Wallet) -> int:
        held = sum(self.memory.holdings_of(vault).exposure_raw(leader) for vault in self.memory.vaults)
        rows = self.memory.intents.values()
        opening = [row.amount_in_raw for row in rows if row.leader == leader and row.state in UNENDED and row.side is Side.BUY]
        return held + sum(opening)

    def _follows(self, vault: str) -> bool:
        return any(follow.vault == vault and follow.valid_to_slot is None for follow in self.memory.follows.values())

    def _allotted(self, leader: Wallet) -> int:
        follows = [each for each in self.memory.follows.values() if each.leader == leader and each.valid_to_slot is None]
        deposits = {each.vault: self.memory.vaults[each.vault].total_deposited_raw for each in follows}
        return sum(deposits[each.vault] * each.allocation_bps // BPS_PER_ONE for each in follows)


def _bought_before(fill: FillRow, sale: LeaderTrade) -> bool:
    bought = fill.leader == sale.leader and fill.side is Side.BUY and fill.output_mint == sale.closed_mint
    return bought and sale.slot - SALE_SLOTS <= fill.slot <= sale.slot


def _usd(sale: LeaderTrade) -> Decimal | None:
    return Decimal(sale.output.raw).scaleb(-6) if sale.output.mint == USDC else sale.value_usd
