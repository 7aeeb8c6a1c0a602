//! Config: one account for the whole program.

use crate::{
    constants::ROUTERS_MASK,
    le::{I64, U64},
};
use pinocchio::Address;

#[repr(C)]
pub struct Config {
    pub discriminator: [u8; 8],
    pub version: u8,
    pub bump: u8,
    pub paused: u8,
    /// Bit i: entry i of the compiled list is enabled.
    pub routers: u8,
    /// Bits that join at `routers_effective_at`.
    pub pending_routers: u8,
    /// 0: nothing pending.
    pub routers_effective_at: I64,
    pub admin: Address,
    /// All zeroes: none.
    pub pending_admin: Address,
    /// May only pause.
    pub guardian: Address,
    /// Never changes: classic SPL, 6 decimals.
    pub base_mint: Address,
    pub vault_cap: U64,
    pub loosening_delay: I64,
    pub reserved: [u8; 64],
}

impl Config {
    pub const LEN: usize = 229;
    pub const VERSION: u8 = 1;
    pub const DISCRIMINATOR: [u8; 8] = [0x9b, 0x0c, 0xaa, 0xe0, 0x1e, 0xfa, 0xcc, 0x82];

    /// All compiled routers enabled, in an account of zeroes.
    pub fn begin(&mut self, bump: u8) {
        self.discriminator = Self::DISCRIMINATOR;
        self.version = Self::VERSION;
        self.bump = bump;
        self.routers = ROUTERS_MASK;
    }

    /// So many of its bytes; none beyond its end.
    #[inline(always)]
    pub fn bytes_at(&mut self, (offset, size): (u8, u8)) -> &mut [u8] {
        let (offset, size) = (usize::from(offset), usize::from(size));
        // SAFETY: every field is bytes.
        let bytes = unsafe { &mut *(&raw mut *self).cast::<[u8; Self::LEN]>() };
        bytes.get_mut(offset..).and_then(|rest| rest.get_mut(..size)).unwrap_or_default()
    }

    /// The routers enabled at block time `now`.
    pub fn routers_at(&self, now: i64) -> u8 {
        let at = self.routers_effective_at.get();
        if at != 0 && now >= at {
            self.routers | self.pending_routers
        } else {
            self.routers
        }
    }

    /// Switching off acts at once and also ends a pending switching on; switching on waits until `effective_at`.
    pub fn set_routers(&mut self, wanted: u8, now: i64, effective_at: i64) {
        let enabled = self.routers_at(now);
        let still_pending = if enabled == self.routers { self.pending_routers } else { 0 };
        let added = wanted & !enabled;
        self.routers = enabled & wanted;
        if added == 0 {
            self.pending_routers = 0;
            self.routers_effective_at.set(0);
        } else if added != still_pending {
            self.pending_routers = added;
            self.routers_effective_at.set(effective_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(routers: u8) -> Config {
        let mut config: Config = unsafe { core::mem::zeroed() };
        config.routers = routers;
        config
    }

    #[test]
    fn a_router_is_switched_off_at_once_and_on_after_the_delay() {
        let mut config = config(0b01);
        config.set_routers(0b10, 100, 200);
        assert_eq!([99, 199, 200].map(|now| config.routers_at(now)), [0, 0, 0b10]);
        config.set_routers(0b11, 300, 400);
        assert_eq!([399, 400].map(|now| config.routers_at(now)), [0b10, 0b11]);
    }

    #[test]
    fn asking_again_does_not_restart_the_clock_and_switching_off_ends_it() {
        let mut config = config(0);
        config.set_routers(1, 100, 200);
        config.set_routers(1, 150, 250);
        assert_eq!(config.routers_at(200), 1);
        config.set_routers(0, 160, 260);
        assert_eq!(config.routers_at(1_000), 0);
    }
}
