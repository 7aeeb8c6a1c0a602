//! Events: Anchor's discriminator and borsh in one `Program data:` line. TradeExecuted also goes out by a call to ourselves, which a full
//! log cannot lose and nobody can forge.

use crate::{
    accounts::{same, Context},
    constants::{EVENT_AUTHORITY, EVENT_AUTHORITY_BUMP, EVENT_AUTHORITY_SEED},
    create::Derived,
    error::{Checked, NOT_SIGNER, SEEDS},
    runtime::{self, Call, Party},
    tag,
};
use core::{mem::MaybeUninit, slice::from_raw_parts};
use pinocchio::{AccountView, Address};

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
    bytes: [MaybeUninit<u8>; 8 + BYTES_MAX],
    length: usize,
}

impl Event {
    /// To be begun where it stands: moving it would copy all of it.
    #[inline(always)]
    fn empty() -> Self {
        Self { bytes: [const { MaybeUninit::uninit() }; 8 + BYTES_MAX], length: 0 }
    }

    /// Every event begins with the vault it is about.
    #[inline(never)]
    fn begin(&mut self, discriminator: [u8; 8], vault: &Address) {
        self.put_u64(tag::EVENT);
        self.put_u64(u64::from_le_bytes(discriminator));
        self.put_address(vault);
    }

    #[inline(never)]
    fn put(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        if let Some(room) = self.bytes.get_mut(self.length..end) {
            room.write_copy_of_slice(bytes);
            self.length = end;
        }
    }

    #[inline(never)]
    fn put_u64(&mut self, value: u64) {
        self.put(&value.to_le_bytes());
    }

    #[inline(never)]
    fn put_address(&mut self, address: &Address) {
        self.put(address.as_ref());
    }

    #[inline(never)]
    fn put_option(&mut self, value: Option<&Address>) {
        self.put(&[u8::from(value.is_some())]);
        if let Some(address) = value {
            self.put_address(address);
        }
    }

    fn tagged(&self) -> &[u8] {
        // SAFETY: the first `length` bytes have been written.
        unsafe { from_raw_parts(self.bytes.as_ptr().cast(), self.length) }
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
        let mut event = Event::empty();
        event.begin(TRADE_EXECUTED, self.vault);
        event.put_address(self.bot_authority);
        event.put_address(self.input_mint);
        event.put_address(self.output_mint);
        event.put_u64(self.amount_in);
        event.put_u64(self.amount_out);
        event.put_u64(self.minimum_amount_out);
        event.put_u64(self.timestamp as u64);
        event.log();
        let signer = Derived { word: EVENT_AUTHORITY_SEED, key: &[], bump: EVENT_AUTHORITY_BUMP };
        Call::new(program, event.tagged(), &[Party::signer(event_authority)]).send(Some(&signer));
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
        let mut event = Event::empty();
        event.begin(discriminator, self.vault);
        event.put_address(self.owner);
        event.put_address(self.mint);
        event.put_u64(self.amount);
        event.put_u64(self.total_deposited);
        event.put_u64(self.timestamp as u64);
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
        let mut event = Event::empty();
        event.begin(AUTHORITY_CHANGED, self.vault);
        event.put_option(self.previous);
        event.put_option(self.current);
        event.put_u64(self.bot_epoch);
        event.put_u64(self.expires_at);
        event.put_u64(self.timestamp as u64);
        event.log();
    }
}

pub fn policy_changed(vault: &Address, timestamp: i64) {
    let mut event = Event::empty();
    event.begin(POLICY_CHANGED, vault);
    event.put_u64(timestamp as u64);
    event.log();
}

/// Paused, or resumed, and by whom.
#[inline(never)]
pub fn vault_paused(vault: &Address, authority: &Address, paused: bool, timestamp: i64) {
    let mut event = Event::empty();
    event.begin(VAULT_PAUSED, vault);
    event.put_address(authority);
    event.put(&[u8::from(paused)]);
    event.put_u64(timestamp as u64);
    event.log();
}

pub fn vault_deactivated(vault: &Address, owner: &Address, timestamp: i64) {
    let mut event = Event::empty();
    event.begin(VAULT_DEACTIVATED, vault);
    event.put_address(owner);
    event.put_u64(timestamp as u64);
    event.log();
}

/// The other end of the call to ourselves. Touches nothing; only this program can sign for the event authority.
#[inline(never)]
pub fn received(context: &Context, _event: &[u8]) -> Checked {
    let [authority] = context.take(&[])?;
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
        let mut event = Event::empty();
        event.begin(TRADE_EXECUTED, &key);
        for _ in 0..3 {
            event.put_address(&key);
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
