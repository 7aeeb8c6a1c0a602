//! VaultAccount: 91 bytes, borsh. The option shifts the fields after it, so it is read and written as a whole; the tail is zeroed.

use crate::arguments::Reader;
use pinocchio::Address;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vault {
    pub owner: Address,
    /// Deposits less withdrawals of the base mint, never below 0.
    pub total_deposited: u64,
    pub bot_authority: Option<Address>,
    pub is_active: bool,
    pub created_at: i64,
    pub bump: u8,
}

impl Vault {
    pub const LEN: usize = 91;
    pub const DISCRIMINATOR: [u8; 8] = [0xe6, 0xfb, 0xf1, 0x53, 0x8b, 0xca, 0x5d, 0x1c];

    /// Reads what follows the discriminator.
    pub fn read(data: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(data);
        let vault = Self {
            owner: reader.address(),
            total_deposited: reader.u64(),
            bot_authority: reader.option(Reader::address),
            is_active: reader.bool(),
            created_at: reader.i64(),
            bump: reader.u8(),
        };
        (!reader.has_failed()).then_some(vault)
    }

    /// The whole account, tail zeroed.
    pub fn bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&Self::DISCRIMINATOR);
        bytes[8..40].copy_from_slice(self.owner.as_ref());
        bytes[40..48].copy_from_slice(&self.total_deposited.to_le_bytes());
        let mut tail = [0; 10];
        tail[0] = u8::from(self.is_active);
        tail[1..9].copy_from_slice(&self.created_at.to_le_bytes());
        tail[9] = self.bump;
        match &self.bot_authority {
            None => bytes[49..59].copy_from_slice(&tail),
            Some(bot) => {
                bytes[48] = 1;
                bytes[49..81].copy_from_slice(bot.as_ref());
                bytes[81..91].copy_from_slice(&tail);
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(bot: Option<Address>) -> Vault {
        let owner = Address::new_from_array([7; 32]);
        Vault { owner, total_deposited: 5, bot_authority: bot, is_active: true, created_at: -9, bump: 254 }
    }

    #[test]
    fn both_forms_come_back_as_they_were() {
        for bot in [None, Some(Address::new_from_array([9; 32]))] {
            let vault = vault(bot);
            assert_eq!(Vault::read(&vault.bytes()[8..]), Some(vault));
        }
    }

    #[test]
    fn without_a_bot_nothing_is_left_of_the_old_one() {
        assert_eq!(vault(None).bytes()[59..], [0; 32]);
    }

    #[test]
    fn a_flag_that_is_neither_0_nor_1_is_refused() {
        for offset in [48, 49] {
            let mut bytes = vault(None).bytes();
            bytes[offset] = 2;
            assert_eq!(Vault::read(&bytes[8..]), None);
        }
    }
}
