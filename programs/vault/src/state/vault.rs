//! VaultAccount: 91 bytes, borsh, changed in place. The option shifts the fields after it; the tail is zeroed.

use crate::arguments::as_address;
use pinocchio::Address;

/// The whole account. Its own bytes are what other programs and clients read, so there is no second form to keep in step.
#[repr(transparent)]
pub struct Vault([u8; Vault::LEN]);

const OWNER: usize = 8;
const TOTAL_DEPOSITED: usize = 40;
const BOT_TAG: usize = 48;
const BOT: usize = 49;
const AFTER_BOT: usize = 81;
/// is_active, created_at, bump.
const TAIL_BYTES: usize = 10;

impl Vault {
    pub const LEN: usize = 91;
    pub const DISCRIMINATOR: [u8; 8] = [0xe6, 0xfb, 0xf1, 0x53, 0x8b, 0xca, 0x5d, 0x1c];

    /// An active vault without a bot, in an account of zeroes.
    pub fn begin(&mut self, owner: &Address, created_at: i64, bump: u8) {
        self.put(0, &Self::DISCRIMINATOR);
        self.put(OWNER, owner.as_ref());
        self.put(BOT, &[1]);
        self.put(BOT + 1, &created_at.to_le_bytes());
        self.put(BOT + TAIL_BYTES - 1, &[bump]);
    }

    /// Flags are 0 or 1. Any other byte would make another account of it for other readers.
    #[inline(always)]
    pub fn is_well_formed(&self) -> bool {
        self.byte(BOT_TAG) <= 1 && self.byte(self.tail()) <= 1
    }

    #[inline(always)]
    pub fn owner(&self) -> &Address {
        as_address(self.key(OWNER))
    }

    /// Deposits less withdrawals of the base mint, never below 0.
    #[inline(always)]
    pub fn total_deposited(&self) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[TOTAL_DEPOSITED..BOT_TAG]);
        u64::from_le_bytes(bytes)
    }

    #[inline(always)]
    pub fn set_total_deposited(&mut self, total: u64) {
        self.0[TOTAL_DEPOSITED..BOT_TAG].copy_from_slice(&total.to_le_bytes());
    }

    #[inline(always)]
    pub fn has_bot(&self) -> bool {
        self.byte(BOT_TAG) == 1
    }

    #[inline(always)]
    pub fn bot(&self) -> Option<&Address> {
        if self.has_bot() {
            Some(as_address(self.key(BOT)))
        } else {
            None
        }
    }

    /// For a vault that has none.
    #[inline(never)]
    pub fn set_bot(&mut self, bot: &Address) {
        self.0.copy_within(BOT..BOT + TAIL_BYTES, AFTER_BOT);
        self.put(BOT, bot.as_ref());
        self.put(BOT_TAG, &[1]);
    }

    /// For a vault that has one. Nothing of it is left.
    #[inline(never)]
    pub fn clear_bot(&mut self) {
        self.0.copy_within(AFTER_BOT..Self::LEN, BOT);
        self.put(BOT + TAIL_BYTES, &[0; Self::LEN - BOT - TAIL_BYTES]);
        self.put(BOT_TAG, &[0]);
    }

    #[inline(always)]
    pub fn is_active(&self) -> bool {
        self.byte(self.tail()) == 1
    }

    #[inline(always)]
    pub fn deactivate(&mut self) {
        let at = self.tail();
        self.put(at, &[0]);
    }

    #[inline(always)]
    pub fn bump(&self) -> u8 {
        self.byte(self.tail() + TAIL_BYTES - 1)
    }

    #[inline(always)]
    fn tail(&self) -> usize {
        if self.has_bot() {
            AFTER_BOT
        } else {
            BOT
        }
    }

    #[inline(always)]
    fn byte(&self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or_default()
    }

    #[inline(always)]
    fn key(&self, at: usize) -> &[u8; 32] {
        // The offsets are constants that leave room for a key.
        self.0.get(at..).and_then(|rest| rest.first_chunk()).unwrap_or(&[0; 32])
    }

    #[inline(always)]
    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.0.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Vault {
        let mut vault = Vault([0; Vault::LEN]);
        vault.begin(&Address::new_from_array([7; 32]), -9, 254);
        vault.set_total_deposited(5);
        vault
    }

    fn as_read(vault: &Vault) -> (u64, Option<&Address>, bool, u8, &[u8]) {
        let at = vault.tail() + 1;
        (vault.total_deposited(), vault.bot(), vault.is_active(), vault.bump(), &vault.0[at..at + 8])
    }

    #[test]
    fn a_bot_shifts_what_follows_and_changes_none_of_it() {
        let mut vault = vault();
        let (before, bot) = (vault.0, Address::new_from_array([9; 32]));
        assert_eq!(as_read(&vault), (5, None, true, 254, &(-9i64).to_le_bytes()[..]));
        vault.set_bot(&bot);
        assert_eq!(as_read(&vault), (5, Some(&bot), true, 254, &(-9i64).to_le_bytes()[..]));
        vault.clear_bot();
        assert_eq!(vault.0, before, "nothing is left of the bot");
    }

    #[test]
    fn deactivation_is_one_flag_in_either_form() {
        for has_bot in [false, true] {
            let mut vault = vault();
            if has_bot {
                vault.set_bot(&Address::new_from_array([9; 32]));
            }
            vault.deactivate();
            assert_eq!((vault.is_active(), vault.bump(), vault.is_well_formed()), (false, 254, true));
        }
    }

    #[test]
    fn a_flag_that_is_neither_0_nor_1_is_refused() {
        for offset in [BOT_TAG, BOT] {
            let mut vault = vault();
            vault.0[offset] = 2;
            assert!(!vault.is_well_formed());
        }
    }
}
