//! Memory for what is too large for the stack. The program allocates nothing: there is one such place, at the start of the heap.

use crate::{constants::ROUTE_ACCOUNTS_MAX, watch::Before};
use core::mem::MaybeUninit;
use pinocchio::{cpi::CpiAccount, instruction::InstructionAccount};

/// More than any instruction takes, so that one account too many is seen and refused. What follows is passed over.
pub const ACCOUNTS_MAX: usize = 80;
/// Those of a call: up to four by name, and all that follow.
const CALL_ACCOUNTS_MAX: usize = ACCOUNTS_MAX + 4;
/// The two trade accounts and every account of a route.
pub const WATCHED_MAX: usize = ROUTE_ACCOUNTS_MAX + 2;

pub struct Scratch {
    pub metas: [MaybeUninit<InstructionAccount<'static>>; CALL_ACCOUNTS_MAX],
    pub views: [MaybeUninit<CpiAccount<'static>>; CALL_ACCOUNTS_MAX],
    pub watched: [MaybeUninit<Before>; WATCHED_MAX],
}

/// Never read before it is written.
#[inline(always)]
pub fn get() -> *mut Scratch {
    #[cfg(any(target_os = "solana", target_arch = "bpf"))]
    return pinocchio::entrypoint::HEAP_START_ADDRESS as *mut Scratch;
    #[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
    Box::leak(Box::<Scratch>::new_uninit()).as_mut_ptr()
}

const _: () = assert!(size_of::<Scratch>() <= 32 * 1024 && align_of::<Scratch>() <= 8);
