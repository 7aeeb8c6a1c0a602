//! Events: Anchor's discriminator and borsh in one `Program data:` line. TradeExecuted also goes out by a call to ourselves, which a full
//! log cannot lose and nobody can forge.

use crate::{
    accounts::{same, Context, Unchecked},
    arguments::Reader,
    constants::{EVENT_AUTHORITY, EVENT_AUTHORITY_BUMP, EVENT_AUTHORITY_SEED},
    create::Derived,
    error::{require, Checked, SEEDS},
    runtime::{self, Call, Places, SIGNER},
    tag,
};
use core::{mem::MaybeUninit, slice::from_raw_parts};
use pinocchio::Address;

/// An event: how it begins, and the accounts whose addresses come first. Every event begins with the vault it is about.
pub struct Event {
    discriminator: [u8; 8],
    addresses: [u8; 4],
    count: u8,
}

const VAULT: u8 = 1;

impl Event {
    #[allow(clippy::indexing_slicing)] // at compile time
    const fn of<const N: usize>(discriminator: u64, addresses: [u8; N]) -> Self {
        let (mut all, mut at) = ([0; 4], 0);
        while at < N {
            all[at] = addresses[at];
            at += 1;
        }
        Self { discriminator: discriminator.to_be_bytes(), addresses: all, count: N as u8 }
    }
}

pub static TRADE_EXECUTED: Event = Event::of(0x296e_4081_3c4f_b350, [VAULT, 0, 9, 10]);
pub static DEPOSITED: Event = Event::of(0x6f8d_1a2d_a123_6439, [VAULT, 0, 6]);
pub static WITHDRAWN: Event = Event::of(0x1459_dfc6_c27c_db0d, [VAULT, 0, 5]);
pub static AUTHORITY_CHANGED: Event = Event::of(0x1f13_ae98_0452_d7e2, [VAULT]);
pub static POLICY_CHANGED: Event = Event::of(0xf8b8_712d_7bff_2bf8, [VAULT]);
pub static VAULT_PAUSED: Event = Event::of(0xc69d_1697_4464_a223, [VAULT, 0]);
pub static VAULT_DEACTIVATED: Event = Event::of(0xce8e_2564_62ce_b99d, [VAULT, 0]);

/// The first 8 bytes of each event, by its name in the interface.
pub const DISCRIMINATORS: [(&str, [u8; 8]); 7] = [
    ("TradeExecuted", TRADE_EXECUTED.discriminator),
    ("Deposited", DEPOSITED.discriminator),
    ("Withdrawn", WITHDRAWN.discriminator),
    ("AuthorityChanged", AUTHORITY_CHANGED.discriminator),
    ("PolicyChanged", POLICY_CHANGED.discriminator),
    ("VaultPaused", VAULT_PAUSED.discriminator),
    ("VaultDeactivated", VAULT_DEACTIVATED.discriminator),
];

/// What follows an event's addresses: bytes alone, without padding.
///
/// # Safety
/// The type has no padding.
pub unsafe trait Body: Sized {
    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        const { assert!(size_of::<Self>() <= BODY_MAX) }
        // SAFETY: a value without padding is its bytes.
        unsafe { from_raw_parts((&raw const *self).cast(), size_of::<Self>()) }
    }
}

/// Of a trade: SPEC's numbers, as measured.
#[repr(C)]
pub struct Trade {
    pub amount_in: u64,
    pub amount_out: u64,
    pub minimum_amount_out: u64,
    pub timestamp: i64,
}

/// Of a deposit or a withdrawal.
#[repr(C)]
pub struct Moved {
    pub amount: u64,
    pub total_deposited: u64,
    pub timestamp: i64,
}

/// Of a grant, a revocation, or a deactivation that cleared the bot. One of the two options is some.
#[repr(C, packed)]
pub struct Authority {
    /// None and some of a grant, or the tag of some and the first byte of the key.
    pub keys: [u8; 34],
    pub bot_epoch: u64,
    pub expires_at: u64,
    pub timestamp: i64,
}

/// Paused, or resumed.
#[repr(C, packed)]
pub struct Paused {
    pub paused: bool,
    pub timestamp: i64,
}

// SAFETY: numbers of one size, or packed.
unsafe impl Body for i64 {}
unsafe impl Body for Trade {}
unsafe impl Body for Moved {}
unsafe impl Body for Authority {}
unsafe impl Body for Paused {}

impl Authority {
    /// From no bot to this one.
    pub fn granted(bot: &Address) -> [u8; 34] {
        let mut keys = [0; 34];
        keys[1] = 1;
        keys[2..].copy_from_slice(bot.as_ref());
        keys
    }

    /// From this bot to none.
    pub fn revoked(bot: &Address) -> [u8; 34] {
        let mut keys = [0; 34];
        keys[0] = 1;
        keys[1..33].copy_from_slice(bot.as_ref());
        keys
    }
}

const BODY_MAX: usize = size_of::<Authority>();
const TAG: usize = 8;
const ADDRESS: usize = 32;
const BYTES_MAX: usize = TAG + 8 + 4 * ADDRESS + BODY_MAX;

/// Room for an event's bytes after the tag of the call to ourselves.
type Room = [MaybeUninit<u8>; BYTES_MAX];
/// To be made where it stands: moving it would copy all of it.
const EMPTY: Room = [const { MaybeUninit::uninit() }; BYTES_MAX];

impl Event {
    /// Writes it down and logs it. All of it, with the tag, which the log does not have.
    #[inline(never)]
    fn write(&self, context: &Context, body: &[u8], to: &mut Room) -> usize {
        let mut end = to.as_mut_ptr().cast::<u8>();
        // SAFETY: there is room for two words, four addresses and the longest body; `Event::of` takes no more addresses, `Body` no longer
        // body. All that is logged has been written.
        unsafe {
            end.cast::<[u8; 8]>().write(tag::EVENT.to_le_bytes());
            end.add(TAG).cast::<[u8; 8]>().write(self.discriminator);
            end = end.add(TAG + 8);
            for place in self.addresses.iter().take(usize::from(self.count)) {
                end.cast::<[u64; 4]>()
                    .write_unaligned(context.at(usize::from(*place)).address().as_array().as_ptr().cast::<[u64; 4]>().read_unaligned());
                end = end.add(ADDRESS);
            }
            end.copy_from_nonoverlapping(body.as_ptr(), body.len());
            let length = end.offset_from_unsigned(to.as_ptr().cast()).wrapping_add(body.len());
            runtime::log_data(from_raw_parts(to.as_ptr().add(TAG).cast(), length.wrapping_sub(TAG)));
            length
        }
    }

    #[inline(never)]
    pub fn log(&self, context: &Context, body: &[u8]) {
        self.write(context, body, &mut { EMPTY });
    }
}

impl Authority {
    pub fn log(&self, context: &Context) {
        AUTHORITY_CHANGED.log(context, self.bytes());
    }
}

impl Paused {
    pub fn log(&self, context: &Context) {
        VAULT_PAUSED.log(context, self.bytes());
    }
}

impl Trade {
    /// Logs it, and calls ourselves with it: of bot_trade, whose 14th account is the event authority.
    #[inline(never)]
    pub fn emit(&self, context: &Context) {
        let mut room = EMPTY;
        let length = TRADE_EXECUTED.write(context, self.bytes(), &mut room);
        // SAFETY: so many bytes have been written.
        let tagged = unsafe { from_raw_parts(room.as_ptr().cast(), length) };
        let signer = Derived { word: &EVENT_AUTHORITY_SEED, key: None, bump: EVENT_AUTHORITY_BUMP };
        Call::new(context.program, tagged, Places::of([13 | SIGNER])).send(context, Some(&signer));
    }
}

/// The other end of the call to ourselves. Touches nothing; only this program can sign for the event authority.
#[inline(never)]
pub fn received(unchecked: &Unchecked, _event: &mut Reader) -> Checked {
    require(same(unchecked.check()?.at(0).address(), &EVENT_AUTHORITY), SEEDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_events_fit() {
        let largest = |event: &Event, body: usize| TAG + 8 + 32 * usize::from(event.count) + body;
        assert!(largest(&TRADE_EXECUTED, size_of::<Trade>()) <= BYTES_MAX);
        assert!(largest(&AUTHORITY_CHANGED, BODY_MAX) <= BYTES_MAX);
        assert_eq!(BODY_MAX, 34 + 3 * 8);
    }

    #[test]
    fn a_grant_is_none_then_some_and_a_revocation_some_then_none() {
        let key = [7; 32];
        assert_eq!(Authority::granted(&Address::new_from_array(key)), *[&[0, 1][..], &key].concat());
        assert_eq!(Authority::revoked(&Address::new_from_array(key)), *[&[1][..], &key, &[0]].concat());
    }

    #[test]
    fn the_event_authority_is_what_the_program_id_gives() {
        let derived = Address::find_program_address(&[EVENT_AUTHORITY_SEED], &crate::constants::PROGRAM_ID);
        assert_eq!(derived, (EVENT_AUTHORITY, EVENT_AUTHORITY_BUMP));
    }
}
