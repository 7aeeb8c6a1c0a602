//! The limits that set_policy changes, and the loosenings of them that are on their way.

use super::{policy::ANY_MINT, Policy};
use crate::{
    constants::{BOT_LIFETIME_SECONDS, BPS_PER_ONE},
    le::{I64, U16, U64},
    runtime::later,
};
use core::mem::offset_of;

/// A limit: where it lies in the policy, in how many bytes, and the most that it may be. For each of them a greater value is a looser one.
pub struct Limit {
    pub most: u64,
    offset: u16,
    pub size: u8,
}

macro_rules! limits {
    ($($field:ident: $size:literal, $most:expr;)*) => {
        [$(Limit { most: $most, offset: offset_of!(Policy, $field) as u16, size: $size }),*]
    };
}

/// In the order of set_policy's arguments and of the pending loosenings.
pub static LIMITS: [Limit; 8] = limits! {
    spend_per_trade: 8, u64::MAX;
    spend_per_day: 8, u64::MAX;
    loss_per_day: 8, u64::MAX;
    spend_per_trade_bps: 2, BPS_PER_ONE;
    spend_per_day_bps: 2, BPS_PER_ONE;
    loss_per_day_bps: 2, BPS_PER_ONE;
    // A negative time is read as a number beyond the most.
    bot_expires_at: 8, i64::MAX as u64;
    mint_mode: 1, ANY_MINT as u64;
};
/// Its place among the limits.
pub const BOT_EXPIRES_AT: usize = 6;

/// A loosening on its way. None when `effective_at` is 0.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct PendingValue {
    pub effective_at: I64,
    pub value: U64,
}

impl Policy {
    /// Moves loosenings whose time has come into force.
    #[inline(never)]
    pub fn apply_matured(&mut self, now: i64) {
        for n in 0..LIMITS.len() {
            let Some(pending) = self.pending.get(n) else { break };
            let at = pending.effective_at.get();
            if at != 0 && now >= at {
                let value = pending.value.get();
                self.store(n, value);
            }
        }
    }

    /// Sets limit `n`: at once when that tightens it or no bot has ever been granted, else at block time `effective_at`.
    #[inline(never)]
    pub fn change(&mut self, n: usize, value: u64, now: i64, effective_at: i64) {
        if self.was_granted == 0 || value <= self.in_force(n, now) {
            return self.store(n, value);
        }
        if let Some(pending) = self.pending.get_mut(n) {
            pending.effective_at.set(effective_at);
            pending.value.set(value);
        }
    }

    #[inline(never)]
    pub fn cancel(&mut self, n: usize) {
        if let Some(pending) = self.pending.get_mut(n) {
            pending.effective_at.set(0);
            pending.value.set(0);
        }
    }

    /// An unset expiry is what a grant would make of it.
    #[inline(always)]
    fn in_force(&mut self, n: usize, now: i64) -> u64 {
        let value = self.field(n).map_or(0, |field| field.get());
        if n == BOT_EXPIRES_AT && value == 0 {
            return later(now, BOT_LIFETIME_SECONDS).max(0) as u64;
        }
        value
    }

    /// Puts a value in force, which ends a loosening on its way. It has been checked by set_policy, so the narrowing ones fit.
    #[inline(never)]
    fn store(&mut self, n: usize, value: u64) {
        self.cancel(n);
        if let Some(field) = self.field(n) {
            field.set(value);
        }
    }

    #[inline(always)]
    fn field(&mut self, n: usize) -> Option<Field<'_>> {
        // SAFETY: the offsets and sizes are those of fields, all of which are bytes.
        LIMITS.get(n).map(|limit| unsafe {
            let at = (&raw mut *self).cast::<u8>().add(usize::from(limit.offset));
            match limit.size {
                8 => Field::Eight(&mut *at.cast()),
                2 => Field::Two(&mut *at.cast()),
                _ => Field::One(&mut *at),
            }
        })
    }
}

/// A limit in the policy, by its size.
enum Field<'a> {
    One(&'a mut u8),
    Two(&'a mut U16),
    Eight(&'a mut U64),
}

impl Field<'_> {
    #[inline(always)]
    fn get(&self) -> u64 {
        match self {
            Self::One(field) => (**field).into(),
            Self::Two(field) => field.get().into(),
            Self::Eight(field) => field.get(),
        }
    }

    #[inline(always)]
    fn set(self, value: u64) {
        match self {
            Self::One(field) => *field = value as u8,
            Self::Two(field) => field.set(value as u16),
            Self::Eight(field) => field.set(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::ALLOWLIST;

    const SPEND_PER_DAY: usize = 1;
    const MINT_MODE: usize = 7;

    fn policy() -> Box<Policy> {
        let mut policy: Box<Policy> = Box::new(unsafe { core::mem::zeroed() });
        policy.loosening_delay.set(3_600);
        policy
    }

    fn change(policy: &mut Policy, n: usize, value: u64, now: i64) {
        policy.change(n, value, now, now + 3_600);
    }

    #[test]
    fn before_the_first_grant_everything_acts_at_once() {
        let mut policy = policy();
        change(&mut policy, SPEND_PER_DAY, 900, 10);
        assert_eq!(policy.spend_per_day.get(), 900);
    }

    #[test]
    fn a_loosening_waits_and_a_tightening_cancels_it() {
        let mut policy = policy();
        policy.spend_per_day.set(100);
        policy.was_granted = 1;
        change(&mut policy, SPEND_PER_DAY, 900, 10);
        policy.apply_matured(3_609);
        assert_eq!(policy.spend_per_day.get(), 100);
        policy.apply_matured(3_610);
        assert_eq!(policy.spend_per_day.get(), 900);
        change(&mut policy, SPEND_PER_DAY, 1_000, 4_000);
        change(&mut policy, SPEND_PER_DAY, 50, 4_001);
        policy.apply_matured(i64::MAX);
        assert_eq!(policy.spend_per_day.get(), 50);
    }

    #[test]
    fn asking_again_restarts_the_clock() {
        let mut policy = policy();
        policy.was_granted = 1;
        change(&mut policy, MINT_MODE, 1, 10);
        change(&mut policy, MINT_MODE, 1, 1_000);
        policy.apply_matured(4_599);
        assert_eq!(policy.mint_mode, ALLOWLIST);
        policy.apply_matured(4_600);
        assert_eq!(policy.mint_mode, ANY_MINT);
    }

    #[test]
    fn every_limit_is_the_field_of_its_name() {
        let mut policy = policy();
        for n in 0..LIMITS.len() {
            change(&mut policy, n, n as u64 + 1, 0);
        }
        let amounts = [policy.spend_per_trade, policy.spend_per_day, policy.loss_per_day, policy.bot_expires_at].map(|field| field.get());
        let shares = [policy.spend_per_trade_bps, policy.spend_per_day_bps, policy.loss_per_day_bps].map(|field| field.get());
        assert_eq!((amounts, shares, policy.mint_mode), ([1, 2, 3, 7], [4, 5, 6], 8));
        assert_eq!(LIMITS[BOT_EXPIRES_AT].offset as usize, offset_of!(Policy, bot_expires_at));
    }
}
