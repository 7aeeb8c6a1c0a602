//! VaultPolicy: what the chain lets the bot do, and what it has done in the rolling day. 1,692 bytes, every field at a fixed offset.

use crate::{
    accounts::set,
    budget::{self, BUCKETS},
    constants::*,
    error::VaultError,
    le::{I64, U16, U64},
    runtime,
};
use pinocchio::{address::address_eq, Address};

pub const SLOTS: usize = 16;
pub const ALLOWLIST: u8 = 0;
pub const ANY_MINT: u8 = 1;

/// One mint the vault may hold. Free when the mint is all zeroes.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct PositionSlot {
    pub mint: Address,
    /// Block time from which the allowlist lets it be bought; 0: not pinned.
    pub pinned_from: I64,
    /// Units bought by trades and still held.
    pub units: U64,
    /// What those units cost, in base units of the base mint.
    pub base_cost: U64,
}

/// A loosening on its way. None when `effective_at` is 0.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct PendingValue {
    pub effective_at: I64,
    pub value: U64,
}

#[repr(C)]
pub struct Policy {
    pub discriminator: [u8; 8],
    pub version: u8,
    pub vault: Address,
    pub base_mint: Address,
    pub trade_authority: Address,
    pub bump: u8,
    pub trade_authority_bump: u8,
    pub paused: u8,
    /// A bot has been granted before, so loosenings wait.
    pub was_granted: u8,
    /// Slot of the last grant.
    pub bot_epoch: U64,
    pub nonce_base: U64,
    /// Bit i: nonce_base + i is used.
    pub nonce_bitmap: [U64; 4],
    pub spend_per_trade: U64,
    pub spend_per_day: U64,
    pub loss_per_day: U64,
    pub spend_per_trade_bps: U16,
    pub spend_per_day_bps: U16,
    pub loss_per_day_bps: U16,
    /// 0: set by the next grant.
    pub bot_expires_at: U64,
    pub mint_mode: u8,
    /// Newest hour of block time seen, in whole hours.
    pub window_hour: U64,
    /// By hour modulo 25.
    pub spend_buckets: [U64; BUCKETS],
    pub loss_buckets: [U64; BUCKETS],
    pub slots: [PositionSlot; SLOTS],
    /// One for each of `LIMITS`, in their order.
    pub pending: [PendingValue; LIMITS.len()],
    /// Seconds, copied from Config when the vault was made.
    pub loosening_delay: I64,
    pub reserved: [u8; 56],
}

/// The limits that set_policy changes, in the order of its arguments. For each of them a greater value is a looser one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    SpendPerTrade,
    SpendPerDay,
    LossPerDay,
    SpendPerTradeBps,
    SpendPerDayBps,
    LossPerDayBps,
    BotExpiresAt,
    MintMode,
}

pub static LIMITS: [Limit; 8] = [
    Limit::SpendPerTrade,
    Limit::SpendPerDay,
    Limit::LossPerDay,
    Limit::SpendPerTradeBps,
    Limit::SpendPerDayBps,
    Limit::LossPerDayBps,
    Limit::BotExpiresAt,
    Limit::MintMode,
];

impl Policy {
    pub const LEN: usize = 1_692;
    pub const VERSION: u8 = 1;
    pub const DISCRIMINATOR: [u8; 8] = [0x72, 0x5f, 0x21, 0x63, 0xe4, 0x52, 0x74, 0x62];

    /// The safe defaults of a new vault, in an account of zeroes.
    #[inline(never)]
    pub fn begin(&mut self) {
        self.discriminator = Self::DISCRIMINATOR;
        self.version = Self::VERSION;
        self.spend_per_trade.set(SPEND_PER_TRADE);
        self.spend_per_day.set(SPEND_PER_DAY);
        self.loss_per_day.set(LOSS_PER_DAY);
        self.spend_per_trade_bps.set(SPEND_PER_TRADE_BPS);
        self.spend_per_day_bps.set(SPEND_PER_DAY_BPS);
        self.loss_per_day_bps.set(LOSS_PER_DAY_BPS);
    }

    #[inline(never)]
    pub fn limit(&self, limit: Limit) -> u64 {
        match limit {
            Limit::SpendPerTrade => self.spend_per_trade.get(),
            Limit::SpendPerDay => self.spend_per_day.get(),
            Limit::LossPerDay => self.loss_per_day.get(),
            Limit::SpendPerTradeBps => self.spend_per_trade_bps.get().into(),
            Limit::SpendPerDayBps => self.spend_per_day_bps.get().into(),
            Limit::LossPerDayBps => self.loss_per_day_bps.get().into(),
            Limit::BotExpiresAt => self.bot_expires_at.get(),
            Limit::MintMode => self.mint_mode.into(),
        }
    }

    /// `value` has been checked by set_policy, so the narrowing ones fit.
    #[inline(never)]
    fn store(&mut self, limit: Limit, value: u64) {
        match limit {
            Limit::SpendPerTrade => self.spend_per_trade.set(value),
            Limit::SpendPerDay => self.spend_per_day.set(value),
            Limit::LossPerDay => self.loss_per_day.set(value),
            Limit::SpendPerTradeBps => self.spend_per_trade_bps.set(value as u16),
            Limit::SpendPerDayBps => self.spend_per_day_bps.set(value as u16),
            Limit::LossPerDayBps => self.loss_per_day_bps.set(value as u16),
            Limit::BotExpiresAt => self.bot_expires_at.set(value),
            Limit::MintMode => self.mint_mode = value as u8,
        }
    }

    /// Moves loosenings whose time has come into force.
    #[inline(never)]
    pub fn apply_matured(&mut self, now: i64) {
        for &limit in &LIMITS {
            let pending = self.pending(limit);
            let at = pending.effective_at.get();
            if at != 0 && now >= at {
                let value = pending.value.get();
                self.cancel(limit);
                self.store(limit, value);
            }
        }
    }

    /// Sets one limit: at once when that tightens it or no bot has ever been granted, else after the delay.
    #[inline(never)]
    pub fn change(&mut self, limit: Limit, value: u64, now: i64) {
        if self.was_granted == 0 || value <= self.in_force(limit, now) {
            self.cancel(limit);
            self.store(limit, value);
        } else {
            let effective_at = runtime::later(now, self.loosening_delay.get());
            let pending = self.pending_mut(limit);
            pending.effective_at.set(effective_at);
            pending.value.set(value);
        }
    }

    #[inline(never)]
    pub fn cancel(&mut self, limit: Limit) {
        self.pending_mut(limit).effective_at.set(0);
        self.pending_mut(limit).value.set(0);
    }

    /// An unset expiry is what a grant would make of it.
    fn in_force(&self, limit: Limit, now: i64) -> u64 {
        let value = self.limit(limit);
        if limit == Limit::BotExpiresAt && value == 0 {
            return runtime::later(now, BOT_LIFETIME_SECONDS).max(0) as u64;
        }
        value
    }

    fn pending(&self, limit: Limit) -> &PendingValue {
        // The array has one entry for each limit.
        #[allow(clippy::indexing_slicing)]
        &self.pending[limit as usize]
    }

    fn pending_mut(&mut self, limit: Limit) -> &mut PendingValue {
        #[allow(clippy::indexing_slicing)]
        &mut self.pending[limit as usize]
    }

    #[inline(always)]
    pub fn slot_of(&self, mint: &Address) -> Option<usize> {
        let index = self.first_slot_of(mint);
        (index < SLOTS).then_some(index)
    }

    /// The number of slots where there is none.
    #[inline(never)]
    fn first_slot_of(&self, mint: &Address) -> usize {
        self.slots.iter().position(|slot| address_eq(&slot.mint, mint)).unwrap_or(SLOTS)
    }

    pub fn slot_mut(&mut self, index: usize) -> Result<&mut PositionSlot, VaultError> {
        self.slots.get_mut(index).ok_or(VaultError::NoFreeSlot)
    }

    fn free_slot(&self) -> Result<usize, VaultError> {
        self.slot_of(&SYSTEM_PROGRAM).ok_or(VaultError::NoFreeSlot)
    }

    /// The slot that a buy of `mint` at block time `now` goes to.
    pub fn slot_for_buy(&mut self, mint: &Address, now: i64) -> Result<usize, VaultError> {
        let held = self.slot_of(mint);
        if self.mint_mode == ANY_MINT {
            let index = held.map_or_else(|| self.free_slot(), Ok)?;
            set(&mut self.slot_mut(index)?.mint, mint);
            return Ok(index);
        }
        let index = held.ok_or(VaultError::MintNotAllowed)?;
        if self.slot_mut(index)?.is_listed(now) {
            Ok(index)
        } else {
            Err(VaultError::MintNotAllowed)
        }
    }

    /// The slot that a sale of `mint` is charged to. Without one nothing is known of the units and they cost nothing; the allowlist
    /// lets only listed and held mints be sold.
    pub fn slot_for_sale(&self, mint: &Address, now: i64) -> Result<Option<usize>, VaultError> {
        let Some(index) = self.slot_of(mint) else {
            return if self.mint_mode == ANY_MINT { Ok(None) } else { Err(VaultError::MintNotAllowed) };
        };
        let slot = self.slots.get(index).ok_or(VaultError::NoFreeSlot)?;
        if self.mint_mode == ANY_MINT || slot.is_listed(now) || slot.units.get() > 0 {
            Ok(Some(index))
        } else {
            Err(VaultError::MintNotAllowed)
        }
    }

    /// Puts a mint on the list, from block time `from`. A slot is reserved at once. A mint that is listed already stays so; a request that
    /// is still pending starts its clock again.
    #[inline(never)]
    pub fn pin(&mut self, mint: &Address, from: i64, now: i64) -> Result<(), VaultError> {
        let index = self.slot_of(mint).map_or_else(|| self.free_slot(), Ok)?;
        let slot = self.slot_mut(index)?;
        set(&mut slot.mint, mint);
        if !slot.is_listed(now) {
            slot.pinned_from.set(from);
        }
        Ok(())
    }

    /// Takes a mint off the list. What is held may still be sold. The address of zeroes finds a free slot, which stays free.
    #[inline(never)]
    pub fn unpin(&mut self, mint: &Address) {
        let index = self.first_slot_of(mint);
        if let Some(slot) = self.slots.get_mut(index) {
            slot.pinned_from.set(0);
            slot.free_when_unused();
        }
    }

    /// What the loss cap's share counts: the larger of deposits and the cost of all that is held.
    #[inline(never)]
    pub fn loss_basis(&self, total_deposited: u64) -> u64 {
        let held = self.slots.iter().fold(0u64, |sum, slot| sum.saturating_add(slot.base_cost.get()));
        held.max(total_deposited)
    }

    /// Moves the rolling windows on to block time `now`.
    #[inline(never)]
    pub fn advance_window(&mut self, now: i64) {
        let newest = self.window_hour.get();
        let hour = budget::hour_of(now);
        self.window_hour.set(budget::advance(newest, hour, &mut self.spend_buckets, &mut self.loss_buckets));
    }

    /// Counts a buy against both spend caps.
    #[inline(never)]
    pub fn charge_spend(&mut self, amount: u64, total_deposited: u64) -> Result<(), VaultError> {
        if amount > budget::cap(self.spend_per_trade.get(), self.spend_per_trade_bps.get(), total_deposited) {
            return Err(VaultError::TradeLimitExceeded);
        }
        let cap = budget::cap(self.spend_per_day.get(), self.spend_per_day_bps.get(), total_deposited);
        budget::charge(&mut self.spend_buckets, self.window_hour.get(), amount, cap, VaultError::SpendLimitExceeded)
    }

    /// Counts what a sale brought in below cost. `basis` is `loss_basis` as it was before the sale.
    #[inline(never)]
    pub fn charge_loss(&mut self, amount: u64, basis: u64) -> Result<(), VaultError> {
        if amount == 0 {
            return Ok(());
        }
        let cap = budget::cap(self.loss_per_day.get(), self.loss_per_day_bps.get(), basis);
        budget::charge(&mut self.loss_buckets, self.window_hour.get(), amount, cap, VaultError::LossLimitExceeded)
    }
}

impl PositionSlot {
    fn is_listed(&self, now: i64) -> bool {
        self.pinned_from.get() != 0 && now >= self.pinned_from.get()
    }

    pub fn add(&mut self, units: u64, cost: u64) -> Result<(), VaultError> {
        self.units.set(self.units.get().checked_add(units).ok_or(VaultError::MathOverflow)?);
        self.base_cost.set(self.base_cost.get().checked_add(cost).ok_or(VaultError::MathOverflow)?);
        Ok(())
    }

    /// Takes up to `units` out of the known ones and returns their cost, rounded up: what is sold bears the rounding.
    pub fn sell(&mut self, units: u64) -> Result<u64, VaultError> {
        let (held, cost) = (self.units.get(), self.base_cost.get());
        let sold = units.min(held);
        if sold == 0 {
            return Ok(0);
        }
        let sold_cost = budget::mul_div_ceil(cost, sold, held).ok_or(VaultError::MathOverflow)?;
        self.units.set(held - sold);
        self.base_cost.set(cost - sold_cost);
        self.free_when_unused();
        Ok(sold_cost)
    }

    /// The owner took `taken` units out and `left` remain in that account. Known units fall only as far as they must, and their cost is
    /// rounded so that what remains keeps the larger part.
    pub fn withdraw(&mut self, taken: u64, left: u64) -> Result<(), VaultError> {
        let (held, cost) = (self.units.get(), self.base_cost.get());
        let gone = taken.min(held.saturating_sub(left));
        if gone == 0 {
            return Ok(());
        }
        let gone_cost = budget::mul_div_floor(cost, gone, held).ok_or(VaultError::MathOverflow)?;
        self.units.set(held - gone);
        self.base_cost.set(cost - gone_cost);
        self.free_when_unused();
        Ok(())
    }

    #[inline(never)]
    fn free_when_unused(&mut self) {
        if self.units.get() == 0 && self.pinned_from.get() == 0 {
            set(&mut self.mint, &SYSTEM_PROGRAM);
            self.base_cost.set(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Box<Policy> {
        let mut policy: Box<Policy> = Box::new(unsafe { core::mem::zeroed() });
        policy.loosening_delay.set(3_600);
        policy
    }

    fn mint(byte: u8) -> Address {
        Address::new_from_array([byte; 32])
    }

    #[test]
    fn before_the_first_grant_everything_acts_at_once() {
        let mut policy = policy();
        policy.change(Limit::SpendPerDay, 900, 10);
        assert_eq!(policy.limit(Limit::SpendPerDay), 900);
    }

    #[test]
    fn a_loosening_waits_and_a_tightening_cancels_it() {
        let mut policy = policy();
        policy.spend_per_day.set(100);
        policy.was_granted = 1;
        policy.change(Limit::SpendPerDay, 900, 10);
        policy.apply_matured(3_609);
        assert_eq!(policy.limit(Limit::SpendPerDay), 100);
        policy.apply_matured(3_610);
        assert_eq!(policy.limit(Limit::SpendPerDay), 900);
        policy.change(Limit::SpendPerDay, 1_000, 4_000);
        policy.change(Limit::SpendPerDay, 50, 4_001);
        policy.apply_matured(i64::MAX);
        assert_eq!(policy.limit(Limit::SpendPerDay), 50);
    }

    #[test]
    fn asking_again_restarts_the_clock() {
        let mut policy = policy();
        policy.was_granted = 1;
        policy.change(Limit::MintMode, 1, 10);
        policy.change(Limit::MintMode, 1, 1_000);
        policy.apply_matured(4_599);
        assert_eq!(policy.mint_mode, ALLOWLIST);
        policy.apply_matured(4_600);
        assert_eq!(policy.mint_mode, ANY_MINT);
    }

    #[test]
    fn a_later_pin_of_a_listed_mint_changes_nothing() {
        let mut policy = policy();
        policy.pin(&mint(1), 1, 1).unwrap();
        policy.pin(&mint(1), 5_000, 2).unwrap();
        assert_eq!(policy.slot_for_buy(&mint(1), 2), Ok(0));
    }

    #[test]
    fn a_pending_pin_cannot_be_bought_and_starts_again_when_asked_again() {
        let mut policy = policy();
        policy.pin(&mint(1), 100, 1).unwrap();
        assert_eq!(policy.slot_for_buy(&mint(1), 99), Err(VaultError::MintNotAllowed));
        policy.pin(&mint(1), 200, 99).unwrap();
        assert_eq!(policy.slot_for_buy(&mint(1), 199), Err(VaultError::MintNotAllowed));
        assert_eq!(policy.slot_for_buy(&mint(1), 200), Ok(0));
    }

    #[test]
    fn any_mint_takes_a_free_slot_and_gives_it_back() {
        let mut policy = policy();
        policy.mint_mode = ANY_MINT;
        for byte in 1..=16 {
            let index = policy.slot_for_buy(&mint(byte), 0).unwrap();
            policy.slots[index].add(10, 100).unwrap();
        }
        assert_eq!(policy.slot_for_buy(&mint(17), 0), Err(VaultError::NoFreeSlot));
        assert_eq!(policy.slots[4].sell(10), Ok(100));
        assert_eq!(policy.slot_for_buy(&mint(17), 0), Ok(4));
    }

    #[test]
    fn an_unlisted_mint_that_is_held_may_still_be_sold() {
        let mut policy = policy();
        policy.pin(&mint(1), 1, 1).unwrap();
        policy.slots[0].add(10, 100).unwrap();
        policy.unpin(&mint(1));
        assert_eq!(policy.slot_for_buy(&mint(1), 9), Err(VaultError::MintNotAllowed));
        assert_eq!(policy.slot_for_sale(&mint(1), 9), Ok(Some(0)));
        policy.slots[0].sell(10).unwrap();
        assert_eq!(policy.slot_for_sale(&mint(1), 9), Err(VaultError::MintNotAllowed));
    }

    #[test]
    fn parts_of_a_sale_never_cost_less_than_the_whole() {
        let mut slot = PositionSlot { mint: mint(1), pinned_from: I64::default(), units: U64::default(), base_cost: U64::default() };
        slot.add(7, 100).unwrap();
        let parts: Vec<u64> = (0..7).map(|_| slot.sell(1).unwrap()).collect();
        assert_eq!(parts.iter().sum::<u64>(), 100);
        assert_eq!(parts[0], 15, "rounded up at first");
        assert_eq!(slot.sell(5), Ok(0), "unknown units cost nothing");
    }

    #[test]
    fn what_the_owner_takes_leaves_the_cost_of_the_rest() {
        let slot = |units, cost| {
            let mut slot = PositionSlot { mint: mint(1), pinned_from: I64::default(), units: U64::default(), base_cost: U64::default() };
            slot.add(units, cost).unwrap();
            slot
        };
        let cases = [
            // units, cost, taken, left -> units, cost
            ((100, 50, 30, 70), (70, 35)),
            ((3, 10, 1, 2), (2, 7)),
            ((100, 50, 100, 100), (100, 50)),
            ((100, 50, 1, 0), (99, 50)),
            ((100, 50, 100, 0), (0, 0)),
        ];
        for ((units, cost, taken, left), expected) in cases {
            let mut slot = slot(units, cost);
            slot.withdraw(taken, left).unwrap();
            assert_eq!((slot.units.get(), slot.base_cost.get()), expected);
        }
    }

    #[test]
    fn caps_of_a_trade_and_of_a_day() {
        let mut policy = policy();
        policy.spend_per_trade.set(100);
        policy.spend_per_trade_bps.set(10_000);
        policy.spend_per_day.set(150);
        policy.spend_per_day_bps.set(10_000);
        policy.advance_window(7_200);
        assert_eq!(policy.charge_spend(101, 1_000), Err(VaultError::TradeLimitExceeded));
        assert_eq!(policy.charge_spend(100, 1_000), Ok(()));
        assert_eq!(policy.charge_spend(51, 1_000), Err(VaultError::SpendLimitExceeded));
        assert_eq!(policy.charge_spend(50, 1_000), Ok(()));
        policy.advance_window(7_200 + 24 * 3_600);
        assert_eq!(policy.charge_spend(1, 1_000), Err(VaultError::SpendLimitExceeded));
        policy.advance_window(7_200 + 25 * 3_600);
        assert_eq!(policy.charge_spend(100, 1_000), Ok(()));
    }
}
