//! The calls to the runtime. On the host they do nothing, so that the rest compiles and is tested there.

use crate::{
    accounts::{same, Context},
    create::Derived,
    scratch,
};
use core::slice::from_raw_parts;
use pinocchio::{
    cpi::{invoke_signed_unchecked, CpiAccount, Seed, Signer},
    instruction::{InstructionAccount, InstructionView},
    AccountView, Address,
};

/// 1 for an instruction of a transaction, more when a program called.
#[inline(always)]
pub fn stack_height() -> u64 {
    #[cfg(any(target_os = "solana", target_arch = "bpf"))]
    // SAFETY: the call takes nothing and returns a number.
    return unsafe { solana_define_syscall::definitions::sol_get_stack_height() };
    #[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
    1
}

/// One `Program data:` line.
#[inline(always)]
pub fn log_data(data: &[u8]) {
    #[cfg(any(target_os = "solana", target_arch = "bpf"))]
    {
        let fields = [data];
        // SAFETY: one slice, whose address and length are laid out as the runtime reads them.
        unsafe { solana_define_syscall::definitions::sol_log_data(fields.as_ptr().cast(), 1) };
    }
    #[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
    core::hint::black_box(data);
}

/// Slot and block time, from the runtime itself: no account could forge them. Its words: slot, epoch start, epoch, leader schedule epoch,
/// unix time.
pub struct Clock([u64; 5]);

impl Clock {
    #[inline(always)]
    pub fn get() -> Self {
        let mut clock = Self([0; 5]);
        clock.read();
        clock
    }

    #[inline(never)]
    fn read(&mut self) {
        #[cfg(any(target_os = "solana", target_arch = "bpf"))]
        {
            let (id, size) = (&pinocchio::sysvars::clock::CLOCK_ID, size_of_val(&self.0) as u64);
            // SAFETY: the buffer has the size that is named; the clock exists from the first slot on.
            unsafe { solana_define_syscall::definitions::sol_get_sysvar(id.as_array().as_ptr(), self.0.as_mut_ptr().cast(), 0, size) };
        }
    }

    #[inline(always)]
    pub fn slot(&self) -> u64 {
        self.0[0]
    }

    #[inline(always)]
    pub fn now(&self) -> i64 {
        self.0[4] as i64
    }
}

/// Block time, where the slot does not matter.
#[inline(never)]
pub fn now() -> i64 {
    Clock::get().now()
}

/// So many seconds, not fewer than none, after a block time.
pub fn later(now: i64, seconds: i64) -> i64 {
    let then = now.wrapping_add(seconds);
    if then < now {
        i64::MAX
    } else {
        then
    }
}

/// An account of a call by its place among ours; with `WRITABLE` or `SIGNER` added, what the callee may do with it.
pub type Place = u8;
pub const WRITABLE: Place = 0x80;
pub const SIGNER: Place = 0x40;
const PLACE: Place = 0x1f;
const NONE: Place = 0xff;

/// Up to four accounts of a call, packed so that naming them is one number.
#[derive(Clone, Copy)]
pub struct Places(u32);

impl Places {
    #[allow(clippy::indexing_slicing)] // at compile time
    pub const fn of<const N: usize>(given: [Place; N]) -> Self {
        let mut all = [NONE; 4];
        let mut at = 0;
        while at < N {
            all[at] = given[at];
            at += 1;
        }
        Self(u32::from_le_bytes(all))
    }

    /// The first of them, without what may be done with it.
    #[inline(always)]
    pub fn first(self) -> usize {
        (self.0 & PLACE as u32) as usize
    }
}

/// A call to another program. When it fails the whole transaction fails: there is nothing to return.
pub struct Call<'a> {
    pub program: &'a Address,
    pub data: &'a [u8],
    pub places: Places,
    /// Whether the accounts that follow ours are handed on: writable as the caller said, signed by none but `rest_signer`.
    pub has_rest: bool,
    pub rest_signer: Option<&'a Address>,
}

impl<'a> Call<'a> {
    #[inline(always)]
    pub fn new(program: &'a Address, data: &'a [u8], places: Places) -> Self {
        Self { program, data, places, has_rest: false, rest_signer: None }
    }

    #[inline(never)]
    pub fn send(&self, context: &Context, signer: Option<&Derived>) {
        let scratch = scratch::get();
        // SAFETY: the scratch memory is ours alone, and nothing of an earlier call is looked at again.
        let (metas, views) = unsafe { (&raw mut (*scratch).metas, &raw mut (*scratch).views) };
        let mut list = Handed { metas: metas.cast(), views: views.cast() };
        let mut places = self.places.0;
        while places as u8 != NONE {
            let place = places as u8;
            list.add(context.at(usize::from(place & PLACE)), place & WRITABLE != 0, place & SIGNER != 0);
            places = places >> 8 | u32::from(NONE) << 24;
        }
        if self.has_rest {
            for account in context.rest() {
                let is_signer = self.rest_signer.is_some_and(|signer| same(account.address(), signer));
                list.add(account, account.is_writable(), is_signer);
            }
        }
        let (word, key, bump) = signer.map_or((&[][..], &[][..], 0), |signer| (*signer.word, signer.key_bytes(), signer.bump));
        let bump = [bump];
        let seeds = [Seed::from(word), Seed::from(key), Seed::from(&bump)];
        let signers = [Signer::from(&seeds)];
        // SAFETY: both lists have been written up to where they stand now. No borrow that the callee could break lives across a call: the
        // program's own accounts are handed out at most to be read, and of token accounts only values are kept.
        unsafe {
            let count = list.metas.offset_from_unsigned(metas.cast());
            let instruction = InstructionView { program_id: self.program, accounts: from_raw_parts(metas.cast(), count), data: self.data };
            let signers = signers.get_unchecked(..usize::from(signer.is_some()));
            invoke_signed_unchecked(&instruction, from_raw_parts(views.cast(), count), signers);
        }
    }
}

/// Where the next account of a call is written down for the runtime. There is room for all that a transaction can name.
struct Handed<'a> {
    metas: *mut InstructionAccount<'a>,
    views: *mut CpiAccount<'a>,
}

impl<'a> Handed<'a> {
    #[inline(never)]
    fn add(&mut self, account: &'a AccountView, is_writable: bool, is_signer: bool) {
        // SAFETY: at most four and as many as the entry point keeps are added, which is what the room is for.
        unsafe {
            self.metas.write(InstructionAccount::new(account.address(), is_writable, is_signer));
            self.views.write(CpiAccount::from(account));
            self.metas = self.metas.add(1);
            self.views = self.views.add(1);
        }
    }
}
