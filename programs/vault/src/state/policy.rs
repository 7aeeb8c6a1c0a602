//! VaultPolicy: what the chain lets the bot do, and what it has done in the rolling day. 1,692 bytes, every field at a fixed offset.

use super::{
    limits::{PendingValue, LIMITS},
    position::{PositionSlot, SLOTS},
};
use crate::{
    budget::{self, BUCKETS},
    constants::*,
    error::{require, Checked, VaultError},
    le::{I64, U16, U64},
};
use pinocchio::Address;

pub const ALLOWLIST: u8 = 0;
pub const ANY_MINT: u8 = 1;

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

    /// Moves the rolling windows on to block time `now`.
    #[inline(never)]
    pub fn advance_window(&mut self, now: i64) {
        let newest = self.window_hour.get();
        let hour = budget::hour_of(now);
        self.window_hour.set(budget::advance(newest, hour, &mut self.spend_buckets, &mut self.loss_buckets));
    }

    /// Counts a buy against both spend caps.
    #[inline(never)]
    pub fn charge_spend(&mut self, amount: u64, total_deposited: u64) -> Checked {
        let cap = budget::cap(self.spend_per_trade.get(), self.spend_per_trade_bps.get(), total_deposited);
        require(amount <= cap, VaultError::TradeLimitExceeded)?;
        let cap = budget::cap(self.spend_per_day.get(), self.spend_per_day_bps.get(), total_deposited);
        budget::charge(&mut self.spend_buckets, self.window_hour.get(), amount, cap, VaultError::SpendLimitExceeded)
    }

    /// Counts what a sale brought in below cost. `basis` is `loss_basis` as it was before the sale.
    #[inline(never)]
    pub fn charge_loss(&mut self, amount: u64, basis: u64) -> Checked {
        if amount == 0 {
            return Ok(());
        }
        let cap = budget::cap(self.loss_per_day.get(), self.loss_per_day_bps.get(), basis);
        budget::charge(&mut self.loss_buckets, self.window_hour.get(), amount, cap, VaultError::LossLimitExceeded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Fault;

    fn policy() -> Box<Policy> {
        let mut policy: Box<Policy> = Box::new(unsafe { core::mem::zeroed() });
        policy.loosening_delay.set(3_600);
        policy
    }

    fn refused(error: VaultError) -> Checked {
        Err(Fault::from(error))
    }

    #[test]
    fn caps_of_a_trade_and_of_a_day() {
        let mut policy = policy();
        policy.spend_per_trade.set(100);
        policy.spend_per_trade_bps.set(10_000);
        policy.spend_per_day.set(150);
        policy.spend_per_day_bps.set(10_000);
        policy.advance_window(7_200);
        assert_eq!(policy.charge_spend(101, 1_000), refused(VaultError::TradeLimitExceeded));
        assert_eq!(policy.charge_spend(100, 1_000), Ok(()));
        assert_eq!(policy.charge_spend(51, 1_000), refused(VaultError::SpendLimitExceeded));
        assert_eq!(policy.charge_spend(50, 1_000), Ok(()));
        policy.advance_window(7_200 + 24 * 3_600);
        assert_eq!(policy.charge_spend(1, 1_000), refused(VaultError::SpendLimitExceeded));
        policy.advance_window(7_200 + 25 * 3_600);
        assert_eq!(policy.charge_spend(100, 1_000), Ok(()));
    }
}
