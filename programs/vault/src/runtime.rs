//! The calls to the runtime. On the host they do nothing, so that the rest compiles and is tested there.

use crate::{accounts::same, create::Derived};
use alloc::alloc::{alloc, Layout};
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

/// Slot and block time, from the runtime itself: no account could forge them.
pub struct Clock {
    pub slot: u64,
    pub unix_timestamp: i64,
}

impl Clock {
    #[inline(never)]
    pub fn get() -> Self {
        #[cfg(any(target_os = "solana", target_arch = "bpf"))]
        {
            // slot, epoch start, epoch, leader schedule epoch, unix time
            let mut words = [0u64; 5];
            let (id, size) = (&pinocchio::sysvars::clock::CLOCK_ID, size_of_val(&words) as u64);
            // SAFETY: the buffer has the size that is named; the clock exists from the first slot on.
            unsafe { solana_define_syscall::definitions::sol_get_sysvar(id.as_array().as_ptr(), words.as_mut_ptr().cast(), 0, size) };
            let [slot, _, _, _, unix_timestamp] = words;
            Self { slot, unix_timestamp: unix_timestamp as i64 }
        }
        #[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
        Self { slot: 0, unix_timestamp: 0 }
    }
}

/// Block time, where the slot does not matter.
#[inline(never)]
pub fn now() -> i64 {
    Clock::get().unix_timestamp
}

/// So many seconds after a block time.
#[inline(never)]
pub fn later(now: i64, seconds: i64) -> i64 {
    now.saturating_add(seconds)
}

/// An account of a call to another program, and what that program may do with it.
#[derive(Clone, Copy)]
pub struct Party<'a> {
    view: &'a AccountView,
    is_writable: bool,
    is_signer: bool,
}

impl<'a> Party<'a> {
    pub fn new(view: &'a AccountView, is_writable: bool, is_signer: bool) -> Self {
        Self { view, is_writable, is_signer }
    }

    pub fn readonly(view: &'a AccountView) -> Self {
        Self::new(view, false, false)
    }

    pub fn writable(view: &'a AccountView) -> Self {
        Self::new(view, true, false)
    }

    pub fn signer(view: &'a AccountView) -> Self {
        Self::new(view, false, true)
    }

    pub fn writable_signer(view: &'a AccountView) -> Self {
        Self::new(view, true, true)
    }
}

/// A call to another program. When it fails the whole transaction fails: there is nothing to return.
pub struct Call<'a> {
    pub program: &'a Address,
    pub data: &'a [u8],
    pub parties: &'a [Party<'a>],
    /// Accounts that follow, writable as the caller said, signed by none but `extra_signer`.
    pub extra: &'a [AccountView],
    pub extra_signer: &'a Address,
}

impl<'a> Call<'a> {
    pub fn new(program: &'a Address, data: &'a [u8], parties: &'a [Party<'a>]) -> Self {
        Self { program, data, parties, extra: &[], extra_signer: program }
    }

    #[inline(never)]
    pub fn send(&self, signer: Option<&Derived>) {
        let count = self.parties.len().wrapping_add(self.extra.len());
        let metas = room::<InstructionAccount>(count);
        let views = room::<CpiAccount>(count);
        let mut at = 0;
        while at < count {
            let (view, is_writable, is_signer) = match self.parties.get(at) {
                Some(party) => (party.view, party.is_writable, party.is_signer),
                None => {
                    // SAFETY: those that are no parties are extra accounts.
                    let view = unsafe { self.extra.get_unchecked(at.wrapping_sub(self.parties.len())) };
                    (view, view.is_writable(), same(view.address(), self.extra_signer))
                }
            };
            // SAFETY: there is room for `count` items, and as many are written.
            unsafe {
                metas.add(at).write(InstructionAccount::new(view.address(), is_writable, is_signer));
                views.add(at).write(CpiAccount::from(view));
            }
            at += 1;
        }
        let (word, key, bump) = signer.map_or((&[][..], &[][..], 0), |signer| (signer.word, signer.key, signer.bump));
        let bump = [bump];
        let seeds = [Seed::from(word), Seed::from(key), Seed::from(&bump)];
        let signers = [Signer::from(&seeds)];
        // SAFETY: all `count` items are written. No borrow that the callee could break lives across a call: the program's own accounts are
        // handed out at most to be read, and of token accounts only values are kept.
        unsafe {
            let instruction = InstructionView { program_id: self.program, accounts: from_raw_parts(metas, count), data: self.data };
            let signers = signers.get_unchecked(..usize::from(signer.is_some()));
            invoke_signed_unchecked(&instruction, from_raw_parts(views, count), signers);
        }
    }
}

/// Uninitialized room for `count` items; an instruction ends long before the heap does, so nothing is given back.
#[inline(always)]
fn room<T>(count: usize) -> *mut T {
    // At most 80 accounts of at most 56 bytes. One byte more, because no bytes cannot be asked for.
    let size = count.wrapping_mul(size_of::<T>()) + 1;
    // SAFETY: the size is not zero and the alignment is a type's.
    unsafe { alloc(Layout::from_size_align_unchecked(size, align_of::<T>())).cast() }
}
