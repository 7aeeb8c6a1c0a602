//! Events: Anchor's discriminator and borsh in one `Program data:` line. TradeExecuted also goes out by a call to ourselves, which a full
//! log cannot lose and nobody can forge.

use crate::{
    accounts::{same, Context},
    constants::{EVENT_AUTHORITY, EVENT_AUTHORITY_BUMP, EVENT_AUTHORITY_SEED},
    error::{Checked, NOT_SIGNER, SEEDS},
    runtime::{self, Call, Party},
    tag,
};
use pinocchio::{
    cpi::{Seed, Signer},
    AccountView, Address,
};

/// The first 8 bytes of each event, by its name in the interface.
pub const DISCRIMINATORS: [(&str, [u8; 8]); 7] = [
    ("TradeExecuted", TRADE_EXECUTED),
    ("Deposited", DEPOSITED),
    ("Withdrawn", WITHDRAWN),
    ("AuthorityChanged", AUTHORITY_CHANGED),
    ("PolicyChanged", POLICY_CHANGED),
    ("VaultPaused", VAULT_PAUSED),
    ("VaultDeactivated", VAULT_DEACTIVATED),
];
const TRADE_EXECUTED: [u8; 8] = 0x296e_4081_3c4f_b350_u64.to_be_bytes();
const DEPOSITED: [u8; 8] = 0x6f8d_1a2d_a123_6439_u64.to_be_bytes();
const WITHDRAWN: [u8; 8] = 0x1459_dfc6_c27c_db0d_u64.to_be_bytes();
const AUTHORITY_CHANGED: [u8; 8] = 0x1f13_ae98_0452_d7e2_u64.to_be_bytes();
const POLICY_CHANGED: [u8; 8] = 0xf8b8_712d_7bff_2bf8_u64.to_be_bytes();
const VAULT_PAUSED: [u8; 8] = 0xc69d_1697_4464_a223_u64.to_be_bytes();
const VAULT_DEACTIVATED: [u8; 8] = 0xce8e_2564_62ce_b99d_u64.to_be_bytes();

const BYTES_MAX: usize = 8 + 4 * 32 + 4 * 8;

/// An event under construction, after room for the tag of the call to ourselves.
struct Event {
    bytes: [u8; 8 + BYTES_MAX],
    length: usize,
}

impl Event {
    fn new(discriminator: [u8; 8]) -> Self {
        let mut event = Self { bytes: [0; 8 + BYTES_MAX], length: 0 };
        event.put(&tag::EVENT.to_le_bytes());
        event.put(&discriminator);
        event
    }

    #[inline(never)]
    fn put(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        if let Some(room) = self.bytes.get_mut(self.length..end) {
            room.copy_from_slice(bytes);
        }
        self.length = end;
    }

    #[inline(never)]
    fn put_u64(&mut self, value: u64) {
        self.put(&value.to_le_bytes());
    }

    fn put_option(&mut self, value: Option<&Address>) {
        self.put(&[u8::from(value.is_some())]);
        if let Some(address) = value {
            self.put(address.as_ref());
        }
    }

    fn tagged(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    #[inline(never)]
    fn log(&self) {
        runtime::log_data(self.tagged().get(8..).unwrap_or_default());
    }
}

/// SPEC's event of a trade; amounts as measured.
pub struct TradeExecuted<'a> {
    pub vault: &'a Address,
    pub bot_authority: &'a Address,
    pub input_mint: &'a Address,
    pub output_mint: &'a Address,
    pub amount_in: u64,
    pub amount_out: u64,
    pub minimum_amount_out: u64,
    pub timestamp: i64,
}

impl TradeExecuted<'_> {
    /// Logs it, and calls ourselves with it.
    #[inline(never)]
    pub fn emit(&self, program: &Address, event_authority: &AccountView) {
        let mut event = Event::new(TRADE_EXECUTED);
        for address in [self.vault, self.bot_authority, self.input_mint, self.output_mint] {
            event.put(address.as_ref());
        }
        for number in [self.amount_in, self.amount_out, self.minimum_amount_out] {
            event.put_u64(number);
        }
        event.put(&self.timestamp.to_le_bytes());
        event.log();
        let bump = [EVENT_AUTHORITY_BUMP];
        let seeds = [Seed::from(EVENT_AUTHORITY_SEED), Seed::from(&bump)];
        Call::new(program, event.tagged(), &[Party::signer(event_authority)]).send(&[Signer::from(&seeds)]);
    }
}

/// A deposit or a withdrawal.
pub struct Moved<'a> {
    pub vault: &'a Address,
    pub owner: &'a Address,
    pub mint: &'a Address,
    pub amount: u64,
    pub total_deposited: u64,
    pub timestamp: i64,
}

impl Moved<'_> {
    pub fn deposited(&self) {
        self.log(DEPOSITED);
    }

    pub fn withdrawn(&self) {
        self.log(WITHDRAWN);
    }

    #[inline(never)]
    fn log(&self, discriminator: [u8; 8]) {
        let mut event = Event::new(discriminator);
        for address in [self.vault, self.owner, self.mint] {
            event.put(address.as_ref());
        }
        event.put_u64(self.amount);
        event.put_u64(self.total_deposited);
        event.put(&self.timestamp.to_le_bytes());
        event.log();
    }
}

/// A grant, a revocation, or a deactivation that cleared the bot.
pub struct AuthorityChanged<'a> {
    pub vault: &'a Address,
    pub previous: Option<&'a Address>,
    pub current: Option<&'a Address>,
    pub bot_epoch: u64,
    pub expires_at: u64,
    pub timestamp: i64,
}

impl AuthorityChanged<'_> {
    #[inline(never)]
    pub fn log(&self) {
        let mut event = Event::new(AUTHORITY_CHANGED);
        event.put(self.vault.as_ref());
        event.put_option(self.previous);
        event.put_option(self.current);
        event.put_u64(self.bot_epoch);
        event.put_u64(self.expires_at);
        event.put(&self.timestamp.to_le_bytes());
        event.log();
    }
}

pub fn policy_changed(vault: &Address, timestamp: i64) {
    let mut event = Event::new(POLICY_CHANGED);
    event.put(vault.as_ref());
    event.put(&timestamp.to_le_bytes());
    event.log();
}

/// Paused, or resumed, and by whom.
#[inline(never)]
pub fn vault_paused(vault: &Address, authority: &Address, paused: bool, timestamp: i64) {
    let mut event = Event::new(VAULT_PAUSED);
    event.put(vault.as_ref());
    event.put(authority.as_ref());
    event.put(&[u8::from(paused)]);
    event.put(&timestamp.to_le_bytes());
    event.log();
}

pub fn vault_deactivated(vault: &Address, owner: &Address, timestamp: i64) {
    let mut event = Event::new(VAULT_DEACTIVATED);
    event.put(vault.as_ref());
    event.put(owner.as_ref());
    event.put(&timestamp.to_le_bytes());
    event.log();
}

/// The other end of the call to ourselves. Touches nothing; only this program can sign for the event authority.
pub fn received(context: &Context) -> Checked {
    let [authority] = context.take()?;
    if !authority.is_signer() {
        return Err(NOT_SIGNER);
    }
    if same(authority.address(), &EVENT_AUTHORITY) {
        Ok(())
    } else {
        Err(SEEDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_event_fits() {
        let key = Address::new_from_array([7; 32]);
        let mut event = Event::new(TRADE_EXECUTED);
        for _ in 0..4 {
            event.put(key.as_ref());
        }
        for _ in 0..4 {
            event.put_u64(1);
        }
        assert_eq!((event.length, event.tagged().len()), (8 + BYTES_MAX, 8 + BYTES_MAX));
    }

    #[test]
    fn the_event_authority_is_what_the_program_id_gives() {
        let derived = Address::find_program_address(&[EVENT_AUTHORITY_SEED], &crate::constants::PROGRAM_ID);
        assert_eq!(derived, (EVENT_AUTHORITY, EVENT_AUTHORITY_BUMP));
    }
}
